package io.culvert.plugins.hosting;

import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Sink;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;

/** A sink that remembers, and answers when it is told to. */
final class Heard implements Sink {
  final List<Value> values = new CopyOnWriteArrayList<>();
  final List<String> missing = new CopyOnWriteArrayList<>();
  final List<String> lost = new CopyOnWriteArrayList<>();
  volatile CompletableFuture<Void> answer = CompletableFuture.completedFuture(null);

  @Override
  public CompletionStage<Void> accept(List<Sample> samples) {
    samples.forEach(sample -> values.add(sample.value()));
    return answer.copy();
  }

  @Override
  public void missing(String point, Instant from, Instant to, long readings, String why) {
    missing.add(String.join(" ", point, from.toString(), to.toString(), "" + readings, why));
  }

  @Override
  public void lost(Throwable cause) {
    lost.add(cause.getMessage());
  }
}
