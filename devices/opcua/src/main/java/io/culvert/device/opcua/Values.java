package io.culvert.device.opcua;

import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.lang.reflect.Array;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.IntFunction;
import java.util.function.LongFunction;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExpandedNodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.Matrix;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.XmlElement;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UByte;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.ULong;

/**
 * From OPC UA's values (Part 6, 5.1; Part 4, 7.11) to samples. Immutable, so safe in any thread;
 * never blocks.
 *
 * <p>The point says which type is wanted. A number of another type serves if nothing of it is lost;
 * whatever doesn't fit is a sample of bad quality without a value. Nothing that a server can send
 * makes this throw.
 */
final class Values {

  /** Knows what neither value nor point say: what a server's structures are made of. */
  @FunctionalInterface
  interface Structures {

    /**
     * Takes a structure apart.
     *
     * @param into one value for each field, by its name; names within an inner structure stand
     *     behind the field's and a point, elements of a list of structures behind their number
     * @throws Unfit if its type isn't known or its bytes don't fit that
     */
    void decode(ExtensionObject structure, String prefix, Map<String, Value> into) throws Unfit;
  }

  /** A value that isn't one for this point, and the quality that says why. */
  static final class Unfit extends Exception {
    private static final long serialVersionUID = 1;

    private final transient Quality quality;

    Unfit(Quality quality) {
      super(quality.toString(), null, false, false);
      this.quality = quality;
    }

    Quality quality() {
      return quality;
    }
  }

  static final Quality UNKNOWN_TYPE = new Quality((int) StatusCodes.Bad_DataTypeIdUnknown);

  private static final long TICKS_A_SECOND = 10_000_000;

  /** Seconds from 1601 to 1970 (Part 6, 5.2.2.5). */
  private static final long EPOCH = 11_644_473_600L;

  /** From here on, a time is none: 9999-12-31T23:59:59Z. */
  private static final long LAST_TICK = DateTime.MAX_DATE_TIME.utcTime();

  private final IntFunction<String> uris;
  private final LongFunction<String> names;
  private final Structures structures;

  /**
   * @param uris of the session's namespaces, by index; {@code null} where there is none
   * @param names of numbers, such as those of an enumeration; {@code null} where one has none
   * @param structures of the session
   */
  Values(IntFunction<String> uris, LongFunction<String> names, Structures structures) {
    this.uris = uris;
    this.names = names;
    this.structures = structures;
  }

  /** The same, where numbers have names. */
  Values named(LongFunction<String> otherNames) {
    return new Values(uris, otherNames, structures);
  }

  /** With the time of the source, or of the server if the source gives none. */
  Sample sample(Point point, DataValue value) {
    Instant source = instant(value.sourceTime());
    return sample(point, value, source != null ? source : instant(value.serverTime()));
  }

  /**
   * A sample of a point.
   *
   * @param time of the device; may be {@code null}
   */
  Sample sample(Point point, DataValue value, Instant time) {
    Quality quality = quality(value.statusCode());
    if (quality.bad()) {
      // What comes with it shall be ignored (Part 4, 7.11.3).
      return new Sample(point.id(), null, quality, time);
    }
    try {
      return new Sample(point.id(), value(point.type(), value.value().value()), quality, time);
    } catch (Unfit unfit) {
      return new Sample(point.id(), null, unfit.quality(), time);
    }
  }

  /** All 32 bits; no status at all is good (Part 6, 5.2.2.17). */
  static Quality quality(StatusCode status) {
    return status == null ? Quality.GOOD : new Quality((int) status.value());
  }

  /** {@code null} if it is none: not given, or the least or greatest that there is. */
  static Instant instant(DateTime time) {
    if (time == null || time.utcTime() <= 0 || time.utcTime() >= LAST_TICK) {
      return null;
    }
    return Instant.ofEpochSecond(
        time.utcTime() / TICKS_A_SECOND - EPOCH, time.utcTime() % TICKS_A_SECOND * 100);
  }

  /**
   * A value as a point's type wants it.
   *
   * @param raw as Milo decodes it
   */
  Value value(DataType type, Object raw) throws Unfit {
    if (raw instanceof Matrix matrix) {
      // Row by row, as it is sent.
      return list(type, matrix.getElements());
    }
    if (raw instanceof Variant variant) {
      return value(type, variant.value());
    }
    if (raw != null && raw.getClass().isArray()) {
      return list(type, raw);
    }
    return plain(type, raw);
  }

  private Value list(DataType type, Object array) throws Unfit {
    if (array == null) {
      throw new Unfit(Quality.BAD_NO_DATA);
    }
    int length = Array.getLength(array);
    if (type == DataType.BYTES && array instanceof UByte[] bytes) {
      return bytes(bytes);
    }
    if (type == DataType.STRUCT) {
      Map<String, Value> fields = new LinkedHashMap<>();
      for (int i = 0; i < length; i++) {
        struct(Array.get(array, i), i + ".", fields);
      }
      return new Value.Struct(fields);
    }
    List<Value> values = new ArrayList<>(length);
    for (int i = 0; i < length; i++) {
      values.add(element(type, Array.get(array, i)));
    }
    return new Value.Array(values);
  }

  /** Of texts and bytes, none is as good as an empty one (Part 6, 5.1.10). */
  private Value element(DataType type, Object raw) throws Unfit {
    if (raw == null && type == DataType.TEXT) {
      return Value.of("");
    }
    if (raw instanceof ByteString bytes && bytes.isNull() && type == DataType.BYTES) {
      return new Value.Bytes(new byte[0]);
    }
    return plain(type, raw instanceof Variant variant ? variant.value() : raw);
  }

  private static Value bytes(UByte[] array) throws Unfit {
    byte[] bytes = new byte[array.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = given(array[i]).byteValue();
    }
    return new Value.Bytes(bytes);
  }

  private static <T> T given(T part) throws Unfit {
    if (part == null) {
      throw new Unfit(Quality.BAD_NO_DATA);
    }
    return part;
  }

  private Value plain(DataType type, Object raw) throws Unfit {
    given(raw);
    if (raw instanceof DataValue inner) {
      if (quality(inner.statusCode()).bad()) {
        throw new Unfit(quality(inner.statusCode()));
      }
      return plain(type, inner.value().value());
    }
    return switch (type) {
      case BOOL -> {
        if (raw instanceof Boolean truth) {
          yield Value.of(truth.booleanValue());
        }
        throw mismatch();
      }
      case INT16 -> whole(raw, Short.MIN_VALUE, Short.MAX_VALUE);
      case UINT16 -> whole(raw, 0, 0xFFFF);
      case INT32 -> whole(raw, Integer.MIN_VALUE, Integer.MAX_VALUE);
      case UINT32 -> whole(raw, 0, 0xFFFF_FFFFL);
      case INT64 -> whole(raw, Long.MIN_VALUE, Long.MAX_VALUE);
      case UINT64 -> whole(raw, 0, Long.MAX_VALUE);
      case FLOAT32, FLOAT64 -> decimal(raw);
      case TEXT -> Value.of(text(raw));
      case BYTES -> {
        if (raw instanceof ByteString bytes) {
          yield new Value.Bytes(given(bytes.bytes()));
        }
        throw mismatch();
      }
      case STRUCT -> {
        Map<String, Value> fields = new LinkedHashMap<>();
        struct(raw, "", fields);
        yield new Value.Struct(fields);
      }
    };
  }

  private static Unfit mismatch() {
    return new Unfit(Quality.BAD_TYPE_MISMATCH);
  }

  private void struct(Object raw, String prefix, Map<String, Value> fields) throws Unfit {
    Object inner = given(raw instanceof Variant variant ? variant.value() : raw);
    if (!(inner instanceof ExtensionObject structure)) {
      throw mismatch();
    }
    if (structure.isNull()) {
      throw new Unfit(Quality.BAD_NO_DATA);
    }
    structures.decode(structure, prefix, fields);
  }

  private static Value whole(Object raw, long least, long most) throws Unfit {
    long number;
    if (raw instanceof Float || raw instanceof Double) {
      double decimal = ((Number) raw).doubleValue();
      number = (long) decimal;
      // 2^63 itself is rounded down to the greatest long, and differs from it.
      if (number != decimal || number == Long.MAX_VALUE) {
        throw mismatch();
      }
    } else if (raw instanceof ULong large) {
      number = large.longValue();
      if (number < 0) {
        throw new Unfit(Quality.BAD_OUT_OF_RANGE);
      }
    } else if (raw instanceof Number whole) {
      number = whole.longValue();
    } else if (raw instanceof DateTime time) {
      number = given(instant(time)).toEpochMilli();
    } else if (raw instanceof StatusCode status) {
      number = status.value();
    } else {
      throw mismatch();
    }
    if (number < least || number > most) {
      throw mismatch();
    }
    return Value.of(number);
  }

  private static Value decimal(Object raw) throws Unfit {
    if (!(raw instanceof Number number)) {
      throw mismatch();
    }
    double decimal = number.doubleValue();
    boolean exact =
        raw instanceof Float
            || raw instanceof Double
            || (raw instanceof ULong large
                ? BigInteger.valueOf((long) (decimal / 2)).shiftLeft(1).equals(large.toBigInteger())
                : (long) decimal == number.longValue() && decimal < 0x1p63);
    if (!exact) {
      throw mismatch();
    }
    return Value.of(decimal);
  }

  /**
   * Puts a field of a structure, or of an event, into what its readers see: as the server has it,
   * since no point says a type. What is null is left out.
   */
  void field(String name, Object raw, Map<String, Value> into) throws Unfit {
    if (raw instanceof Variant variant) {
      field(name, variant.value(), into);
    } else if (raw instanceof DataValue inner) {
      field(name, inner.value().value(), into);
    } else if (raw instanceof Matrix matrix) {
      field(name, matrix.getElements(), into);
    } else if (raw instanceof ExtensionObject structure) {
      if (!structure.isNull()) {
        structures.decode(structure, name + ".", into);
      }
    } else if (raw != null && raw.getClass().isArray()) {
      fields(name, raw, into);
    } else {
      Value value = natural(raw);
      if (value != null) {
        into.put(name, value);
      }
    }
  }

  private void fields(String name, Object array, Map<String, Value> into) throws Unfit {
    int length = Array.getLength(array);
    if (array instanceof ExtensionObject[] || array instanceof Variant[]) {
      for (int i = 0; i < length; i++) {
        field(name + "." + i, Array.get(array, i), into);
      }
      return;
    }
    List<Value> values = new ArrayList<>(length);
    for (int i = 0; i < length; i++) {
      Value value = natural(Array.get(array, i));
      values.add(value == null ? Value.of("") : value);
    }
    into.put(name, new Value.Array(values));
  }

  /** {@code null} for none. */
  private Value natural(Object raw) throws Unfit {
    if (raw instanceof Boolean truth) {
      return Value.of(truth.booleanValue());
    }
    if (raw instanceof Float || raw instanceof Double) {
      return Value.of(((Number) raw).doubleValue());
    }
    if (raw instanceof Number number) {
      boolean beyond = number instanceof ULong && number.longValue() < 0;
      return beyond ? Value.of(number.toString()) : Value.of(number.longValue());
    }
    if (raw instanceof ByteString bytes) {
      return bytes.isNull() ? null : new Value.Bytes(bytes.bytesOrEmpty());
    }
    boolean none =
        raw == null
            || raw instanceof LocalizedText text && text.text() == null
            || raw instanceof QualifiedName name && name.name() == null
            || raw instanceof XmlElement xml && xml.isNull()
            || raw instanceof DateTime time && instant(time) == null;
    return none ? null : Value.of(text(raw));
  }

  /** Whatever can be said in words. */
  private String text(Object raw) throws Unfit {
    if (raw instanceof String text) {
      return text;
    }
    if (raw instanceof LocalizedText text) {
      return given(text.text());
    }
    if (raw instanceof Boolean truth) {
      String name = names.apply(truth ? 1 : 0);
      return name != null ? name : truth.toString();
    }
    if (raw instanceof Float || raw instanceof Double || raw instanceof UUID) {
      return raw.toString();
    }
    if (raw instanceof Number number) {
      String name = names.apply(number.longValue());
      return name != null ? name : number.toString();
    }
    if (raw instanceof DateTime time) {
      return given(instant(time)).toString();
    }
    if (raw instanceof StatusCode status) {
      return symbol(status);
    }
    if (raw instanceof NodeId node) {
      return text(node.expanded());
    }
    if (raw instanceof ExpandedNodeId node) {
      return text(node);
    }
    if (raw instanceof QualifiedName name) {
      String uri = uris.apply(name.namespaceIndex().intValue());
      boolean plain = name.namespaceIndex().intValue() == 0 || uri == null;
      return (plain ? "" : "nsu=" + uri + ";") + given(name.name());
    }
    if (raw instanceof XmlElement xml) {
      return given(xml.fragment());
    }
    throw mismatch();
  }

  private String text(ExpandedNodeId node) {
    StringBuilder text = new StringBuilder();
    if (node.server() instanceof ExpandedNodeId.ServerReference.ServerIndex index) {
      if (index.serverIndex().longValue() != 0) {
        text.append("svr=").append(index.serverIndex()).append(';');
      }
    } else if (node.server() instanceof ExpandedNodeId.ServerReference.ServerUri uri) {
      text.append("svu=").append(uri.serverUri()).append(';');
    }
    String uri = node.getNamespaceUri();
    if (uri == null && node.getNamespaceIndex() != null) {
      uri = uris.apply(node.getNamespaceIndex().intValue());
    }
    // An index that the server's own table doesn't have: there is nothing better to tell.
    return text.append(
            uri == null ? node.toParseableString() : new NodeRef.Id(uri, node.identifier()))
        .toString();
  }

  /** OPC UA's name of a status, such as {@code BadTypeMismatch}; or the code in hexadecimal. */
  static String symbol(StatusCode status) {
    // Flags that say more of a value stand in the lower half.
    return StatusCodes.lookup(status.value() & 0xFFFF_0000L)
        .map(nameAndText -> nameAndText[0].replace("_", ""))
        .orElseGet(() -> String.format("0x%08X", status.value()));
  }
}
