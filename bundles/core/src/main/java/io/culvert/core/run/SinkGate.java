package io.culvert.core.run;

import io.culvert.api.Sample;
import io.culvert.api.southbound.Sink;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

/** What the driver gets as its sink: leads nowhere once the connection is shut. */
final class SinkGate implements Sink {
  private final Loop loop;
  private final Caller caller;
  private volatile Intake intake;
  private volatile Consumer<String> lost;

  /**
   * @param lost told on the loop, once, that the link is gone
   */
  SinkGate(Loop loop, Caller caller, Intake intake, Consumer<String> lost) {
    this.loop = loop;
    this.caller = caller;
    this.intake = intake;
    this.lost = lost;
  }

  @Override
  public CompletionStage<Void> accept(List<Sample> samples) {
    Intake present = intake;
    if (present == null) {
      return CompletableFuture.failedFuture(
          new RejectedExecutionException("The connection is closed"));
    }
    // The driver's continuations run on its own threads, not on ours.
    CompletableFuture<Void> accepted = new CompletableFuture<>();
    present.push(
        List.copyOf(samples),
        loop.now(),
        problem ->
            caller.execute(
                () -> {
                  if (problem == null) {
                    accepted.complete(null);
                  } else {
                    accepted.completeExceptionally(new RejectedExecutionException(problem));
                  }
                }));
    return accepted;
  }

  @Override
  public void lost(Throwable cause) {
    String words = cause == null ? "the link is lost" : "the link is lost: " + Call.words(cause);
    loop.execute(
        () -> {
          Consumer<String> tell = lost;
          lost = null;
          if (tell != null) {
            tell.accept(words);
          }
        });
  }

  void shut() {
    intake = null;
    lost = null;
  }
}
