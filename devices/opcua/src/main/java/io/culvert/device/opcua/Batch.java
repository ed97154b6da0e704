package io.culvert.device.opcua;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.eclipse.milo.opcua.stack.core.StatusCodes;

/**
 * How many questions of a kind a session's server takes in one call: as many as it says, or fewer
 * if it turns out not to. Safe in any thread.
 */
final class Batch {
  private int most;

  Batch(int most) {
    this.most = most;
  }

  synchronized int most() {
    return most;
  }

  private synchronized void lower(int to) {
    most = Math.min(most, to);
  }

  /**
   * Asks about many things, in calls of so many, one after the other. A call that is too much for
   * the server is made again in two halves. That it takes no more operations is remembered; that it
   * can't carry an answer depends on what was asked, and is not.
   *
   * @param call makes one, whose answer has as many results as it has questions; fails as Milo does
   */
  <A, B> CompletableFuture<List<B>> ask(
      List<A> questions, Function<List<A>, ? extends CompletionStage<B[]>> call) {
    return ask(questions, questions.size(), call, new ArrayList<>(questions.size()));
  }

  private <A, B> CompletableFuture<List<B>> ask(
      List<A> questions,
      int size,
      Function<List<A>, ? extends CompletionStage<B[]>> call,
      List<B> answers) {
    if (answers.size() == questions.size()) {
      return CompletableFuture.completedFuture(answers);
    }
    int end = Math.min(questions.size(), answers.size() + Math.min(size, most()));
    List<A> some = List.copyOf(questions.subList(answers.size(), end));
    return call.apply(some)
        .toCompletableFuture()
        .handle(
            (results, failure) -> {
              if (failure != null && some.size() > 1 && tooMuch(failure)) {
                int half = some.size() / 2;
                if (Failures.status(failure) == StatusCodes.Bad_TooManyOperations) {
                  lower(half);
                }
                return ask(some, half, call, new ArrayList<>(some.size()));
              }
              if (failure != null) {
                return CompletableFuture.<List<B>>failedFuture(failure);
              }
              if (results == null || results.length != some.size()) {
                return CompletableFuture.<List<B>>failedFuture(
                    new IOException(
                        "The server gives another number of answers than it was asked for"));
              }
              return CompletableFuture.completedFuture(Arrays.asList(results));
            })
        .thenCompose(Function.identity())
        .thenCompose(
            part -> {
              answers.addAll(part);
              return ask(questions, size, call, answers);
            });
  }

  /** As many results as were asked for; {@code null} where the server has forgotten one. */
  static <B> B[] filled(B[] results, B[] none, int asked) {
    return Arrays.copyOf(results == null ? none : results, asked);
  }

  /** Whether a call may succeed with fewer questions. */
  static boolean tooMuch(Throwable failure) {
    long status = Failures.status(failure);
    return status == StatusCodes.Bad_TooManyOperations
        || status == StatusCodes.Bad_RequestTooLarge
        || status == StatusCodes.Bad_ResponseTooLarge
        || status == StatusCodes.Bad_EncodingLimitsExceeded;
  }
}
