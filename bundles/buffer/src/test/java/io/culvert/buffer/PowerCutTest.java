package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.culvert.buffer.PowerCutRecord.Op;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
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
 * Cuts the power at every operation of a recorded run, in every way that {@link PowerCutDisk}
 * knows, and opens what is left. The short form takes a sample; {@code -Dculvert.faults=long} takes
 * all. See docs/guides/power-cut.md.
 */
@Timeout(value = 24, unit = TimeUnit.HOURS)
class PowerCutTest {
  private static final boolean LONG = "long".equals(System.getProperty("culvert.faults"));
  private static final int SAMPLE = 300;
  private static final int THREADS = 2;
  private static final int REPORTED = 5;

  @TempDir Path work;

  private final List<String> failures = Collections.synchronizedList(new ArrayList<>());

  @ParameterizedTest
  @ValueSource(strings = {"roomy", "tight"})
  void whateverAPowerCutLeavesOpensAndHoldsWhatWasPromised(String scenario) throws Exception {
    List<Op> ops = PowerCutRecord.of(work, scenario);
    long seed = Long.getLong("culvert.seed", System.nanoTime());
    Random random = new Random(seed);
    PowerCutDisk disk = new PowerCutDisk();
    PowerCutPromise promise = new PowerCutPromise();
    Map<Integer, String> names = new HashMap<>();
    Set<Long> seen = new HashSet<>();
    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    Semaphore room = new Semaphore(2 * THREADS);
    Path states = memory();
    int checked = 0;
    long outcomes = 0;
    int files = openFiles();
    try {
      for (int cut = 0; cut <= ops.size() && failures.size() < REPORTED; cut++) {
        List<PowerCutDisk.Outcome> all = disk.outcomes(random);
        outcomes += all.size();
        if (!LONG) {
          Collections.shuffle(all, random);
          double due = (double) SAMPLE / ops.size();
          int take = (int) due + (random.nextDouble() < due % 1 ? 1 : 0);
          all = all.subList(0, Math.min(all.size(), take));
        }
        for (PowerCutDisk.Outcome outcome : all) {
          PowerCutDisk.State state = disk.state(outcome);
          if (seen.add(state.hash() * 31 + promise.marks())) {
            String words =
                "%s, after operation %d of %d (%s): %s"
                    .formatted(
                        scenario,
                        cut,
                        ops.size(),
                        cut == 0 ? "none" : ops.get(cut - 1),
                        outcome.words());
            Path directory = states.resolve("state-" + checked);
            boolean alone = checked++ % 2 == 0;
            PowerCutPromise now = promise.copy();
            room.acquire();
            pool.execute(
                () -> {
                  check(directory, state, now, scenario.equals("roomy"), alone, words);
                  room.release();
                });
          }
        }
        if (cut < ops.size()) {
          Op op = ops.get(cut);
          if (op.kind() == 'C') {
            names.put(op.file(), op.text());
          }
          promise.apply(op, names);
          disk.apply(op);
        }
      }
    } finally {
      pool.shutdown();
      assertThat(pool.awaitTermination(5, TimeUnit.MINUTES)).isTrue();
      delete(states);
    }
    System.out.printf(
        "Power cut, %s: %d operations, %d outcomes, %d different ones checked, seed %d%n",
        scenario, ops.size(), outcomes, checked, seed);
    if (!failures.isEmpty()) {
      fail("seed " + seed + "\n" + String.join("\n\n", failures));
    }
    assertThat(checked).isGreaterThan(SAMPLE / 3);
    assertThat(openFiles()).as("files left open").isLessThan(files + 20);
  }

  private void check(
      Path directory,
      PowerCutDisk.State state,
      PowerCutPromise promise,
      boolean keepsAll,
      boolean alone,
      String words) {
    try {
      state.write(directory);
      PowerCutAudit.check(directory, promise, keepsAll, alone);
    } catch (Exception | AssertionError e) {
      java.io.StringWriter trace = new java.io.StringWriter();
      e.printStackTrace(new java.io.PrintWriter(trace));
      failures.add(words + "\n" + keep(state) + "\n" + trace);
    } finally {
      delete(directory);
    }
  }

  /** Leaves a state that failed to be looked at. */
  private static String keep(PowerCutDisk.State state) {
    Path kept = Path.of("target", "power-cut", Long.toHexString(state.hash()));
    try {
      state.write(kept);
    } catch (IOException e) {
      return "not kept: " + e;
    }
    return "kept in " + kept.toAbsolutePath();
  }

  /** A directory in memory: syncing there costs nothing. */
  private Path memory() throws IOException {
    Path memory = Path.of("/dev/shm");
    return Files.isWritable(memory)
        ? Files.createTempDirectory(memory, "culvert-power-cut")
        : Files.createDirectories(work.resolve("states"));
  }

  private static int openFiles() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return (int) files.count();
    }
  }

  private static void delete(Path directory) {
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(java.util.Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
