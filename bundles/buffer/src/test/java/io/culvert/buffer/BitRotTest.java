package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Changes one file of a store, anywhere, and counts. The short form takes a sample of all bytes;
 * {@code -Dculvert.faults=long} takes each byte of the segments and of the state, and of the ledger
 * those that are not reserve. See docs/guides/power-cut.md.
 */
@Timeout(value = 48, unit = TimeUnit.HOURS)
class BitRotTest {
  private static final boolean LONG = "long".equals(System.getProperty("culvert.faults"));
  private static final int SAMPLE = 200;
  private static final int THREADS = 2;
  private static final int REPORTED = 5;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Instant BASE = Instant.now().minus(Duration.ofHours(2));
  private static final String NEW = "new";

  @TempDir Path work;

  private final List<String> failures = Collections.synchronizedList(new ArrayList<>());
  private final Set<Key> owed = new HashSet<>();
  private final Map<String, Set<Key>> ofFile = new TreeMap<>();
  private final Map<Key, Integer> rowOf = new HashMap<>();
  private final long[] last = new long[Truth.STREAMS.size()];

  /** One reading's place. */
  private record Key(String device, StreamClass streamClass, long sequence) {
    static Key of(Batch.Entry entry) {
      return new Key(entry.reading().device(), entry.reading().streamClass(), entry.sequence());
    }
  }

  private enum Damage {
    FLIP,
    CUT,
    PAGE,
    GARBAGE;

    byte[] in(byte[] whole, int at, Random random) {
      byte[] bytes = this == CUT ? Arrays.copyOf(whole, at) : whole.clone();
      switch (this) {
        case FLIP -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case PAGE ->
            Arrays.fill(bytes, at & -4096, Math.min(bytes.length, (at & -4096) + 4096), (byte) 0);
        case GARBAGE -> {
          byte[] garbage = new byte[Math.min(64, bytes.length - at)];
          random.nextBytes(garbage);
          System.arraycopy(garbage, 0, bytes, at, garbage.length);
        }
        default -> {
          // Cut already.
        }
      }
      return bytes;
    }
  }

  /** What came of a store. */
  private record Result(Set<Key> lacking, Set<Key> again, long told, List<LedgerEntry> entries) {}

  @ParameterizedTest
  @ValueSource(strings = {"stopped", "killed"})
  void whateverRotsIsConfinedAndCounted(String end) throws Exception {
    long seed = Long.getLong("culvert.seed", System.nanoTime());
    Random random = new Random(seed);
    Path states = memory();
    Map<String, byte[]> files = store(states.resolve("base"), end.equals("killed"));
    List<String> names = new ArrayList<>(files.keySet());
    Result whole = result(states.resolve("whole"), files);
    assertThat(whole.lacking()).isEmpty();
    assertThat(whole.told()).isZero();
    Set<Key> left = new HashSet<>(owed);
    for (String name : names) {
      if (name.matches("segment-\\d+\\.db")) {
        Map<String, byte[]> without = new TreeMap<>(files);
        without.keySet().removeIf(file -> file.startsWith(name));
        Result result = result(states.resolve("without"), without);
        assertThat(left).as("readings in two files").containsAll(result.lacking());
        assertThat(result.told()).isEqualTo(result.lacking().size());
        left.removeAll(result.lacking());
        ofFile.put(name, result.lacking());
      }
    }
    assertThat(left).as("readings in no file").isEmpty();
    assertThat(ofFile).hasSizeGreaterThan(4);

    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    Semaphore room = new Semaphore(2 * THREADS);
    int[] rows = new int[3];
    int tried = 0;
    try {
      List<int[]> places = places(files, names, random);
      for (int[] place : places) {
        if (failures.size() >= REPORTED) {
          break;
        }
        String name = names.get(place[0]);
        Damage damage = Damage.values()[place[2]];
        Map<String, byte[]> damaged = new TreeMap<>(files);
        damaged.put(name, damage.in(files.get(name), place[1], random));
        Path directory = states.resolve("state-" + tried++);
        room.acquire();
        pool.execute(
            () -> {
              check(directory, damaged, name, damage, place[1], rows);
              room.release();
            });
      }
    } finally {
      pool.shutdown();
      assertThat(pool.awaitTermination(5, TimeUnit.MINUTES)).isTrue();
      delete(states);
    }
    System.out.printf(
        "Bit rot, %s: %d damages in %d files of %d bytes with %d readings; single bits that cost"
            + " none, one row, more: %s; seed %d%n",
        end,
        tried,
        files.size(),
        files.values().stream().mapToInt(bytes -> bytes.length).sum(),
        owed.size(),
        Arrays.toString(rows),
        seed);
    if (!failures.isEmpty()) {
      fail("seed " + seed + "\n" + String.join("\n\n", failures));
    }
    assertThat(rows[1]).as("bits that cost one row").isGreaterThan(rows[2]);
  }

  /** Where to damage what: index of the file, place in it, way. */
  private List<int[]> places(Map<String, byte[]> files, List<String> names, Random random) {
    List<int[]> places = new ArrayList<>();
    if (!LONG) {
      for (int i = 0; i < SAMPLE; i++) {
        int file = random.nextInt(names.size());
        byte[] bytes = files.get(names.get(file));
        if (bytes.length == 0) {
          continue;
        }
        // A page first: most of the bytes are in rows, and the few others matter more.
        int page = random.nextInt((bytes.length + 4095) / 4096) * 4096;
        int at = page;
        for (int t = 0; t < 12 && (t == 0 || bytes[at] == 0); t++) {
          at = page + random.nextInt(Math.min(4096, bytes.length - page));
        }
        if (names.get(file).startsWith("ledger") && reserve(bytes, at)) {
          continue;
        }
        places.add(new int[] {file, at, i % 2 == 0 ? 0 : random.nextInt(4)});
      }
      return places;
    }
    for (int file = 0; file < names.size(); file++) {
      byte[] bytes = files.get(names.get(file));
      for (int at = 0; at < bytes.length; at++) {
        if (!names.get(file).startsWith("ledger") || !reserve(bytes, at)) {
          places.add(new int[] {file, at, 0});
          if (at % 64 == 0) {
            places.add(new int[] {file, at, 1});
            places.add(new int[] {file, at, 3});
          }
          if (at % 4096 == 0) {
            places.add(new int[] {file, at, 2});
          }
        }
      }
    }
    return places;
  }

  /** Whether a place is in a page that only keeps space free. */
  private static boolean reserve(byte[] bytes, int at) {
    int page = at & -4096;
    for (int i = page + 8; i < Math.min(page + 4096, bytes.length); i++) {
      if (bytes[i] != 0) {
        return false;
      }
    }
    return page != 0;
  }

  private void check(
      Path directory, Map<String, byte[]> files, String name, Damage damage, int at, int[] rows) {
    String words = damage + " at " + at + " of " + name;
    try {
      Result result = result(directory, files);
      String segment = name.replaceAll("-(wal|shm|journal)$", "");
      assertThat(ofFile.getOrDefault(segment, Set.of()))
          .as("what another file lost")
          .containsAll(result.lacking());
      assertThat(result.told())
          .as("the ledger's %s for %d lacking", result.entries(), result.lacking().size())
          .isEqualTo(result.lacking().size());
      if (segment.startsWith("segment")) {
        assertThat(result.again()).as("sent again").isEmpty();
      }
      if (damage == Damage.FLIP && name.matches("segment-\\d+\\.db")) {
        long lost = result.lacking().stream().map(rowOf::get).distinct().count();
        synchronized (rows) {
          rows[(int) Math.min(2, lost)]++;
        }
      }
    } catch (Exception | AssertionError e) {
      java.io.StringWriter trace = new java.io.StringWriter();
      e.printStackTrace(new java.io.PrintWriter(trace));
      failures.add(words + "\n" + trace);
    } finally {
      delete(directory);
    }
  }

  /** A store with some readings confirmed and the others owed, in several files. */
  private Map<String, byte[]> store(Path directory, boolean killed) throws Exception {
    Map<String, byte[]> files = new TreeMap<>();
    List<Key> confirmed = new ArrayList<>();
    try (DurableBuffer buffer = open(directory, BASE)) {
      buffer.platforms(Set.of("city"));
      Platform platform = new Platform(8).confirming();
      buffer.add("city", platform);
      Random random = new Random(3);
      for (int row = 0; row < 60; row++) {
        List<Reading> readings = new ArrayList<>();
        for (Truth.Stream stream : Truth.STREAMS) {
          for (int i = random.nextInt(5); i > 0; i--) {
            readings.add(stream.reading(++last[stream.index()]));
            owed.add(new Key(stream.device(), stream.streamClass(), last[stream.index()]));
            rowOf.put(
                new Key(stream.device(), stream.streamClass(), last[stream.index()]),
                row * 4 + stream.streamClass().ordinal());
          }
        }
        buffer.accept(readings).toCompletableFuture().get(60, TimeUnit.SECONDS);
        if (row == 15) {
          buffer
              .gap(
                  new LedgerEntry(
                      "d0", "*", BASE, BASE, 9, true, Reason.NEVER_READ, "It did not answer."))
              .toCompletableFuture()
              .get(60, TimeUnit.SECONDS);
          // With the gateway's own reading of it, which is not counted here.
          await()
              .atMost(PATIENCE)
              .until(
                  () ->
                      platform.entries().stream()
                          .anyMatch(e -> e.reading().device().equals(Readings.GATEWAY)));
          settle(buffer);
          platform.ready(false);
          platform.entries().forEach(entry -> confirmed.add(Key.of(entry)));
        }
      }
      owed.removeAll(confirmed);
      long ticks = System.nanoTime() + Duration.ofMillis(300).toNanos();
      await().until(() -> System.nanoTime() - ticks > 0);
      if (killed) {
        files = read(directory);
      }
    }
    if (!killed) {
      files = read(directory);
    }
    return files;
  }

  private static Map<String, byte[]> read(Path directory) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (Stream<Path> all = Files.list(directory)) {
      for (Path file : (Iterable<Path>) all::iterator) {
        files.put(file.getFileName().toString(), Files.readAllBytes(file));
      }
    }
    return files;
  }

  private static DurableBuffer open(Path directory, Instant now) throws IOException {
    return new DurableBuffer(
        directory,
        new Bounds().segmentBytes(20 << 10).settings(),
        new Machine(FastLoop.clock(now), FastLoop::new, Sqlite::open));
  }

  private static void settle(DurableBuffer buffer) {
    await()
        .pollInterval(Duration.ofMillis(2))
        .atMost(PATIENCE)
        .until(() -> buffer.status().forwarders().stream().allMatch(f -> f.unconfirmed() == 0));
  }

  /** Opens files, delivers and accepts, twice, and tells what came. */
  private Result result(Path directory, Map<String, byte[]> files) throws Exception {
    new PowerCutDisk.State(files).write(directory);
    Platform platform = new Platform(8).confirming();
    Result result;
    try (DurableBuffer buffer = open(directory, Instant.now())) {
      query(buffer);
      buffer.platforms(Set.of("city"));
      acceptNew(buffer);
      buffer.add("city", platform);
      settle(buffer);
      query(buffer);
      result = result(buffer, platform);
    }
    try (DurableBuffer buffer = open(directory, Instant.now())) {
      buffer.platforms(Set.of("city"));
      query(buffer);
      acceptNew(buffer);
      buffer.add("city", platform);
      settle(buffer);
      assertThat(buffer.status().problem()).isEmpty();
    }
    platform.entries().stream()
        .filter(entry -> entry.reading().point().equals(NEW))
        .forEach(
            entry ->
                assertThat(entry.sequence())
                    .as("a new number")
                    .isGreaterThan(last[Truth.of(entry.reading()).index()]));
    assertThat(platform.entries().stream().filter(e -> e.reading().point().equals(NEW)).toList())
        .hasSize(2 * Truth.STREAMS.size())
        .extracting(Key::of)
        .doesNotHaveDuplicates();
    delete(directory);
    return result;
  }

  private static void acceptNew(DurableBuffer buffer) throws Exception {
    List<Reading> fresh = new ArrayList<>();
    for (Truth.Stream stream : Truth.STREAMS) {
      fresh.add(
          Readings.of(stream.device(), NEW, stream.streamClass(), Value.of(-1), Instant.now()));
    }
    buffer.accept(fresh).toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  /** What a query shows is true. */
  private static void query(DurableBuffer buffer) {
    for (String device : List.of("d0", "d1", "d2")) {
      for (Batch.Entry entry :
          buffer.history(device, "n", Instant.MIN, Instant.MAX, 100_000, PATIENCE).entries()) {
        assertThat(entry.reading()).isEqualTo(Truth.of(entry.reading()).reading(entry.sequence()));
      }
    }
  }

  private Result result(DurableBuffer buffer, Platform platform) {
    Set<Key> got = new HashSet<>();
    Set<Key> again = new HashSet<>();
    for (Batch.Entry entry : platform.entries()) {
      if (entry.reading().point().equals("n")) {
        assertThat(entry.reading()).isEqualTo(Truth.of(entry.reading()).reading(entry.sequence()));
        assertThat(got.add(Key.of(entry))).as("%s twice", entry).isTrue();
        if (!owed.contains(Key.of(entry))) {
          again.add(Key.of(entry));
        }
      }
    }
    Set<Key> lacking = new HashSet<>(owed);
    lacking.removeAll(got);
    List<LedgerEntry> told =
        buffer.ledger(Instant.MIN, Instant.MAX, 100_000).stream()
            .filter(entry -> entry.detail().startsWith("Platform city:"))
            .toList();
    return new Result(lacking, again, told.stream().mapToLong(LedgerEntry::count).sum(), told);
  }

  private Path memory() throws IOException {
    Path memory = Path.of("/dev/shm");
    return Files.isWritable(memory)
        ? Files.createTempDirectory(memory, "culvert-bit-rot")
        : Files.createDirectories(work.resolve("states"));
  }

  private static void delete(Path directory) {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(java.util.Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
