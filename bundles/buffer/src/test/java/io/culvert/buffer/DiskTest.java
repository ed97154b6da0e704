package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process on a disk that fills up, on a small file system of its own, and on one that answers
 * with errors, made by libfiu. The long form ({@code -Dculvert.faults=long}) does the same for
 * longer.
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class DiskTest {
  private static final boolean LONG = System.getProperty("culvert.faults", "short").equals("long");
  private static final int BLOCK = 4096;

  @TempDir Path directory;
  private final List<Process> started = new ArrayList<>();
  private final Set<Long> accepted = new HashSet<>();
  private final Set<Long> refused = new HashSet<>();
  private final Set<Long> entered = new HashSet<>();
  private final Set<Long> notEntered = new HashSet<>();

  @AfterEach
  void kill() {
    started.forEach(process -> process.toHandle().destroyForcibly());
  }

  /** A victim and what it has told so far. */
  private static final class Told {
    final Process process;
    final List<String> lines = Collections.synchronizedList(new ArrayList<>());
    final Thread reader;

    Told(Process process) {
      this.process = process;
      reader = new Thread(this::read);
      reader.start();
    }

    private void read() {
      try (BufferedReader out =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        // A last line that a kill has cut in two tells nothing.
        StringBuilder line = new StringBuilder();
        for (int next = out.read(); next >= 0; next = out.read()) {
          if (next == '\n') {
            lines.add(line.toString());
            line.setLength(0);
          } else {
            line.append((char) next);
          }
        }
      } catch (IOException e) {
        lines.add("unread: " + e);
      }
    }

    long count(Predicate<String> which) {
      synchronized (lines) {
        return lines.stream().filter(which).count();
      }
    }

    void until(Predicate<String> which, long more) {
      reaches(which, count(which) + more);
    }

    void reaches(Predicate<String> which, long number) {
      await().atMost(2, TimeUnit.MINUTES).until(() -> count(which) >= number || !process.isAlive());
      assertThat(process.isAlive()).as("alive, %s", tail()).isTrue();
    }

    /** Until the last state that it told is this one. */
    void untilState(String state) {
      await()
          .atMost(2, TimeUnit.MINUTES)
          .until(() -> state.equals(lastState()) || !process.isAlive());
      assertThat(process.isAlive()).as("alive, %s", tail()).isTrue();
    }

    private String lastState() {
      List<String> states = states();
      return states.isEmpty() ? "" : states.get(states.size() - 1).split(" ")[1];
    }

    String tail() {
      synchronized (lines) {
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
      }
    }

    List<String> states() {
      synchronized (lines) {
        return lines.stream().filter(line -> line.startsWith("state ")).toList();
      }
    }
  }

  private Told victim(List<String> before, Path where, long first, String... more)
      throws IOException {
    List<String> command = new ArrayList<>(before);
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            "-Xmx192m",
            "-XX:TieredStopAtLevel=1",
            "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"),
            DiskVictim.class.getName(),
            where.toString(),
            Long.toString(first)));
    command.addAll(List.of(more));
    Process process =
        new ProcessBuilder(command)
            .redirectError(
                ProcessBuilder.Redirect.appendTo(new File(directory.toFile(), "victim.log")))
            .start();
    started.add(process);
    return new Told(process);
  }

  /** Ends its input and waits for a clean end. */
  private void stop(Told victim) throws Exception {
    victim.process.getOutputStream().close();
    assertThat(victim.process.waitFor(2, TimeUnit.MINUTES)).as(victim.tail()).isTrue();
    victim.reader.join();
    assertThat(victim.process.exitValue()).as(victim.tail()).isZero();
    assertThat(victim.count(line -> line.equals("closed"))).isEqualTo(1);
    count(victim);
  }

  private void killNow(Told victim) throws Exception {
    // Of the handle: that of the process closes its output, and what it printed would be lost.
    victim.process.toHandle().destroyForcibly();
    victim.process.waitFor();
    victim.reader.join();
    count(victim);
  }

  private void count(Told victim) {
    for (String line : victim.lines) {
      if (line.startsWith("+")) {
        assertThat(accepted.add(Long.parseLong(line.substring(1)))).as(line).isTrue();
      } else if (line.startsWith("-")) {
        assertThat(refused.add(Long.parseLong(line.substring(1)))).as(line).isTrue();
      } else if (line.startsWith("g+")) {
        assertThat(entered.add(Long.parseLong(line.substring(2)))).as(line).isTrue();
      } else if (line.startsWith("g-")) {
        assertThat(notEntered.add(Long.parseLong(line.substring(2)))).as(line).isTrue();
      }
    }
  }

  /** What is there is exactly what was accepted and, if it was killed, may hold more. */
  private void check(Path where, boolean killed, String what) throws Exception {
    Map<Long, Integer> stored = new HashMap<>();
    try (DurableBuffer buffer =
        new DurableBuffer(
            where,
            Readings.settings(),
            new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open))) {
      for (int point = -1; point < DiskVictim.TELEMETRY; point++) {
        Map<StreamClass, Long> sequences = new HashMap<>();
        List<Batch.Entry> entries =
            buffer
                .history(
                    "d",
                    point < 0 ? "n" : "p" + point,
                    Instant.MIN,
                    Instant.MAX,
                    100_000,
                    Duration.ofMinutes(2))
                .entries();
        assertThat(entries).as("read whole, %s", what).hasSizeLessThan(100_000);
        for (Batch.Entry entry : entries) {
          long number = ((Value.Int) entry.reading().value()).value();
          stored.merge(number, 1, Integer::sum);
          Long last = sequences.put(entry.reading().streamClass(), entry.sequence());
          assertThat(last == null || last < entry.sequence()).as("order, %s", what).isTrue();
        }
      }
      List<LedgerEntry> ledger =
          buffer.ledger(Instant.MIN, Instant.MAX, 1_000_000).stream()
              .filter(entry -> entry.reason() == Reason.NEVER_READ && !entry.device().equals("*"))
              .toList();
      Set<Long> gaps = new HashSet<>();
      for (LedgerEntry entry : ledger) {
        assertThat(gaps.add(Long.parseLong(entry.detail()))).as("once, %s", what).isTrue();
      }
      assertThat(gaps).as("gaps, %s", what).containsAll(entered);
      if (!killed) {
        assertThat(gaps).as("no other gaps, %s", what).isEqualTo(entered);
      }
    }
    for (long number : accepted) {
      int whole = DiskVictim.classOf(number) == StreamClass.TELEMETRY ? DiskVictim.TELEMETRY : 1;
      assertThat(stored.getOrDefault(number, 0)).as("%s, %s", number, what).isEqualTo(whole);
    }
    for (long number : refused) {
      assertThat(stored).as("refused, %s", what).doesNotContainKey(number);
    }
    if (!killed) {
      assertThat(stored.keySet()).as("no more, %s", what).isEqualTo(accepted);
    }
  }

  /** What a stop of the machine at this moment would leave, elsewhere. */
  private static Path copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (var files = Files.list(from)) {
      for (Path file : files.filter(f -> !f.endsWith("filler")).toList()) {
        Files.copy(file, to.resolve(file.getFileName().toString()));
      }
    }
    return to;
  }

  /** A file system of a few megabytes in a namespace of its own. */
  private final class Small {
    final Process holder;
    final Path mounted = directory.resolve("small");
    final Path seen;

    Small(int megabytes) throws IOException {
      Files.createDirectories(mounted);
      holder =
          new ProcessBuilder(
                  "unshare",
                  "-r",
                  "-m",
                  "sh",
                  "-c",
                  "mount -t tmpfs -o size=%dm tmpfs '%s' && echo mounted && exec sleep 3600"
                      .formatted(megabytes, mounted))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      started.add(holder);
      assertThat(holder.inputReader().readLine()).isEqualTo("mounted");
      seen = Path.of("/proc/" + holder.pid() + "/root" + mounted);
    }

    Told victim(long first, String... more) throws IOException {
      return DiskTest.this.victim(inside(), mounted, first, more);
    }

    private List<String> inside() {
      return List.of(
          "nsenter", "-t", Long.toString(holder.pid()), "-U", "-m", "--preserve-credentials");
    }

    void run(String... command) throws Exception {
      List<String> whole = new ArrayList<>(inside());
      whole.addAll(List.of(command));
      assertThat(new ProcessBuilder(whole).inheritIO().start().waitFor()).isZero();
    }

    /** Takes all the space there is, to the last block. */
    void fill() throws IOException {
      try (FileChannel filler =
          FileChannel.open(
              seen.resolve("filler"), StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
        for (int size = 64 * BLOCK; size >= BLOCK; size /= 2) {
          try {
            while (true) {
              filler.write(java.nio.ByteBuffer.allocate(size));
            }
          } catch (IOException full) {
            assertThat(full).hasMessageContaining("No space left");
          }
        }
      }
    }

    void free() throws IOException {
      Files.delete(seen.resolve("filler"));
    }

    Path copy(String name) throws IOException {
      return DiskTest.copy(seen, directory.resolve(name));
    }
  }

  @Test
  void aFullDiskIsEnduredAndCountedAndLeft() throws Exception {
    Small small = new Small(24);
    Told victim = small.victim(1);
    for (int round = 0; round < (LONG ? 5 : 1); round++) {
      victim.until(line -> line.startsWith("+"), 500);
      small.fill();
      victim.untilState("FULL");
      // Until more is held than memory takes.
      victim.until(line -> line.startsWith("-"), 1000);
      small.fill();
      victim.until(line -> line.startsWith("g+"), 20);
      small.free();
      victim.untilState("WORKING");
      victim.until(line -> line.startsWith("+"), 500);
    }
    stop(victim);
    assertThat(victim.states())
        .extracting(line -> line.split(" ")[1])
        .containsOnly("FULL", "WORKING");
    assertThat(refused)
        .as("telemetry goes first")
        .allMatch(number -> DiskVictim.classOf(number) == StreamClass.TELEMETRY);
    check(small.copy("end"), false, victim.tail());
  }

  @Test
  void aKillAndAStartOnAFullDiskLoseNothing() throws Exception {
    Small small = new Small(24);
    long first = 1;
    for (int round = 0; round < (LONG ? 20 : 2); round++) {
      Told victim = small.victim(first);
      victim.until(line -> line.startsWith("+"), 200);
      small.fill();
      victim.untilState("FULL");
      killNow(victim);
      check(small.copy("killed-" + round), true, victim.tail());
      first += 1_000_000;
      Told next = small.victim(first);
      next.untilState("FULL");
      small.free();
      next.until(line -> line.startsWith("+"), 200);
      stop(next);
      first += 1_000_000;
    }
    check(small.copy("end"), true, "at the end");
  }

  @Test
  void ledgerAndStateHaveTheirSpaceOnAFullDisk() throws Exception {
    Small small = new Small(10);
    Told victim = small.victim(1, small.mounted.resolve("go").toString());
    victim.reaches("ready"::equals, 1);
    small.fill();
    // A file without content takes no space.
    Files.createFile(small.seen.resolve("go"));
    while (victim.count(line -> line.startsWith("g+")) < 5000 && victim.process.isAlive()) {
      // Whatever space is given back for a moment is gone.
      small.fill();
    }
    victim.reaches(line -> line.startsWith("g+"), 5000);
    assertThat(victim.count(line -> line.startsWith("full"))).isZero();
  }

  @Test
  void aFileSystemThatIsReadOnlyIsTriedAgain() throws Exception {
    Small small = new Small(24);
    Told victim = small.victim(1);
    victim.until(line -> line.startsWith("+"), 200);
    stop(victim);
    small.run("mount", "-o", "remount,ro", small.mounted.toString());
    Told next = small.victim(1_000_000);
    next.untilState("READ_ONLY");
    next.until(line -> line.startsWith("-"), 100);
    small.run("mount", "-o", "remount,rw", small.mounted.toString());
    next.until(line -> line.startsWith("+"), 200);

    // Full, so that the files are closed; when space comes they can't be opened for writing.
    small.fill();
    next.untilState("FULL");
    // Made aside and moved over it: a mount that the victim is trying to write to can't be made
    // read-only.
    Path aside = Files.createDirectory(directory.resolve("aside"));
    small.run("mount", "--bind", small.mounted.toString(), aside.toString());
    small.run("mount", "-o", "remount,bind,ro", aside.toString());
    small.run("mount", "--move", aside.toString(), small.mounted.toString());
    next.untilState("READ_ONLY");
    small.run("umount", "--lazy", small.mounted.toString());
    small.free();
    next.untilState("WORKING");
    next.until(line -> line.startsWith("+"), 200);
    stop(next);
    check(small.copy("end"), false, next.tail());
  }

  /** A victim whose calls of the system can be made to fail. */
  private Told faulty(long first) throws IOException {
    return victim(
        List.of(
            "env",
            "LD_PRELOAD=/usr/lib/fiu/fiu_run_preload.so:/usr/lib/fiu/fiu_posix_preload.so",
            "FIU_CTRL_FIFO=" + directory.resolve("fiu")),
        directory.resolve("data"),
        first);
  }

  private void faults(Told victim, String command) throws Exception {
    Process control =
        new ProcessBuilder(
                "fiu-ctrl",
                "-f",
                directory.resolve("fiu").toString(),
                "-c",
                command,
                Long.toString(victim.process.pid()))
            .inheritIO()
            .start();
    assertThat(control.waitFor()).isZero();
  }

  private static String state(String line) {
    return line.split(" ")[1];
  }

  @Test
  void aDiskThatAnswersWithErrorsLosesNothingThatItTook() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    String[] points = {
      "posix/io/rw/pwrite",
      "posix/io/sync/fsync",
      "posix/io/sync/fdatasync",
      "posix/io/sync/*",
      "posix/io/rw/ftruncate",
      "posix/io/rw/*truncate"
    };
    long first = 1;
    long failing = 0;
    for (int round = 0; round < (LONG ? 60 : 4); round++) {
      Told victim = faulty(first);
      victim.until(line -> line.startsWith("+"), 50);
      for (int fault = 0; fault < 3; fault++) {
        String point = points[(round * 3 + fault) % points.length];
        String chance = random.nextBoolean() ? "1" : "0.2";
        // EIO of errno(3).
        faults(victim, "enable_random name=%s,probability=%s,failinfo=5".formatted(point, chance));
        victim.until(line -> line.startsWith("g+") || line.startsWith("g-"), 20);
        if (fault < 2 || round % 2 == 0) {
          faults(victim, "disable name=" + point);
          victim.until(line -> line.startsWith("+"), 50);
        }
      }
      String what = "seed " + seed + ", round " + round + ", " + victim.tail();
      assertThat(victim.states()).extracting(DiskTest::state).isSubsetOf("FAILING", "WORKING");
      failing += victim.count(line -> line.startsWith("state FAILING"));
      if (round % 2 == 0) {
        stop(victim);
      } else {
        killNow(victim);
      }
      first += 1_000_000;
      check(copy(directory.resolve("data"), directory.resolve("copy-" + round)), true, what);
    }
    assertThat(failing).as("times that it was seen to fail").isGreaterThan(2);
  }
}
