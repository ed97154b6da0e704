package io.culvert.buffer;

import io.culvert.api.northbound.Batch;
import io.culvert.api.northbound.Forwarder;
import io.culvert.api.northbound.Receipt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;

/** A forwarder that counts what is confirmed on another one, or confirms by itself and at once. */
final class Drained implements Forwarder {
  private static final int WINDOW = 64;

  private final Forwarder way;
  private final Receiver receiver;
  private final long liveSince;
  private final long wanted;
  private final AtomicLong backlog = new AtomicLong();
  private final AtomicLong unconfirmed = new AtomicLong();
  private final CompletableFuture<Void> done = new CompletableFuture<>();

  /**
   * @param way to the platform; {@code null} for a platform that has all at once
   * @param receiver sees what is sent; {@code null} if it is elsewhere
   * @param liveSince readings of an earlier time are the backlog; in milliseconds since 1970
   * @param wanted so many confirmed readings of the backlog are enough
   */
  Drained(Forwarder way, Receiver receiver, long liveSince, long wanted) {
    this.way = way;
    this.receiver = receiver;
    this.liveSince = liveSince;
    this.wanted = wanted;
  }

  /** Completes as soon as enough is confirmed. */
  CompletableFuture<Void> done() {
    return done;
  }

  /** Confirmed readings of the backlog. */
  long backlog() {
    return backlog.get();
  }

  /** Readings that were sent in vain. */
  long unconfirmed() {
    return unconfirmed.get();
  }

  @Override
  public boolean ready() {
    return way == null || way.ready();
  }

  @Override
  public int window() {
    return way == null ? WINDOW : way.window();
  }

  @Override
  public CompletionStage<Receipt> send(Batch batch) {
    if (receiver != null) {
      receiver.batch(batch, System.currentTimeMillis());
    }
    if (way == null) {
      count(batch, Receipt.confirmed());
      return CompletableFuture.completedFuture(Receipt.confirmed());
    }
    return way.send(batch).whenComplete((receipt, failure) -> count(batch, receipt));
  }

  private void count(Batch batch, Receipt receipt) {
    int confirmed = 0;
    for (int i = 0; i < batch.entries().size(); i++) {
      if (receipt == null || !(receipt.of(i) instanceof Receipt.Outcome.Confirmed)) {
        unconfirmed.incrementAndGet();
      } else if (batch.entries().get(i).reading().eventTime().toEpochMilli() < liveSince) {
        confirmed++;
      }
    }
    if (backlog.addAndGet(confirmed) >= wanted) {
      done.complete(null);
    }
  }

  @Override
  public void onChange(Runnable wake) {
    if (way != null) {
      way.onChange(wake);
    }
  }
}
