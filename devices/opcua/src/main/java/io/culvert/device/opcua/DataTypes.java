package io.culvert.device.opcua;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.LongFunction;
import org.eclipse.milo.opcua.sdk.client.typetree.LazyClientDataTypeTreeSeed;
import org.eclipse.milo.opcua.sdk.core.typetree.DataType;
import org.eclipse.milo.opcua.sdk.core.typetree.DataTypeTree;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.OpcUaDataType;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UShort;
import org.eclipse.milo.opcua.stack.core.types.enumerated.BrowseDirection;
import org.eclipse.milo.opcua.stack.core.types.enumerated.BrowseResultMask;
import org.eclipse.milo.opcua.stack.core.types.enumerated.TimestampsToReturn;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowseDescription;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowsePath;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowsePathResult;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowsePathTarget;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowseResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowseResult;
import org.eclipse.milo.opcua.stack.core.types.structured.EnumDefinition;
import org.eclipse.milo.opcua.stack.core.types.structured.EnumField;
import org.eclipse.milo.opcua.stack.core.types.structured.EnumValueType;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadValueId;
import org.eclipse.milo.opcua.stack.core.types.structured.ReferenceDescription;
import org.eclipse.milo.opcua.stack.core.types.structured.RelativePath;
import org.eclipse.milo.opcua.stack.core.types.structured.RelativePathElement;
import org.eclipse.milo.opcua.stack.core.types.structured.StructureDefinition;
import org.eclipse.milo.opcua.stack.core.types.structured.StructureField;
import org.eclipse.milo.opcua.stack.core.types.structured.TranslateBrowsePathsToNodeIdsResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.ViewDescription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the data types of a server are made of (Part 3, 5.8.3 and 8.48 to 8.52), asked of the server
 * for those that are needed, once a session. OPC UA's own are known beforehand.
 *
 * <p>What is asked is bounded, however a server's types hang together. Safe in any thread; never
 * blocks.
 */
final class DataTypes {
  private static final Logger LOG = LoggerFactory.getLogger(DataTypes.class);

  /** Types of a server, at most; whoever has more gets bad samples of the rest. */
  private static final int MOST = 5_000;

  /** Types on the way from one to OPC UA's own, at most. */
  private static final int MOST_ABOVE = 100;

  /** An answer that is larger than what is taken, or what the server gives. */
  private static final Set<Long> TOO_MUCH =
      Set.of(
          StatusCodes.Bad_DecodingError,
          StatusCodes.Bad_EncodingLimitsExceeded,
          StatusCodes.Bad_ResponseTooLarge);

  /** OPC UA's own. */
  private static final class Own {
    static final DataTypeTree TREE = new DataTypeTree(LazyClientDataTypeTreeSeed.createSeedTree());

    /** Types by the id of their binary encoding. */
    static final Map<NodeId, NodeId> ENCODED = new HashMap<>();

    static final Map<String, NodeId> NAMED = new HashMap<>();

    static {
      TREE.getRoot()
          .traverse(
              type -> {
                NAMED.put(type.getBrowseName().name(), type.getNodeId());
                if (type.getBinaryEncodingId() != null) {
                  ENCODED.put(type.getBinaryEncodingId(), type.getNodeId());
                }
              });
    }

    static boolean isEnumeration(NodeId id) {
      return id.equals(NodeIds.Enumeration) || TREE.isEnumType(id);
    }

    static boolean isStructure(NodeId id) {
      return id.equals(NodeIds.Structure) || TREE.isStructType(id);
    }
  }

  /**
   * A type.
   *
   * @param builtin how it is encoded; {@code Variant} for a type that several others are of
   * @param names of an enumeration's numbers, or of an option set's bits; empty for none
   * @param bits whether the names are those of bits
   * @param structure {@code null} if it is none, or an abstract one
   */
  record Type(
      OpcUaDataType builtin, Map<Long, String> names, boolean bits, StructureDefinition structure) {

    /** What a number of this type is called; {@code null} if it has no name. */
    String name(long number) {
      if (!bits) {
        return names.get(number);
      }
      List<String> set = new ArrayList<>();
      for (long bit = 0; bit < Long.SIZE; bit++) {
        if ((number >>> bit & 1) == 1) {
          set.add(names.getOrDefault(bit, "bit " + bit));
        }
      }
      return set.isEmpty() ? null : String.join(" | ", set);
    }
  }

  /** What the server says of one. */
  private record Told(Object definition, NodeId above, NodeId encoding) {}

  private final Link link;
  private final Map<NodeId, Type> types = new ConcurrentHashMap<>();
  private final Map<NodeId, Told> told = new ConcurrentHashMap<>();
  private final Map<NodeId, NodeId> encoded = new ConcurrentHashMap<>();
  private final Set<NodeId> learnt = ConcurrentHashMap.newKeySet();

  /** What the dictionaries hold that were read. */
  private final Map<NodeId, Map<NodeId, Told>> dictionaries = new ConcurrentHashMap<>();

  DataTypes(Link link) {
    this.link = link;
  }

  /**
   * A type that was {@linkplain #load loaded}, or is one of OPC UA's own; {@code null} if unknown.
   */
  Type type(NodeId id) {
    Type known = types.get(id);
    if (known == null && own(id)) {
      known = ownType(id);
      if (known != null) {
        types.put(id, known);
      }
    }
    return known;
  }

  /** The type whose binary encoding this is; {@code null} if unknown. */
  NodeId encodedBy(NodeId encoding) {
    NodeId own = own(encoding) ? Own.ENCODED.get(encoding) : encoded.get(encoding);
    // Some servers name the type itself.
    return own != null ? own : type(encoding) != null ? encoding : null;
  }

  /** The id of a type's binary encoding; {@code null} if unknown. */
  NodeId encodingOf(NodeId id) {
    if (own(id)) {
      return Own.TREE.getBinaryEncodingId(id);
    }
    Told what = told.get(id);
    if (what == null || what.encoding != null) {
      return what == null ? null : what.encoding;
    }
    return what.definition instanceof StructureDefinition structure
        ? structure.getDefaultEncodingId()
        : null;
  }

  private static boolean own(NodeId id) {
    return id.getNamespaceIndex().intValue() == 0;
  }

  private static Type ownType(NodeId id) {
    DataType type = Own.TREE.getDataType(id);
    if (type == null) {
      return null;
    }
    OpcUaDataType builtin =
        Own.isEnumeration(id) ? OpcUaDataType.Int32 : Own.TREE.getBuiltinType(id);
    return of(type.getDataTypeDefinition(), builtin, Own.isEnumeration(id));
  }

  private static Type of(Object definition, OpcUaDataType builtin, boolean enumeration) {
    if (definition instanceof StructureDefinition structure) {
      return new Type(builtin, Map.of(), false, structure);
    }
    Map<Long, String> names = new HashMap<>();
    if (definition instanceof EnumDefinition named && named.getFields() != null) {
      for (EnumField field : named.getFields()) {
        String name = field.getName();
        if (name == null && field.getDisplayName() != null) {
          name = field.getDisplayName().text();
        }
        if (name != null) {
          names.put(field.getValue(), name);
        }
      }
    }
    return new Type(builtin, Map.copyOf(names), !enumeration && !names.isEmpty(), null);
  }

  /**
   * Asks for types that aren't known yet, and for those that they are made of.
   *
   * @return fails if the link is lost; types that the server says nothing of stay unknown
   */
  CompletableFuture<Void> load(Collection<NodeId> wanted) {
    Set<NodeId> missing = new LinkedHashSet<>();
    wanted.forEach(id -> want(id, missing));
    return missing.isEmpty()
        ? CompletableFuture.completedFuture(null)
        : round(missing).thenCompose(more -> load(more)).thenCompose(done -> settle());
  }

  private void want(NodeId id, Set<NodeId> missing) {
    if (id != null && !own(id) && !told.containsKey(id)) {
      if (told.size() + missing.size() < MOST) {
        missing.add(id);
      } else {
        LOG.warn("A server has more than {} data types; {} is left out", MOST, id);
      }
    }
  }

  /** Asks about these; returns those that they lead to. */
  private CompletableFuture<Set<NodeId>> round(Set<NodeId> ids) {
    List<NodeId> asked = List.copyOf(ids);
    List<ReadValueId> definitions =
        asked.stream().map(id -> attribute(id, AttributeId.DataTypeDefinition)).toList();
    List<BrowseDescription> references = new ArrayList<>();
    for (NodeId id : asked) {
      references.add(references(id, BrowseDirection.Inverse, NodeIds.HasSubtype));
      references.add(references(id, BrowseDirection.Forward, NodeIds.HasEncoding));
    }
    return read(definitions)
        .thenCombine(
            browse(references),
            (values, results) -> {
              Map<NodeId, Told> all = new LinkedHashMap<>();
              for (int i = 0; i < asked.size(); i++) {
                ReferenceDescription[] above = references(results.get(2 * i));
                all.put(
                    asked.get(i),
                    new Told(
                        definition(values.get(i)),
                        above.length == 0 ? null : local(above[0]),
                        binary(references(results.get(2 * i + 1)))));
              }
              return all;
            })
        .thenCompose(this::described)
        .thenApply(
            all -> {
              told.putAll(all);
              Set<NodeId> more = new HashSet<>();
              for (Told what : all.values()) {
                more.add(what.above);
                if (what.definition instanceof StructureDefinition structure) {
                  for (StructureField field : fields(structure)) {
                    more.add(field.getDataType());
                  }
                }
              }
              return more;
            });
  }

  /** Looks up in dictionaries what the nodes of structures themselves don't say. */
  private CompletableFuture<Map<NodeId, Told>> described(Map<NodeId, Told> all) {
    List<NodeId> open =
        all.keySet().stream()
            .filter(id -> all.get(id).definition == null && all.get(id).encoding != null)
            .toList();
    if (open.isEmpty()) {
      return CompletableFuture.completedFuture(all);
    }
    List<NodeId> encodings = open.stream().map(id -> all.get(id).encoding).toList();
    return targets(encodings, BrowseDirection.Forward, NodeIds.HasDescription)
        .thenCompose(
            descriptions ->
                targets(descriptions, BrowseDirection.Inverse, NodeIds.HasComponent)
                    .thenCompose(
                        in ->
                            dictionaries(in)
                                .thenCompose(read -> value(descriptions))
                                .thenApply(names -> described(all, open, in, names))))
        .exceptionallyCompose(
            failure ->
                Failures.refused(failure) || TOO_MUCH.contains(Failures.status(failure))
                    ? CompletableFuture.completedFuture(all)
                    : CompletableFuture.failedFuture(failure));
  }

  private Map<NodeId, Told> described(
      Map<NodeId, Told> all, List<NodeId> open, List<NodeId> in, List<Object> names) {
    for (int i = 0; i < open.size(); i++) {
      Map<NodeId, Told> types = in.get(i) == null ? null : dictionaries.get(in.get(i));
      if (types != null && names.get(i) instanceof String name) {
        all.putAll(types);
        Told type = types.get(id(in.get(i), name));
        Told node = all.get(open.get(i));
        if (type != null) {
          all.put(open.get(i), new Told(type.definition, node.above, node.encoding));
        }
      }
    }
    return all;
  }

  /** Where a reference of each of these leads; {@code null} for nowhere. */
  private CompletableFuture<List<NodeId>> targets(
      List<NodeId> from, BrowseDirection way, NodeId kind) {
    return eachOf(
        from,
        known -> browse(known.stream().map(id -> references(id, way, kind)).toList()),
        result -> {
          ReferenceDescription[] found = references(result);
          return found.length == 0 ? null : local(found[0]);
        });
  }

  /** Values of variables; {@code null} for those that have none. */
  private CompletableFuture<List<Object>> value(List<NodeId> variables) {
    return eachOf(
        variables,
        known -> read(known.stream().map(id -> attribute(id, AttributeId.Value)).toList()),
        value -> value.statusCode().isBad() ? null : value.value().value());
  }

  /**
   * Asks about those nodes that there are.
   *
   * @return what is found for each; {@code null} where there is no node
   */
  private static <A, T> CompletableFuture<List<T>> eachOf(
      List<NodeId> nodes,
      Function<List<NodeId>, CompletableFuture<List<A>>> ask,
      Function<A, T> found) {
    return ask.apply(nodes.stream().filter(Objects::nonNull).toList())
        .thenApply(
            answers -> {
              Iterator<A> rest = answers.iterator();
              List<T> all = new ArrayList<>();
              for (NodeId node : nodes) {
                all.add(node == null ? null : found.apply(rest.next()));
              }
              return all;
            });
  }

  /** Reads dictionaries that weren't read yet. */
  private CompletableFuture<Void> dictionaries(List<NodeId> wanted) {
    List<NodeId> asked =
        wanted.stream()
            .filter(id -> id != null && !dictionaries.containsKey(id))
            .distinct()
            .toList();
    return value(asked)
        .thenAccept(
            values -> {
              for (int i = 0; i < asked.size(); i++) {
                if (values.get(i) instanceof ByteString xml) {
                  dictionaries.put(asked.get(i), types(asked.get(i), xml.bytesOrEmpty()));
                }
              }
            });
  }

  /** A dictionary's types, by ids that no node has, as a server of today would say them. */
  private Map<NodeId, Told> types(NodeId dictionary, byte[] xml) {
    Map<NodeId, Told> types = new HashMap<>();
    try {
      Dictionary.read(xml, Own.NAMED::get, name -> id(dictionary, name))
          .forEach(
              (name, definition) ->
                  types.put(
                      id(dictionary, name),
                      new Told(
                          definition,
                          definition instanceof EnumDefinition
                              ? NodeIds.Enumeration
                              : NodeIds.Structure,
                          null)));
    } catch (IOException unreadable) {
      LOG.warn("{}: {}", dictionary, unreadable.getMessage());
    }
    if (told.size() + types.size() > MOST) {
      LOG.warn("A server has more than {} data types; dictionary {} is left out", MOST, dictionary);
      return Map.of();
    }
    return types;
  }

  /** The id of a dictionary's type, in a namespace that no server has. */
  private static NodeId id(NodeId dictionary, String name) {
    return new NodeId(UShort.MAX, dictionary.toParseableString() + "/" + name);
  }

  /** Makes types of what was told, and asks for the names of those that have no definition. */
  private CompletableFuture<Void> settle() {
    List<NodeId> unnamed = new ArrayList<>();
    told.forEach(
        (id, what) -> {
          if (types.containsKey(id)) {
            return;
          }
          NodeId base = base(id);
          if (base == null && !ends(id)) {
            return; // Somebody else is still asking.
          }
          boolean enumeration = base != null && Own.isEnumeration(base);
          OpcUaDataType builtin =
              enumeration
                  ? OpcUaDataType.Int32
                  : base == null ? OpcUaDataType.Variant : Own.TREE.getBuiltinType(base);
          types.put(id, of(what.definition, builtin, enumeration));
          if (what.encoding != null) {
            encoded.put(what.encoding, id);
          }
          if (what.definition instanceof StructureDefinition structure
              && structure.getDefaultEncodingId() != null
              && structure.getDefaultEncodingId().isNotNull()) {
            encoded.putIfAbsent(structure.getDefaultEncodingId(), id);
          }
          if (enumeration && what.definition == null) {
            unnamed.add(id);
          }
        });
    if (unnamed.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    return properties(unnamed, List.of("EnumStrings", "EnumValues"))
        .thenAccept(
            values -> {
              for (int i = 0; i < unnamed.size(); i++) {
                Map<Long, String> names = names(values.get(i));
                if (!names.isEmpty()) {
                  types.put(unnamed.get(i), new Type(OpcUaDataType.Int32, names, false, null));
                }
              }
            });
  }

  /** The nearest of OPC UA's own above a type; {@code null} if there is none. */
  private NodeId base(NodeId id) {
    NodeId at = id;
    for (int i = 0; i < MOST_ABOVE && at != null; i++) {
      if (own(at)) {
        return at;
      }
      Told what = told.get(at);
      at = what == null ? null : what.above;
    }
    return null;
  }

  /** Whether all that is to be known above a type was told. */
  private boolean ends(NodeId id) {
    NodeId at = id;
    for (int i = 0; i < MOST_ABOVE && at != null && !own(at); i++) {
      Told what = told.get(at);
      if (what == null) {
        return false;
      }
      at = what.above;
    }
    return true;
  }

  /** Whether a type is a structure, abstract or not. */
  boolean isStructure(NodeId id) {
    NodeId base = base(id);
    return base != null && (base.equals(NodeIds.BaseDataType) || Own.isStructure(base));
  }

  /** Asks for a type and all structures that are of it: values of an abstract type are. */
  CompletableFuture<Void> loadBelow(NodeId abstractType) {
    NodeId top = abstractType.equals(NodeIds.BaseDataType) ? NodeIds.Structure : abstractType;
    return below(top).thenCompose(found -> load(found.keySet()));
  }

  /** The types that are of a type, itself left out, and their names. */
  CompletableFuture<Map<NodeId, String>> below(NodeId type) {
    Map<NodeId, String> found = new ConcurrentHashMap<>();
    return below(List.of(type), found).thenApply(done -> found);
  }

  private CompletableFuture<Void> below(List<NodeId> from, Map<NodeId, String> found) {
    if (from.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    List<BrowseDescription> asked =
        from.stream()
            .map(id -> references(id, BrowseDirection.Forward, NodeIds.HasSubtype))
            .toList();
    return browse(asked)
        .thenCompose(
            results -> {
              List<NodeId> next = new ArrayList<>();
              for (BrowseResult result : results) {
                for (ReferenceDescription reference : references(result)) {
                  NodeId id = local(reference);
                  QualifiedName name = reference.getBrowseName();
                  boolean fresh =
                      id != null
                          && found.size() < MOST
                          && found.putIfAbsent(
                                  id, name == null || name.name() == null ? "" : name.name())
                              == null;
                  if (fresh) {
                    next.add(id);
                  }
                }
              }
              return below(next, found);
            });
  }

  /**
   * Asks, once, what type an encoding is of that nobody knew when its value came; the next value
   * will find it.
   */
  void learn(NodeId encoding) {
    if (learnt.size() >= MOST || !learnt.add(encoding)) {
      return;
    }
    browse(List.of(references(encoding, BrowseDirection.Inverse, NodeIds.HasEncoding)))
        .thenCompose(
            results -> {
              ReferenceDescription[] types = references(results.get(0));
              NodeId type = types.length == 0 ? null : local(types[0]);
              if (type == null) {
                LOG.warn("The server doesn't say what type {} is the encoding of", encoding);
                return CompletableFuture.completedFuture(null);
              }
              return load(List.of(type)).thenRun(() -> encoded.putIfAbsent(encoding, type));
            })
        .exceptionally(
            failure -> {
              learnt.remove(encoding);
              LOG.debug("The type of {} isn't known", encoding, failure);
              return null;
            });
  }

  /**
   * What numbers are called by properties: of the type of an enumeration (Part 3, 5.8.3), or of a
   * variable (Part 8, 5.3.3).
   *
   * @param values of the properties, {@code null} for those that there aren't: texts, values with
   *     names, and the two states of a switch
   */
  static Map<Long, String> names(List<Object> values) {
    Map<Long, String> names = new HashMap<>();
    for (int i = 0; i < values.size(); i++) {
      Object value = values.get(i);
      if (value instanceof LocalizedText[] texts) {
        for (int number = 0; number < texts.length; number++) {
          put(names, number, texts[number]);
        }
      } else if (value instanceof Object[] list) {
        for (Object element : list) {
          if (element instanceof EnumValueType one) {
            put(names, one.getValue(), one.getDisplayName());
          }
        }
      } else if (value instanceof LocalizedText state) {
        put(names, i % 2, state);
      }
    }
    return Map.copyOf(names);
  }

  private static void put(Map<Long, String> names, long number, LocalizedText text) {
    if (text != null && text.text() != null) {
      names.put(number, text.text());
    }
  }

  /** Names of a variable's numbers; {@code null} for those without. */
  CompletableFuture<List<LongFunction<String>>> namesOf(List<NodeId> variables) {
    return properties(variables, List.of("EnumStrings", "EnumValues", "FalseState", "TrueState"))
        .thenApply(
            all -> {
              List<LongFunction<String>> names = new ArrayList<>();
              for (List<Object> values : all) {
                Map<Long, String> of = names(values);
                names.add(of.isEmpty() ? null : of::get);
              }
              return names;
            });
  }

  /**
   * Values of properties of nodes, by node; {@code null} for what there isn't. Lists of OPC UA's
   * own structures are decoded.
   */
  CompletableFuture<List<List<Object>>> properties(List<NodeId> nodes, List<String> properties) {
    List<BrowsePath> paths = new ArrayList<>();
    for (NodeId node : nodes) {
      for (String property : properties) {
        paths.add(
            new BrowsePath(
                node,
                new RelativePath(
                    new RelativePathElement[] {
                      new RelativePathElement(
                          NodeIds.HasProperty, false, true, new QualifiedName(0, property))
                    })));
      }
    }
    return link.askAll(
            paths,
            link.limits().translate(),
            (client, some) ->
                client
                    .translateBrowsePathsAsync(some)
                    .thenApply(TranslateBrowsePathsToNodeIdsResponse::getResults))
        .thenCompose(
            results ->
                value(results.stream().map(this::target).toList())
                    .thenApply(
                        values -> {
                          List<List<Object>> all = new ArrayList<>();
                          for (int i = 0; i < values.size(); i++) {
                            if (i % properties.size() == 0) {
                              all.add(new ArrayList<>());
                            }
                            all.get(all.size() - 1).add(property(values.get(i)));
                          }
                          return all;
                        }));
  }

  private NodeId target(BrowsePathResult result) {
    BrowsePathTarget[] targets = result.getTargets();
    return !result.getStatusCode().isGood() || targets == null || targets.length == 0
        ? null
        : targets[0].getTargetId().toNodeId(link.namespaces()).orElse(null);
  }

  private Object property(Object raw) {
    if (!(raw instanceof ExtensionObject[] structures)) {
      return raw;
    }
    Object[] decoded = new Object[structures.length];
    Arrays.setAll(decoded, i -> decoded(structures[i]));
    return decoded;
  }

  private Object definition(DataValue value) {
    return !value.statusCode().isBad() && value.value().value() instanceof ExtensionObject structure
        ? decoded(structure)
        : null;
  }

  /** {@code null} if it isn't one of OPC UA's own, or not whole. */
  private Object decoded(ExtensionObject structure) {
    try {
      return structure.decode(link.encoding());
    } catch (RuntimeException malformed) {
      LOG.debug("A server describes a type that can't be read", malformed);
      return null;
    }
  }

  /** The definition's fields, each with a type. */
  static List<StructureField> fields(StructureDefinition structure) {
    List<StructureField> fields = new ArrayList<>();
    if (structure.getFields() != null) {
      for (StructureField field : structure.getFields()) {
        if (field != null && field.getDataType() != null) {
          fields.add(field);
        }
      }
    }
    return fields;
  }

  private static ReferenceDescription[] references(BrowseResult result) {
    return result.getReferences() == null ? new ReferenceDescription[0] : result.getReferences();
  }

  private NodeId local(ReferenceDescription reference) {
    return reference.getNodeId().toNodeId(link.namespaces()).orElse(null);
  }

  private NodeId binary(ReferenceDescription[] encodings) {
    for (ReferenceDescription encoding : encodings) {
      // By name alone: servers have been seen with another namespace.
      if (encoding.getBrowseName() != null
          && "Default Binary".equals(encoding.getBrowseName().name())) {
        return local(encoding);
      }
    }
    return null;
  }

  static ReadValueId attribute(NodeId node, AttributeId attribute) {
    return new ReadValueId(node, attribute.uid(), null, QualifiedName.NULL_VALUE);
  }

  private static BrowseDescription references(NodeId of, BrowseDirection way, NodeId kind) {
    return new BrowseDescription(
        of,
        way,
        kind,
        true,
        UInteger.MIN,
        UInteger.valueOf(BrowseResultMask.BrowseName.getValue()));
  }

  CompletableFuture<List<DataValue>> read(List<ReadValueId> attributes) {
    return link.askAll(
        attributes,
        link.limits().read(),
        (client, some) ->
            client
                .readAsync(0, TimestampsToReturn.Neither, some)
                .thenApply(ReadResponse::getResults));
  }

  private CompletableFuture<List<BrowseResult>> browse(List<BrowseDescription> references) {
    return link.askAll(
            references,
            link.limits().browse(),
            (client, some) ->
                client
                    .browseAsync(
                        new ViewDescription(NodeId.NULL_VALUE, DateTime.MIN_VALUE, UInteger.MIN),
                        UInteger.MIN,
                        some)
                    .thenApply(BrowseResponse::getResults))
        .thenCompose(this::browseOn);
  }

  /** Asks for what the server couldn't tell at once. */
  private CompletableFuture<List<BrowseResult>> browseOn(List<BrowseResult> results) {
    List<Integer> partial = new ArrayList<>();
    List<ByteString> points = new ArrayList<>();
    for (int i = 0; i < results.size(); i++) {
      ByteString point = results.get(i).getContinuationPoint();
      if (point != null && !point.isNullOrEmpty()) {
        partial.add(i);
        points.add(point);
      }
    }
    if (points.isEmpty()) {
      return CompletableFuture.completedFuture(results);
    }
    boolean enough = partial.stream().mapToInt(i -> references(results.get(i)).length).sum() > MOST;
    return link.askAll(
            points,
            link.limits().browse(),
            (client, some) ->
                client
                    .browseNextAsync(enough, some)
                    .thenApply(
                        answer -> enough ? new BrowseResult[some.size()] : answer.getResults()))
        .thenCompose(
            next -> {
              List<BrowseResult> all = new ArrayList<>(results);
              for (int i = 0; i < next.size(); i++) {
                BrowseResult before = results.get(partial.get(i));
                BrowseResult more = next.get(i);
                List<ReferenceDescription> joined =
                    new ArrayList<>(Arrays.asList(references(before)));
                if (more != null) {
                  joined.addAll(Arrays.asList(references(more)));
                }
                all.set(
                    partial.get(i),
                    new BrowseResult(
                        before.getStatusCode(),
                        more == null ? null : more.getContinuationPoint(),
                        joined.toArray(new ReferenceDescription[0])));
              }
              return browseOn(all);
            });
  }
}
