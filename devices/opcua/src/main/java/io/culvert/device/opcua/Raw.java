package io.culvert.device.opcua;

import io.culvert.api.DataType;
import io.culvert.api.Quality;
import io.culvert.api.Value;
import java.lang.reflect.Array;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import org.eclipse.milo.opcua.stack.core.NamespaceTable;
import org.eclipse.milo.opcua.stack.core.OpcUaDataType;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExpandedNodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.XmlElement;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UByte;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.ULong;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UShort;

/**
 * From values to OPC UA's: the inverse of {@link Values}. A value that the server's type can't hold
 * is refused, never cut. Safe in any thread.
 */
final class Raw {
  private final Supplier<NamespaceTable> namespaces;

  /**
   * @param namespaces of the session
   */
  Raw(Supplier<NamespaceTable> namespaces) {
    this.namespaces = namespaces;
  }

  /** The built-in type that a server which takes several is sent for a point of this type. */
  static OpcUaDataType natural(DataType type) {
    return switch (type) {
      case BOOL -> OpcUaDataType.Boolean;
      case INT16 -> OpcUaDataType.Int16;
      case UINT16 -> OpcUaDataType.UInt16;
      case INT32 -> OpcUaDataType.Int32;
      case UINT32 -> OpcUaDataType.UInt32;
      case INT64 -> OpcUaDataType.Int64;
      case UINT64 -> OpcUaDataType.UInt64;
      case FLOAT32 -> OpcUaDataType.Float;
      case FLOAT64 -> OpcUaDataType.Double;
      case TEXT -> OpcUaDataType.String;
      case BYTES -> OpcUaDataType.ByteString;
      case STRUCT -> OpcUaDataType.ExtensionObject;
    };
  }

  /** The type of a point that a value is one of. */
  static DataType typeOf(Value value) {
    if (value instanceof Value.Array array) {
      return array.values().isEmpty() ? DataType.TEXT : typeOf(array.values().get(0));
    }
    if (value instanceof Value.Bool) {
      return DataType.BOOL;
    }
    if (value instanceof Value.Int) {
      return DataType.INT64;
    }
    if (value instanceof Value.Decimal) {
      return DataType.FLOAT64;
    }
    if (value instanceof Value.Bytes) {
      return DataType.BYTES;
    }
    return value instanceof Value.Struct ? DataType.STRUCT : DataType.TEXT;
  }

  /**
   * A value, or a list of values, in a built-in type; of those that hold any type, as its own.
   *
   * @param names of an enumeration's numbers, so that one may be written by its name
   */
  Object of(OpcUaDataType type, Map<Long, String> names, Value value) throws Values.Unfit {
    if (!(value instanceof Value.Array array)) {
      return type == OpcUaDataType.Variant
          ? one(natural(typeOf(value)), names, value)
          : one(type, names, value);
    }
    List<Value> values = array.values();
    Object list = Array.newInstance(type.getBackingClass(), values.size());
    for (int i = 0; i < values.size(); i++) {
      Array.set(list, i, one(type, names, values.get(i)));
    }
    return list;
  }

  private Object one(OpcUaDataType type, Map<Long, String> names, Value value) throws Values.Unfit {
    return switch (type) {
      case Boolean -> {
        if (value instanceof Value.Bool truth) {
          yield truth.value();
        }
        throw mismatch();
      }
      case SByte -> (byte) whole(value, names, Byte.MIN_VALUE, Byte.MAX_VALUE);
      case Byte -> UByte.valueOf((short) whole(value, names, 0, 0xFF));
      case Int16 -> (short) whole(value, names, Short.MIN_VALUE, Short.MAX_VALUE);
      case UInt16 -> UShort.valueOf((int) whole(value, names, 0, 0xFFFF));
      case Int32 -> (int) whole(value, names, Integer.MIN_VALUE, Integer.MAX_VALUE);
      case UInt32 -> UInteger.valueOf(whole(value, names, 0, 0xFFFF_FFFFL));
      case Int64 -> whole(value, names, Long.MIN_VALUE, Long.MAX_VALUE);
      case UInt64 -> ULong.valueOf(whole(value, names, 0, Long.MAX_VALUE));
      case Float -> single(decimal(value));
      case Double -> decimal(value);
      case ByteString -> {
        if (value instanceof Value.Bytes bytes) {
          yield ByteString.of(bytes.value());
        }
        throw mismatch();
      }
      case DateTime -> time(value);
      case StatusCode -> new StatusCode(whole(value, Map.of(), 0, 0xFFFF_FFFFL));
      case String -> text(value);
      case Guid -> guid(text(value));
      case XmlElement -> XmlElement.of(text(value));
      case LocalizedText -> new LocalizedText(null, text(value));
      case NodeId -> node(text(value));
      case ExpandedNodeId -> node(text(value)).expanded();
      case QualifiedName -> qualified(text(value));
      case Variant -> new Variant(one(natural(typeOf(value)), names, value));
      case ExtensionObject, DataValue, DiagnosticInfo -> refuse();
    };
  }

  private static Object refuse() throws Values.Unfit {
    throw mismatch();
  }

  private static Values.Unfit mismatch() {
    return new Values.Unfit(Quality.BAD_TYPE_MISMATCH);
  }

  private static Values.Unfit beyond() {
    return new Values.Unfit(Quality.BAD_OUT_OF_RANGE);
  }

  private static long whole(Value value, Map<Long, String> names, long least, long most)
      throws Values.Unfit {
    long number;
    if (value instanceof Value.Int whole) {
      number = whole.value();
    } else if (value instanceof Value.Decimal decimal) {
      number = (long) decimal.value();
      if (number != decimal.value() || number == Long.MAX_VALUE) {
        throw beyond();
      }
    } else if (value instanceof Value.Text text && !names.isEmpty()) {
      number = named(text.value(), names);
    } else {
      throw mismatch();
    }
    if (number < least || number > most) {
      throw beyond();
    }
    return number;
  }

  private static long named(String name, Map<Long, String> names) throws Values.Unfit {
    for (Map.Entry<Long, String> one : names.entrySet()) {
      if (one.getValue().equals(name)) {
        return one.getKey();
      }
    }
    throw beyond();
  }

  private static double decimal(Value value) throws Values.Unfit {
    if (value instanceof Value.Decimal decimal) {
      return decimal.value();
    }
    if (value instanceof Value.Int whole
        && (long) (double) whole.value() == whole.value()
        && whole.value() != Long.MAX_VALUE) {
      return whole.value();
    }
    throw value instanceof Value.Int ? beyond() : mismatch();
  }

  /** Rounds to the nearest that a single holds. */
  private static float single(double number) throws Values.Unfit {
    float single = (float) number;
    if (Double.isFinite(number) && Float.isInfinite(single)) {
      throw beyond();
    }
    return single;
  }

  private static String text(Value value) throws Values.Unfit {
    if (value instanceof Value.Text text) {
      return text.value();
    }
    throw mismatch();
  }

  /** An instant as text, or milliseconds since 1970. */
  private static DateTime time(Value value) throws Values.Unfit {
    try {
      Instant instant =
          value instanceof Value.Int millis
              ? Instant.ofEpochMilli(millis.value())
              : Instant.parse(text(value));
      if (instant.isAfter(DateTime.MIN_VALUE.getJavaInstant())
          && instant.isBefore(DateTime.MAX_ISO_8601_INSTANT)) {
        return new DateTime(instant);
      }
    } catch (DateTimeException malformed) {
      throw beyond();
    }
    throw beyond();
  }

  private static UUID guid(String text) throws Values.Unfit {
    try {
      UUID guid = UUID.fromString(text);
      if (guid.toString().equalsIgnoreCase(text)) {
        return guid;
      }
    } catch (IllegalArgumentException malformed) {
      throw beyond();
    }
    throw beyond();
  }

  /** In the form of an address. */
  private NodeId node(String text) throws Values.Unfit {
    NodeRef node = NodeRef.parse(text, (found, expected) -> {});
    if (node instanceof NodeRef.Id id) {
      NodeId known = id.in(namespaces.get());
      if (known != null) {
        return known;
      }
    }
    throw beyond();
  }

  private QualifiedName qualified(String text) throws Values.Unfit {
    int end = text.indexOf(';');
    if (!text.startsWith("nsu=") || end < 0) {
      return new QualifiedName(0, text);
    }
    UShort index = namespaces.get().getIndex(text.substring(4, end));
    if (index == null) {
      throw beyond();
    }
    return new QualifiedName(index, text.substring(end + 1));
  }
}
