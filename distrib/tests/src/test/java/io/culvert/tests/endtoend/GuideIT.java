package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The guide for a plug-in, followed as it stands, from nothing to a live reading. */
class GuideIT {
  private static final Path ROOT = Path.of("../..").toAbsolutePath().normalize();
  private static final Path GUIDE = ROOT.resolve("docs/guides/device-bundle.md");

  /** What the guide promises. */
  private static final Duration LIMIT = Duration.ofMinutes(10);

  @TempDir Path folder;

  private final List<ProcessHandle> begun = new ArrayList<>();

  @Test
  void itsStepsLeadFromNothingToALiveReadingInTenMinutes() throws Exception {
    String guide = Files.readString(GUIDE);
    // The guide's controller listens there, and no step is altered for the test.
    assertThatCode(() -> new ServerSocket(4700, 1, InetAddress.getLoopbackAddress()).close())
        .as("port 4700 of this machine is free")
        .doesNotThrowAnyException();
    Files.copy(archive(), folder.resolve(archive().getFileName()));
    publish("pom.xml", "culvert", "");
    publish("bundles/api/pom.xml", "culvert-api", "bundles/api/target");
    publish("devices/testkit/pom.xml", "culvert-testkit", "devices/testkit/target");
    publish("devices/archetype/pom.xml", "culvert-archetype", "devices/archetype/target");

    Output output = follow(blocks(guide, "sh"));

    assertThat(output.of("sh try"))
        .containsPattern("power +[0-9.]+ +W +Good")
        .containsPattern("burning +true +Good");
    assertThat(output.of("shell write lamp-1 dimming 30"))
        .contains("the device shows 30")
        .contains("1 of 1 device online")
        .contains("com.example.lamp 1.0.0");
    assertThat(output.of("plugin pack"))
        .contains("certificate: vendor.pem")
        .contains("plug-in com.example.pumps 1.0.0 with [example-p20]");
    assertThat(output.of("plugin check"))
        .contains("signed by: example")
        .contains("this gateway takes it");
    assertThat(output.of("culvert record")).contains("3 s were wished");
    assertThat(folder.resolve("lamp-1.jsonl"))
        .content()
        .contains("\"scheme\":\"lamp\"")
        .contains("\"matcher\":\"frame=length begin=A5")
        .contains("\"to\":\"device\",\"hex\":\"a503");
    assertThat(output.of("plugin sign"))
        .contains("signed: lamp/target/lamp-1.0.0.jar by CN=Example Ltd,C=DE");
    assertThat(folder.resolve("lamp/controller.log")).content().contains("dimmed to 30 %");
    whatItShowsIsWhatIsGenerated(guide);
    System.out.println("The guide's steps:\n" + output.times());
  }

  /** Ends what the guide's last step didn't come to. */
  @AfterEach
  void nothingOfItRunsOn() throws IOException {
    begun.forEach(process -> process.descendants().forEach(ProcessHandle::destroyForcibly));
    begun.forEach(ProcessHandle::destroyForcibly);
    Path pid = folder.resolve("culvert/data/run/culvert.pid");
    if (Files.exists(pid)) {
      ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()))
          .ifPresent(ProcessHandle::destroyForcibly);
    }
  }

  private void whatItShowsIsWhatIsGenerated(String guide) throws IOException {
    StringBuilder generated = new StringBuilder();
    try (Stream<Path> files = Files.walk(folder.resolve("lamp/src"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        generated.append(Files.readString(file));
      }
    }
    List<String> shown = new ArrayList<>(blocks(guide, "java"));
    shown.addAll(blocks(guide, "yaml"));
    assertThat(shown).isNotEmpty().allSatisfy(each -> assertThat(generated).contains(each));
  }

  private static List<String> blocks(String guide, String language) {
    return Pattern.compile("^```" + language + "\n(.*?)^```$", Pattern.DOTALL | Pattern.MULTILINE)
        .matcher(guide)
        .results()
        .map(block -> block.group(1))
        .toList();
  }

  /** What each block printed, and when it ended. */
  private record Output(List<String> blocks, List<String> printed, List<Duration> ended) {
    String of(String command) {
      for (int i = 0; i < blocks.size(); i++) {
        if (blocks.get(i).contains(command)) {
          return printed.get(i);
        }
      }
      throw new AssertionError("The guide has no command " + command);
    }

    String times() {
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < blocks.size(); i++) {
        text.append("%6.1f s  %s%n".formatted(ended.get(i).toMillis() / 1000.0, first(i)));
      }
      return text.toString();
    }

    private String first(int i) {
      return blocks.get(i).lines().findFirst().orElseThrow();
    }
  }

  /** Runs the blocks in one shell, as a person pastes them, each after the other. */
  private Output follow(List<String> blocks) throws Exception {
    StringBuilder script = new StringBuilder("set -e\n");
    for (String block : blocks) {
      script.append(block).append("echo \"=== ended $(date +%s%3N)\"\n");
    }
    Path file = Files.writeString(folder.resolve("steps.sh"), script);
    Path printed = folder.resolve("steps.txt");
    ProcessBuilder shell =
        new ProcessBuilder("sh", file.toString())
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(printed.toFile());
    shell.environment().put("PATH", path());
    shell.environment().put("JAVA_HOME", System.getProperty("java.home"));
    // What a person is asked for.
    shell.environment().put("CULVERT_KEY_PASSWORD", "of the guide");
    shell.environment().remove("CULVERT_DATA");
    long start = System.currentTimeMillis();
    Process process = shell.start();
    begun.add(process.toHandle());
    process.getOutputStream().close();
    boolean ended = process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS);
    String text = Files.readString(printed);
    assertThat(ended).as("within " + LIMIT + "; so far:\n" + text).isTrue();
    assertThat(process.exitValue()).as(text).isZero();
    List<String> parts = new ArrayList<>();
    List<Duration> times = new ArrayList<>();
    Matcher end = Pattern.compile("=== ended ([0-9]+)\n").matcher(text);
    int from = 0;
    while (end.find()) {
      parts.add(text.substring(from, end.start()));
      times.add(Duration.ofMillis(Long.parseLong(end.group(1)) - start));
      from = end.end();
    }
    assertThat(parts).hasSameSizeAs(blocks);
    return new Output(blocks, parts, times);
  }

  /**
   * This build's Java and Maven first. Nothing goes into anybody's own repository: that one is only
   * read.
   */
  private String path() throws IOException {
    Path bin = Files.createDirectories(folder.resolve("bin"));
    Path mvn =
        Files.writeString(
            bin.resolve("mvn"),
            "#!/bin/sh\nexec '%s/bin/mvn' -Dmaven.repo.local='%s' -Dmaven.repo.local.tail='%s' \"$@\"\n"
                .formatted(
                    System.getProperty("maven.home"),
                    repository(),
                    System.getProperty("maven.repository")));
    assertThat(mvn.toFile().setExecutable(true)).isTrue();
    return bin
        + File.pathSeparator
        + Path.of(System.getProperty("java.home"), "bin")
        + File.pathSeparator
        + System.getenv("PATH");
  }

  private Path repository() {
    return folder.resolve("repository");
  }

  /** Puts what the reactor has made where Maven finds what was installed. */
  private void publish(String pom, String artifact, String target) throws IOException {
    String version = version();
    Path place =
        Files.createDirectories(
            repository().resolve("io/culvert").resolve(artifact).resolve(version));
    Files.copy(ROOT.resolve(pom), place.resolve(artifact + "-" + version + ".pom"));
    if (!target.isEmpty()) {
      String jar = artifact + "-" + version + ".jar";
      Files.copy(ROOT.resolve(target).resolve(jar), place.resolve(jar));
    }
  }

  private static String version() throws IOException {
    return archive().getFileName().toString().replaceAll("^culvert-|\\.tar\\.gz$", "");
  }

  private static Path archive() throws IOException {
    try (Stream<Path> files = Files.list(ROOT.resolve("distrib/archive/target"))) {
      return files
          .filter(file -> file.toString().endsWith(".tar.gz"))
          .findFirst()
          .orElseThrow(() -> new IOException("No archive in distrib/archive/target"));
    }
  }
}
