package io.culvert.plugins.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.service.Plugins.Process;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Continuous;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Historical;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.SerialLine;
import io.culvert.api.southbound.SerialLines;
import io.culvert.api.southbound.Subscribable;
import io.culvert.api.southbound.Writable;
import io.culvert.plugins.hosting.fixture.Odd;
import io.culvert.plugins.hosting.fixture.Stillborn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;

/** What a driver does, it does in a process of its own as in the gateway's. */
@Timeout(300)
class HostedTest {
  @TempDir Path folder;
  private House house;
  private Bundle shadow;

  @BeforeEach
  void start() throws Exception {
    house = new House(folder);
    shadow =
        house.host(
            PluginJar.of(Odd.class)
                .header("Culvert-Schemes", "Odd;since=1, odder, oddest")
                .in(folder));
  }

  @AfterEach
  void stop() throws Exception {
    house.close();
  }

  @Test
  void itsDriverIsAServiceOfItsShadowAndRunsElsewhere() throws Exception {
    Driver driver = house.driver("odd");
    assertThat(shadow.getRegisteredServices()).hasSize(1);
    assertThat(shadow.getVersion().toString()).isEqualTo("1.2.3");
    assertThat(house.driver("odder")).isSameAs(driver);
    assertThat(shadow.getRegisteredServices()[0].getProperty(Driver.MATCHER))
        .isEqualTo(new String[] {"odd: frame=end end=0a"});
    assertThat(house.pid()).isNotEqualTo(ProcessHandle.current().pid());
    assertThat(house.hosts.trouble("com.example.odd")).isEmpty();
  }

  @Test
  void capitalsMakeNoDifferenceInItsSchemesNorDoParameters() throws Exception {
    assertThat(shadow.getRegisteredServices()[0].getProperty(Driver.SCHEME))
        .isEqualTo(new String[] {"ODDEST", "odd", "odder"});
  }

  @Test
  void aSchemeThatItsManifestDoesNotNameStaysOut() throws Exception {
    assertThat(house.driver("stolen")).isNull();
    house.awaitLog("but Culvert-Schemes of its manifest names [odd, odder, oddest] only");
  }

  @Test
  void checksNamesLanesAndReads() throws Exception {
    Driver driver = house.driver("odd");
    assertThat(driver.validate(House.device("a"), List.of(House.point("x")))).isEmpty();
    assertThat(driver.validate(House.device("a"), List.of(House.point(""))))
        .containsExactly(new Problem("points.p.address", "nothing", "something"));
    assertThat(driver.lane(House.device("a:1"))).isEqualTo("odd:a:1");
    assertThat(driver.warnings()).containsExactly("Odd wears out.");
    Connection connection = house.open("reader", new Heard());
    Readable.Plan plan =
        ((Readable) connection).prepare(List.of(House.point("x"), House.point("bad")));
    for (int cycle = 0; cycle < 3; cycle++) {
      assertThat(House.get(plan.read()))
          .containsExactly(Sample.good("p", Value.of("x")), Sample.bad("p", Quality.BAD_NOT_FOUND));
    }
  }

  @Test
  void aConnectionCanWhatThePluginsOwnCan() throws Exception {
    assertThat(house.open("reader", new Heard()))
        .isInstanceOf(Readable.class)
        .isNotInstanceOfAny(Writable.class, Subscribable.class, Browsable.class, Diagnosed.class);
    assertThat(house.open("writer", new Heard()))
        .isInstanceOf(Readable.class)
        .isInstanceOf(Writable.class)
        .isNotInstanceOfAny(Subscribable.class, Browsable.class, Diagnosed.class);
    assertThat(house.open("all", new Heard()))
        .isInstanceOf(Readable.class)
        .isInstanceOf(Writable.class)
        .isInstanceOf(Subscribable.class)
        .isInstanceOf(Browsable.class)
        .isInstanceOf(Diagnosed.class)
        .isNotInstanceOfAny(Continuous.class, Historical.class);
    assertThat(house.open("remembers", new Heard()))
        .isInstanceOf(Continuous.class)
        .isInstanceOf(Historical.class);
  }

  @Test
  void whatADeviceKeptComesAsTheDriverTellsIt() throws Exception {
    Connection connection = house.open("remembers", new Heard());
    Continuous kept = (Continuous) connection;
    assertThat(kept.completeSince()).isNull();
    House.get(kept.subscribe(List.of(House.point("2026-11-29T10:00:00.000000001Z"))));
    assertThat(kept.completeSince()).isEqualTo(Instant.parse("2026-11-29T10:00:00.000000001Z"));
    House.get(kept.subscribe(List.of(House.point("fresh"))));
    assertThat(kept.completeSince()).isNull();
    assertThatThrownBy(() -> House.get(kept.subscribe(List.of(House.point("forgotten")))))
        .hasMessageContaining("forgotten");

    Historical historical = (Historical) connection;
    Instant from = Instant.parse("2026-11-29T09:00:00.5Z");
    Instant to = from.plusSeconds(60);
    List<Point> points = List.of(House.point("x"));
    Historical.Page first = House.get(historical.history(points, from, to, ""));
    assertThat(first)
        .isEqualTo(
            new Historical.Page(
                List.of(new Sample("p", Value.of(1), Quality.GOOD, from)),
                Set.of("q"),
                "the rest"));
    assertThat(House.get(historical.history(points, from, to, first.next())).samples())
        .containsExactly(new Sample("p", Value.of(2), Quality.GOOD, to));
    assertThatThrownBy(() -> House.get(historical.history(points, from, to, "x")))
        .hasCauseInstanceOf(IOException.class)
        .hasMessageContaining("no page x");
  }

  @Test
  void secretsAndHomeAreTheGateways() throws Exception {
    assertThat(house.read("home").get(0).value())
        .isEqualTo(Value.of(Path.of("home").toAbsolutePath().toString()));
    Heard heard = new Heard();
    Subscribable connection = (Subscribable) house.open("all", heard);
    House.get(connection.subscribe(List.of(House.point("plc"))));
    await().untilAsserted(() -> assertThat(heard.values).hasSize(2));
    house.secrets = name -> name.equals("plc") ? Optional.of("geheim") : Optional.empty();
    for (String name : List.of("nobody", "plc")) {
      int before = heard.values.size();
      House.get(connection.subscribe(List.of(House.point(name))));
      await().untilAsserted(() -> assertThat(heard.values).hasSize(before + 2));
    }
    assertThat(heard.values)
        .containsExactly(
            Value.of("asks"),
            Value.of("none"),
            Value.of("asks"),
            Value.of("none"),
            Value.of("asks"),
            Value.of("geheim"));
    assertThat(house.log).noneMatch(line -> line.contains("geheim"));
  }

  /** However often it is told, it is joined before it takes the wire. */
  @Test
  void whatIsMissingIsToldWholeAndJoined() throws Exception {
    Heard heard = new Heard();
    Subscribable connection = (Subscribable) house.open("all", heard);
    House.get(connection.subscribe(List.of(House.point("missing"))));
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () -> {
              assertThat(heard.missing.stream().filter(m -> m.startsWith("a ")))
                  .containsExactly("a 1970-01-01T00:00:00Z 1970-01-01T00:00:01Z 3 too short");
              assertThat(
                      heard.missing.stream()
                          .filter(m -> m.startsWith("b "))
                          .mapToLong(m -> Long.parseLong(m.split(" ")[3]))
                          .sum())
                  .isEqualTo(100_000);
            });
    assertThat(heard.missing).hasSizeLessThan(50_000);
    assertThat(House.get(((Readable) connection).prepare(List.of(House.point("x"))).read()))
        .hasSize(1);
  }

  @Test
  void whatFailsThereFailsHere() throws Exception {
    assertThatThrownBy(() -> house.open("absent", new Heard()))
        .hasCauseInstanceOf(IOException.class)
        .hasMessageContaining("nobody is there");
    assertThatThrownBy(() -> house.open("throws", new Heard()))
        .hasMessageContaining("IllegalArgumentException: such a device can't be");
    assertThatThrownBy(() -> house.open("null", new Heard()))
        .hasMessageContaining("the driver opened null");
    assertThatThrownBy(() -> house.read("fails"))
        .hasCauseInstanceOf(IOException.class)
        .hasMessageContaining("the link is lost");
    assertThatThrownBy(() -> house.read("throws"))
        .hasMessageContaining("IllegalStateException: thrown");
    assertThatThrownBy(() -> house.read("unpreparable"))
        .hasMessageContaining("it can't be prepared");
    assertThat(house.read("x")).hasSize(1);
  }

  @Test
  void aCancelledReadingLeavesTheConnectionUsable() throws Exception {
    Readable connection = (Readable) house.open("reader", new Heard());
    CompletionStage<?> never = connection.prepare(List.of(House.point("never"))).read();
    never.toCompletableFuture().cancel(true);
    assertThat(House.get(connection.prepare(List.of(House.point("x"))).read())).hasSize(1);
    CompletableFuture<Connection> opening =
        house.driver("odd").open(House.device("never"), new Heard()).toCompletableFuture();
    opening.cancel(true);
    assertThat(house.read("x")).hasSize(1);
  }

  @Test
  void closingEndsWhatIsPending() throws Exception {
    Readable connection = (Readable) house.open("reader", new Heard());
    Readable.Plan plan = connection.prepare(List.of(House.point("never")));
    CompletionStage<?> pending = plan.read();
    connection.close();
    connection.close();
    assertThatThrownBy(() -> House.get(pending)).hasMessageContaining("closed");
    assertThatThrownBy(() -> House.get(plan.read())).hasMessageContaining("closed");
  }

  @Test
  void morePlansThanAreKeptAreSentAgain() throws Exception {
    Readable connection = (Readable) house.open("reader", new Heard());
    Readable.Plan first = connection.prepare(List.of(House.point("first")));
    for (int i = 0; i < 200; i++) {
      connection.prepare(List.of(House.point("x")));
    }
    assertThat(House.get(first.read())).containsExactly(Sample.good("p", Value.of("first")));
  }

  @Test
  void writesAndBrowses() throws Exception {
    Connection connection = house.open("all", new Heard());
    Writable writable = (Writable) connection;
    assertThat(House.get(writable.write(House.point("x"), Value.of(1L)))).isEqualTo(Quality.GOOD);
    assertThat(House.get(writable.write(House.point("x"), Value.of(13L))))
        .isEqualTo(Quality.BAD_OUT_OF_RANGE);
    assertThat(House.get(((Browsable) connection).browse("n", 2)))
        .containsExactly(
            new Browsable.Found("n0", "Node 0", Map.of("type", "odd")),
            new Browsable.Found("n1", "Node 1", Map.of("type", "odd")));
  }

  @Test
  void theSinksAnswerComesBackAndALostLinkIsTold() throws Exception {
    Heard heard = new Heard();
    heard.answer = new CompletableFuture<>();
    Subscribable connection = (Subscribable) house.open("all", heard);
    House.get(connection.subscribe(List.of(House.point("news"))));
    await().until(() -> heard.values.contains(Value.of("news")));
    assertThat(heard.values).hasSize(1);
    CompletableFuture<Void> held = heard.answer;
    heard.answer = CompletableFuture.completedFuture(null);
    held.completeExceptionally(new IOException("the disk is full"));
    await().until(() -> heard.values.contains(Value.of("refused: the disk is full")));
    House.get(connection.subscribe(List.of(House.point("news"))));
    await().until(() -> heard.values.contains(Value.of("accepted")));
    House.get(connection.subscribe(List.of(House.point("lost"))));
    await().until(() -> heard.lost.contains("it hung up"));
  }

  @Test
  void whileTheSinkHoldsBackNoMoreThanTheBoundIsHandedOver() throws Exception {
    Heard heard = new Heard();
    heard.answer = new CompletableFuture<>();
    Subscribable connection = (Subscribable) house.open("all", heard);
    House.get(connection.subscribe(List.of(House.point("flood"))));
    house.awaitLog((2000 - AgentConnection.HANDOVERS) + " of 2000 refused");
    await().until(() -> heard.values.size() == AgentConnection.HANDOVERS);
    assertThat(house.read("x")).hasSize(1);
  }

  @Test
  void figuresComeWithEachAnswer() throws Exception {
    Connection connection = house.open("all", new Heard());
    Readable.Plan plan = ((Readable) connection).prepare(List.of(House.point("x")));
    for (long reads = 1; reads <= 3; reads++) {
      House.get(plan.read());
      assertThat(((Diagnosed) connection).facts())
          .isEqualTo(
              new Diagnosed.Facts(reads, reads, 0, 0, 0, reads * 1000, Map.of("odd", reads)));
      assertThat(((Diagnosed) connection).line())
          .isEqualTo(new Diagnosed.LineFacts(1, 2, 3, 4, reads));
    }
  }

  @Test
  void aSerialLineIsTheGateways() throws Exception {
    Heard heard = new Heard();
    Subscribable connection = (Subscribable) house.open("all", heard);
    House.get(connection.subscribe(List.of(House.point("serial"))));
    await().until(() -> heard.values.contains(Value.of("this gateway has no serial lines")));
    OddLine line = new OddLine();
    house.lines = line;
    House.get(connection.subscribe(List.of(House.point("serial"))));
    await().until(() -> heard.values.contains(Value.of(4711L)));
    assertThat(line.joined).isEqualTo("/dev/odd");
    assertThat(line.settings.parity()).isEqualTo(SerialLines.Parity.EVEN);
    assertThat(line.sent).containsExactly(1, 2, 3);
    line.listener.received(new byte[] {9, 8}, 5);
    await().until(() -> heard.values.contains(new Value.Bytes(new byte[] {9, 8})));
    line.listener.lost(new IOException("unplugged"));
    await().until(() -> heard.lost.contains("unplugged"));
    ((Connection) connection).close();
    await().until(() -> line.closed);
  }

  private static final class OddLine implements SerialLines, SerialLine {
    volatile String joined;
    volatile Settings settings;
    volatile Listener listener;
    volatile byte[] sent;
    volatile boolean closed;

    @Override
    public SerialLine join(String device, Settings settings, Listener listener) {
      this.joined = device;
      this.settings = settings;
      this.listener = listener;
      return this;
    }

    @Override
    public CompletionStage<Void> open() {
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<Long> send(byte[] bytes) {
      sent = bytes;
      return CompletableFuture.completedFuture(4711L);
    }

    @Override
    public long collisions() {
      return 0;
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  @Test
  void itsMessagesAreInTheGatewaysLog() {
    house.awaitLog("INFO io.culvert.plugins.hosting.fixture.Odd: Odd is here");
  }

  @Test
  void itSeesNothingOfTheGatewaysEnvironment() throws Exception {
    assertThat(System.getenv()).hasSizeGreaterThan(7);
    String names = ((Value.Text) house.read("secret").get(0).value()).value();
    assertThat(names.split(","))
        .isSubsetOf("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "MALLOC_ARENA_MAX");
  }

  @Test
  void stoppedItIsGoneWithItsDriverAndItsSocket() throws Exception {
    long pid = house.pid();
    house.hosts.stop("com.example.odd");
    assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
    assertThat(house.driver("odd")).isNull();
    assertThat(house.hosts.hosts("com.example.odd")).isFalse();
    try (var files = Files.list(folder.resolve("data/run"))) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void whatDoesNotStartThereIsRefusedWithItsReason() throws Exception {
    Path other = Files.createDirectory(folder.resolve("other"));
    assertThatThrownBy(
            () ->
                house.host(
                    PluginJar.of(Stillborn.class)
                        .header("Bundle-SymbolicName", "com.example.stillborn")
                        .in(other)))
        .isInstanceOf(BundleException.class)
        .hasMessageContaining("its process doesn't start")
        .hasMessageContaining("no licence found");
    assertThatThrownBy(
            () ->
                house.host(
                    PluginJar.of(Odd.class)
                        .header("Bundle-SymbolicName", "com.example.newer")
                        .header("Import-Package", "io.culvert.api;version=\"[9.0,10)\"")
                        .in(other)))
        .isInstanceOf(BundleException.class)
        .hasMessageContaining(
            "nothing in this gateway provides package io.culvert.api [9.0.0,10.0.0)");
    assertThat(house.hosts.processes())
        .extracting(Process::symbolicName)
        .containsExactly("com.example.odd");
    assertThat(house.read("x")).hasSize(1);
  }

  @Test
  void aPathTooLongForASocketIsNoHindrance() throws Exception {
    Path deep = Files.createDirectories(folder.resolve("d".repeat(60)).resolve("e".repeat(60)));
    try (House other = new House(deep)) {
      other.host(PluginJar.of(Odd.class).in(deep));
      assertThat(other.read("x")).hasSize(1);
    }
  }

  @Test
  void itsCostIsKnown() throws Exception {
    house.read("x");
    assertThat(house.hosts.processes())
        .singleElement()
        .satisfies(
            process -> {
              assertThat(process.memory()).isBetween(10L << 20, 256L << 20);
              assertThat(process.cpu()).isPositive();
              assertThat(process.ends()).isZero();
              assertThat(process.pid()).isEqualTo(house.pid());
            });
  }

  @Test
  void aPendingReadingFailsWhenTheProcessEnds() throws Exception {
    Heard heard = new Heard();
    Readable connection = (Readable) house.open("reader", heard);
    CompletionStage<?> pending = connection.prepare(List.of(House.point("never"))).read();
    ProcessHandle.of(house.pid()).orElseThrow().destroyForcibly();
    assertThatThrownBy(() -> pending.toCompletableFuture().get(60, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class);
    await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () ->
                heard.lost.contains(
                    "the process of plug-in com.example.odd was killed from outside (signal 9)"));
  }
}
