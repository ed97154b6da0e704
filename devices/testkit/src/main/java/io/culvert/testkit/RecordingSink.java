package io.culvert.testkit;

import io.culvert.api.Sample;
import io.culvert.api.southbound.Sink;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;

/** A sink that accepts everything at once and remembers it. Safe in any thread. */
public final class RecordingSink implements Sink {
  private final List<Sample> samples = new CopyOnWriteArrayList<>();
  private final List<Throwable> lost = new CopyOnWriteArrayList<>();

  @Override
  public CompletionStage<Void> accept(List<Sample> samples) {
    this.samples.addAll(samples);
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public void lost(Throwable cause) {
    lost.add(cause);
  }

  /** What was accepted, in order. */
  public List<Sample> samples() {
    return List.copyOf(samples);
  }

  /** The causes of lost links, in order. */
  public List<Throwable> lost() {
    return List.copyOf(lost);
  }
}
