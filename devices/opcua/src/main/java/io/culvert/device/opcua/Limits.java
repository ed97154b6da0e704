package io.culvert.device.opcua;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.enumerated.TimestampsToReturn;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadValueId;

/**
 * What a server takes at once, by its own word (OPC 10000-5, 6.3.2 and 6.3.11). What it says
 * nothing of, or has no limit for, is {@value #SENSIBLE} a call, and as many as there are of the
 * rest.
 *
 * @param items a subscription
 * @param subscriptions a session
 */
record Limits(
    Batch read,
    Batch history,
    Batch write,
    Batch call,
    Batch browse,
    Batch translate,
    Batch create,
    int items,
    int subscriptions) {
  private static final int SENSIBLE = 1000;

  private static final List<NodeId> A_CALL =
      List.of(
          NodeIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
          NodeIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerHistoryReadData,
          NodeIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerWrite,
          NodeIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerMethodCall,
          NodeIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse,
          NodeIds
              .Server_ServerCapabilities_OperationLimits_MaxNodesPerTranslateBrowsePathsToNodeIds,
          NodeIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall);

  private static final List<NodeId> IN_ALL =
      List.of(
          NodeIds.Server_ServerCapabilities_MaxMonitoredItemsPerSubscription,
          NodeIds.Server_ServerCapabilities_MaxSubscriptionsPerSession);

  /** Those of a server that says nothing. */
  static Limits untold() {
    return of(new DataValue[0]);
  }

  /** Asks the server; one that knows no such nodes has no limits. */
  static CompletableFuture<Limits> of(OpcUaClient client) {
    List<ReadValueId> nodes =
        Stream.concat(A_CALL.stream(), IN_ALL.stream())
            .map(
                node ->
                    new ReadValueId(node, AttributeId.Value.uid(), null, QualifiedName.NULL_VALUE))
            .toList();
    return read(client, nodes)
        .exceptionallyCompose(
            failure ->
                Failures.status(failure) == StatusCodes.Bad_TooManyOperations
                    ? oneByOne(client, nodes)
                    : CompletableFuture.failedFuture(failure))
        .thenApply(Limits::of);
  }

  private static CompletableFuture<DataValue[]> read(OpcUaClient client, List<ReadValueId> nodes) {
    return client
        .readAsync(0, TimestampsToReturn.Neither, nodes)
        .thenApply(ReadResponse::getResults)
        .thenApply(results -> results == null ? new DataValue[0] : results);
  }

  private static CompletableFuture<DataValue[]> oneByOne(
      OpcUaClient client, List<ReadValueId> nodes) {
    CompletableFuture<DataValue[]> all = CompletableFuture.completedFuture(new DataValue[0]);
    for (ReadValueId node : nodes) {
      all =
          all.thenCombine(
              read(client, List.of(node)),
              (before, one) ->
                  Stream.concat(Stream.of(before), Stream.of(one)).toArray(DataValue[]::new));
    }
    return all;
  }

  private static Limits of(DataValue[] told) {
    int[] limits = new int[A_CALL.size() + IN_ALL.size()];
    for (int i = 0; i < limits.length; i++) {
      boolean call = i < A_CALL.size();
      int most = call ? SENSIBLE : Integer.MAX_VALUE;
      Object value = i < told.length ? told[i].getValue().getValue() : null;
      long limit = value instanceof Number number ? number.longValue() : 0;
      limits[i] = limit <= 0 ? most : (int) Math.min(limit, most);
    }
    return new Limits(
        new Batch(limits[0]),
        new Batch(limits[1]),
        new Batch(limits[2]),
        new Batch(limits[3]),
        new Batch(limits[4]),
        new Batch(limits[5]),
        new Batch(limits[6]),
        limits[7],
        limits[8]);
  }

  Limits withSubscriptions(int most) {
    return new Limits(read, history, write, call, browse, translate, create, items, most);
  }
}
