package io.culvert.core.run;

import static io.culvert.core.run.Rig.SECOND;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Device;
import io.culvert.api.Problem;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import io.culvert.api.service.Monitor.State;
import io.culvert.api.service.Recorder.Closing;
import io.culvert.api.service.Recorder.Recording;
import io.culvert.api.service.Recorder.Tape;
import io.culvert.api.southbound.SerialTaps;
import io.culvert.core.model.Site;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A recording begins and ends between two exchanges, and nobody else notices. */
@Timeout(120)
class RecordingsTest {
  private static final Duration HALF = Duration.ofMillis(500);

  private final Rig rig = new Rig();
  private final List<String> told = new CopyOnWriteArrayList<>();
  private final Tape tape = new Ear();
  private ServerSocket device;

  /** Keeps what it is told, as words. */
  private final class Ear implements Tape {
    @Override
    public void opened(int connection, long nanos) {
      told.add("opened " + connection);
    }

    @Override
    public void passed(int connection, boolean toDevice, byte[] bytes, long nanos) {
      told.add((toDevice ? "to device " : "to gateway ") + new String(bytes));
    }

    @Override
    public void closed(int connection, Closing how, boolean byDevice, long nanos) {
      told.add(how + " " + (byDevice ? "by device" : "by gateway"));
    }

    @Override
    public void ended(String why, long nanos) {
      told.add("ended: " + why);
    }
  }

  @BeforeEach
  void listen() throws IOException {
    device = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.1"));
    rig.engine.matcher("fake", "frame=silence");
  }

  @AfterEach
  void close() throws IOException {
    rig.engine.close();
    device.close();
  }

  private URI endpoint() {
    return URI.create("fake://127.0.0.1:" + device.getLocalPort() + "/x?unit=3&token=abc#f");
  }

  private void plug(String id, URI endpoint, Map<String, String> settings) {
    rig.device(
        new Site.Entry(
            new Device(id, "plain", endpoint, settings),
            Rig.profile("plain", 2),
            SECOND,
            Duration.ofSeconds(2),
            ""));
    rig.apply();
  }

  private CompletableFuture<Recording> record(String id) {
    return rig.engine.recorder().record(id, tape).toCompletableFuture();
  }

  private Recording recording(String id) {
    CompletableFuture<Recording> begun = record(id);
    rig.settle();
    assertThat(begun).isCompleted();
    return begun.join();
  }

  private String refusal(String id) {
    CompletableFuture<Recording> begun = record(id);
    rig.settle();
    assertThat(begun).isCompletedExceptionally();
    return begun.handle((recording, failure) -> failure.getMessage()).join();
  }

  @Test
  void itBeginsAndEndsBetweenTwoExchangesAndNoPollIsLost() {
    rig.plug();
    plug("a", endpoint(), Map.of());
    rig.driver.reads.put("a", points -> rig.driver.after(HALF, rig.driver.samples("a", points)));
    rig.seconds(3);
    // Polls begin somewhere in the second and last half of one.
    while (rig.driver.log.get(rig.driver.log.size() - 1).startsWith("open")
        || Duration.ofNanos(rig.elapsed().minus(last()).toNanos()).compareTo(HALF) >= 0) {
      rig.advance(Duration.ofMillis(100));
    }
    CompletableFuture<Recording> begun = record("a");
    rig.settle();
    assertThat(begun).describedAs("while an exchange is under way").isNotDone();
    rig.advance(HALF);
    assertThat(begun).isCompleted();
    rig.seconds(5);

    List<URI> ways = rig.driver.endpoints.get("a");
    assertThat(ways).hasSize(2);
    assertThat(ways.get(1).toString())
        .matches("fake://127\\.0\\.0\\.1:[0-9]+/x\\?unit=3&token=abc#f")
        .isNotEqualTo(endpoint().toString());
    begun.join().end("enough");
    rig.seconds(5);

    assertThat(rig.driver.endpoints.get("a")).hasSize(3).last().isEqualTo(endpoint());
    assertThat(told).contains("ended: enough");
    List<Duration> polls = rig.driver.polls("a");
    for (int i = 1; i < polls.size(); i++) {
      assertThat(polls.get(i).minus(polls.get(i - 1))).as("poll %d", i).isEqualTo(SECOND);
    }
    assertThat(rig.buffer.ledger).isEmpty();
    assertThat(rig.status("a").failures()).isZero();
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    assertThat(rig.status("a").lane()).isEqualTo("fake:127.0.0.1");
  }

  private Duration last() {
    List<Duration> polls = rig.driver.polls("a");
    return polls.get(polls.size() - 1);
  }

  @Test
  void whatItIsOfIsToldWithoutSecrets() {
    rig.plug();
    plug("a", URI.create("fake://me:word@127.0.0.1:99/x?unit=3&Token=abc&apiKey=1"), Map.of());
    rig.seconds(1);
    assertThat(recording("a").subject())
        .isEqualTo(
            new io.culvert.api.service.Recorder.Subject(
                Rig.GATEWAY,
                "a",
                "plain",
                "fake://…@127.0.0.1:99/x?unit=3&Token=…&apiKey=…",
                "fake",
                "tcp",
                "frame=silence"));
    assertThat(rig.driver.endpoints.get("a").get(1).toString())
        .matches("fake://me:word@127\\.0\\.0\\.1:[0-9]+/x\\?unit=3&Token=abc&apiKey=1");
  }

  @Test
  void anotherDeviceAtTheSamePlaceIsLeftAlone() {
    rig.plug();
    plug("a", endpoint(), Map.of());
    plug("b", endpoint(), Map.of());
    rig.seconds(3);
    Recording recording = recording("a");
    rig.seconds(3);
    recording.end("enough");
    rig.seconds(3);
    assertThat(rig.driver.opened("a")).isEqualTo(3);
    assertThat(rig.driver.opened("b")).isEqualTo(1);
    assertThat(rig.driver.closed("b")).isZero();
  }

  @Test
  void whatPassesIsTold() throws Exception {
    rig.plug();
    plug("a", endpoint(), Map.of());
    rig.seconds(1);
    Recording recording = recording("a");
    try (Socket gateway = new Socket("127.0.0.1", rig.driver.endpoints.get("a").get(1).getPort());
        Socket there = device.accept()) {
      gateway.getOutputStream().write("who?".getBytes());
      assertThat(new String(there.getInputStream().readNBytes(4))).isEqualTo("who?");
      there.getOutputStream().write("me".getBytes());
      assertThat(new String(gateway.getInputStream().readNBytes(2))).isEqualTo("me");
    }
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(told)
                    .hasSize(4)
                    .startsWith("opened 1", "to device who?", "to gateway me"));
    recording.end("enough");
    rig.settle();
    assertThat(told).last().isEqualTo("ended: enough");
  }

  @Test
  void anEncryptedSessionEndsItWithTheReason() throws Exception {
    rig.plug();
    plug("a", endpoint(), Map.of());
    rig.seconds(1);
    recording("a");
    int relay = rig.driver.endpoints.get("a").get(1).getPort();
    try (Socket gateway = new Socket("127.0.0.1", relay)) {
      gateway.getOutputStream().write(new byte[] {0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3});
      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () -> {
                rig.settle();
                assertThat(told.get(told.size() - 1))
                    .startsWith("ended: its session is encrypted (a TLS ClientHello)");
              });
    }
    assertThat(told).noneMatch(line -> line.startsWith("to device"));
    assertThat(rig.driver.endpoints.get("a")).hasSize(3).last().isEqualTo(endpoint());
  }

  @Test
  void aChangedConfigurationEndsItAndTheDeviceIsReachedDirectly() {
    rig.plug();
    plug("a", endpoint(), Map.of());
    rig.seconds(1);
    recording("a");
    rig.seconds(2);
    plug("a", endpoint(), Map.of("other", "1"));
    rig.seconds(3);
    assertThat(told).contains("ended: its configuration changed");
    assertThat(rig.driver.endpoints.get("a")).last().isEqualTo(endpoint());
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    // And it may be recorded again.
    recording("a");
  }

  @Test
  void aDriverThatGoesEndsIt() {
    rig.plug();
    plug("a", endpoint(), Map.of());
    rig.seconds(1);
    recording("a");
    rig.engine.removeDriver("fake");
    rig.settle();
    assertThat(told).contains("ended: the driver was exchanged");
    rig.plug().seconds(3);
    assertThat(rig.driver.endpoints.get("a")).last().isEqualTo(endpoint());
  }

  @Test
  void aGatewayThatStopsEndsIt() {
    rig.plug();
    plug("a", endpoint(), Map.of());
    rig.seconds(1);
    recording("a");
    rig.engine.close();
    assertThat(told).contains("ended: the gateway stops");
  }

  @Test
  void aDeviceThatTellsByItselfIsOpenedAnewAtOnceAndTheLedgerSaysSo() {
    rig.plug();
    rig.driver.subscribable.add("a");
    plug("a", endpoint(), Map.of());
    rig.seconds(2);
    recording("a").end("enough");
    rig.settle();
    assertThat(rig.driver.log).filteredOn(line -> line.startsWith("subscribe")).hasSize(3);
    assertThat(rig.buffer.ledger)
        .hasSize(2)
        .allSatisfy(entry -> assertThat(entry.reason()).isEqualTo(Reason.NEVER_READ))
        .extracting(LedgerEntry::detail)
        .containsExactly(
            "a recording began: its connection was opened anew",
            "a recording ended: its connection was opened anew");
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
  }

  @Test
  void aDeviceThatIsOffCanBeRecordedToo() {
    rig.plug();
    plug("a", endpoint(), Map.of());
    rig.driver.opens.put(
        "a", () -> CompletableFuture.failedFuture(new IOException("nobody there")));
    rig.seconds(30);
    assertThat(rig.status("a").state()).isEqualTo(State.OFFLINE);
    Recording recording = recording("a");
    int before = rig.driver.endpoints.get("a").size();
    rig.seconds(120);
    assertThat(rig.driver.endpoints.get("a").subList(before, rig.driver.endpoints.get("a").size()))
        .isNotEmpty()
        .doesNotContain(endpoint());
    rig.driver.opens.clear();
    recording.end("enough");
    rig.seconds(120);
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    assertThat(rig.driver.endpoints.get("a")).last().isEqualTo(endpoint());
  }

  @Test
  void itEndsThoughItHasNotBegun() {
    rig.plug();
    plug("a", endpoint(), Map.of());
    rig.seconds(1);
    rig.driver.reads.put("a", points -> new CompletableFuture<>());
    rig.seconds(1);
    CompletableFuture<Recording> begun = record("a");
    rig.settle();
    assertThat(begun).isNotDone();
    plug("a", endpoint(), Map.of("other", "1"));
    assertThat(begun).isCompletedExceptionally();
    assertThat(told).containsExactly("ended: its configuration changed");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "fake://10.0.0.1/x | | found no port in fake://10.0.0.1/x; expected scheme://host:port",
        "fake://0.0.0.0:7001 | | it dials in by itself (fake://0.0.0.0:7001)",
        "fake://10.0.0.1:1 | tls=true | its session is encrypted (tls=true)",
        "fake://10.0.0.1:1?security=Basic256Sha256 | | encrypted (security=Basic256Sha256)",
        "fake:///dev/null | | neither reached over TCP nor over a serial line",
      })
  void whatCannotBeRecordedIsRefusedWithTheReason(String endpoint, String setting, String reason) {
    rig.plug();
    plug(
        "a",
        URI.create(endpoint),
        setting == null ? Map.of() : Map.of(setting.split("=")[0], setting.split("=")[1]));
    rig.seconds(2);
    assertThat(refusal("a")).contains(reason);
    rig.seconds(3);
    assertThat(rig.driver.opened("a")).isEqualTo(1);
  }

  @Test
  void whatIsNotThereOrNotReadyIsRefused() {
    plug("a", endpoint(), Map.of());
    assertThat(refusal("a")).contains("it isn't ready to be read", "expected its jar in plugins/");
    assertThat(refusal("b")).contains("there is no device b");
    rig.plug().seconds(1);
    recording("a");
    assertThat(refusal("a")).contains("it is being recorded already");
    rig.driver.problems = List.of(new Problem("endpoint", "localhost", "a device elsewhere"));
    plug("c", endpoint(), Map.of());
    assertThat(refusal("c")).contains("it isn't ready", "expected a device elsewhere");
  }

  @Test
  void aRelayThatTheDriverDoesNotTakeIsNotUsed() {
    rig.plug();
    plug("a", endpoint(), Map.of());
    rig.seconds(2);
    rig.driver.problems = List.of(new Problem("endpoint", "127.0.0.1", "no loopback"));
    assertThat(refusal("a"))
        .isEqualTo(
            "its driver doesn't take the relay for an endpoint: found 127.0.0.1; expected no"
                + " loopback");
    rig.seconds(3);
    assertThat(rig.driver.opened("a")).isEqualTo(1);
  }

  @Test
  void onlySomeAtATime() {
    rig.plug();
    for (int i = 0; i < 5; i++) {
      plug("d" + i, endpoint(), Map.of());
    }
    rig.seconds(2);
    List<Recording> four = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      four.add(recording("d" + i));
    }
    assertThat(refusal("d4")).contains("4 recordings are under way already");
    four.get(0).end("enough");
    rig.settle();
    recording("d4");
  }

  /** A driver whose devices are on serial lines. */
  private final class OnALine extends FakeDriver {
    OnALine() {
      super(rig);
    }

    @Override
    public String lane(Device device) {
      return "serial:" + device.endpoint().getPath();
    }
  }

  @Test
  void aSerialLineIsListenedToAndTheDeviceStaysAsItIs() {
    OnALine driver = new OnALine();
    rig.plug("fake", driver, 0, "1.0.0");
    plug("a", URI.create("fake:///dev/ttyS1?baud=9600"), Map.of());
    rig.seconds(2);
    assertThat(refusal("a")).contains("the service of serial lines doesn't run");

    List<SerialTaps.Tap> taps = new ArrayList<>();
    rig.engine.taps(
        (line, tap) -> {
          assertThat(line).isEqualTo("/dev/ttyS1");
          taps.add(tap);
          return () -> taps.remove(tap);
        });
    Recording recording = recording("a");
    assertThat(recording.subject().carrier()).isEqualTo("serial");
    taps.get(0).sent("who?".getBytes(), System.nanoTime());
    taps.get(0).received("me".getBytes(), System.nanoTime());
    rig.seconds(2);
    recording.end("enough");
    rig.settle();
    assertThat(told)
        .containsSubsequence("opened 1", "to device who?", "to gateway me", "ended: enough");
    assertThat(taps).isEmpty();
    assertThat(driver.opened("a")).isEqualTo(1);
  }
}
