package io.culvert.plugins;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.service.Generations.Plugin;
import io.culvert.core.site.StoredGenerations;
import io.culvert.plugins.StepsRecord.Step;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A gateway that goes down before any of the steps that the life of a plug-in takes on the disk:
 * killed, or by a power cut. What is in force at the next start is the one before or the one after,
 * whole; and never one that nobody confirmed.
 */
class EveryStepIT {
  private static final byte[] SITE = "{\"gateway\": {}}".getBytes(StandardCharsets.UTF_8);
  private static final String NONE = "none";

  @TempDir Path folder;
  private Path library;

  /** What is done to the plug-in. */
  enum Change {
    INSTALLATION(NONE, "1.0.0", "1.0.0"),
    UPGRADE("1.0.0", "2.0.0", "2.0.0"),
    /** Version 9 isn't good: it is taken back. */
    BAD_UPGRADE("1.0.0", "9.0.0", "1.0.0"),
    REMOVAL("1.0.0", NONE, NONE);

    private final String before;
    private final String jar;
    private final String after;

    Change(String before, String jar, String after) {
      this.before = before;
      this.jar = jar;
      this.after = after;
    }
  }

  @BeforeEach
  void build() throws Exception {
    library = folder.resolve("steps.so");
    Path source = Path.of(EveryStepIT.class.getResource("/steps/steps.c").toURI());
    run(
        0,
        new ProcessBuilder(
            "gcc",
            "-Wall",
            "-Werror",
            "-shared",
            "-fPIC",
            "-pthread",
            "-o",
            library.toString(),
            source.toString()));
  }

  @ParameterizedTest
  @EnumSource(Change.class)
  void whereverItGoesDownTheOldOrTheNewIsInForceAndWhole(Change change) throws Exception {
    Path home = prepared(change);
    StepsDisk disk = StepsDisk.of(home.resolve("data"));
    List<Step> steps = record(home);
    assertThat(inForce(home)).as("left to itself").isEqualTo(change.after);

    check(change.name(), disk, steps, change.before, change.after, promised(steps));
  }

  /** The start that takes back an unconfirmed generation goes down itself, at each of its steps. */
  @Test
  void whereverTheNextStartGoesDownAnUnconfirmedGenerationIsNeverInForce() throws Exception {
    Path home = prepared(Change.UPGRADE);
    StepsDisk disk = StepsDisk.of(home.resolve("data"));
    List<Step> steps = record(home);
    Map<String, byte[]> trial = null;
    for (Step step : steps) {
      disk.apply(step);
      Map<String, byte[]> state = disk.outcomes().get("killed");
      byte[] pointer = state.get("generations/current");
      if (trial == null
          && step.kind() == 'S'
          && pointer != null
          && new String(pointer, StandardCharsets.US_ASCII).contains("trial")) {
        trial = state;
      }
    }
    assertThat(trial).as("a state in which version 2 is on trial").isNotNull();
    Path down = copyOf(home, trial, "down");

    StepsDisk again = StepsDisk.of(down.resolve("data"));
    List<Step> recovery = record(down);
    assertThat(recovery).isNotEmpty();
    check("the start after", again, recovery, "1.0.0", "1.0.0", recovery.size());
  }

  /** The same with a real process and a real kill, and the whole of a start after it. */
  @ParameterizedTest
  @EnumSource(names = {"INSTALLATION", "UPGRADE", "REMOVAL"})
  void killedForRealAtEachStep(Change change) throws Exception {
    Path prepared = prepared(change);
    Map<String, byte[]> data = StepsDisk.of(prepared.resolve("data")).outcomes().get("killed");
    List<String> turns = new ArrayList<>();
    boolean survived = false;
    int step = 0;
    while (!survived) {
      step++;
      Path home = copyOf(prepared, data, "killed-" + step);
      survived = run(137, victim(home, step)) == 0;
      boolean onTrial =
          Files.readString(home.resolve("data/generations/current")).contains("trial");
      Files.deleteIfExists(home.resolve("plugins/meter.jar"));
      try (StepsVictim next = new StepsVictim(home)) {
        String running = next.running();
        assertThat(running).as("step " + step).isEqualTo(inForce(home));
        if (onTrial) {
          assertThat(running).as("step " + step + ", on trial").isEqualTo(change.before);
        }
        if (turns.isEmpty() || !turns.get(turns.size() - 1).equals(running)) {
          turns.add(running);
        }
      }
    }
    assertThat(turns)
        .as("the old one, and from some step on the new one")
        .containsExactly(change.before, change.after);
    System.out.println("Killed before each of " + (step - 1) + " steps: " + change);
  }

  /** Step after which the new state was promised: the sync of the pointer that is last. */
  private static int promised(List<Step> steps) {
    int promised = steps.size();
    boolean after = false;
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      if (step.kind() == 'R' && step.to().equals("generations/current")) {
        after = true;
      } else if (after && step.kind() == 'S' && step.path().equals("generations")) {
        promised = i + 1;
        after = false;
      }
    }
    return promised;
  }

  private void check(
      String what, StepsDisk disk, List<Step> steps, String before, String after, int promised)
      throws IOException {
    Set<Integer> seen = new HashSet<>();
    boolean switched = false;
    int outcomes = 0;
    for (int cut = 0; cut <= steps.size(); cut++) {
      for (Map.Entry<String, Map<String, byte[]>> outcome : disk.outcomes().entrySet()) {
        String words =
            "%s, after step %d of %d (%s), %s"
                .formatted(
                    what,
                    cut,
                    steps.size(),
                    cut == 0 ? "none" : steps.get(cut - 1),
                    outcome.getKey());
        boolean killed = outcome.getKey().equals("killed");
        outcomes++;
        if (!seen.add(hash(outcome.getValue())) && !killed && cut < promised) {
          continue;
        }
        named(outcome.getValue(), words);
        Path home = folder.resolve("state-" + cut + "-" + outcomes);
        StepsDisk.write(outcome.getValue(), home.resolve("data"));
        String found = whole(home, words);
        if (onTrial(outcome.getValue())) {
          assertThat(found).as(words + ": nobody confirmed it").isEqualTo(before);
        }
        assertThat(found).as(words).isIn(before, after);
        if (cut >= promised) {
          assertThat(found).as(words + ": it was promised").isEqualTo(after);
        }
        if (killed) {
          assertThat(switched && !found.equals(after)).as(words + ": back again").isFalse();
          switched |= found.equals(after) && !after.equals(before);
        }
      }
      if (cut < steps.size()) {
        disk.apply(steps.get(cut));
      }
    }
    System.out.printf(
        "Gone down during %s: %d steps, %d outcomes, %d different%n",
        what, steps.size(), outcomes, seen.size());
  }

  /** What the pointer names must be there whole, so that nobody has to guess. */
  private static void named(Map<String, byte[]> state, String words) {
    byte[] pointer = state.get("generations/current");
    assertThat(pointer).as(words + ": pointer").isNotNull();
    for (String number : new String(pointer, StandardCharsets.US_ASCII).strip().split(" trial ")) {
      String generation = "generations/" + number;
      assertThat(state).as(words).containsKey(generation + "/lock.json");
      assertThat(new String(state.get(generation + "/lock.json"), StandardCharsets.UTF_8))
          .as(words + ": lock of " + number)
          .startsWith("{")
          .endsWith("}");
      assertThat(state.get(generation + "/site.json"))
          .as(words + ": site of " + number)
          .isEqualTo(SITE);
    }
  }

  private static boolean onTrial(Map<String, byte[]> state) {
    byte[] pointer = state.get("generations/current");
    return pointer != null && new String(pointer, StandardCharsets.US_ASCII).contains("trial");
  }

  private static int hash(Map<String, byte[]> state) {
    int hash = 0;
    for (Map.Entry<String, byte[]> entry : state.entrySet()) {
      hash += entry.getKey().hashCode() * 31 + Arrays.hashCode(entry.getValue());
    }
    return hash;
  }

  /** Opens the store twice, and looks that all that is in force is there. */
  private static String whole(Path home, String words) throws IOException {
    String first = inForce(home);
    StoredGenerations opened = StoredGenerations.open(StepsVictim.generations(home));
    assertThat(opened.onTrial()).as(words).isFalse();
    assertThat(opened.site()).as(words + ": site").isEqualTo(SITE);
    for (Plugin plugin : opened.current().lock().values()) {
      Path jar = StepsVictim.store(home).resolve(plugin.sha256() + ".jar");
      assertThat(jar).as(words + ": jar in force").exists();
      assertThat(sha256(Files.readAllBytes(jar))).as(words + ": " + jar).isEqualTo(plugin.sha256());
    }
    assertThat(inForce(home)).as(words + ": at the start after").isEqualTo(first);
    return first;
  }

  private static String inForce(Path home) throws IOException {
    Plugin plugin =
        StoredGenerations.open(StepsVictim.generations(home))
            .current()
            .lock()
            .get(StepsVictim.PLUGIN);
    return plugin == null ? NONE : plugin.version();
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A home in which everything is as before, except for the inbox. */
  private Path prepared(Change change) throws Exception {
    Path home = Files.createDirectory(folder.resolve("home"));
    Path jar = Files.createDirectories(home.resolve("plugins")).resolve("meter.jar");
    StoredGenerations.open(StepsVictim.generations(home)).site(SITE);
    if (!change.before.equals(NONE)) {
      jar(jar, change.before);
    }
    try (StepsVictim calm = new StepsVictim(home)) {
      calm.settle();
      assertThat(calm.running()).isEqualTo(change.before);
    }
    if (change.jar.equals(NONE)) {
      Files.delete(jar);
    } else {
      jar(jar, change.jar);
    }
    return home;
  }

  /** A device bundle of a vendor, who has put nothing into it. */
  private static void jar(Path file, String version) throws IOException {
    Manifest manifest = new Manifest();
    Attributes main = manifest.getMainAttributes();
    main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    main.putValue("Bundle-ManifestVersion", "2");
    main.putValue("Bundle-SymbolicName", StepsVictim.PLUGIN);
    main.putValue("Bundle-Version", version);
    main.putValue("Bundle-Vendor", "Example");
    main.putValue("Bundle-License", "Apache-2.0");
    main.putValue("Culvert-Schemes", "lamp");
    main.putValue("Culvert-Opens", "tcp");
    try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(file), manifest)) {
      jar.finish();
    }
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(60)));
  }

  /** A home of its own with this inbox and these data. */
  private Path copyOf(Path home, Map<String, byte[]> data, String name) throws IOException {
    Path copy = Files.createDirectory(folder.resolve(name));
    Files.createDirectory(copy.resolve("plugins"));
    try (Stream<Path> jars = Files.list(home.resolve("plugins"))) {
      for (Path jar : jars.toList()) {
        Files.copy(
            jar,
            copy.resolve("plugins").resolve(jar.getFileName()),
            java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
    StepsDisk.write(data, copy.resolve("data"));
    return copy;
  }

  /** What a process that nobody kills does to the data of a home. */
  private List<Step> record(Path home) throws Exception {
    assertThat(run(0, victim(home, 0))).isZero();
    return StepsRecord.read(log(home));
  }

  private static Path log(Path home) {
    return home.resolve("steps.log");
  }

  private ProcessBuilder victim(Path home, int kill) {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xshare:auto",
            "-cp",
            System.getProperty("java.class.path"),
            StepsVictim.class.getName(),
            home.toString());
    Map<String, String> environment = builder.environment();
    environment.put("LD_PRELOAD", library.toString());
    environment.put("STEPS_DIR", home.resolve("data").toString());
    environment.put("STEPS_LOG", log(home).toString());
    environment.put("STEPS_KILL", Integer.toString(kill));
    return builder;
  }

  /** Runs it to its end, which must be this one or a good one; its exit code. */
  private int run(int expected, ProcessBuilder builder) throws Exception {
    Path output = folder.resolve("output.txt");
    Process process = builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
    try {
      assertThat(process.waitFor(3, TimeUnit.MINUTES)).as("it ends").isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(process.exitValue()).as(Files.readString(output)).isIn(0, expected);
    return process.exitValue();
  }
}
