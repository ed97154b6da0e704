package io.culvert.device.opcua;

import io.culvert.api.southbound.Browsable.Found;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.enumerated.NodeClass;
import org.eclipse.milo.opcua.stack.core.types.structured.EndpointDescription;
import org.eclipse.milo.opcua.stack.core.types.structured.ReferenceDescription;

/**
 * Looks around in a server (Part 4, 5.9): endpoints, a node's children, a search by name, all that
 * is below a node. What is found says where to go on; {@code io.culvert.api.southbound.Browsable}
 * tells the words.
 *
 * <p>The server keeps nothing for us between two calls: a page of children is asked for by its
 * offset, and a walk that isn't at its end is remembered here, two at most; one that was forgotten
 * begins anew and passes over what it found before. Safe in any thread; requests are made on the
 * executor's threads, which they block for {@value #SECONDS} s at most.
 */
final class Browser {
  static final int SECONDS = 25;

  private static final int REMEMBERED = 2;
  private static final String SEARCH = "search:";
  private static final String TREE = "tree:";
  private static final String BELOW = " below ";
  private static final Pattern PAGE = Pattern.compile("more:([0-9]{1,9}):(.*)", Pattern.DOTALL);

  private final String endpoint;
  private final Server server;
  private final Executor executor;
  private final LongSupplier nanos;
  private final int mostVisited;
  private final Map<Key, Walk> walks = new LinkedHashMap<>();

  /** The server that is looked around in. */
  interface Server {
    /** Its nodes in the present session; fails if there is none to be had. */
    CompletionStage<Nodes> nodes();

    /** Needs no session. */
    CompletionStage<List<EndpointDescription>> endpoints();
  }

  /** A walk that isn't at its end: in which session, what was asked, and how far it has come. */
  private record Key(Nodes nodes, String from, NodeRef root, int offset) {}

  /**
   * @param endpoint URL, for messages and as the address of what needs no node
   * @param mostVisited nodes that a walk looks at
   */
  Browser(String endpoint, Server server, Executor executor, LongSupplier nanos, int mostVisited) {
    this.endpoint = endpoint;
    this.server = server;
    this.executor = executor;
    this.nanos = nanos;
    this.mostVisited = mostVisited;
  }

  /**
   * As {@code Browsable} has it. Ends soon after what it returned is cancelled.
   *
   * @param root where relative paths begin; {@code null} for the Objects folder
   */
  CompletableFuture<List<Found>> browse(String from, int limit, NodeRef root) {
    CompletableFuture<List<Found>> answer = new CompletableFuture<>();
    long end = nanos.getAsLong() + TimeUnit.SECONDS.toNanos(SECONDS);
    Deadline deadline = new Deadline(endpoint, nanos, end, answer::isDone);
    try {
      executor.execute(
          () -> {
            try {
              answer.complete(new Look(root, limit, deadline).page(from));
            } catch (Deadline.OverException e) {
              answer.completeExceptionally(
                  new IOException(endpoint + " doesn't answer within " + SECONDS + " s"));
            } catch (IOException e) {
              answer.completeExceptionally(e);
            } catch (RuntimeException e) {
              // What the server says is no answer of the protocol.
              answer.completeExceptionally(
                  new IOException(endpoint + " answers what can't be understood: " + e));
            }
          });
    } catch (RejectedExecutionException e) {
      answer.completeExceptionally(new IOException("The driver stops"));
    }
    return answer;
  }

  private static Predicate<Seen> named(String words) throws IOException {
    List<String> all = List.of(words.toLowerCase(Locale.ROOT).strip().split("\\s+"));
    if (all.contains("")) {
      throw new IOException("Found search: without words; expected search:pump level, for example");
    }
    return node -> all.stream().allMatch(node.names()::contains);
  }

  private static Found more(String what, int offset, String title) {
    return new Found("more:" + offset + ":" + what, title, Map.of("kind", "more"));
  }

  /** One call. */
  private final class Look {
    private final NodeRef root;
    private final int limit;
    private final Deadline deadline;
    private String what;
    private int offset;
    private Nodes nodes;
    private Requests requests;

    Look(NodeRef root, int limit, Deadline deadline) {
      this.root = root;
      this.limit = limit;
      this.deadline = deadline;
    }

    List<Found> page(String from) throws IOException, Deadline.OverException {
      Matcher page = PAGE.matcher(from);
      offset = page.matches() ? Integer.parseInt(page.group(1)) : 0;
      what = page.matches() ? page.group(2) : from;
      if (what.isEmpty() || what.equals(endpoint)) {
        return top();
      }
      if (what.startsWith(SEARCH)) {
        int below = what.lastIndexOf(BELOW);
        boolean everywhere = below < SEARCH.length();
        Predicate<Seen> wanted =
            named(what.substring(SEARCH.length(), everywhere ? what.length() : below));
        open();
        return walk(
            everywhere ? NodeIds.ObjectsFolder : node(what.substring(below + BELOW.length())),
            wanted);
      }
      open();
      return what.startsWith(TREE)
          ? walk(node(what.substring(TREE.length())), node -> true)
          : children(node(what));
    }

    private void open() throws IOException, Deadline.OverException {
      nodes = deadline.await(server.nodes());
      requests = new Requests(nodes.link(), deadline);
    }

    /** Finds the node that a person or an earlier answer names. */
    private NodeId node(String address) throws IOException, Deadline.OverException {
      List<String> wrong = new ArrayList<>();
      NodeRef named =
          NodeRef.parse(
              address, (found, expected) -> wrong.add("Found " + found + "; expected " + expected));
      if (named == null) {
        throw new IOException(wrong.get(0));
      }
      if (named instanceof NodeRef.Id id && nodes.namespaces().getIndex(id.uri()) == null) {
        throw new IOException(
            "%s has no namespace %s; its namespaces are %s"
                .formatted(
                    endpoint, Shown.of(id.uri()), String.join(", ", nodes.namespaces().toArray())));
      }
      NodeId node = deadline.await(nodes.node(named, root));
      if (node == null) {
        throw new IOException(
            "%s has nothing at %s; look at what is below its first names"
                .formatted(endpoint, Shown.of(address)));
      }
      return node;
    }

    /** The server's endpoints, and where its nodes begin. */
    private List<Found> top() throws IOException, Deadline.OverException {
      List<Found> all = new ArrayList<>();
      for (EndpointDescription one : deadline.await(server.endpoints())) {
        all.add(Endpoints.found(endpoint, one));
      }
      all.add(
          new Found(
              "i=" + NodeIds.ObjectsFolder.getIdentifier(), "Objects", Map.of("kind", "object")));
      if (root != null) {
        all.add(new Found(root.toString(), "root of this device", Map.of("kind", "object")));
      }
      List<Found> rest = all.subList(Math.min(offset, all.size()), all.size());
      if (rest.size() <= limit || limit == 1) {
        return rest.subList(0, Math.min(limit, rest.size()));
      }
      List<Found> page = new ArrayList<>(rest.subList(0, limit - 1));
      page.add(more(what, offset + limit - 1, "more endpoints"));
      return page;
    }

    private List<Found> children(NodeId node) throws IOException, Deadline.OverException {
      List<ReferenceDescription> references = requests.references(node, offset, limit + 1);
      boolean whole = references.size() <= limit;
      Seen parent = Seen.start(node);
      List<Seen> children = new ArrayList<>();
      for (ReferenceDescription reference :
          whole ? references : references.subList(0, Math.max(1, limit - 1))) {
        parent.child(reference, nodes.namespaces()).ifPresent(children::add);
      }
      List<NodeId> with =
          children.stream()
              .filter(
                  child ->
                      child.nodeClass() == NodeClass.Method
                          || child.nodeClass() == NodeClass.Variable && !child.property())
              .map(Seen::id)
              .toList();
      List<Found> found =
          new ArrayList<>(
              new Facts(requests, new TypeWords(nodes.types()), false)
                  .describe(children, requests.references(with, Requests.Which.PROPERTIES)));
      if (!whole && limit > 1) {
        found.add(more(what, offset + limit - 1, "more of this node"));
      }
      return found;
    }

    private List<Found> walk(NodeId start, Predicate<Seen> wanted) throws IOException {
      Walk walk;
      synchronized (walks) {
        walk = walks.remove(new Key(nodes, what, root, offset));
      }
      if (walk == null) {
        walk = new Walk(start, new TypeWords(nodes.types()), mostVisited, wanted);
        walk.passOver(offset);
      }
      boolean inTime = true;
      try {
        walk.advance(limit + 1, requests);
      } catch (Deadline.OverException e) {
        inTime = false;
      }
      if (inTime && !walk.cut() && walk.ready() <= limit || limit == 1) {
        return walk.take(limit);
      }
      List<Found> page = walk.take(limit - 1);
      if (walk.ended()) {
        page.add(
            new Found(
                "",
                "not all: %,d nodes were looked at; begin at a node that is nearer"
                    .formatted(walk.visited()),
                Map.of("kind", "end")));
        return page;
      }
      int next = offset + page.size();
      synchronized (walks) {
        walks.put(new Key(nodes, what, root, next), walk);
        if (walks.size() > REMEMBERED) {
          walks.remove(walks.keySet().iterator().next());
        }
      }
      page.add(
          more(
              what,
              next,
              inTime
                  ? "more of it"
                  : "%,d nodes looked at in %d s; more of it".formatted(walk.visited(), SECONDS)));
      return page;
    }
  }
}
