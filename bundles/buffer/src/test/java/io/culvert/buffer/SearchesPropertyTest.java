package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.Query.Last;
import io.culvert.api.service.Query.Window;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;

/**
 * Whatever is committed, and whatever becomes of the series meanwhile: answers are those of a plain
 * look through all readings.
 */
class SearchesPropertyTest {
  private static final List<String> DEVICES = List.of("a", "b", "uw-17");
  private static final List<String> POINTS = List.of("n", "level", "");

  /** Bound to its place, as one that encrypts is. */
  private static final Seal SEAL =
      new Seal() {
        @Override
        public byte[] close(byte[] content, long place) {
          ByteWriter out = new ByteWriter();
          out.i64(place);
          out.raw(content, content.length);
          return RowCodec.seal(out.toBytes());
        }

        @Override
        public byte[] open(byte[] sealed, long place) throws DamagedException {
          ByteReader in = new ByteReader(RowCodec.unseal(sealed));
          if (in.i64() != place) {
            throw new DamagedException("Of another place");
          }
          return in.rest();
        }
      };

  /** A reading where it was committed. */
  private record Placed(long segment, Batch.Entry entry) {
    Reading reading() {
      return entry.reading();
    }
  }

  private final List<Placed> all = new ArrayList<>();
  private Random random;
  private Path directory;
  private Store store;
  private Settings settings = new Bounds().settings();
  private Seal seal;
  private long nanos;

  /** How far somebody has set the clock, in milliseconds. */
  private long set;

  @Property(tries = 40, shrinking = ShrinkingMode.OFF)
  void answersAreThoseOfALookThroughAllReadings(@ForAll long seed) throws Exception {
    random = new Random(seed);
    all.clear();
    nanos = 0;
    set = 0;
    seal = random.nextBoolean() ? SEAL : Seal.PLAIN;
    directory = Files.createTempDirectory("searches");
    try {
      open();
      for (int steps = 5 + random.nextInt(30); steps > 0; steps--) {
        step();
      }
      for (int queries = 0; queries < 10; queries++) {
        compare();
        if (random.nextInt(4) == 0) {
          step();
        }
      }
    } finally {
      store.close();
      try (var files = Files.list(directory)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(directory);
    }
  }

  private void open() throws IOException {
    store =
        Store.open(
            directory,
            () -> settings,
            new Machine(
                    () -> Readings.T0.plusNanos(nanos).plusMillis(set),
                    ThreadLoop::new,
                    Sqlite::open)
                .with(seal, SEAL),
            () -> nanos,
            new long[StreamClass.values().length],
            java.util.Map.of());
  }

  private void step() throws Exception {
    switch (random.nextInt(13)) {
      case 12 -> {
        set += random.nextInt(5000) - 2500;
        append();
      }
      case 0 -> {
        store.close();
        open();
      }
      case 1 -> damage();
      case 2, 3 -> store.series().advance(store);
      case 4 -> {
        nanos += Duration.ofMinutes(31).toNanos();
        store.series().advance(store);
      }
      case 5 -> store.series().forget(1 + random.nextInt(4));
      case 6 -> {
        List<Segment> sealed = store.segments().stream().filter(Segment::sealed).toList();
        if (!sealed.isEmpty() && random.nextBoolean()) {
          store.delete(sealed.get(0));
          all.removeIf(placed -> placed.segment() == sealed.get(0).number());
        }
      }
      default -> append();
    }
  }

  private void append() throws IOException {
    boolean other = random.nextInt(5) == 0;
    settings = other ? new Bounds().segmentSpan(Duration.ZERO).settings() : Readings.settings();
    List<Reading> readings = new ArrayList<>();
    for (int count = 1 + random.nextInt(30); count > 0; count--) {
      readings.add(reading());
    }
    for (Row row : store.append(readings)) {
      long segment = store.segments().get(store.segments().size() - 1).number();
      row.entries().forEach(entry -> all.add(new Placed(segment, entry)));
    }
    if (set != 0) {
      readAgain();
    }
  }

  /** Times may have been corrected. */
  private void readAgain() throws IOException {
    int count = all.size();
    all.clear();
    for (Segment segment : store.segments()) {
      for (StreamClass streamClass : StreamClass.values()) {
        long end = segment.span(streamClass).end();
        RowHead head =
            segment.headFrom(streamClass, 0, end, Long.MIN_VALUE, Long.MAX_VALUE, () -> {});
        while (head != null) {
          for (Batch.Entry entry : segment.row(head).entries()) {
            all.add(new Placed(segment.number(), entry));
          }
          head =
              segment.headFrom(
                  streamClass, head.end(), end, Long.MIN_VALUE, Long.MAX_VALUE, () -> {});
        }
      }
    }
    assertThat(all).hasSize(count);
  }

  private Reading reading() {
    StreamClass streamClass =
        random.nextInt(3) > 0
            ? StreamClass.TELEMETRY
            : StreamClass.values()[random.nextInt(StreamClass.values().length)];
    Quality quality =
        switch (random.nextInt(6)) {
          case 0 -> Quality.BAD_TIMEOUT;
          case 1 -> new Quality(random.nextInt());
          default -> Quality.GOOD;
        };
    Value value =
        switch (random.nextInt(9)) {
          case 0 -> Value.of(random.nextBoolean());
          case 1 -> Value.of(random.nextInt(10) - 5);
          case 2 -> Value.of(random.nextGaussian());
          case 3 -> Value.of((double) random.nextFloat());
          case 4 -> Value.of(List.of(Double.NaN, -0.0, 1e300, 0.0).get(random.nextInt(4)));
          case 5 -> Value.of("open");
          case 7 ->
              new Value.Array(List.of(Value.of(random.nextInt(9)), Value.of(0.1), Value.of("a")));
          case 6 -> new Value.Struct(Map.of("antenna", Value.of(random.nextInt(3))));
          default -> Value.of(random.nextInt(1000) / 100.0);
        };
    Instant event = time();
    return new Reading(
        pick(DEVICES),
        pick(POINTS),
        streamClass,
        quality.bad() && random.nextBoolean() ? null : value,
        random.nextInt(9) == 0 ? "m" : "",
        quality,
        event,
        event.equals(Instant.MIN) || random.nextInt(3) == 0
            ? Readings.T0.plusMillis(random.nextInt(2000))
            : event,
        ClockState.values()[random.nextInt(8) == 0 ? 1 : 0],
        Grade.GENERAL);
  }

  private <T> T pick(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private Instant time() {
    return switch (random.nextInt(20)) {
      case 0 -> Instant.MIN;
      case 1 -> Readings.T0.plusNanos(random.nextInt(1_000_000_000));
      case 2 -> Instant.parse("2106-02-07T06:28:15Z");
      default -> Readings.T0.plusMillis(20 * random.nextInt(100));
    };
  }

  /** Flips a bit, cuts or adds to a series file. */
  private void damage() throws IOException {
    List<Path> files;
    try (var listed = Files.list(directory)) {
      files = listed.filter(f -> f.getFileName().toString().startsWith("series")).toList();
    }
    if (files.isEmpty()) {
      return;
    }
    Path file = pick(files);
    byte[] bytes = Files.readAllBytes(file);
    if (bytes.length == 0) {
      return;
    }
    int at = random.nextInt(bytes.length);
    switch (random.nextInt(3)) {
      case 0 -> bytes = Arrays.copyOf(bytes, at);
      case 1 -> bytes = Arrays.copyOf(bytes, bytes.length + at);
      default -> bytes[at] ^= (byte) (1 << random.nextInt(8));
    }
    Files.write(file, bytes);
  }

  private void compare() throws IOException {
    String device = pick(DEVICES);
    String point = pick(POINTS);
    Instant from = time();
    Instant to = random.nextInt(4) == 0 ? Instant.MAX : time();
    List<Batch.Entry> matching =
        all.stream()
            .map(Placed::entry)
            .filter(entry -> matches(entry.reading(), device, point, from, to))
            .sorted(BY_TIME)
            .toList();
    int limit = 1 + random.nextInt(20);
    assertThat(Searches.history(store, device, point, from, to, limit, () -> true).entries())
        .isEqualTo(matching.stream().limit(limit).toList());
    compareEach(device, point, from, to);
    compareEach(random.nextBoolean() ? "" : device, "", from, to);
    compareLast();
    if (from.isAfter(Instant.EPOCH) && to.isAfter(Instant.EPOCH) && to.isBefore(Instant.MAX)) {
      compareWindows(device, point, from, to, matching);
    }
  }

  private static final Comparator<Batch.Entry> BY_TIME =
      Comparator.comparing((Batch.Entry entry) -> entry.reading().eventTime())
          .thenComparing(entry -> entry.reading().streamClass())
          .thenComparing(Batch.Entry::sequence);

  private static boolean matches(
      Reading reading, String device, String point, Instant from, Instant to) {
    return (device == null || reading.device().equals(device))
        && (point == null || reading.point().equals(point))
        && reading.eventTime().compareTo(from) >= 0
        && reading.eventTime().compareTo(to) < 0;
  }

  private void compareEach(String device, String point, Instant from, Instant to)
      throws IOException {
    List<Batch.Entry> expected = new ArrayList<>();
    for (StreamClass streamClass : StreamClass.values()) {
      for (Placed placed : all) {
        if (placed.reading().streamClass() == streamClass
            && matches(
                placed.reading(),
                device.isEmpty() ? null : device,
                point.isEmpty() ? null : point,
                from,
                to)) {
          expected.add(placed.entry());
        }
      }
    }
    List<Batch.Entry> visited = new ArrayList<>();
    assertThat(Searches.each(store, device, point, from, to, visited::add)).isTrue();
    assertThat(visited).isEqualTo(expected);
    if (expected.size() > 1) {
      visited.clear();
      int enough = 1 + random.nextInt(expected.size() - 1);
      assertThat(
              Searches.each(
                  store,
                  device,
                  point,
                  from,
                  to,
                  entry -> visited.add(entry) && visited.size() < enough))
          .isFalse();
      assertThat(visited).isEqualTo(expected.subList(0, enough));
    }
  }

  private void compareLast() throws IOException {
    Map<String, Set<String>> wanted = new HashMap<>();
    wanted.put(pick(DEVICES), Set.of(pick(POINTS)));
    wanted.put(pick(DEVICES), Set.copyOf(POINTS));
    List<Reading> expected = new ArrayList<>();
    wanted.forEach(
        (device, points) ->
            points.forEach(
                point ->
                    all.stream()
                        .filter(p -> matches(p.reading(), device, point, Instant.MIN, Instant.MAX))
                        .filter(p -> !p.reading().quality().bad())
                        .max(
                            Comparator.comparing(Placed::segment)
                                .thenComparing(
                                    p -> p.reading().streamClass(), Comparator.reverseOrder())
                                .thenComparing(p -> p.entry().sequence()))
                        .ifPresent(p -> expected.add(p.reading()))));
    Last last = Searches.last(store, wanted, () -> true);
    assertThat(last.complete()).isTrue();
    assertThat(last.readings()).containsExactlyInAnyOrderElementsOf(expected);
  }

  private void compareWindows(
      String device, String point, Instant from, Instant to, List<Batch.Entry> matching)
      throws IOException {
    Duration window = Duration.ofMillis(1 + random.nextInt(500));
    if (Duration.between(from, to).dividedBy(window) >= 100_000) {
      window = Duration.ofDays(3650);
    }
    Map<Long, List<Reading>> byWindow = new TreeMap<>();
    for (Batch.Entry entry : matching) {
      long index = Duration.between(from, entry.reading().eventTime()).dividedBy(window);
      byWindow.computeIfAbsent(index, i -> new ArrayList<>()).add(entry.reading());
    }
    List<Window> windows =
        Searches.windows(store, device, point, from, to, window, () -> true).windows();
    assertThat(windows).hasSameSizeAs(byWindow.keySet());
    int i = 0;
    for (Map.Entry<Long, List<Reading>> expected : byWindow.entrySet()) {
      Window got = windows.get(i++);
      List<Reading> good =
          expected.getValue().stream().filter(reading -> !reading.quality().bad()).toList();
      double[] numbers =
          good.stream()
              .mapToDouble(reading -> reading.value().number())
              .filter(number -> !Double.isNaN(number))
              .toArray();
      assertThat(got.from()).isEqualTo(from.plus(window.multipliedBy(expected.getKey())));
      assertThat(got.count()).isEqualTo(good.size());
      assertThat(got.bad()).isEqualTo(expected.getValue().size() - good.size());
      assertThat(got.last()).isEqualTo(good.isEmpty() ? null : good.get(good.size() - 1));
      assertThat(List.of(got.min(), got.max()))
          .isEqualTo(
              List.of(
                  Arrays.stream(numbers).min().orElse(Double.NaN),
                  Arrays.stream(numbers).max().orElse(Double.NaN)));
      double mean = Arrays.stream(numbers).average().orElse(Double.NaN);
      assertThat(Double.isNaN(mean) ? Double.isNaN(got.mean()) : near(got.mean(), mean)).isTrue();
    }
  }

  private static boolean near(double one, double other) {
    return Math.abs(one - other) <= 1e-9 * (1 + Math.abs(other));
  }
}
