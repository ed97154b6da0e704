package io.culvert.device.opcua;

import io.culvert.api.DataType;
import io.culvert.api.Quality;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.LongFunction;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.NamespaceTable;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.OpcUaDataType;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UShort;
import org.eclipse.milo.opcua.stack.core.types.enumerated.TimestampsToReturn;
import org.eclipse.milo.opcua.stack.core.types.structured.Argument;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowsePath;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowsePathResult;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowsePathTarget;
import org.eclipse.milo.opcua.stack.core.types.structured.RelativePath;
import org.eclipse.milo.opcua.stack.core.types.structured.RelativePathElement;
import org.eclipse.milo.opcua.stack.core.types.structured.TranslateBrowsePathsToNodeIdsResponse;

/**
 * Finds the nodes that addresses name, on the server as it is in one session: namespaces have their
 * indexes, and names their nodes, as long as the session lasts. Safe in any thread; never blocks.
 */
final class Nodes {
  private static final StatusCode NOT_FOUND = new StatusCode(Quality.BAD_NOT_FOUND.code());

  /**
   * What became of an address.
   *
   * @param node {@code null} if it isn't there
   * @param method only of an address that has one; {@code null} if it isn't there
   * @param status good, or why it isn't there
   * @param values to read what the server says of it
   */
  record Place(NodeId node, NodeId method, StatusCode status, Values values) {}

  /**
   * What a variable, or an argument of a method, takes.
   *
   * @param type of its values
   * @param rank -1 for a single value, 1 for a list, 2 and more for a matrix, other numbers for
   *     either (Part 3, 5.6.2)
   * @param dimensions of a list or matrix, 0 for any length; empty if not said
   * @param status bad if the server doesn't say
   */
  record Target(NodeId type, int rank, int[] dimensions, StatusCode status) {
    static Target of(Argument argument) {
      return new Target(
          argument.getDataType() == null ? NodeIds.BaseDataType : argument.getDataType(),
          argument.getValueRank() == null ? -2 : argument.getValueRank(),
          lengths(argument.getArrayDimensions()),
          StatusCode.GOOD);
    }

    private static int[] lengths(Object dimensions) {
      return dimensions instanceof UInteger[] lengths
          ? Arrays.stream(lengths).mapToInt(UInteger::intValue).toArray()
          : new int[0];
    }
  }

  /** Arguments of a method, in their order. */
  record Signature(List<Argument> inputs, List<Argument> outputs) {}

  /** A node that is looked for, by a path from another. */
  private record Want(NodeId start, NodeRef.Path path) {}

  /** What was found: a node, or a status that says why none was. */
  private record Found(NodeId node, StatusCode status) {
    static final Found NOTHING = new Found(null, NOT_FOUND);
  }

  private final Link link;
  private final DataTypes types;
  private final Structures structures;
  private final Writing writing;
  private final Map<Want, Found> known = new ConcurrentHashMap<>();
  private volatile Map<NodeId, String> eventTypes;
  private final Map<NodeId, Target> targets = new ConcurrentHashMap<>();
  private final Map<NodeId, Signature> signatures = new ConcurrentHashMap<>();

  /** Variables whose names were asked for. */
  private final Map<NodeId, Values> named = new ConcurrentHashMap<>();

  /** Variables whose structures were. */
  private final Set<NodeId> taken = ConcurrentHashMap.newKeySet();

  Nodes(Link link) {
    this.link = link;
    this.types = new DataTypes(link);
    this.structures = new Structures(link, types);
    this.writing = new Writing(types, structures, link::namespaces);
  }

  /** Reads the namespaces of a session just created. */
  static CompletableFuture<NamespaceTable> namespaces(OpcUaClient client) {
    return uris(client)
        .thenApply(
            uris -> {
              NamespaceTable table = new NamespaceTable();
              enter(uris, table);
              return uris.length == 0 ? client.getNamespaceTable() : table;
            });
  }

  private static CompletableFuture<String[]> uris(OpcUaClient client) {
    return client
        .readAsync(
            0,
            TimestampsToReturn.Neither,
            List.of(DataTypes.attribute(NodeIds.Server_NamespaceArray, AttributeId.Value)))
        .thenApply(
            answer ->
                answer.getResults() != null
                        && answer.getResults().length == 1
                        && answer.getResults()[0].value().value() instanceof String[] uris
                    ? uris
                    : new String[0]);
  }

  /**
   * Enters each URI at its index. Milo's own way leaves out what stands twice, and so moves up what
   * follows.
   */
  static void enter(String[] uris, NamespaceTable table) {
    for (int i = 1; i < Math.min(uris.length, UShort.MAX_VALUE); i++) {
      UShort index = UShort.valueOf(i);
      if (uris[i] != null && table.getIndex(uris[i]) == null && table.get(index) == null) {
        table.set(index, uris[i]);
      }
    }
  }

  /** Looks up addresses on the server of a session, as it is now: see {@link #resolve}. */
  static CompletableFuture<Map<Address, Place>> resolve(
      Session session, List<Address> addresses, NodeRef root) {
    return session.nodes().thenCompose(nodes -> nodes.resolve(addresses, root));
  }

  NamespaceTable namespaces() {
    return link.namespaces();
  }

  Link link() {
    return link;
  }

  /**
   * Looks up one node.
   *
   * @param root as of {@link #resolve}
   * @return {@code null} if it isn't there
   */
  CompletableFuture<NodeId> node(NodeRef wanted, NodeRef root) {
    CompletableFuture<NodeId> start =
        root == null
            ? CompletableFuture.completedFuture(NodeIds.ObjectsFolder)
            : find(Map.of(root, NodeIds.ObjectsFolder)).thenApply(found -> found.get(root).node());
    return start.thenCompose(
        from -> find(mapOf(wanted, from)).thenApply(found -> found.get(wanted).node()));
  }

  /** Names of the types of events; asked once. None from a server that doesn't tell. */
  CompletableFuture<Map<NodeId, String>> eventTypes() {
    Map<NodeId, String> before = eventTypes;
    if (before != null) {
      return CompletableFuture.completedFuture(before);
    }
    return types
        .below(NodeIds.BaseEventType)
        .thenApply(
            found -> {
              found.put(NodeIds.BaseEventType, "BaseEventType");
              eventTypes = found;
              return found;
            })
        .exceptionallyCompose(
            failure ->
                Failures.refused(failure)
                    ? CompletableFuture.completedFuture(Map.of())
                    : CompletableFuture.failedFuture(failure));
  }

  DataTypes types() {
    return types;
  }

  Structures structures() {
    return structures;
  }

  Writing writing() {
    return writing;
  }

  /**
   * Looks up addresses. One that isn't there has a bad status and keeps no other from being found.
   *
   * @param root node that relative addresses start at; {@code null} for the Objects folder
   * @return a place for each; fails if the link is lost or the server doesn't answer
   */
  CompletableFuture<Map<Address, Place>> resolve(List<Address> addresses, NodeRef root) {
    if (addresses.stream().allMatch(address -> known(address.node()) && known(address.method()))
        && known(root)) {
      return resolveKnown(addresses, root);
    }
    // A server that is still starting may have more of them now.
    return link.ask(Nodes::uris)
        .thenCompose(
            uris -> {
              enter(uris, link.namespaces());
              return resolveKnown(addresses, root);
            });
  }

  /** Whether the session has the namespaces of a node. */
  private boolean known(NodeRef node) {
    if (node instanceof NodeRef.Id id) {
      return link.namespaces().getIndex(id.uri()) != null;
    }
    return !(node instanceof NodeRef.Path path)
        || path.steps().stream()
            .allMatch(step -> step.uri() == null || link.namespaces().getIndex(step.uri()) != null);
  }

  private CompletableFuture<Map<Address, Place>> resolveKnown(
      List<Address> addresses, NodeRef root) {
    if (root == null) {
      return resolve(addresses, new Found(NodeIds.ObjectsFolder, StatusCode.GOOD));
    }
    return find(Map.of(root, NodeIds.ObjectsFolder))
        .thenCompose(found -> resolve(addresses, found.get(root)));
  }

  private CompletableFuture<Map<Address, Place>> resolve(List<Address> addresses, Found root) {
    Map<NodeRef, NodeId> wanted = new HashMap<>();
    addresses.forEach(address -> wanted.put(address.node(), root.node()));
    return find(wanted)
        .thenCompose(
            objects ->
                findMethods(addresses, objects)
                    .thenCompose(
                        methods -> {
                          Map<Address, Place> places = new HashMap<>();
                          for (Address address : addresses) {
                            Found node = objects.get(address.node());
                            // A path from a root that isn't there is as wrong as the root.
                            StatusCode status =
                                address.node() instanceof NodeRef.Path && root.node() == null
                                    ? root.status()
                                    : node.status();
                            Found method = methods.get(address);
                            places.put(
                                address,
                                new Place(
                                    method == null || method.node() != null ? node.node() : null,
                                    method == null ? null : method.node(),
                                    method == null || status.isBad() ? status : method.status(),
                                    structures.values()));
                          }
                          return describe(places);
                        }));
  }

  private CompletableFuture<Map<Address, Found>> findMethods(
      List<Address> addresses, Map<NodeRef, Found> objects) {
    Map<Address, Found> methods = new HashMap<>();
    CompletableFuture<?> all = CompletableFuture.completedFuture(null);
    for (Address address : addresses) {
      NodeId object = objects.get(address.node()).node();
      if (address.method() == null) {
        continue;
      }
      // Few, and each with an object of its own.
      all =
          all.thenCompose(
              before ->
                  find(mapOf(address.method(), object))
                      .thenAccept(found -> methods.put(address, found.get(address.method()))));
    }
    return all.thenApply(done -> methods);
  }

  private static Map<NodeRef, NodeId> mapOf(NodeRef ref, NodeId start) {
    Map<NodeRef, NodeId> map = new HashMap<>();
    map.put(ref, start);
    return map;
  }

  /**
   * Finds nodes.
   *
   * @param wanted and where paths begin, {@code null} if that isn't there
   */
  private CompletableFuture<Map<NodeRef, Found>> find(Map<NodeRef, NodeId> wanted) {
    Map<NodeRef, Found> found = new HashMap<>();
    Map<NodeRef, Want> asked = new HashMap<>();
    wanted.forEach(
        (ref, start) -> {
          if (ref instanceof NodeRef.Id id) {
            NodeId node = id.in(link.namespaces());
            found.put(ref, node == null ? Found.NOTHING : new Found(node, StatusCode.GOOD));
          } else if (ref instanceof NodeRef.Path path && start != null) {
            Want want = new Want(start, path);
            Found before =
                path.steps().isEmpty() ? new Found(start, StatusCode.GOOD) : known.get(want);
            if (before != null) {
              found.put(ref, before);
            } else {
              asked.put(ref, want);
            }
          } else {
            found.put(ref, Found.NOTHING);
          }
        });
    Map<Want, BrowsePath> paths = new HashMap<>();
    asked.values().forEach(want -> paths.put(want, browsePath(want)));
    List<Want> order =
        paths.entrySet().stream().filter(e -> e.getValue() != null).map(Map.Entry::getKey).toList();
    return link.askAll(
            order,
            link.limits().translate(),
            (client, some) ->
                client
                    .translateBrowsePathsAsync(some.stream().map(paths::get).toList())
                    .thenApply(TranslateBrowsePathsToNodeIdsResponse::getResults))
        .thenApply(
            results -> {
              Map<Want, Found> fresh = new HashMap<>();
              for (int i = 0; i < order.size(); i++) {
                Found there = found(results.get(i));
                fresh.put(order.get(i), there);
                if (there.node() != null) {
                  known.put(order.get(i), there);
                }
              }
              asked.forEach((ref, want) -> found.put(ref, fresh.getOrDefault(want, Found.NOTHING)));
              return found;
            });
  }

  /** {@code null} if the session doesn't have one of its namespaces. */
  private BrowsePath browsePath(Want want) {
    List<RelativePathElement> elements = new ArrayList<>();
    UShort namespace = want.start().getNamespaceIndex();
    for (NodeRef.Step step : want.path().steps()) {
      if (step.uri() != null) {
        namespace = link.namespaces().getIndex(step.uri());
      }
      if (namespace == null) {
        return null;
      }
      elements.add(
          new RelativePathElement(
              NodeIds.HierarchicalReferences,
              false,
              true,
              new QualifiedName(namespace, step.name())));
    }
    return new BrowsePath(
        want.start(), new RelativePath(elements.toArray(new RelativePathElement[0])));
  }

  private Found found(BrowsePathResult result) {
    if (!result.getStatusCode().isGood()) {
      return new Found(null, result.getStatusCode());
    }
    for (BrowsePathTarget target :
        result.getTargets() == null ? new BrowsePathTarget[0] : result.getTargets()) {
      // Anything less, and the rest of the path is on another server.
      if (target.getRemainingPathIndex().equals(UInteger.MAX)) {
        NodeId node = target.getTargetId().toNodeId(link.namespaces()).orElse(null);
        if (node != null) {
          return new Found(node, StatusCode.GOOD);
        }
      }
    }
    return Found.NOTHING;
  }

  /** Asks for what it takes to read values as text or structures. */
  private CompletableFuture<Map<Address, Place>> describe(Map<Address, Place> places) {
    Set<NodeId> texts = new LinkedHashSet<>();
    Set<NodeId> structs = new LinkedHashSet<>();
    places.forEach(
        (address, place) -> {
          NodeId node = place.node();
          if (address.kind() != Address.Kind.VARIABLE || node == null) {
            return;
          }
          if (address.type() == DataType.TEXT && !named.containsKey(node)) {
            texts.add(node);
          } else if (address.type() == DataType.STRUCT && !taken.contains(node)) {
            structs.add(node);
          }
        });
    Set<NodeId> both = new LinkedHashSet<>(texts);
    both.addAll(structs);
    if (both.isEmpty()) {
      return CompletableFuture.completedFuture(with(places));
    }
    List<NodeId> nodes = List.copyOf(both);
    return types
        .read(nodes.stream().map(node -> DataTypes.attribute(node, AttributeId.DataType)).toList())
        .thenCompose(
            values -> {
              Map<NodeId, NodeId> typeOf = new HashMap<>();
              for (int i = 0; i < nodes.size(); i++) {
                if (!values.get(i).statusCode().isBad()) {
                  typeOf.put(nodes.get(i), typeIn(values.get(i)));
                }
              }
              // The others may be there later.
              texts.retainAll(typeOf.keySet());
              structs.retainAll(typeOf.keySet());
              return types
                  .load(Set.copyOf(typeOf.values()))
                  .thenCompose(loaded -> describeTexts(texts, typeOf))
                  .thenCompose(named -> describeStructs(structs, typeOf));
            })
        .handle(
            (done, failure) -> {
              // A server that refuses to tell of its types has values all the same.
              if (failure != null && !Failures.refused(failure)) {
                return CompletableFuture.<Map<Address, Place>>failedFuture(failure);
              }
              return CompletableFuture.completedFuture(with(places));
            })
        .thenCompose(Function.identity());
  }

  /** What a variable takes; asked once. */
  CompletableFuture<Target> target(NodeId variable) {
    Target before = targets.get(variable);
    if (before != null) {
      return CompletableFuture.completedFuture(before);
    }
    return types
        .read(
            List.of(
                DataTypes.attribute(variable, AttributeId.DataType),
                DataTypes.attribute(variable, AttributeId.ValueRank),
                DataTypes.attribute(variable, AttributeId.ArrayDimensions)))
        .thenCompose(
            values -> {
              Target target =
                  new Target(
                      typeIn(values.get(0)),
                      values.get(1).value().value() instanceof Integer rank ? rank : -2,
                      Target.lengths(values.get(2).value().value()),
                      values.get(0).statusCode());
              if (!target.status().isBad()) {
                targets.put(variable, target);
              }
              return types.load(Set.of(target.type())).thenApply(loaded -> target);
            });
  }

  /** What a method takes and gives; asked once. */
  CompletableFuture<Signature> signature(NodeId method) {
    Signature before = signatures.get(method);
    if (before != null) {
      return CompletableFuture.completedFuture(before);
    }
    return types
        .properties(List.of(method), List.of("InputArguments", "OutputArguments"))
        .thenCompose(
            values -> {
              Signature signature =
                  new Signature(arguments(values.get(0).get(0)), arguments(values.get(0).get(1)));
              signatures.put(method, signature);
              Set<NodeId> used = new LinkedHashSet<>();
              signature.inputs().forEach(argument -> used.add(argument.getDataType()));
              signature.outputs().forEach(argument -> used.add(argument.getDataType()));
              return types.load(used).thenApply(loaded -> signature);
            });
  }

  private static List<Argument> arguments(Object list) {
    List<Argument> arguments = new ArrayList<>();
    if (list instanceof Object[] elements) {
      for (Object element : elements) {
        if (element instanceof Argument argument) {
          arguments.add(argument);
        }
      }
    }
    return List.copyOf(arguments);
  }

  private static NodeId typeIn(DataValue value) {
    return !value.statusCode().isBad() && value.value().value() instanceof NodeId type
        ? type
        : NodeIds.BaseDataType;
  }

  private Map<Address, Place> with(Map<Address, Place> places) {
    places.replaceAll(
        (address, place) -> {
          boolean text =
              address.kind() == Address.Kind.VARIABLE
                  && address.type() == DataType.TEXT
                  && place.node() != null;
          Values of = text ? named.get(place.node()) : null;
          return of == null ? place : new Place(place.node(), place.method(), place.status(), of);
        });
    return places;
  }

  private CompletionStage<Void> describeTexts(Set<NodeId> nodes, Map<NodeId, NodeId> typeOf) {
    List<NodeId> numbers = new ArrayList<>();
    for (NodeId node : nodes) {
      DataTypes.Type type = types.type(typeOf.get(node));
      if (type != null && !type.names().isEmpty()) {
        named.put(node, structures.values().named(type::name));
      } else if (type != null && countable(type.builtin())) {
        numbers.add(node);
      } else {
        named.put(node, structures.values());
      }
    }
    return types
        .namesOf(numbers)
        .thenAccept(
            names -> {
              for (int i = 0; i < numbers.size(); i++) {
                LongFunction<String> of = names.get(i);
                named.put(
                    numbers.get(i),
                    of == null ? structures.values() : structures.values().named(of));
              }
            });
  }

  private static boolean countable(OpcUaDataType type) {
    return type.getTypeId() <= OpcUaDataType.UInt64.getTypeId();
  }

  private CompletionStage<Void> describeStructs(Set<NodeId> nodes, Map<NodeId, NodeId> typeOf) {
    Set<NodeId> abstractTypes = new LinkedHashSet<>();
    for (NodeId node : nodes) {
      NodeId id = typeOf.get(node);
      DataTypes.Type type = types.type(id);
      if ((type == null || type.structure() == null) && types.isStructure(id)) {
        abstractTypes.add(id);
      }
    }
    CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
    for (NodeId type : abstractTypes) {
      all = all.thenCompose(before -> types.loadBelow(type));
    }
    return all.thenRun(() -> taken.addAll(nodes));
  }
}
