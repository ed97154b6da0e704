package io.culvert.device.opcua;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.eclipse.milo.opcua.stack.core.NamespaceTable;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;

/** Finds the nodes that addresses name, on the server as it is now. */
final class Nodes {
  private Nodes() {}

  /**
   * What became of an address.
   *
   * @param node {@code null} if it isn't there
   * @param status good, or why it isn't there
   */
  record Place(NodeId node, StatusCode status) {
    static Place at(NodeId node) {
      return new Place(node, StatusCode.GOOD);
    }

    static Place none(long status) {
      return new Place(null, new StatusCode(status));
    }
  }

  /**
   * Looks up addresses.
   *
   * @param root node that relative addresses start at; {@code null} for the Objects folder
   * @return a place for each; fails if the link is lost or the server doesn't answer
   */
  static CompletionStage<Map<Address, Place>> resolve(
      Session session, List<Address> addresses, String root) {
    return session
        .client()
        .thenApply(
            client -> {
              NamespaceTable table = client.getNamespaceTable();
              Map<Address, Place> places = new HashMap<>();
              for (Address address : addresses) {
                places.put(
                    address,
                    address
                        .node()
                        .toNodeId(table)
                        .map(Place::at)
                        .orElseGet(() -> Place.none(StatusCodes.Bad_NodeIdUnknown)));
              }
              return places;
            });
  }
}
