package io.culvert.device.opcua;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.stack.core.NamespaceTable;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.encoding.EncodingContext;

/** A session, as those see it that ask the server about its nodes. Safe in any thread. */
interface Link {

  /**
   * Asks the server something; never blocks.
   *
   * @return fails if the link is lost, or the server refuses all of it
   */
  <T> CompletableFuture<T> ask(Function<OpcUaClient, ? extends CompletionStage<T>> request);

  /** What the server takes at once. */
  Limits limits();

  /** The namespaces of the session, as read when it was created. */
  NamespaceTable namespaces();

  /** For OPC UA's own structures. */
  EncodingContext encoding();

  /**
   * Asks about many things, in calls of so many; in fewer where the server can't answer that.
   *
   * @param request makes one call, whose answer has as many results as it has questions
   */
  default <A, B> CompletableFuture<List<B>> askAll(
      List<A> questions, int most, BiFunction<OpcUaClient, List<A>, CompletionStage<B[]>> request) {
    return askOn(questions, Math.max(1, most), request, new ArrayList<>(questions.size()));
  }

  private <A, B> CompletableFuture<List<B>> askOn(
      List<A> questions,
      int most,
      BiFunction<OpcUaClient, List<A>, CompletionStage<B[]>> request,
      List<B> answers) {
    if (answers.size() == questions.size()) {
      return CompletableFuture.completedFuture(answers);
    }
    int end = Math.min(questions.size(), answers.size() + most);
    List<A> some = List.copyOf(questions.subList(answers.size(), end));
    return this.<B[]>ask(client -> request.apply(client, some))
        .handle(
            (results, failure) -> {
              if (failure != null && some.size() > 1 && tooMuch(Failures.status(failure))) {
                return askOn(questions, some.size() / 2, request, answers);
              }
              if (failure != null) {
                return CompletableFuture.<List<B>>failedFuture(failure);
              }
              if (results == null || results.length != some.size()) {
                return CompletableFuture.<List<B>>failedFuture(
                    new IOException(
                        "The server gives another number of answers than it was asked for"));
              }
              answers.addAll(Arrays.asList(results));
              return askOn(questions, most, request, answers);
            })
        .thenCompose(Function.identity());
  }

  private static boolean tooMuch(long status) {
    return status == StatusCodes.Bad_TooManyOperations
        || status == StatusCodes.Bad_RequestTooLarge
        || status == StatusCodes.Bad_ResponseTooLarge
        || status == StatusCodes.Bad_EncodingLimitsExceeded;
  }
}
