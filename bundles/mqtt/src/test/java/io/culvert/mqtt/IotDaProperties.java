package io.culvert.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.mqtt.Dialect.Encoded;
import io.culvert.mqtt.Dialect.Message;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** What the platform reads out of the messages is what went in, whatever that was. */
class IotDaProperties {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSX");
  private static final Instant START = Instant.parse("2026-11-21T01:48:00Z");

  @Property(tries = 300)
  void everyReadingArrivesAsItWasOrIsRefused(@ForAll("batches") Batch batch) {
    IotDa dialect = new IotDa("gw", 3000);

    Encoded encoded = dialect.encode(batch);

    Map<String, Seen> seen = new LinkedHashMap<>();
    for (Message message : encoded.messages()) {
      assertThat(message.payload().length).isLessThanOrEqualTo(3000);
      read(message, batch, seen);
    }
    TreeSet<Integer> sent = new TreeSet<>();
    encoded.messages().forEach(m -> assertThat(sent.addAll(m.entries())).isTrue());
    assertThat(encoded.refused().keySet()).noneMatch(sent::contains);
    assertThat(sent.size() + encoded.refused().size()).isEqualTo(batch.entries().size());
    assertThat(seen).hasSize(sent.size());
    for (int index : sent) {
      Batch.Entry entry = batch.entries().get(index);
      assertThat(seen.get(entry.reading().device() + "/" + entry.sequence()))
          .as("%s", entry)
          .isEqualTo(expected(entry.reading()));
    }
  }

  /** What the platform knows of a reading: JSON's idea of its value, and the companions. */
  private record Seen(
      String point, Object value, String unit, String quality, String time, String clock) {}

  private static Seen expected(Reading reading) {
    Value value = reading.quality().bad() ? null : reading.value();
    String quality = reading.quality().good() ? null : reading.quality().toString();
    if (value instanceof Value.Decimal d && !Double.isFinite(d.value())) {
      quality = "Bad(" + d.value() + ")";
      value = null;
    }
    return new Seen(
        reading.point(),
        json(value),
        reading.unit().isEmpty() ? null : reading.unit(),
        quality,
        reading.eventTime().toString(),
        switch (reading.clock()) {
          case UNSYNCHRONISED -> "unsynchronised";
          case CORRECTED -> "corrected";
          case UNKNOWN, SYNCHRONISED -> null;
        });
  }

  private static Object json(Value value) {
    if (value == null) {
      return null;
    } else if (value instanceof Value.Bool b) {
      return b.value();
    } else if (value instanceof Value.Int i) {
      return i.value();
    } else if (value instanceof Value.Decimal d) {
      return Double.isFinite(d.value()) ? (Object) d.value() : Double.toString(d.value());
    } else if (value instanceof Value.Bytes b) {
      return Base64.getEncoder().encodeToString(b.value());
    } else if (value instanceof Value.Array a) {
      return a.values().stream().map(IotDaProperties::json).toList();
    } else if (value instanceof Value.Struct s) {
      Map<String, Object> fields = new LinkedHashMap<>();
      s.fields().forEach((k, v) -> fields.put(k, json(v)));
      return fields;
    }
    return ((Value.Text) value).value();
  }

  /** A platform's reading of a report, written from the description and not from the encoder. */
  private static void read(Message message, Batch batch, Map<String, Seen> seen) {
    Object json = Json.parse(message.payload());
    if (message.topic().endsWith("/sys/properties/report")) {
      read("gw", (List<?>) Json.at(json, "services"), batch, seen);
      return;
    }
    List<?> devices = (List<?>) Json.at(json, "devices");
    assertThat(devices).hasSizeBetween(1, 100);
    assertThat(devices.stream().map(d -> Json.at(d, "device_id"))).doesNotHaveDuplicates();
    for (Object device : devices) {
      read(
          (String) Json.at(device, "device_id"),
          (List<?>) Json.at(device, "services"),
          batch,
          seen);
    }
  }

  private static void read(String device, List<?> services, Batch batch, Map<String, Seen> seen) {
    for (Object service : services) {
      assertThat(Json.at(service, "service_id"))
          .isEqualTo(batch.streamClass().name().toLowerCase(Locale.ROOT));
      Map<?, ?> properties = (Map<?, ?>) Json.at(service, "properties");
      assertThat(properties.get("historical")).isEqualTo(batch.historical() ? true : null);
      long first = (Long) properties.get("seq_first");
      long number = first;
      for (Map.Entry<?, ?> property : properties.entrySet()) {
        String name = (String) property.getKey();
        if (name.endsWith("_q")
            || name.endsWith("_u")
            || name.startsWith("seq_")
            || name.equals("historical")
            || name.equals("gateway_clock")) {
          continue;
        }
        Seen one =
            new Seen(
                name,
                property.getValue(),
                (String) properties.get(name + "_u"),
                (String) properties.get(name + "_q"),
                Instant.from(TIME.parse((String) Json.at(service, "event_time"))).toString(),
                (String) properties.get("gateway_clock"));
        assertThat(seen.put(device + "/" + number++, one)).isNull();
      }
      assertThat(number - first).isEqualTo(properties.get("seq_count"));
    }
  }

  @Provide
  Arbitrary<Batch> batches() {
    return Combinators.combine(
            Arbitraries.of(StreamClass.class),
            Arbitraries.of(true, false),
            drafts().list().ofMaxSize(300))
        .as(IotDaProperties::batch);
  }

  /** Gives each reading the next number of its stream; some are skipped, as if refused before. */
  private static Batch batch(StreamClass streamClass, boolean historical, List<Draft> drafts) {
    Map<String, Long> numbers = new LinkedHashMap<>();
    List<Batch.Entry> entries = new ArrayList<>();
    for (Draft d : drafts) {
      long number = numbers.merge(d.device, d.skips ? 2L : 1L, Long::sum);
      Instant time = START.plusMillis(d.millis);
      entries.add(
          new Batch.Entry(
              number,
              new Reading(
                  d.device,
                  d.point,
                  streamClass,
                  d.value,
                  d.unit,
                  d.value == null ? Quality.BAD_TIMEOUT : d.quality,
                  time,
                  time,
                  d.clock,
                  Grade.GENERAL)));
    }
    return new Batch(streamClass, historical, entries);
  }

  private record Draft(
      String device,
      String point,
      Value value,
      String unit,
      Quality quality,
      int millis,
      ClockState clock,
      boolean skips) {}

  private static Arbitrary<Draft> drafts() {
    return Combinators.combine(
            Arbitraries.frequencyOf(
                net.jqwik.api.Tuple.of(5, Arbitraries.of("gw", "a", "b")),
                net.jqwik.api.Tuple.of(
                    1, Arbitraries.integers().between(0, 200).map(i -> "device-" + i))),
            Arbitraries.of(
                "level", "flow", "t1", "door", "level_q", "seq_count", "clock", "gateway_clock"),
            values().injectNull(0.1),
            Arbitraries.of("", "m", "Cel", "[pH]", "\"\\"),
            Arbitraries.of(
                Quality.GOOD,
                Quality.UNCERTAIN,
                Quality.BAD_TIMEOUT,
                new Quality(0x408F1234),
                new Quality(0x00A20000)),
            Arbitraries.of(0, 0, 0, 1, 1000),
            Arbitraries.frequencyOf(
                net.jqwik.api.Tuple.of(5, Arbitraries.just(ClockState.UNKNOWN)),
                net.jqwik.api.Tuple.of(1, Arbitraries.of(ClockState.class))),
            Arbitraries.of(false, false, false, true))
        .as(Draft::new);
  }

  private static Arbitrary<Value> values() {
    Arbitrary<Value> plain =
        Arbitraries.oneOf(
            Arbitraries.of(true, false).map(Value::of),
            Arbitraries.longs().map(Value::of),
            Arbitraries.doubles().map(Value::of),
            Arbitraries.of(
                    Double.NaN,
                    Double.POSITIVE_INFINITY,
                    Double.NEGATIVE_INFINITY,
                    Double.MIN_VALUE,
                    Double.MAX_VALUE,
                    -0.0)
                .map(Value::of),
            Arbitraries.strings().ofMaxLength(300).map(Value::of),
            Arbitraries.strings()
                .ascii()
                .ofMaxLength(1000)
                .map(s -> new Value.Bytes(s.getBytes(StandardCharsets.US_ASCII))));
    Arbitrary<Value> array = plain.list().ofMaxSize(5).map(Value.Array::new);
    return Arbitraries.oneOf(
        plain,
        array,
        Arbitraries.maps(Arbitraries.strings().ofMaxLength(5), Arbitraries.oneOf(plain, array))
            .ofMaxSize(4)
            .map(Value.Struct::new));
  }
}
