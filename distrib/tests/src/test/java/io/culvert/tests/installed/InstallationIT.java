package io.culvert.tests.installed;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The archive as a person unpacks it, and {@code bin/culvert} as a person types it. */
class InstallationIT {
  @TempDir Path folder;
  private Path home;
  private final Map<String, String> environment = new HashMap<>();

  /** What a command printed, both outputs together, and how it ended. */
  private record Said(int exit, String text) {}

  @BeforeEach
  void unpack() throws Exception {
    Path archive;
    try (var files = Files.list(Path.of("../archive/target"))) {
      archive = files.filter(f -> f.toString().endsWith(".tar.gz")).findFirst().orElseThrow();
    }
    Said said = run("tar", "xzf", archive.toAbsolutePath().toString(), "-C", folder.toString());
    assertThat(said.exit).as(said.text).isZero();
    try (var files = Files.list(folder)) {
      home = files.filter(f -> f.getFileName().toString().startsWith("culvert-")).findFirst().get();
    }
  }

  @AfterEach
  void stop() throws Exception {
    culvert("stop");
  }

  @Test
  void startsTellsWhatToDoNextAndStops() throws Exception {
    assertThat(culvert("status"))
        .isEqualTo(
            new Said(
                3,
                "culvert: No gateway runs on %s/data; start it with: bin/culvert start\n"
                    .formatted(home)));

    Said started = culvert("start");
    assertThat(started.exit).as(started.text).isZero();
    assertThat(started.text).startsWith("Culvert runs (process ");

    Said status = culvert("status");
    assertThat(status.exit).as(status.text).isZero();
    assertThat(status.text).contains("no device yet: write one into etc/site.json");
    assertThat(status.text.lines()).allMatch(line -> line.length() <= 80);

    Said json = culvert("status", "--json");
    assertThat(json.exit).isZero();
    assertThat(new com.fasterxml.jackson.databind.ObjectMapper().readTree(json.text).at("/devices"))
        .isEmpty();

    Said second = culvert("start");
    assertThat(second.exit).isEqualTo(4);
    assertThat(second.text).contains("A gateway runs on " + home + "/data already (process ");

    assertThat(culvert("shell", "read", "nobody").exit).isEqualTo(1);
    await()
        .atMost(60, SECONDS)
        .untilAsserted(
            () ->
                assertThat(culvert("shell", "read", "culvert").text)
                    .containsPattern("(?m)^disk_state +working +Good ")
                    .containsPattern("(?m)^memory_resident +[0-9]+ +By +Good "));
    assertThat(culvert("shell", "read").text).contains("expected: read <device>");
    assertThat(culvert("shell", "nonsense").exit).isEqualTo(2);

    Said stopped = culvert("stop");
    assertThat(stopped.exit).as(stopped.text).isZero();
    assertThat(culvert("status").exit).isEqualTo(3);
    assertThat(home.resolve("data/run/culvert.pid")).doesNotExist();
    assertThat(Files.readString(home.resolve("data/log/culvert.log"))).contains("has stopped");
  }

  @Test
  void whatAWordHoldsIsNeverReadAsTheShellsLanguage() throws Exception {
    assertThat(culvert("start").exit).isZero();
    Said said = culvert("shell", "read", "a b; $x (shutdown) 'q' \"");

    assertThat(said.text).contains("no device a b; $x (shutdown) 'q' \"");
    assertThat(culvert("status").exit).isZero();
  }

  @Test
  void afterAKillItStartsAgainAsIfNothingWere() throws Exception {
    assertThat(culvert("start").exit).isZero();
    long pid = Long.parseLong(Files.readString(home.resolve("data/run/culvert.pid")).strip());
    assertThat(run("kill", "-9", Long.toString(pid)).exit).isZero();
    ProcessHandle.of(pid).ifPresent(p -> p.onExit().join());

    assertThat(culvert("status").exit).isEqualTo(3);
    Said again = culvert("start");
    assertThat(again.exit).as(again.text).isZero();
    assertThat(culvert("status").exit).isZero();
  }

  @Test
  void theControlSocketIsItsUsersAlone() throws Exception {
    assertThat(culvert("start").exit).isZero();

    Path socket = home.resolve("data/run/control.sock");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
        .isEqualTo("rw-------");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket.getParent())))
        .isEqualTo("rwx------");
  }

  @Test
  void aDataPathTooLongForASocketStillHasAShell() throws Exception {
    environment.put("CULVERT_DATA", folder.resolve("d".repeat(120)).toString());
    environment.put("XDG_RUNTIME_DIR", Files.createDirectory(folder.resolve("runtime")).toString());
    assertThat(culvert("start").exit).isZero();

    assertThat(culvert("status").exit).isZero();
  }

  @Test
  void aJavaThatIsTooOldIsNamedWithWhatToInstall() throws Exception {
    Path old = Files.createDirectories(folder.resolve("jdk-11/bin"));
    Files.writeString(old.resolveSibling("release"), "JAVA_VERSION=\"11.0.22\"\n");
    Files.writeString(old.resolve("java"), "#!/bin/sh\nexit 99\n");
    Files.setPosixFilePermissions(
        old.resolve("java"), PosixFilePermissions.fromString("rwxr-xr-x"));
    environment.put("JAVA_HOME", old.getParent().toString());
    Said said = culvert("run");
    environment.remove("JAVA_HOME");

    assertThat(said.exit).isEqualTo(5);
    assertThat(said.text)
        .contains("Java too old", "11.0.22", "17 or later", "openjdk-17-jre-headless")
        .hasLineCount(1);
  }

  @Test
  void aDamagedInstallationAndADataPathThatIsNoneAreOneLineEach() throws Exception {
    Path feature = home.resolve("features/base.feature");
    String good = Files.readString(feature);
    Files.writeString(feature, "10 whatever\n");
    Said damaged = culvert("run");
    assertThat(damaged.exit).isEqualTo(5);
    assertThat(damaged.text).contains("base.feature:1: found \"10 whatever\"").hasLineCount(1);

    Files.writeString(feature, good);
    environment.put("CULVERT_DATA", "/proc/culvert");
    Said unwritable = culvert("run");
    environment.remove("CULVERT_DATA");
    assertThat(unwritable.exit).isEqualTo(5);
    assertThat(unwritable.text).contains("/proc/culvert", "set CULVERT_DATA").hasLineCount(1);
  }

  @Test
  void aJarThatIsGoneAndWhatNeedsItAreNamedAndTheRestGoesOn() throws Exception {
    Path gone;
    try (var files = Files.list(home.resolve("system"))) {
      gone = files.filter(f -> f.toString().contains("netty-transport-4")).findFirst().get();
    }
    Files.delete(gone);
    assertThat(culvert("start").exit).isZero();

    assertThat(Files.readString(home.resolve("data/log/culvert.log")))
        .contains("Bundle " + gone + " can't be installed")
        .containsPattern(
            "Bundle io.netty.codec [^ ]* doesn't start: nothing provides package io.net");
    assertThat(culvert("status").exit).isZero();
  }

  @Test
  void theUnitIsOneThatSystemdTakes() throws Exception {
    Path unit = home.resolve("lib/systemd/system/culvert.service");
    String text = Files.readString(unit);
    assertThat(text).contains("User=culvert", "StateDirectory=culvert", "Restart=on-failure");
    if (Files.exists(Path.of("/usr/bin/systemd-analyze"))) {
      // Where it will be installed there is nothing here.
      Files.writeString(unit, text.replace("/opt/culvert", home.toString()));
      Said said = run("systemd-analyze", "verify", unit.toString());
      assertThat(said.text.lines().filter(line -> line.contains("culvert.service"))).isEmpty();
    }
  }

  private Said culvert(String... words) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(List.of(home.resolve("bin/culvert").toString()));
    line.addAll(List.of(words));
    return run(line.toArray(String[]::new));
  }

  private Said run(String... line) throws IOException, InterruptedException {
    Path output = Files.createTempFile(folder, "said", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(output.toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      assertThat(process.waitFor(120, TimeUnit.SECONDS)).as(String.join(" ", line)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    return new Said(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
  }
}
