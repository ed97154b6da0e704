package io.culvert.device.opcua;

import io.culvert.api.southbound.Browsable.Found;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.enumerated.NodeClass;
import org.eclipse.milo.opcua.stack.core.types.structured.ReferenceDescription;

/**
 * A way through all that is below a node, level by level, each node once however many references
 * lead to it. It can stop anywhere and go on later. Used by one thread at a time.
 */
final class Walk {
  /** Nodes that are looked at; long names count for several. */
  static final int MOST = 50_000;

  private static final int DEEPEST = 100;

  private static final Set<NodeClass> ENTERED =
      Set.of(NodeClass.Object, NodeClass.Variable, NodeClass.Method, NodeClass.View);

  private final Predicate<Seen> wanted;
  private final TypeWords types;
  private final Deque<Seen> open = new ArrayDeque<>();
  private final Set<NodeId> visited = new HashSet<>();
  private final Deque<Found> ready = new ArrayDeque<>();
  private final int most;
  private int weight;

  /** How many of the next are passed over. */
  private int behind;

  private boolean cut;

  Walk(NodeId start, TypeWords types, int most, Predicate<Seen> wanted) {
    this.types = types;
    this.wanted = wanted;
    this.most = most;
    open.add(Seen.start(start));
    visited.add(start);
  }

  /** Goes on until so many are ready, or all is seen. What it has found stays if that fails. */
  void advance(int enough, Requests requests) throws IOException, Deadline.OverException {
    Facts facts = new Facts(requests, types, true);
    while (ready.size() < enough && !open.isEmpty()) {
      List<Seen> level = open.stream().limit(requests.nodes()).toList();
      Map<NodeId, List<ReferenceDescription>> references =
          requests.references(
              level.stream().filter(node -> !node.property()).map(Seen::id).toList(),
              Requests.Which.CHILDREN);
      List<Seen> found =
          level.stream().filter(node -> node.parent() != null && wanted.test(node)).toList();
      List<Found> described = facts.describe(found, references);
      // Nothing fails from here on.
      for (Found one : described) {
        if (behind > 0) {
          behind--;
        } else {
          ready.add(one);
        }
      }
      for (Seen node : level) {
        open.remove();
        enter(node, references.getOrDefault(node.id(), List.of()), requests);
      }
    }
  }

  private void enter(Seen node, List<ReferenceDescription> references, Requests requests) {
    for (ReferenceDescription reference : references) {
      Seen child = node.child(reference, requests.namespaces()).orElse(null);
      if (child == null
          || child.standardProperty()
          || !ENTERED.contains(child.nodeClass())
          || visited.contains(child.id())) {
        continue;
      }
      if (weight + child.weight() > most || child.depth() > DEEPEST) {
        cut = true;
        continue;
      }
      weight += child.weight();
      visited.add(child.id());
      open.add(child);
    }
  }

  /** The first so many have been taken from another walk. */
  void passOver(int count) {
    behind = count;
  }

  /** How many can be taken. */
  int ready() {
    return ready.size();
  }

  /** Takes what is ready, at most so many. */
  List<Found> take(int count) {
    List<Found> taken = new ArrayList<>();
    while (taken.size() < count && !ready.isEmpty()) {
      taken.add(ready.remove());
    }
    return taken;
  }

  boolean ended() {
    return ready.isEmpty() && open.isEmpty();
  }

  /** Whether there were more nodes than it looks at. */
  boolean cut() {
    return cut;
  }

  int visited() {
    return visited.size();
  }
}
