package io.culvert.device.opcua;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.OpcUaDataType;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadValueId;
import org.eclipse.milo.opcua.stack.core.types.structured.ReferenceDescription;

/**
 * The data types of one server in the words of a profile (Part 3, 8; Part 5, 12). What a maker has
 * derived is followed up to OPC UA's own, once for each type. Used by one thread at a time.
 */
final class TypeWords {
  /** Levels of derivation that are followed; what goes further rounds in a circle. */
  private static final int DEEPEST = 20;

  /** Of OPC UA's own name space, by number. */
  private static final Map<Integer, String> BASE =
      Map.ofEntries(
          Map.entry(1, "bool"),
          Map.entry(2, "int16"),
          Map.entry(3, "uint16"),
          Map.entry(4, "int16"),
          Map.entry(5, "uint16"),
          Map.entry(6, "int32"),
          Map.entry(7, "uint32"),
          Map.entry(8, "int64"),
          Map.entry(9, "uint64"),
          Map.entry(10, "float32"),
          Map.entry(11, "float64"),
          Map.entry(12, "text"),
          Map.entry(13, "text"),
          Map.entry(14, "text"),
          Map.entry(15, "bytes"),
          Map.entry(16, "text"),
          Map.entry(17, "text"),
          Map.entry(18, "text"),
          Map.entry(19, "text"),
          Map.entry(20, "text"),
          Map.entry(21, "text"),
          Map.entry(22, "struct"),
          Map.entry(29, "int32"));

  /** Types of which a value may be any of several: only a value tells. */
  private static final Map<Integer, String> ABSTRACT =
      Map.of(24, "", 26, "float64", 27, "int64", 28, "uint64");

  private static final int ENUMERATION = 29;

  /** Of types that aren't OPC UA's own: what they are derived from in its own name space. */
  private final Map<NodeId, Integer> bases = new HashMap<>();

  private final Map<NodeId, String> names = new HashMap<>();

  /** What the numbers of enumerations mean; {@code ""} if the server doesn't say. */
  private final Map<NodeId, String> states = new HashMap<>();

  /** Looks up types that aren't known yet, and their names. */
  void learn(Collection<NodeId> types, Requests requests) throws IOException, Requests.OutOfTime {
    Set<NodeId> unknown = new LinkedHashSet<>(types);
    unknown.removeIf(type -> type == null || names.containsKey(type));
    if (unknown.isEmpty()) {
      return;
    }
    Map<NodeId, NodeId> at = new HashMap<>();
    unknown.stream().filter(type -> own(type) == 0).forEach(type -> at.put(type, type));
    for (int i = 0; i < DEEPEST && !at.isEmpty(); i++) {
      Map<NodeId, List<ReferenceDescription>> above =
          requests.references(
              new ArrayList<>(new HashSet<>(at.values())), Requests.Which.SUPERTYPE);
      for (NodeId type : List.copyOf(at.keySet())) {
        NodeId next =
            above.getOrDefault(at.get(type), List.of()).stream()
                .map(ReferenceDescription::getNodeId)
                .map(id -> id.toNodeId(requests.namespaces()).orElse(NodeId.NULL_VALUE))
                .findFirst()
                .orElse(NodeId.NULL_VALUE);
        at.put(type, next);
        if (next.isNull() || own(next) != 0) {
          bases.put(type, own(next));
          at.remove(type);
        }
      }
    }
    List<NodeId> all = List.copyOf(unknown);
    List<ReadValueId> what =
        all.stream().map(id -> Requests.attribute(id, AttributeId.BrowseName)).toList();
    List<DataValue> read = requests.read(what);
    for (int i = 0; i < all.size(); i++) {
      Object name = read.get(i).getValue().getValue();
      names.put(
          all.get(i),
          name instanceof QualifiedName own && own.getName() != null ? own.getName() : "");
    }
  }

  /**
   * The number of a type that is known here; 0 for others. Of what OPC UA itself has derived, such
   * as UtcTime, the server knows from what.
   */
  private static int own(NodeId type) {
    if (type.getNamespaceIndex().intValue() != 0
        || !(type.getIdentifier() instanceof UInteger number)
        || number.longValue() > ENUMERATION) {
      return 0;
    }
    int id = number.intValue();
    return BASE.containsKey(id) || ABSTRACT.containsKey(id) || id == 23 || id == 25 ? id : 0;
  }

  private int base(NodeId type) {
    int own = own(type);
    return own != 0 ? own : bases.getOrDefault(type, 0);
  }

  /** The server's name of a type; {@code ""} if it has none. */
  String name(NodeId type) {
    return names.getOrDefault(type, "");
  }

  /** Whether only a value tells what it is. */
  boolean open(NodeId type) {
    return ABSTRACT.containsKey(base(type));
  }

  boolean enumeration(NodeId type) {
    return base(type) == ENUMERATION;
  }

  boolean statesKnown(NodeId type) {
    return states.containsKey(type);
  }

  void states(NodeId type, String meaning) {
    states.put(type, meaning);
  }

  /** By enumeration, what its numbers mean. */
  String states(NodeId type) {
    return states.getOrDefault(type, "");
  }

  /**
   * The type of a profile's point.
   *
   * @param value of a node whose type leaves it open; {@code null} if it has none
   * @return {@code null} if no point can have it
   */
  String word(NodeId type, Object value) {
    int base = base(type);
    if (!ABSTRACT.containsKey(base)) {
      return BASE.get(base);
    }
    if (value != null) {
      Class<?> kind = value.getClass();
      while (kind.isArray()) {
        kind = kind.getComponentType();
      }
      OpcUaDataType told = OpcUaDataType.fromBackingClass(kind);
      return told == null ? null : BASE.get(told.getTypeId());
    }
    String most = ABSTRACT.get(base);
    return most.isEmpty() ? null : most;
  }
}
