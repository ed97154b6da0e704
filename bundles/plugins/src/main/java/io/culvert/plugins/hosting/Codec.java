package io.culvert.plugins.hosting;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.Historical;
import io.culvert.api.southbound.SerialLines;
import io.culvert.plugins.hosting.Cbor.Malformed;
import io.culvert.plugins.hosting.Cbor.Reader;
import io.culvert.plugins.hosting.Cbor.Writer;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The SPI's values as CBOR. A value is the item of its own kind: integer, double, text, bytes,
 * boolean, array, map; a record is its components in order, one item or more each.
 */
final class Codec {
  private static final DataType[] TYPES = DataType.values();
  private static final Access[] ACCESS = Access.values();
  private static final SerialLines.Parity[] PARITIES = SerialLines.Parity.values();

  private Codec() {}

  interface Put<T> {
    void put(Writer out, T value);
  }

  interface Get<T> {
    T get(Reader in) throws Malformed;
  }

  static <T> void list(Writer out, List<? extends T> list, Put<T> put) {
    out.array(list.size());
    list.forEach(item -> put.put(out, item));
  }

  static <T> List<T> list(Reader in, Get<T> get) throws Malformed {
    int size = in.array();
    // Not of that size from the start: so large an item is as likely a lie.
    List<T> list = new ArrayList<>(Math.min(size, 1024));
    for (int i = 0; i < size; i++) {
      list.add(get.get(in));
    }
    return list;
  }

  static <T> void map(Writer out, Map<String, ? extends T> map, Put<T> put) {
    out.map(map.size());
    map.forEach(
        (key, value) -> {
          out.text(key);
          put.put(out, value);
        });
  }

  static <T> Map<String, T> map(Reader in, Get<T> get) throws Malformed {
    int size = in.map();
    Map<String, T> map = new LinkedHashMap<>();
    for (int i = 0; i < size; i++) {
      String key = in.text();
      if (map.put(key, get.get(in)) != null) {
        throw new Malformed("a key twice");
      }
    }
    return map;
  }

  static void value(Writer out, Value value) {
    if (value instanceof Value.Bool v) {
      out.bool(v.value());
    } else if (value instanceof Value.Int v) {
      out.integer(v.value());
    } else if (value instanceof Value.Decimal v) {
      out.decimal(v.value());
    } else if (value instanceof Value.Text v) {
      out.text(v.value());
    } else if (value instanceof Value.Bytes v) {
      out.bytes(v.value());
    } else if (value instanceof Value.Array v) {
      list(out, v.values(), Codec::value);
    } else if (value instanceof Value.Struct v) {
      map(out, v.fields(), Codec::value);
    }
  }

  static Value value(Reader in) throws Malformed {
    return switch (in.peek()) {
      case ARRAY -> new Value.Array(list(in, Codec::plain));
      case MAP ->
          new Value.Struct(
              map(
                  in,
                  field ->
                      field.peek() == Cbor.Kind.ARRAY
                          ? new Value.Array(list(field, Codec::plain))
                          : plain(field)));
      default -> plain(in);
    };
  }

  private static Value plain(Reader in) throws Malformed {
    return switch (in.peek()) {
      case BOOLEAN -> Value.of(in.bool());
      case INTEGER -> Value.of(in.integer());
      case DECIMAL -> Value.of(in.decimal());
      case TEXT -> Value.of(in.text());
      case BYTES -> new Value.Bytes(in.bytes());
      default -> throw new Malformed("a value of values, or none");
    };
  }

  static void quality(Writer out, Quality quality) {
    out.integer(quality.code());
  }

  static Quality quality(Reader in) throws Malformed {
    long code = in.integer();
    if (code != (int) code) {
      throw new Malformed("a quality of more than 32 bits");
    }
    return code == 0 ? Quality.GOOD : new Quality((int) code);
  }

  static void sample(Writer out, Sample sample) {
    out.text(sample.point());
    if (sample.value() == null) {
      out.nothing();
    } else {
      value(out, sample.value());
    }
    quality(out, sample.quality());
    instant(out, sample.deviceTime());
  }

  static void instant(Writer out, Instant time) {
    if (time == null) {
      out.nothing();
    } else {
      out.integer(time.getEpochSecond()).integer(time.getNano());
    }
  }

  /**
   * @return {@code null} for none
   */
  static Instant instant(Reader in) throws Malformed {
    try {
      return in.nothing() ? null : Instant.ofEpochSecond(in.integer(), in.count(999_999_999));
    } catch (DateTimeException | ArithmeticException e) {
      throw new Malformed("a time beyond all times");
    }
  }

  static Sample sample(Reader in) throws Malformed {
    String point = in.text();
    Value value = in.nothing() ? null : value(in);
    Quality quality = quality(in);
    if (value == null && !quality.bad()) {
      throw new Malformed("a sample without a value that isn't bad");
    }
    return new Sample(point, value, quality, instant(in));
  }

  static void page(Writer out, Historical.Page page) {
    list(out, page.samples(), Codec::sample);
    list(out, List.copyOf(page.without()), Writer::text);
    out.text(page.next());
  }

  static Historical.Page page(Reader in) throws Malformed {
    List<Sample> samples = list(in, Codec::sample);
    Set<String> without = new HashSet<>(list(in, Reader::text));
    return new Historical.Page(samples, without, in.text());
  }

  static void device(Writer out, Device device) {
    out.text(device.id()).text(device.profile()).text(device.endpoint().toString());
    map(out, device.settings(), Writer::text);
  }

  static Device device(Reader in) throws Malformed {
    try {
      return new Device(in.text(), in.text(), new URI(in.text()), map(in, Reader::text));
    } catch (URISyntaxException e) {
      throw new Malformed("an endpoint that is no URL");
    }
  }

  static void point(Writer out, Point point) {
    out.text(point.id()).text(point.address());
    out.integer(point.type().ordinal()).integer(point.access().ordinal());
  }

  static Point point(Reader in) throws Malformed {
    return new Point(
        in.text(),
        in.text(),
        TYPES[in.count(TYPES.length - 1)],
        ACCESS[in.count(ACCESS.length - 1)]);
  }

  static void problem(Writer out, Problem problem) {
    out.text(problem.key()).text(problem.found()).text(problem.expected());
  }

  static Problem problem(Reader in) throws Malformed {
    return new Problem(in.text(), in.text(), in.text());
  }

  static void found(Writer out, Browsable.Found found) {
    out.text(found.address()).text(found.title());
    map(out, found.facts(), Writer::text);
  }

  static Browsable.Found found(Reader in) throws Malformed {
    return new Browsable.Found(in.text(), in.text(), map(in, Reader::text));
  }

  static void facts(Writer out, Diagnosed.Facts f) {
    out.integer(f.requests()).integer(f.answers()).integer(f.timeouts());
    out.integer(f.checksumErrors()).integer(f.malformed()).integer(f.answerNanos());
    map(out, f.refusals(), Writer::integer);
  }

  static Diagnosed.Facts facts(Reader in) throws Malformed {
    return new Diagnosed.Facts(
        in.integer(),
        in.integer(),
        in.integer(),
        in.integer(),
        in.integer(),
        in.integer(),
        map(in, Reader::integer));
  }

  static void line(Writer out, Diagnosed.LineFacts f) {
    out.integer(f.wrongUnit()).integer(f.late()).integer(f.foreign());
    out.integer(f.collisions()).integer(f.noise());
  }

  static Diagnosed.LineFacts line(Reader in) throws Malformed {
    return new Diagnosed.LineFacts(
        in.integer(), in.integer(), in.integer(), in.integer(), in.integer());
  }

  static void settings(Writer out, SerialLines.Settings s) {
    out.integer(s.baud()).integer(s.dataBits()).integer(s.parity().ordinal()).integer(s.stopBits());
    out.bool(s.rs485()).bool(s.echo()).integer(s.pause().toNanos());
  }

  static SerialLines.Settings settings(Reader in) throws Malformed {
    try {
      return new SerialLines.Settings(
          in.count(Integer.MAX_VALUE),
          in.count(8),
          PARITIES[in.count(PARITIES.length - 1)],
          in.count(2),
          in.bool(),
          in.bool(),
          Duration.ofNanos(in.integer()));
    } catch (IllegalArgumentException e) {
      throw new Malformed(e.getMessage());
    }
  }
}
