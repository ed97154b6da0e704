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
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExpandedNodeId;
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
    /** A client with a session; fails if there is none to be had. */
    CompletionStage<OpcUaClient> client();

    /** What the server takes at once. */
    Limits limits();

    /** Needs no session. */
    CompletionStage<List<EndpointDescription>> endpoints();
  }

  /** A walk that isn't at its end: of whom, what was asked, and how far it has come. */
  private record Key(OpcUaClient client, List<String> namespaces, String from, int offset) {}

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

  /** As {@code Browsable} has it. */
  CompletionStage<List<Found>> browse(String from, int limit) {
    CompletableFuture<List<Found>> answer = new CompletableFuture<>();
    long end = nanos.getAsLong() + TimeUnit.SECONDS.toNanos(SECONDS);
    try {
      executor.execute(
          () -> {
            try {
              answer.complete(page(from, limit, end));
            } catch (Requests.OutOfTime e) {
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

  private List<Found> page(String from, int limit, long end)
      throws IOException, Requests.OutOfTime {
    Matcher page = PAGE.matcher(from);
    int offset = page.matches() ? Integer.parseInt(page.group(1)) : 0;
    String what = page.matches() ? page.group(2) : from;
    if (what.isEmpty() || what.equals(endpoint)) {
      return cut(top(end), what, offset, limit);
    }
    if (what.startsWith(SEARCH)) {
      int below = what.lastIndexOf(BELOW);
      String words = below < 0 ? what.substring(SEARCH.length()) : what.substring(7, below);
      String node = below < 0 ? "" : what.substring(below + BELOW.length());
      return walk(what, node, named(words), offset, limit, end);
    }
    if (what.startsWith(TREE)) {
      return walk(what, what.substring(TREE.length()), node -> true, offset, limit, end);
    }
    return children(what, offset, limit, end);
  }

  private static Predicate<Seen> named(String words) throws IOException {
    List<String> all = List.of(words.toLowerCase(Locale.ROOT).strip().split("\\s+"));
    if (all.contains("")) {
      throw new IOException("Found search: without words; expected search:pump level, for example");
    }
    return node -> all.stream().allMatch(node.names()::contains);
  }

  private <T> T await(CompletionStage<T> stage, long end) throws IOException, Requests.OutOfTime {
    try {
      return stage
          .toCompletableFuture()
          .get(Math.max(0, end - nanos.getAsLong()), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      Exception outward = Failures.outward(endpoint, e);
      throw outward instanceof IOException io ? io : new IOException(outward.getMessage());
    } catch (TimeoutException e) {
      throw new Requests.OutOfTime();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("The driver stops");
    }
  }

  /** The server's endpoints, and where its nodes begin. */
  private List<Found> top(long end) throws IOException, Requests.OutOfTime {
    List<Found> found = new ArrayList<>();
    for (EndpointDescription one : await(server.endpoints(), end)) {
      found.add(Endpoints.found(endpoint, one));
    }
    found.add(
        new Found(
            "i=" + NodeIds.ObjectsFolder.getIdentifier(), "Objects", Map.of("kind", "object")));
    return found;
  }

  private List<Found> cut(List<Found> all, String what, int offset, int limit) {
    List<Found> rest = all.subList(Math.min(offset, all.size()), all.size());
    return rest.size() <= limit
        ? rest
        : more(new ArrayList<>(rest.subList(0, limit)), what, offset, limit, "more endpoints");
  }

  /**
   * Puts a way to the next page where the last one of this page is.
   *
   * @param page full
   */
  private static List<Found> more(
      List<Found> page, String what, int offset, int limit, String title) {
    if (limit > 1) {
      page.remove(page.size() - 1);
      page.add(next(what, offset + limit - 1, title));
    }
    return page;
  }

  private static Found next(String what, int offset, String title) {
    return new Found("more:" + offset + ":" + what, title, Map.of("kind", "more"));
  }

  private Requests requests(OpcUaClient client, long end) {
    return new Requests(client, server.limits(), endpoint, nanos, end);
  }

  private List<Found> children(String what, int offset, int limit, long end)
      throws IOException, Requests.OutOfTime {
    OpcUaClient client = await(server.client(), end);
    NodeId node = node(what, client);
    Requests requests = requests(client, end);
    List<ReferenceDescription> references = requests.references(node, offset, limit + 1);
    boolean whole = references.size() <= limit;
    Seen parent = Seen.start(node);
    List<Seen> children = new ArrayList<>();
    for (ReferenceDescription reference :
        whole ? references : references.subList(0, Math.max(1, limit - 1))) {
      parent.child(reference, client.getNamespaceTable()).ifPresent(children::add);
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
            new Facts(requests, new TypeWords(), false)
                .describe(children, requests.references(with, Requests.Which.PROPERTIES)));
    if (!whole && limit > 1) {
      found.add(next(what, offset + limit - 1, "more of this node"));
    }
    return found;
  }

  private List<Found> walk(
      String what, String start, Predicate<Seen> wanted, int offset, int limit, long end)
      throws IOException, Requests.OutOfTime {
    OpcUaClient client = await(server.client(), end);
    Requests requests = requests(client, end);
    Key key = new Key(client, List.of(client.getNamespaceTable().toArray()), what, offset);
    Walk walk;
    synchronized (walks) {
      walk = walks.remove(key);
    }
    if (walk == null) {
      NodeId node = start.isEmpty() ? NodeIds.ObjectsFolder : node(start, client);
      walk = new Walk(node, mostVisited, wanted);
      walk.passOver(offset);
    }
    boolean inTime = true;
    try {
      walk.advance(limit + 1, requests);
    } catch (Requests.OutOfTime e) {
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
      walks.put(new Key(client, key.namespaces(), what, next), walk);
      if (walks.size() > REMEMBERED) {
        walks.remove(walks.keySet().iterator().next());
      }
    }
    String title =
        inTime
            ? "more of it"
            : "%,d nodes looked at in %d s; more of it".formatted(walk.visited(), SECONDS);
    page.add(next(what, next, title));
    return page;
  }

  /** Finds the node that a person or an earlier answer names. */
  private NodeId node(String address, OpcUaClient client) throws IOException {
    List<String> wrong = new ArrayList<>();
    NodeRef named =
        NodeRef.parse(
            address, (found, expected) -> wrong.add("Found " + found + "; expected " + expected));
    if (named == null) {
      throw new IOException(wrong.get(0));
    }
    if (!(named instanceof NodeRef.Id id)) {
      throw new IOException("Found " + address + "; expected the id of a node, nsu=…;s=… or i=…");
    }
    return new ExpandedNodeId(
            ExpandedNodeId.ServerReference.of(0),
            ExpandedNodeId.NamespaceReference.of(id.uri()),
            id.identifier())
        .toNodeId(client.getNamespaceTable())
        .orElseThrow(
            () ->
                new IOException(
                    "%s has no namespace %s; its namespaces are %s"
                        .formatted(
                            endpoint,
                            Shown.of(id.uri()),
                            String.join(", ", client.getNamespaceTable().toArray()))));
  }
}
