package io.culvert.testkit;

import io.culvert.api.Sample;
import io.culvert.api.southbound.Sink;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

/**
 * A sink that remembers everything, and accepts it at once unless told otherwise. Safe in any
 * thread.
 */
public final class RecordingSink implements Sink {
  private final List<Sample> samples = new CopyOnWriteArrayList<>();
  private final List<Missing> missing = new CopyOnWriteArrayList<>();
  private final List<Throwable> lost = new CopyOnWriteArrayList<>();
  private volatile Supplier<CompletionStage<Void>> answer =
      () -> CompletableFuture.completedFuture(null);

  /**
   * Answers like this from now on: with a stage that has failed, or one that isn't completed yet.
   */
  public void answer(Supplier<CompletionStage<Void>> answer) {
    this.answer = answer;
  }

  @Override
  public CompletionStage<Void> accept(List<Sample> samples) {
    this.samples.addAll(samples);
    return answer.get();
  }

  @Override
  public void missing(String point, Instant from, Instant to, long readings, String why) {
    missing.add(new Missing(point, from, to, readings, why));
  }

  @Override
  public void lost(Throwable cause) {
    lost.add(cause);
  }

  /** What was handed over, in order. */
  public List<Sample> samples() {
    return List.copyOf(samples);
  }

  /** What is said to be missing, in order. */
  public List<Missing> missing() {
    return List.copyOf(missing);
  }

  /** A word of {@link Sink#missing}. */
  public record Missing(String point, Instant from, Instant to, long readings, String why) {}

  /** The causes of lost links, in order. */
  public List<Throwable> lost() {
    return List.copyOf(lost);
  }
}
