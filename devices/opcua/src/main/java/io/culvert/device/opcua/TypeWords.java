package io.culvert.device.opcua;

import java.io.IOException;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.OpcUaDataType;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;

/** A server's types in the words of a profile. Used by one thread at a time. */
final class TypeWords {
  private static final Map<OpcUaDataType, String> WORDS = new EnumMap<>(OpcUaDataType.class);

  /** Numbers of any type, and what holds most of them. */
  private static final Map<NodeId, String> ANY_NUMBER =
      Map.of(NodeIds.Number, "float64", NodeIds.Integer, "int64", NodeIds.UInteger, "uint64");

  static {
    WORDS.put(OpcUaDataType.Boolean, "bool");
    WORDS.put(OpcUaDataType.SByte, "int16");
    WORDS.put(OpcUaDataType.Byte, "uint16");
    WORDS.put(OpcUaDataType.Int16, "int16");
    WORDS.put(OpcUaDataType.UInt16, "uint16");
    WORDS.put(OpcUaDataType.Int32, "int32");
    WORDS.put(OpcUaDataType.UInt32, "uint32");
    WORDS.put(OpcUaDataType.Int64, "int64");
    WORDS.put(OpcUaDataType.UInt64, "uint64");
    WORDS.put(OpcUaDataType.Float, "float32");
    WORDS.put(OpcUaDataType.Double, "float64");
    WORDS.put(OpcUaDataType.String, "text");
    WORDS.put(OpcUaDataType.DateTime, "text");
    WORDS.put(OpcUaDataType.Guid, "text");
    WORDS.put(OpcUaDataType.ByteString, "bytes");
    WORDS.put(OpcUaDataType.XmlElement, "text");
    WORDS.put(OpcUaDataType.NodeId, "text");
    WORDS.put(OpcUaDataType.ExpandedNodeId, "text");
    WORDS.put(OpcUaDataType.StatusCode, "text");
    WORDS.put(OpcUaDataType.QualifiedName, "text");
    WORDS.put(OpcUaDataType.LocalizedText, "text");
    WORDS.put(OpcUaDataType.ExtensionObject, "struct");
  }

  private final DataTypes types;

  /** Browse names of data types and type definitions. */
  private final Map<NodeId, String> names = new HashMap<>();

  TypeWords(DataTypes types) {
    this.types = types;
  }

  /**
   * Asks for what isn't known yet.
   *
   * @param definitions of objects and variables, of which the name is all there is to tell
   */
  void learn(Collection<NodeId> dataTypes, Collection<NodeId> definitions, Requests requests)
      throws IOException, Deadline.OverException {
    requests.await(types.load(dataTypes));
    Set<NodeId> unnamed = new LinkedHashSet<>(dataTypes);
    unnamed.addAll(definitions);
    unnamed.removeIf(names::containsKey);
    List<NodeId> all = List.copyOf(unnamed);
    List<DataValue> read =
        requests.read(
            all.stream().map(id -> DataTypes.attribute(id, AttributeId.BrowseName)).toList());
    for (int i = 0; i < all.size(); i++) {
      boolean named =
          read.get(i).value().value() instanceof QualifiedName name && name.name() != null;
      names.put(all.get(i), named ? ((QualifiedName) read.get(i).value().value()).name() : "");
    }
  }

  /** The server's name of a type; {@code ""} if it has none. */
  String name(NodeId type) {
    return names.getOrDefault(type, "");
  }

  private OpcUaDataType builtin(NodeId type) {
    DataTypes.Type known = types.type(type);
    return known == null ? OpcUaDataType.Variant : known.builtin();
  }

  /** Whether only a value tells what it is. */
  boolean open(NodeId type) {
    return builtin(type) == OpcUaDataType.Variant;
  }

  /** What the numbers of an enumeration mean; {@code ""} of another type. */
  String states(NodeId type) {
    DataTypes.Type known = types.type(type);
    return known == null || known.bits()
        ? ""
        : new TreeMap<>(known.names())
            .entrySet().stream()
                .limit(Facts.MOST_STATES)
                .map(state -> state.getKey() + " " + state.getValue())
                .collect(Collectors.joining(", "));
  }

  /**
   * The type of a profile's point.
   *
   * @param value of a node whose type leaves it open; {@code null} if it has none
   * @return {@code null} if no point can have it
   */
  String word(NodeId type, Object value) {
    if (!open(type)) {
      return WORDS.get(builtin(type));
    }
    if (value == null) {
      return ANY_NUMBER.get(type);
    }
    Class<?> kind = value.getClass();
    while (kind.isArray()) {
      kind = kind.getComponentType();
    }
    // Structures have a class for each form that they come in.
    return ExtensionObject.class.isAssignableFrom(kind)
        ? "struct"
        : WORDS.get(OpcUaDataType.fromBackingClass(kind));
  }
}
