package io.culvert.buffer;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One point's day among many devices: {@code DayQuery <directory> [hours] [seconds between polls]
 * [devices]}. Fills an empty directory first, as fast as it goes, with the rows and series that a
 * gateway would have made in that time; of a directory that is filled it asks at once.
 */
public final class DayQuery {
  private static final Instant START = Instant.parse("2026-11-20T00:00:00Z");
  private static final int COMMITS_A_SECOND = 4;
  private static final int RUNS = 11;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final Path directory;
  private final int hours;
  private final int every;
  private final int devices;
  private final AtomicLong nanos = new AtomicLong();
  private final Settings settings =
      new Settings(
          Duration.ofMillis(250),
          1L << 40,
          Duration.ofDays(365),
          64L << 20,
          Duration.ofHours(6),
          1_000_000,
          "cabinet-17",
          0,
          Duration.ZERO);

  /**
   * Times in milliseconds.
   *
   * @param readings in all
   * @param bytes of the rows, a reading
   * @param seriesBytes a reading
   * @param seriesNanos of the processor that a reading takes to get into the series; 0 if the
   *     directory was filled before
   * @param firstRaw first query of the process, limit 100,000
   * @param raw median
   * @param rawCpu of it, on the processor: what a busy machine does not change
   * @param windows of one minute, median
   * @param last one point's last reading, median
   * @param lastAll that of one point of each device
   * @param hour one point's hour
   * @param naiveHour the same by unpacking every row that holds something of the hour
   */
  public record Result(
      long readings,
      double bytes,
      double seriesBytes,
      double seriesNanos,
      int found,
      double firstRaw,
      double raw,
      double rawCpu,
      double windows,
      double last,
      double lastAll,
      double hour,
      double naiveHour) {}

  private DayQuery(Path directory, int hours, int every, int devices) {
    this.directory = directory;
    this.hours = hours;
    this.every = every;
    this.devices = devices;
  }

  /** Runs it by itself. */
  public static void main(String[] args) throws IOException {
    Result result =
        measure(
            Path.of(args[0]),
            args.length > 1 ? Integer.parseInt(args[1]) : 24,
            args.length > 2 ? Integer.parseInt(args[2]) : 1,
            args.length > 3 ? Integer.parseInt(args[3]) : 2000);
    System.out.printf(
        Locale.ROOT,
        "%d readings; a reading takes %.2f bytes in rows, %.2f in series, %.0f ns to get there%n"
            + "%d readings of one point: first %.0f ms, then %.0f ms (%.0f ms processor); as windows of 1 min %.0f ms%n"
            + "last of one point %.2f ms, of one point of each device %.1f ms%n"
            + "one hour %.1f ms, by unpacking rows %.0f ms: %.0f times%n",
        result.readings(),
        result.bytes(),
        result.seriesBytes(),
        result.seriesNanos(),
        result.found(),
        result.firstRaw(),
        result.raw(),
        result.rawCpu(),
        result.windows(),
        result.last(),
        result.lastAll(),
        result.hour(),
        result.naiveHour(),
        result.naiveHour() / result.hour());
  }

  /**
   * @param directory empty, or filled by an earlier run with the same figures
   * @param hours of readings
   * @param every seconds between polls of a device
   * @param devices each with two points
   */
  public static Result measure(Path directory, int hours, int every, int devices)
      throws IOException {
    Files.createDirectories(directory);
    return new DayQuery(directory, hours, every, devices).run();
  }

  private Result run() throws IOException {
    try (Store store =
        Store.open(
            directory,
            () -> settings,
            new Machine(
                () -> START.plusNanos(nanos.get()), ThreadLoop::new, DayQuery::openUnsynced),
            nanos::get,
            new long[StreamClass.values().length],
            Map.of())) {
      long spent = 0;
      if (store.segments().isEmpty()) {
        spent = fill(store);
      } else {
        advance(store);
      }
      return ask(store, spent);
    }
  }

  /** Speed of the disk is not what is asked here. */
  private static Connection openUnsynced(Path file, boolean writable) throws SQLException {
    Connection connection = Sqlite.open(file, writable);
    Sqlite.execute(connection, "PRAGMA synchronous=OFF");
    return connection;
  }

  /** Returns how long the series took of the processor, in nanoseconds. */
  private long fill(Store store) throws IOException {
    Random random = new Random(1);
    int[] levels = new int[devices];
    Arrays.setAll(levels, d -> 1000 + random.nextInt(2000));
    int slots = COMMITS_A_SECOND * every;
    long spent = 0;
    for (int poll = 0; poll < hours * 3600 / every; poll++) {
      for (int slot = 0; slot < slots; slot++) {
        long begin = (long) poll * every * 1_000_000_000L + slot * 250_000_000L;
        List<Reading> readings = new ArrayList<>();
        for (int d = slot; d < devices; d += slots) {
          levels[d] += random.nextInt(7) - 3;
          // Real polls come within a millisecond or so, in the clock's full resolution.
          Instant time = START.plusNanos(begin + d * 100_000L + random.nextInt(1_000_000));
          readings.add(reading(d, "tick", Value.of(poll), "", time));
          readings.add(reading(d, "level", Value.of(levels[d] / 1000.0), "m", time));
        }
        nanos.set(begin + 250_000_000L);
        if (!readings.isEmpty()) {
          store.append(readings);
        }
      }
      if (poll % 10 == 0) {
        spent += advance(store);
      }
    }
    return spent + advance(store);
  }

  private static long advance(Store store) {
    long start = THREADS.getCurrentThreadCpuTime();
    boolean more = true;
    while (more) {
      more = store.series().advance(store);
    }
    return THREADS.getCurrentThreadCpuTime() - start;
  }

  private static Reading reading(int device, String point, Value value, String unit, Instant at) {
    return new Reading(
        "uw-%04d".formatted(device),
        point,
        StreamClass.TELEMETRY,
        value,
        unit,
        Quality.GOOD,
        at,
        at,
        ClockState.SYNCHRONISED,
        Grade.GENERAL);
  }

  /** What is timed. */
  @FunctionalInterface
  private interface Asked {
    void run(String device) throws IOException;
  }

  private Result ask(Store store, long spent) throws IOException {
    Instant end = START.plus(Duration.ofHours(hours));
    Instant hour = START.plus(Duration.ofHours(hours / 2));
    int[] found = new int[1];
    Asked day =
        device ->
            found[0] =
                Searches.history(store, device, "level", START, end, 100_000, () -> true)
                    .entries()
                    .size();
    store.segments().forEach(Segment::closeReader);
    double first = median(day, 1);
    double raw = median(day, RUNS);
    long cpu = THREADS.getCurrentThreadCpuTime();
    median(day, RUNS);
    double rawCpu = (THREADS.getCurrentThreadCpuTime() - cpu) / 1e6 / RUNS;
    double windows =
        median(
            device ->
                Searches.windows(
                    store, device, "level", START, end, Duration.ofMinutes(1), () -> true),
            RUNS);
    double last =
        median(device -> Searches.last(store, Map.of(device, Set.of("level")), () -> true), RUNS);
    Map<String, Set<String>> levels = new HashMap<>();
    for (int d = 0; d < devices; d++) {
      levels.put("uw-%04d".formatted(d), Set.of("level"));
    }
    double lastAll = median(device -> Searches.last(store, levels, () -> true), RUNS);
    Instant hourEnd = hour.plus(Duration.ofHours(1));
    double oneHour =
        median(
            device -> Searches.history(store, device, "level", hour, hourEnd, 100_000, () -> true),
            RUNS);
    double naive = median(device -> unpack(store, device, hour, hourEnd), 3);
    long readings = store.next(StreamClass.TELEMETRY);
    long series = store.series().bytes();
    return new Result(
        readings,
        (store.bytes() - series) / (double) readings,
        series / (double) readings,
        spent / (double) readings,
        found[0],
        first,
        raw,
        rawCpu,
        windows,
        last,
        lastAll,
        oneHour,
        naive);
  }

  /** In milliseconds; each time of another device, so that no answer is at hand. */
  private double median(Asked asked, int runs) throws IOException {
    double[] times = new double[runs];
    for (int i = 0; i < runs; i++) {
      long start = System.nanoTime();
      asked.run("uw-%04d".formatted((i * 173 + 17) % devices));
      times[i] = (System.nanoTime() - start) / 1e6;
    }
    Arrays.sort(times);
    return times[runs / 2];
  }

  private static int unpack(Store store, String device, Instant from, Instant to)
      throws IOException {
    List<Batch.Entry> found = new ArrayList<>();
    for (Segment segment : store.segments()) {
      long end = segment.span(StreamClass.TELEMETRY).end();
      long since = from.toEpochMilli();
      long until = to.toEpochMilli();
      RowHead head = segment.headFrom(StreamClass.TELEMETRY, 0, end, since, until, () -> {});
      while (head != null) {
        Row row = segment.row(head);
        for (Batch.Entry entry : row.entries()) {
          if (entry.reading().device().equals(device) && entry.reading().point().equals("level")) {
            found.add(entry);
          }
        }
        head = segment.headFrom(StreamClass.TELEMETRY, head.end(), end, since, until, () -> {});
      }
    }
    return found.size();
  }
}
