package io.culvert.buffer;

import io.culvert.api.northbound.Batch;
import io.culvert.api.northbound.Forwarder;
import io.culvert.api.northbound.Receipt;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A forwarder over a link that carries so many bytes a second and no more, in the loop's time. */
final class NarrowLink implements Forwarder {
  private static final int WINDOW = 64;

  /** Of a reading on the wire, and of a batch beside. */
  static final int READING_BYTES = 50;

  static final int BATCH_BYTES = 300;

  private final Loop loop;
  private final long bytesPerSecond;
  private final Queue<Sent> queue = new ArrayDeque<>();
  private final List<Arrived> arrived = new ArrayList<>();
  private long bytes;
  private Runnable wake = () -> {};

  /**
   * @param nanos when it was there; the loop's time
   */
  record Arrived(Batch batch, long nanos) {}

  private record Sent(Batch batch, CompletableFuture<Receipt> receipt) {}

  NarrowLink(Loop loop, long bytesPerSecond) {
    this.loop = loop;
    this.bytesPerSecond = bytesPerSecond;
  }

  List<Arrived> arrived() {
    return List.copyOf(arrived);
  }

  @Override
  public boolean ready() {
    return true;
  }

  @Override
  public int window() {
    return WINDOW - queue.size();
  }

  @Override
  public long sentBytes() {
    return bytes;
  }

  @Override
  public void onChange(Runnable wake) {
    this.wake = wake;
  }

  @Override
  public CompletionStage<Receipt> send(Batch batch) {
    Sent sent = new Sent(batch, new CompletableFuture<>());
    queue.add(sent);
    if (queue.size() == 1) {
      carryNext();
    }
    return sent.receipt();
  }

  private void carryNext() {
    Sent next = queue.peek();
    if (next == null) {
      return;
    }
    long size = BATCH_BYTES + (long) next.batch().entries().size() * READING_BYTES;
    loop.schedule(
        () -> {
          bytes += size;
          arrived.add(new Arrived(next.batch(), loop.nanos()));
          queue.remove();
          next.receipt().complete(Receipt.confirmed());
          wake.run();
          carryNext();
        },
        Duration.ofNanos(size * 1_000_000_000 / bytesPerSecond));
  }
}
