package io.culvert.buffer;

import io.culvert.api.northbound.Batch;
import io.culvert.api.northbound.Forwarder;
import io.culvert.api.northbound.Receipt;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** A forwarder with the platform behind it, in process. */
final class Platform implements Forwarder {
  private final int size;
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private final List<Batch> received = new ArrayList<>();
  private Runnable wake = () -> {};
  private boolean ready = true;
  private Function<Batch, Receipt> answer;

  record Waiting(Batch batch, CompletableFuture<Receipt> receipt) {}

  Platform(int window) {
    this.size = window;
  }

  /** Answers each batch at once from now on. */
  Platform answering(Function<Batch, Receipt> how) {
    synchronized (this) {
      answer = how;
    }
    return this;
  }

  Platform confirming() {
    return answering(batch -> Receipt.confirmed());
  }

  void ready(boolean now) {
    Runnable woken;
    synchronized (this) {
      ready = now;
      woken = wake;
    }
    woken.run();
  }

  /** Ends the connection: what is in flight is not known to have arrived. */
  void lose() {
    List<Waiting> lost;
    Runnable woken;
    synchronized (this) {
      ready = false;
      lost = List.copyOf(waiting);
      waiting.clear();
      woken = wake;
    }
    lost.forEach(each -> each.receipt().complete(Receipt.retry()));
    woken.run();
  }

  /** Answers the oldest batch in flight. */
  Batch answerNext(Receipt receipt) {
    Waiting next;
    Runnable woken;
    synchronized (this) {
      next = waiting.remove();
      woken = wake;
    }
    next.receipt().complete(receipt);
    woken.run();
    return next.batch();
  }

  synchronized List<Batch> received() {
    return List.copyOf(received);
  }

  synchronized List<Batch.Entry> entries() {
    return received.stream().flatMap(batch -> batch.entries().stream()).toList();
  }

  synchronized int inFlight() {
    return waiting.size();
  }

  @Override
  public synchronized boolean ready() {
    return ready;
  }

  @Override
  public synchronized int window() {
    return size - waiting.size();
  }

  @Override
  public synchronized CompletionStage<Receipt> send(Batch batch) {
    if (waiting.size() >= size) {
      throw new AssertionError("More batches than the window takes");
    }
    if (!ready) {
      return CompletableFuture.completedFuture(Receipt.retry());
    }
    received.add(batch);
    if (answer != null) {
      return CompletableFuture.completedFuture(answer.apply(batch));
    }
    Waiting sent = new Waiting(batch, new CompletableFuture<>());
    waiting.add(sent);
    return sent.receipt();
  }

  @Override
  public synchronized void onChange(Runnable wake) {
    this.wake = wake;
  }
}
