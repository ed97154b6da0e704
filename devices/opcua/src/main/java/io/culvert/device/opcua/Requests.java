package io.culvert.device.opcua;

import static org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned.uint;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.stack.core.NamespaceTable;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.encoding.EncodingContext;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.enumerated.BrowseDirection;
import org.eclipse.milo.opcua.stack.core.types.enumerated.BrowseResultMask;
import org.eclipse.milo.opcua.stack.core.types.enumerated.TimestampsToReturn;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowseDescription;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowseResult;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadValueId;
import org.eclipse.milo.opcua.stack.core.types.structured.ReferenceDescription;
import org.eclipse.milo.opcua.stack.core.types.structured.ViewDescription;

/**
 * The requests of one browse call, in pieces that the server takes, until the call's time is over.
 * Blocks, so used on a thread for that; by one thread.
 */
final class Requests {
  /** Answers in turn that tell nothing new. */
  private static final int MOST_STALE = 10;

  /** Nodes and references a request, so that an answer fits into a message. */
  private static final int NODES = 50;

  private static final int REFERENCES = 1000;
  private static final int ATTRIBUTES = 500;

  /** References that are taken of one node; more come from a server that never ends. */
  private static final int MOST = 50_000;

  private final Link link;
  private final Deadline deadline;
  private final int nodes;
  private final int attributes;
  private int references = REFERENCES;

  Requests(Link link, Deadline deadline) {
    this.link = link;
    this.deadline = deadline;
    nodes = Math.min(NODES, link.limits().browse().most());
    attributes = Math.min(ATTRIBUTES, link.limits().read().most());
  }

  /** What is asked of a node's references. */
  enum Which {
    CHILDREN(NodeIds.HierarchicalReferences),
    PROPERTIES(NodeIds.HasProperty);

    private final NodeId type;

    Which(NodeId type) {
      this.type = type;
    }
  }

  /** Nodes that fit into one request. */
  int nodes() {
    return nodes;
  }

  NamespaceTable namespaces() {
    return link.namespaces();
  }

  EncodingContext encoding() {
    return link.encoding();
  }

  /** Waits for an answer as long as there is time. */
  <T> T await(CompletionStage<T> answer) throws IOException, Deadline.OverException {
    return deadline.await(answer);
  }

  private <T> T ask(Function<OpcUaClient, ? extends CompletionStage<T>> request)
      throws IOException, Deadline.OverException, ExecutionException {
    return deadline.answer(link.ask(request));
  }

  /**
   * Reads attributes.
   *
   * @return a value for each, null values of bad status where there is none
   */
  List<DataValue> read(List<ReadValueId> what) throws IOException, Deadline.OverException {
    List<DataValue> values = new ArrayList<>(what.size());
    int size = attributes;
    while (values.size() < what.size()) {
      List<ReadValueId> part =
          what.subList(values.size(), Math.min(values.size() + size, what.size()));
      try {
        DataValue[] results =
            ask(client -> client.readAsync(0, TimestampsToReturn.Neither, part)).getResults();
        values.addAll(all(results, part.size()));
      } catch (ExecutionException e) {
        if (!Batch.tooMuch(e)) {
          throw deadline.outward(e);
        }
        if (part.size() == 1) {
          values.add(new DataValue(new StatusCode(Failures.status(e))));
        }
        size = Math.max(1, part.size() / 2);
      }
    }
    return values;
  }

  /**
   * The references of several nodes, all of each.
   *
   * @return nothing of nodes that the server refuses
   */
  Map<NodeId, List<ReferenceDescription>> references(List<NodeId> from, Which which)
      throws IOException, Deadline.OverException {
    Map<NodeId, List<ReferenceDescription>> found = new HashMap<>();
    Deque<NodeId> todo = new ArrayDeque<>(from);
    Set<NodeId> broken = new HashSet<>();
    int size = nodes;
    while (!todo.isEmpty()) {
      List<NodeId> part = todo.stream().limit(size).toList();
      BrowseResult[] results;
      try {
        results = start(part, which, references);
      } catch (ExecutionException e) {
        if (!Batch.tooMuch(e) || part.size() == 1 && references == 1) {
          throw deadline.outward(e);
        }
        references = part.size() == 1 ? Math.max(1, references / 2) : references;
        size = Math.max(1, part.size() / 2);
        continue;
      }
      Map<NodeId, ByteString> points = new HashMap<>();
      for (int i = 0; i < part.size(); i++) {
        NodeId node = todo.remove();
        boolean full = results[i].getStatusCode().value() == StatusCodes.Bad_NoContinuationPoints;
        if (full && part.size() > 1) {
          // The server has no place for so many answers that go on; one at a time then.
          todo.add(node);
          size = 1;
        } else {
          found.put(node, new ArrayList<>(list(results[i].getReferences())));
          keep(points, node, results[i].getContinuationPoint());
        }
      }
      for (NodeId node : rest(points, found)) {
        // The server has forgotten where it was; once more from the beginning.
        if (broken.add(node)) {
          todo.add(node);
        }
      }
    }
    return found;
  }

  /**
   * Goes on where answers weren't whole.
   *
   * @return nodes of which the server couldn't go on
   */
  private List<NodeId> rest(
      Map<NodeId, ByteString> points, Map<NodeId, List<ReferenceDescription>> found)
      throws IOException, Deadline.OverException {
    List<NodeId> broken = new ArrayList<>();
    int size = nodes;
    try {
      while (!points.isEmpty()) {
        List<NodeId> part = points.keySet().stream().limit(size).toList();
        List<ByteString> asked = part.stream().map(points::get).toList();
        BrowseResult[] results;
        try {
          results =
              all(ask(client -> client.browseNextAsync(false, asked)).getResults(), asked.size())
                  .toArray(new BrowseResult[0]);
        } catch (ExecutionException e) {
          if (!Batch.tooMuch(e) || size == 1) {
            throw deadline.outward(e);
          }
          size = Math.max(1, part.size() / 2);
          continue;
        }
        for (int i = 0; i < part.size(); i++) {
          points.remove(part.get(i));
          if (results[i].getStatusCode().isBad()) {
            broken.add(part.get(i));
            continue;
          }
          List<ReferenceDescription> own = found.get(part.get(i));
          own.addAll(list(results[i].getReferences()));
          ByteString point = results[i].getContinuationPoint();
          if (own.size() <= MOST) {
            keep(points, part.get(i), point);
          } else if (!empty(point)) {
            release(List.of(point));
          }
        }
      }
      return broken;
    } finally {
      release(points.values());
    }
  }

  /**
   * The references of one node from some place on; what the server could still tell of it is left
   * with it.
   *
   * @param skip so many different targets
   * @param count at most
   */
  List<ReferenceDescription> references(NodeId from, int skip, int count)
      throws IOException, Deadline.OverException {
    List<ReferenceDescription> found = new ArrayList<>();
    Set<Object> seen = new HashSet<>();
    ByteString point = null;
    boolean broken = false;
    try {
      BrowseResult result = begin(from, Math.min(references, skip + count));
      if (result.getStatusCode().isBad()) {
        throw new IOException(
            deadline.whom()
                + " says "
                + Failures.name(result.getStatusCode().value())
                + " of this node");
      }
      int stale = 0;
      while (true) {
        point = result.getContinuationPoint();
        int before = seen.size();
        for (ReferenceDescription reference : list(result.getReferences())) {
          if (seen.add(reference.getNodeId()) && seen.size() > skip && found.size() < count) {
            found.add(reference);
          }
        }
        if (empty(point) || found.size() == count) {
          return found;
        }
        stale = seen.size() == before ? stale + 1 : 0;
        if (stale == MOST_STALE) {
          throw new IOException(
              deadline.whom() + " tells the children of this node without end, and nothing new");
        }
        List<ByteString> asked = List.of(point);
        result = all(ask(client -> client.browseNextAsync(false, asked)).getResults(), 1).get(0);
        if (result.getStatusCode().isBad() && !broken) {
          // The server has forgotten where it was; what was seen is passed over.
          broken = true;
          result = begin(from, references);
        }
      }
    } catch (ExecutionException e) {
      throw deadline.outward(e);
    } finally {
      if (!empty(point)) {
        release(List.of(point));
      }
    }
  }

  private BrowseResult begin(NodeId from, int most) throws IOException, Deadline.OverException {
    int size = most;
    while (true) {
      try {
        return start(List.of(from), Which.CHILDREN, size)[0];
      } catch (ExecutionException e) {
        if (!Batch.tooMuch(e) || size == 1) {
          throw deadline.outward(e);
        }
        size = Math.max(1, size / 2);
      }
    }
  }

  private BrowseResult[] start(List<NodeId> from, Which which, int most)
      throws IOException, Deadline.OverException, ExecutionException {
    ViewDescription everything =
        new ViewDescription(NodeId.NULL_VALUE, DateTime.MIN_VALUE, uint(0));
    List<BrowseDescription> what =
        from.stream()
            .map(
                node ->
                    new BrowseDescription(
                        node,
                        BrowseDirection.Forward,
                        which.type,
                        true,
                        uint(0),
                        uint(BrowseResultMask.All.getValue())))
            .toList();
    return all(
            ask(client -> client.browseAsync(everything, uint(most), what)).getResults(),
            from.size())
        .toArray(new BrowseResult[0]);
  }

  private static void keep(Map<NodeId, ByteString> points, NodeId node, ByteString point) {
    if (!empty(point)) {
      points.put(node, point);
    }
  }

  private static boolean empty(ByteString point) {
    return point == null || point.isNullOrEmpty();
  }

  /** Gives back to the server what it keeps for us; nobody waits for that. */
  private void release(Collection<ByteString> points) {
    for (ByteString point : points) {
      link.ask(client -> client.browseNextAsync(true, List.of(point)));
    }
  }

  private static List<ReferenceDescription> list(ReferenceDescription[] references) {
    return references == null ? List.of() : Arrays.asList(references);
  }

  private <T> List<T> all(T[] results, int asked) throws IOException {
    int count = results == null ? 0 : results.length;
    if (count != asked) {
      throw new IOException(deadline.whom() + " answers " + count + " of " + asked + " questions");
    }
    return Arrays.asList(results);
  }
}
