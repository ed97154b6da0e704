package io.culvert.device.opcua;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.stack.core.NamespaceTable;
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

  /** Asks about many things; see {@link Batch#ask}. */
  default <A, B> CompletableFuture<List<B>> askAll(
      List<A> questions,
      Batch batch,
      BiFunction<OpcUaClient, List<A>, ? extends CompletionStage<B[]>> request) {
    return batch.ask(questions, some -> ask(client -> request.apply(client, some)));
  }
}
