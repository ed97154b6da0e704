package io.culvert.device.opcua;

import io.culvert.api.Quality;
import io.culvert.api.Value;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.lang.reflect.Array;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.milo.opcua.stack.core.OpcUaDataType;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.encoding.binary.OpcUaBinaryDecoder;
import org.eclipse.milo.opcua.stack.core.encoding.binary.OpcUaBinaryEncoder;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.enumerated.StructureType;
import org.eclipse.milo.opcua.stack.core.types.structured.StructureDefinition;
import org.eclipse.milo.opcua.stack.core.types.structured.StructureField;

/**
 * Structures in OPC UA's binary encoding (Part 6, 5.2.6 and 5.2.7), by what the server says of
 * their types: with optional fields, unions, within each other and in lists. Safe in any thread;
 * never blocks.
 *
 * <p>Bytes that don't fit their type, or too many of them, make a value unfit and nothing else.
 */
final class Structures implements Values.Structures {
  private static final Quality MALFORMED = new Quality((int) StatusCodes.Bad_DecodingError);
  private static final Quality TOO_MUCH = new Quality((int) StatusCodes.Bad_EncodingLimitsExceeded);

  /** Structures within each other, at most. */
  private static final int DEEPEST = 32;

  /** Fields of one value, at most. */
  private static final int MOST_FIELDS = 10_000;

  private final Link link;
  private final DataTypes types;
  private final Values values;
  private final Raw raw;

  Structures(Link link, DataTypes types) {
    this.link = link;
    this.types = types;
    this.raw = new Raw(link::namespaces);
    this.values = new Values(index -> link.namespaces().get(index), number -> null, this);
  }

  /** For values of this session; numbers have no names. */
  Values values() {
    return values;
  }

  @Override
  public void decode(ExtensionObject structure, String prefix, Map<String, Value> into)
      throws Values.Unfit {
    decode(structure, prefix, into, 0);
  }

  private void decode(ExtensionObject structure, String prefix, Map<String, Value> into, int depth)
      throws Values.Unfit {
    if (depth > DEEPEST) {
      throw new Values.Unfit(TOO_MUCH);
    }
    NodeId encoding = structure.getEncodingOrTypeId();
    NodeId id = types.encodedBy(encoding);
    DataTypes.Type type = id == null ? null : types.type(id);
    if (!(structure instanceof ExtensionObject.Binary)
        || type == null
        || type.builtin() != OpcUaDataType.ExtensionObject) {
      if (type == null) {
        types.learn(encoding);
      }
      throw new Values.Unfit(Values.UNKNOWN_TYPE);
    }
    ByteString body = ((ExtensionObject.Binary) structure).getBody();
    ByteBuf buffer = Unpooled.wrappedBuffer(body.bytesOrEmpty());
    try {
      new Reading(buffer, into).structure(type, prefix, depth);
    } catch (RuntimeException malformed) {
      throw new Values.Unfit(MALFORMED);
    }
  }

  /** One body. */
  private final class Reading {
    private final ByteBuf buffer;
    private final Map<String, Value> into;
    private final OpcUaBinaryDecoder decoder;

    Reading(ByteBuf buffer, Map<String, Value> into) {
      this.buffer = buffer;
      this.into = into;
      this.decoder = new OpcUaBinaryDecoder(link.encoding()).setBuffer(buffer);
    }

    void structure(DataTypes.Type type, String prefix, int depth) throws Values.Unfit {
      if (depth > DEEPEST || into.size() > MOST_FIELDS) {
        throw new Values.Unfit(TOO_MUCH);
      }
      if (type.bits()) {
        optionSet(type, prefix);
        return;
      }
      StructureDefinition definition = type.structure();
      if (definition == null) {
        throw new Values.Unfit(Values.UNKNOWN_TYPE);
      }
      List<StructureField> fields = DataTypes.fields(definition);
      switch (definition.getStructureType()) {
        case Structure, StructureWithSubtypedValues -> {
          for (StructureField field : fields) {
            field(definition, field, prefix, depth);
          }
        }
        case StructureWithOptionalFields -> {
          long mask = buffer.readUnsignedIntLE();
          for (StructureField field : fields) {
            boolean there = true;
            if (field.getIsOptional()) {
              there = (mask & 1) == 1;
              mask >>>= 1;
            }
            if (there) {
              field(definition, field, prefix, depth);
            }
          }
        }
        case Union, UnionWithSubtypedValues -> {
          long chosen = buffer.readUnsignedIntLE();
          if (chosen > fields.size()) {
            throw new Values.Unfit(MALFORMED);
          }
          if (chosen > 0) {
            field(definition, fields.get((int) chosen - 1), prefix, depth);
          }
        }
      }
    }

    /** Of a structure's option set (Part 3, 8.40), a switch for each bit that is valid. */
    private void optionSet(DataTypes.Type type, String prefix) {
      byte[] set = decoder.decodeByteString().bytesOrEmpty();
      byte[] valid = decoder.decodeByteString().bytesOrEmpty();
      for (int bit = 0; bit < 8 * Math.min(set.length, valid.length); bit++) {
        String name = type.names().get((long) bit);
        if (name != null && (valid[bit / 8] >> bit % 8 & 1) == 1) {
          into.put(prefix + name, Value.of((set[bit / 8] >> bit % 8 & 1) == 1));
        }
      }
    }

    private void field(
        StructureDefinition definition, StructureField field, String prefix, int depth)
        throws Values.Unfit {
      DataTypes.Type type = types.type(field.getDataType());
      if (type == null) {
        throw new Values.Unfit(Values.UNKNOWN_TYPE);
      }
      boolean subtyped = subtyped(definition, field);
      String name = prefix + field.getName();
      int rank = rank(field);
      if (rank < 0) {
        one(type, subtyped, name, depth);
        return;
      }
      int length = rank == 1 ? decoder.decodeInt32() : dimensions(rank);
      if (length > MOST_FIELDS && inline(type, subtyped) || length > buffer.readableBytes()) {
        throw new Values.Unfit(TOO_MUCH);
      }
      if (length < 0) {
        return;
      }
      if (inline(type, subtyped)) {
        for (int i = 0; i < length; i++) {
          structure(type, name + "." + i + ".", depth + 1);
        }
        return;
      }
      put(name, list(builtin(type, subtyped), length, 0), depth);
    }

    /** How many elements a matrix has: the product of its dimensions (Part 6, 5.2.5). */
    private int dimensions(int rank) throws Values.Unfit {
      int dimensions = decoder.decodeInt32();
      if (dimensions != rank) {
        throw new Values.Unfit(MALFORMED);
      }
      long length = 1;
      for (int i = 0; i < rank; i++) {
        length *= Math.max(0, decoder.decodeInt32());
        if (length > Integer.MAX_VALUE) {
          throw new Values.Unfit(TOO_MUCH);
        }
      }
      return (int) length;
    }

    private void one(DataTypes.Type type, boolean subtyped, String name, int depth)
        throws Values.Unfit {
      if (inline(type, subtyped)) {
        structure(type, name + ".", depth + 1);
      } else {
        put(name, plain(builtin(type, subtyped), 0), depth);
      }
    }

    private void put(String name, Object raw, int depth) throws Values.Unfit {
      if (into.size() > MOST_FIELDS) {
        throw new Values.Unfit(TOO_MUCH);
      }
      if (raw instanceof ExtensionObject structure) {
        if (!structure.isNull()) {
          decode(structure, name + ".", into, depth + 1);
        }
      } else if (raw instanceof Object[] list
          && (raw instanceof ExtensionObject[] || raw.getClass() == Object[].class)) {
        // Each may be of another type.
        for (int i = 0; i < list.length; i++) {
          put(name + "." + i, list[i], depth);
        }
      } else {
        values.field(name, raw, into);
      }
    }

    private Object list(OpcUaDataType type, int length, int nested) throws Values.Unfit {
      if (length > buffer.readableBytes()) {
        throw new Values.Unfit(MALFORMED);
      }
      boolean any = type == OpcUaDataType.Variant || type == OpcUaDataType.DataValue;
      Object list = Array.newInstance(any ? Object.class : type.getBackingClass(), length);
      for (int i = 0; i < length; i++) {
        Array.set(list, i, plain(type, nested));
      }
      return list;
    }

    /**
     * A value that says its own type (Part 6, 5.2.2.16). Milo's decoder would believe any number of
     * dimensions.
     */
    private Object variant(int nested) throws Values.Unfit {
      if (nested > DEEPEST) {
        throw new Values.Unfit(TOO_MUCH);
      }
      int mask = buffer.readUnsignedByte();
      if (mask == 0) {
        return null;
      }
      OpcUaDataType type = OpcUaDataType.fromTypeId(mask & 0x3F);
      if (type == null) {
        throw new Values.Unfit(MALFORMED);
      }
      if ((mask & 0x80) == 0) {
        return plain(type, nested + 1);
      }
      int length = decoder.decodeInt32();
      Object list = length < 0 ? null : list(type, length, nested + 1);
      if ((mask & 0x40) != 0) {
        buffer.skipBytes(Math.multiplyExact(Integer.BYTES, Math.max(0, decoder.decodeInt32())));
      }
      return list;
    }

    /** Of a value with its status and times, the value (Part 6, 5.2.2.17). */
    private Object dataValue(int nested) throws Values.Unfit {
      int mask = buffer.readUnsignedByte();
      Object value = (mask & 0x01) == 0 ? null : variant(nested);
      buffer.skipBytes(
          ((mask & 0x02) == 0 ? 0 : 4)
              + ((mask & 0x04) == 0 ? 0 : 8)
              + ((mask & 0x08) == 0 ? 0 : 8)
              + ((mask & 0x10) == 0 ? 0 : 2)
              + ((mask & 0x20) == 0 ? 0 : 2));
      return value;
    }

    private Object plain(OpcUaDataType type, int nested) throws Values.Unfit {
      return switch (type) {
        case Boolean -> decoder.decodeBoolean();
        case SByte -> decoder.decodeSByte();
        case Byte -> decoder.decodeByte();
        case Int16 -> decoder.decodeInt16();
        case UInt16 -> decoder.decodeUInt16();
        case Int32 -> decoder.decodeInt32();
        case UInt32 -> decoder.decodeUInt32();
        case Int64 -> decoder.decodeInt64();
        case UInt64 -> decoder.decodeUInt64();
        case Float -> decoder.decodeFloat();
        case Double -> decoder.decodeDouble();
        case String -> decoder.decodeString();
        case DateTime -> decoder.decodeDateTime();
        case Guid -> decoder.decodeGuid();
        case ByteString -> decoder.decodeByteString();
        case XmlElement -> decoder.decodeXmlElement();
        case NodeId -> decoder.decodeNodeId();
        case ExpandedNodeId -> decoder.decodeExpandedNodeId();
        case StatusCode -> decoder.decodeStatusCode();
        case QualifiedName -> decoder.decodeQualifiedName();
        case LocalizedText -> decoder.decodeLocalizedText();
        case ExtensionObject -> decoder.decodeExtensionObject();
        case DataValue -> dataValue(nested);
        case Variant -> variant(nested);
        case DiagnosticInfo -> decoder.decodeDiagnosticInfo();
      };
    }
  }

  /** Whether values of other types that are of the field's may stand in it (Part 3, 8.48). */
  private static boolean subtyped(StructureDefinition definition, StructureField field) {
    StructureType kind = definition.getStructureType();
    return field.getIsOptional()
        && (kind == StructureType.StructureWithSubtypedValues
            || kind == StructureType.UnionWithSubtypedValues);
  }

  /** -1 for a single value, 1 for a list, more for a matrix. */
  private static int rank(StructureField field) {
    return field.getValueRank() == null || field.getValueRank() <= 0 ? -1 : field.getValueRank();
  }

  /** Whether a field holds a structure without saying its type, since that is known. */
  private static boolean inline(DataTypes.Type type, boolean subtyped) {
    return type.builtin() == OpcUaDataType.ExtensionObject
        && !subtyped
        && (type.structure() != null || type.bits() && !type.names().isEmpty());
  }

  private static OpcUaDataType builtin(DataTypes.Type type, boolean subtyped) {
    boolean several = subtyped && type.builtin() != OpcUaDataType.ExtensionObject;
    return several ? OpcUaDataType.Variant : type.builtin();
  }

  /**
   * Puts a structure together for writing.
   *
   * @param fields by the names that {@link #decode} gives them; optional ones may be left out
   * @throws Values.Unfit if the type isn't known, or fields are missing, unknown or don't fit
   */
  ExtensionObject encode(NodeId id, Map<String, Value> fields) throws Values.Unfit {
    DataTypes.Type type = types.type(id);
    NodeId encoding = types.encodingOf(id);
    if (type == null || type.structure() == null || encoding == null) {
      throw new Values.Unfit(Values.UNKNOWN_TYPE);
    }
    Map<String, Value> rest = new LinkedHashMap<>(fields);
    ByteBuf buffer = Unpooled.buffer();
    new Composing(buffer, rest).structure(type, "", 0);
    if (!rest.isEmpty()) {
      throw new Values.Unfit(Quality.BAD_TYPE_MISMATCH);
    }
    return ExtensionObject.of(ByteString.of(ByteBufUtil.getBytes(buffer)), encoding);
  }

  /** One body; takes out of the fields what it has written. */
  private final class Composing {
    private final ByteBuf buffer;
    private final Map<String, Value> fields;

    Composing(ByteBuf buffer, Map<String, Value> fields) {
      this.buffer = buffer;
      this.fields = fields;
    }

    private boolean given(String name) {
      return fields.containsKey(name)
          || fields.keySet().stream().anyMatch(key -> key.startsWith(name + "."));
    }

    void structure(DataTypes.Type type, String prefix, int depth) throws Values.Unfit {
      StructureDefinition definition = type.structure();
      if (definition == null || depth > DEEPEST) {
        throw new Values.Unfit(Values.UNKNOWN_TYPE);
      }
      List<StructureField> parts = DataTypes.fields(definition);
      switch (definition.getStructureType()) {
        case Structure, StructureWithSubtypedValues -> {
          for (StructureField field : parts) {
            field(definition, field, prefix, depth);
          }
        }
        case StructureWithOptionalFields -> {
          long mask = 0;
          int bit = 0;
          for (StructureField field : parts) {
            if (field.getIsOptional()) {
              mask |= given(prefix + field.getName()) ? 1L << bit : 0;
              bit++;
            }
          }
          buffer.writeIntLE((int) mask);
          for (StructureField field : parts) {
            if (!field.getIsOptional() || given(prefix + field.getName())) {
              field(definition, field, prefix, depth);
            }
          }
        }
        case Union, UnionWithSubtypedValues -> {
          int chosen = 0;
          for (int i = 0; i < parts.size(); i++) {
            if (given(prefix + parts.get(i).getName())) {
              if (chosen != 0) {
                throw new Values.Unfit(Quality.BAD_TYPE_MISMATCH);
              }
              chosen = i + 1;
            }
          }
          buffer.writeIntLE(chosen);
          if (chosen > 0) {
            field(definition, parts.get(chosen - 1), prefix, depth);
          }
        }
      }
    }

    private void field(
        StructureDefinition definition, StructureField field, String prefix, int depth)
        throws Values.Unfit {
      DataTypes.Type type = types.type(field.getDataType());
      int rank = rank(field);
      boolean subtyped = subtyped(definition, field);
      if (type == null || rank > 1) {
        throw new Values.Unfit(Values.UNKNOWN_TYPE);
      }
      String name = prefix + field.getName();
      if (!inline(type, subtyped)) {
        Value value = fields.remove(name);
        if (value == null || value instanceof Value.Array != rank > 0) {
          throw new Values.Unfit(Quality.BAD_TYPE_MISMATCH);
        }
        OpcUaDataType builtin = builtin(type, subtyped);
        plain(builtin, raw.of(builtin, type.names(), value));
      } else if (rank < 0) {
        if (!given(name)) {
          throw new Values.Unfit(Quality.BAD_TYPE_MISMATCH);
        }
        structure(type, name + ".", depth + 1);
      } else {
        int length = 0;
        while (given(name + "." + length)) {
          length++;
        }
        buffer.writeIntLE(length);
        for (int i = 0; i < length; i++) {
          structure(type, name + "." + i + ".", depth + 1);
        }
      }
    }

    /** As a Variant has it, without the byte that says the type. */
    private void plain(OpcUaDataType type, Object plain) {
      ByteBuf variant = Unpooled.buffer();
      new OpcUaBinaryEncoder(link.encoding()).setBuffer(variant).encodeVariant(new Variant(plain));
      if (type != OpcUaDataType.Variant || plain.getClass().isArray()) {
        variant.skipBytes(1);
      }
      buffer.writeBytes(variant);
    }
  }
}
