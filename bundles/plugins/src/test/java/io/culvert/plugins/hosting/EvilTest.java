package io.culvert.plugins.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Readable;
import io.culvert.plugins.hosting.fixture.Odd;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.osgi.framework.ServiceEvent;

/**
 * What one JVM can't contain, in a process of its own: it ends or is ended, that is said, it is
 * started again, and nobody beside it notices.
 */
@Timeout(600)
class EvilTest {
  private static final String NAME = "com.example.odd";
  private static final Duration PATIENCE = Duration.ofSeconds(120);

  @TempDir Path folder;
  private House house;
  private long neighbour;

  @BeforeEach
  void start() throws Exception {
    house = new House(folder);
    house.host(PluginJar.of(Odd.class).in(folder));
    Path other = Files.createDirectory(folder.resolve("other"));
    house.host(
        PluginJar.of(Odd.class)
            .header("Bundle-SymbolicName", "com.example.neighbour")
            .header("Culvert-Schemes", "stolen")
            .in(other));
    neighbour = neighbour();
  }

  @AfterEach
  void stop() throws Exception {
    try {
      assertThat(neighbour()).as("its neighbour's process").isEqualTo(neighbour);
      assertThat(house.hosts.trouble("com.example.neighbour")).isEmpty();
    } finally {
      house.close();
    }
  }

  private long neighbour() throws Exception {
    Driver driver = house.driver("stolen");
    Readable connection = (Readable) House.get(driver.open(House.device("reader"), new Heard()));
    return (long)
        House.get(connection.prepare(List.of(House.point("pid"))).read()).get(0).value().number();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "exit   | ended by itself (exit 3, as by System.exit)",
        "halt   | ended by itself (exit 4, as by System.exit)",
        "heap   | ran out of memory (Java heap space; hostedMemory allows it 64 MiB)",
        "threads | 'had '",
        "crash  | crashed in native code (SIGSEGV)",
        "spin   | was ended because read of d-1 hadn't returned for",
        "spins  | was ended because read of d-1 hadn't returned for",
      })
  void itEndsOrIsEndedAndIsStartedAgain(String evil, String why) throws Exception {
    long before = house.pid();
    Driver driver = house.driver("odd");
    Heard heard = new Heard();
    Readable connection = (Readable) house.open("reader", heard);
    CompletableFuture<?> reading =
        connection.prepare(List.of(House.point(evil))).read().toCompletableFuture();
    assertThatThrownBy(() -> reading.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(IOException.class);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(heard.lost)
                    .singleElement()
                    .asString()
                    .startsWith("the process of plug-in " + NAME + " " + why));
    house.awaitAnswer();
    assertThat(house.pid()).isNotEqualTo(before);
    assertThat(ProcessHandle.of(before).filter(ProcessHandle::isAlive)).isEmpty();
    assertThat(house.driver("odd")).as("the service stays").isSameAs(driver);
    assertThat(house.hosts.trouble(NAME))
        .startsWith("its process " + why)
        .endsWith(" ago; it runs again");
    house.awaitLog("ERROR Hosted plug-in " + NAME + ": its process " + why);
  }

  @Test
  void killedFromOutsideItComesBackAndPausesGrow() throws Exception {
    List<Long> pids = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      house.awaitAnswer();
      long pid = house.pid();
      assertThat(pids).doesNotContain(pid);
      pids.add(pid);
      ProcessHandle.of(pid).orElseThrow().destroyForcibly();
      house.awaitLog(i == 0 ? "(signal 9); it" : "(signal 9) (" + (i + 1) + " times in ");
    }
    house.awaitAnswer();
    assertThat(house.hosts.processes())
        .filteredOn(p -> p.symbolicName().equals(NAME))
        .singleElement()
        .satisfies(p -> assertThat(p.ends()).isEqualTo(4));
  }

  @Test
  void frozenItIsEndedForItsSilence() throws Exception {
    // Impatient, unlike the others: nothing else has to answer here.
    Limits impatient =
        new Limits(
            House.LIMITS.start(),
            House.LIMITS.beat(),
            Duration.ofSeconds(6),
            House.LIMITS.stuck(),
            Duration.ofMillis(300),
            House.LIMITS.pause(),
            House.LIMITS.longestPause(),
            House.LIMITS.good(),
            House.LIMITS.farewell());
    Path own = Files.createDirectory(folder.resolve("own"));
    try (House other = new House(own, impatient, House.kit())) {
      other.host(PluginJar.of(Odd.class).in(own));
      List<ServiceEvent> events = new CopyOnWriteArrayList<>();
      long pid = other.pid();
      other.framework.getBundleContext().addServiceListener(events::add, "(scheme=odd)");
      freeze(pid);
      assertThat(other.driver("odd").validate(House.device("a"), List.of()))
          .singleElement()
          .asString()
          .contains("an answer of plug-in com.example.odd", "process doesn't answer");
      other.awaitLog("its process hadn't answered for 6 s and was ended");
      other.awaitAnswer();
      await()
          .atMost(PATIENCE)
          .until(() -> other.driver("odd").validate(House.device("a"), List.of()).isEmpty());
      // Who asked meanwhile is told to ask again.
      await()
          .atMost(PATIENCE)
          .until(() -> events.stream().anyMatch(e -> e.getType() == ServiceEvent.MODIFIED));
    }
  }

  /** Stops a process in its tracks: one thread after the other, until then it may still answer. */
  private static void freeze(long pid) throws Exception {
    new ProcessBuilder("kill", "-STOP", Long.toString(pid)).start().waitFor();
    await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(10))
        .until(
            () -> {
              try (Stream<Path> threads = Files.list(Path.of("/proc/" + pid + "/task"))) {
                for (Path thread : threads.toList()) {
                  String state = Files.readString(thread.resolve("stat"));
                  if (!state.startsWith("T", state.lastIndexOf(')') + 2)) {
                    return false;
                  }
                }
                return true;
              }
            });
  }

  @Test
  void whileItIsAwayCallsFailAndSayWhy() throws Exception {
    Limits slow =
        new Limits(
            House.LIMITS.start(),
            House.LIMITS.beat(),
            House.LIMITS.silence(),
            House.LIMITS.stuck(),
            House.LIMITS.answer(),
            Duration.ofMinutes(5),
            Duration.ofMinutes(5),
            House.LIMITS.good(),
            House.LIMITS.farewell());
    Path own = Files.createDirectory(folder.resolve("own"));
    try (House other = new House(own, slow, House.kit())) {
      other.host(PluginJar.of(Odd.class).in(own));
      ProcessHandle.of(other.pid()).orElseThrow().destroyForcibly();
      other.awaitLog("; it is started again in 5 min");
      assertThat(other.hosts.trouble(NAME))
          .isEqualTo(
              "its process was killed from outside (signal 9); it is started again in 5 min");
      assertThatThrownBy(() -> other.read("x"))
          .hasMessageContaining(
              "plug-in com.example.odd isn't there: its process was killed from outside");
      other.hosts.stop(NAME);
      assertThat(other.driver("odd")).isNull();
    }
  }

  /** Stands for the gateway; killed by the test. */
  public static final class Host {
    public static void main(String[] arguments) throws Exception {
      House house = new House(Path.of(arguments[0]));
      house.host(Path.of(arguments[1]));
      System.out.println(house.pid());
      // Under load, as it would be.
      ((Readable) house.open("reader", new Heard()))
          .prepare(List.of(House.point(arguments[2])))
          .read();
      Thread.currentThread().join();
    }
  }

  @ParameterizedTest
  @CsvSource({"x", "spin"})
  void theGatewayKilledLeavesNoOrphan(String address) throws Exception {
    Path own = Files.createDirectory(folder.resolve("own"));
    Process gateway =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Host.class.getName(),
                own.toString(),
                PluginJar.of(Odd.class).in(own).toString(),
                address)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (var out = gateway.inputReader()) {
      long pid = Long.parseLong(out.readLine());
      ProcessHandle hosted = ProcessHandle.of(pid).orElseThrow();
      assertThat(hosted.isAlive()).isTrue();
      gateway.destroyForcibly().waitFor();
      await().atMost(PATIENCE).until(() -> !hosted.isAlive());
    } finally {
      gateway.descendants().forEach(ProcessHandle::destroyForcibly);
      gateway.destroyForcibly();
    }
  }

  @Test
  void itsFilesLieInItsFolderAndACrashLeavesOneReport() throws Exception {
    for (int i = 0; i < 2; i++) {
      CompletableFuture<?> reading =
          ((Readable) house.open("reader", new Heard()))
              .prepare(List.of(House.point("crash")))
              .read()
              .toCompletableFuture();
      assertThatThrownBy(() -> reading.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class);
      house.awaitAnswer();
    }
    Path storage = folder.resolve("data/cache/hosted").resolve(NAME);
    try (Stream<Path> files = Files.list(storage)) {
      assertThat(files.map(Path::toFile).map(File::getName))
          .containsExactlyInAnyOrder("framework", "tmp", "crash.log");
    }
  }
}
