package io.culvert.simulator.slave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.culvert.simulator.DrivenClock;
import io.culvert.simulator.FreePort;
import io.culvert.simulator.ModbusClient;
import io.culvert.simulator.ModbusClient.Answer;
import io.culvert.simulator.street.Profile;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetException;
import io.culvert.simulator.street.StreetFile;
import io.culvert.simulator.truth.BlockTruth;
import io.culvert.simulator.truth.DeviceTruth;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SlavePortsTest {
  private static final byte ILLEGAL_FUNCTION = 1;
  private static final byte ILLEGAL_ADDRESS = 2;
  private static final byte ILLEGAL_VALUE = 3;

  private final DrivenClock clock = new DrivenClock();
  private SlavePorts slaves;
  private ModbusClient client;
  private int port;

  @AfterEach
  void close() throws IOException {
    if (client != null) {
      client.close();
    }
    if (slaves != null) {
      slaves.close();
    }
  }

  @Test
  void tickAdvancesWithEachAnswerThatIncludesItAndIsTheTruth() throws Exception {
    open("{id: uw, count: 2, profile: underpass-water}");

    assertThat(client.read(1, 3, 0, 2).register(1)).isEqualTo(1);
    clock.advance(1_000);
    assertThat(client.read(1, 3, 0, 2).register(1)).isEqualTo(2);
    assertThat(client.read(2, 3, 1, 1).register(0)).as("another unit counts for itself").isOne();

    BlockTruth block = truth("uw-001").blocks().get(0);
    assertThat(block.rows()).isEqualTo(2);
    assertThat(block.shownAt(1) - block.shownAt(0)).isEqualTo(1_000);
    assertThat(block.tickOf(1)).isEqualTo(2);
    BlockTruth other = truth("uw-002").blocks().get(0);
    assertThat(other.state(0, 0)).isEqualTo(BlockTruth.SHOWN);
    assertThat(other.state(0, 1)).as("level wasn't asked for").isEqualTo(BlockTruth.NOT_SHOWN);
  }

  @Test
  void readWithoutTheTickShowsTheValuesOfThePresentTick() throws Exception {
    open("{id: uw, profile: underpass-water, points: {level: [{counter: {start: 1, rate: 3}}]}}");

    int level = client.read(1, 3, 0, 2).register(0);
    clock.advance(600_000);
    assertThat(client.read(1, 3, 0, 1).register(0)).isEqualTo(level);
    assertThat(truth("uw").blocks().get(0).rows()).isOne();
    assertThat(client.read(1, 3, 0, 2).register(0)).isEqualTo(level + 500);
  }

  /** A gateway may begin with points that have an interval of their own, far from the tick. */
  @Test
  void theFirstReadMeasuresWhateverItIncludes() throws Exception {
    open("{id: uw, profile: underpass-water, points: {level: [{counter: {start: 1, rate: 3}}]}}");

    clock.advance(600_000);
    int level = client.read(1, 3, 0, 1).register(0);
    assertThat(truth("uw").blocks().get(0).rows()).isOne();
    assertThat(truth("uw").blocks().get(0).value(0, 1)).isCloseTo(level / 1000.0, within(0.0005));
    assertThat(client.read(1, 3, 0, 2).register(1)).isEqualTo(2);
  }

  @Test
  void whatMayNotBeAskedIsAnsweredByAnException() throws Exception {
    open("{id: gas, profile: maker-a-gas, maker: a-gas}");

    assertThat(client.read(1, 2, 0, 1).pdu()).containsExactly(0x82, ILLEGAL_FUNCTION);
    assertThat(client.exchange(1, (byte) 0x2B, (byte) 14).pdu())
        .containsExactly(0xAB, ILLEGAL_FUNCTION);
    assertThat(client.read(1, 4, 1, 8).pdu()).containsExactly(0x84, ILLEGAL_ADDRESS);
    assertThat(client.read(1, 4, 0, 126).pdu()).containsExactly(0x84, ILLEGAL_VALUE);
    assertThat(client.read(1, 4, 0, 0).pdu()).containsExactly(0x84, ILLEGAL_VALUE);
    assertThat(client.exchange(1, (byte) 4, (byte) 0).pdu()).containsExactly(0x84, ILLEGAL_VALUE);
    assertThat(client.read(9, 4, 0, 1).pdu()).as("no such unit").containsExactly(0x84, 0x0B);
  }

  @Test
  void makerAShowsPhysicalTruthAsItsMapSays() throws Exception {
    open(
        "{id: gas, profile: maker-a-gas, maker: a-gas, points: {methane: [{constant: {value: 1.2}}],"
            + " temperature: [{constant: {value: 25.3}}], light: [{constant: {value: 86.5}}],"
            + " supply: [{constant: {value: 24.12}}]}}");

    clock.advance(5_000);
    Answer first = client.read(1, 4, 0, 8);
    int methane = first.register(1) << 16 | first.register(0);
    assertThat(Float.intBitsToFloat(methane)).isEqualTo(12_000f);
    assertThat(first.register(2)).isEqualTo(653);
    assertThat(first.register(3)).isEqualTo(865);
    assertThat(first.register(6)).isEqualTo(24_120);
    assertThat(first.register(4)).as("still warming up").isEqualTo(0x8010);

    clock.advance(30_000);
    Answer later = client.read(1, 4, 0, 8);
    assertThat(later.register(4)).as("low alarm and horn after ten seconds").isEqualTo(0x8009);
  }

  @Test
  void writesToMakerATakeEffectWithinTheirBounds() throws Exception {
    open("{id: gas, profile: maker-a-gas, maker: a-gas}");

    assertThat(client.exchange(1, (byte) 6, (byte) 0, (byte) 0, (byte) 1, (byte) 44).pdu())
        .containsExactly(6, 0, 0, 1, 44);
    assertThat(client.read(1, 3, 0, 3).register(0)).isEqualTo(300);
    assertThat(client.exchange(1, (byte) 6, (byte) 0, (byte) 0, (byte) 9, (byte) 9).pdu())
        .containsExactly(0x86, ILLEGAL_VALUE);
    assertThat(client.exchange(1, (byte) 6, (byte) 0, (byte) 2, (byte) 0, (byte) 9).pdu())
        .containsExactly(0x86, ILLEGAL_ADDRESS);
    assertThat(
            client
                .exchange(
                    1,
                    (byte) 16,
                    (byte) 0,
                    (byte) 0,
                    (byte) 0,
                    (byte) 2,
                    (byte) 4,
                    (byte) 0,
                    (byte) 200,
                    (byte) 0,
                    (byte) 30)
                .pdu())
        .containsExactly(16, 0, 0, 0, 2);
    assertThat(client.exchange(1, (byte) 5, (byte) 0, (byte) 0, (byte) 0xFF, (byte) 0).pdu())
        .containsExactly(5, 0, 0, 0xFF, 0);
    assertThat(client.read(1, 1, 0, 1).pdu()).containsExactly(1, 1, 1);
    assertThat(client.exchange(1, (byte) 5, (byte) 0, (byte) 0, (byte) 1, (byte) 0).pdu())
        .containsExactly(0x85, ILLEGAL_VALUE);
    assertThat(
            client
                .exchange(1, (byte) 15, (byte) 0, (byte) 0, (byte) 0, (byte) 1, (byte) 1, (byte) 0)
                .pdu())
        .containsExactly(15, 0, 0, 0, 1);
    assertThat(client.read(1, 1, 0, 1).pdu()).containsExactly(1, 1, 0);
    assertThat(truth("gas").writes()).hasSize(4);
    Answer holding = client.read(1, 3, 0, 3);
    assertThat(holding.register(0)).isEqualTo(200);
    assertThat(holding.register(1)).isEqualTo(30);
  }

  @Test
  void makerBPumpsItsWellAndShowsItAsItsMapSays() throws Exception {
    open(
        "{id: pump, profile: maker-b-pump, maker: b-pump, points: {inflow: [{constant:"
            + " {value: 40}}], ambient: [{constant: {value: 25}}]}}");

    assertThat(client.read(1, 4, 100, 1).pdu()).containsExactly(0x84, ILLEGAL_FUNCTION);
    assertThat(client.read(1, 3, 99, 2).pdu()).containsExactly(0x83, ILLEGAL_ADDRESS);
    boolean ran = false;
    boolean stood = false;
    for (int i = 0; i < 120; i++) {
      clock.advance(60_000);
      Answer answer = client.read(1, 3, 100, 14);
      int state = answer.register(4);
      int flow = answer.register(5) << 16 | answer.register(6);
      ran |= state == 2;
      stood |= state == 0;
      assertThat(flow).as("flow in 0.01 m3/h, high word first").isBetween(0, 13_000);
      assertThat((int) (short) answer.register(0))
          .as("level from the probe, mm")
          .isBetween(-400, 1_900);
      if (state == 0) {
        assertThat(answer.register(1)).as("current while it stands").isZero();
        assertThat(flow).isZero();
      }
      assertThat(answer.register(8)).isEqualTo(1500);
      assertThat(answer.register(10)).as("tick, low word first").isEqualTo(i + 1);
      assertThat(answer.register(11)).isZero();
      assertThat(answer.register(7)).as("0.1 degF").isBetween(769, 1_500);
    }
    assertThat(ran).isTrue();
    assertThat(stood).isTrue();
  }

  @Test
  void faultsSpoilTheAnswerAndNeverCountAsShown() throws Exception {
    open(
        "{id: uw, profile: underpass-water, faults: ["
            + "{kind: wrong-unit, at: 10s, for: 1s}, {kind: wrong-transaction, at: 20s, for: 1s},"
            + "{kind: short, at: 30s, for: 1s}, {kind: exception, code: 6, at: 40s, for: 1s},"
            + "{kind: garbage, at: 50s, for: 1s}]}");

    client.read(1, 3, 0, 2);
    clock.advance(10_000);
    assertThat(client.read(1, 3, 0, 2).unit()).isNotEqualTo(1);
    clock.advance(10_000);
    assertThat(client.read(1, 3, 0, 2).transaction()).isNotEqualTo(client.lastTransaction());
    clock.advance(10_000);
    assertThat(client.read(1, 3, 0, 2).pdu()).hasSize(4);
    clock.advance(10_000);
    assertThat(client.read(1, 3, 0, 2).pdu()).containsExactly(0x83, 6);
    clock.advance(5_000);
    assertThat(client.read(1, 3, 0, 2).register(1))
        .as("three ticks went down the drain")
        .isEqualTo(5);

    BlockTruth block = truth("uw").blocks().get(0);
    assertThat(block.rows()).isEqualTo(5);
    assertThat(block.state(0, 0)).isEqualTo(BlockTruth.SHOWN);
    for (int row = 1; row < 4; row++) {
      assertThat(block.state(row, 0)).isEqualTo(BlockTruth.NOT_SHOWN);
    }
    assertThat(block.state(4, 0)).isEqualTo(BlockTruth.SHOWN);
  }

  @Test
  void faultsOfSilence() throws Exception {
    open(
        "{id: uw, profile: underpass-water, faults: [{kind: no-answer, at: 10s, for: 1s},"
            + " {kind: slow, delay: 200ms, at: 20s, for: 1s}, {kind: gap, at: 30s, for: 1s}]}");

    clock.advance(10_000);
    client.timeout(300);
    assertThatThrownBy(() -> client.read(1, 3, 0, 2)).isInstanceOf(SocketTimeoutException.class);
    clock.advance(10_000);
    client.timeout(5_000);
    assertThat(client.read(1, 3, 0, 2).register(1)).isOne();
    clock.advance(10_000);
    assertThatThrownBy(() -> client.read(1, 3, 0, 2)).isInstanceOf(EOFException.class);
  }

  @Test
  void stuckSensorKeepsItsValueAndSpikeAdds() throws Exception {
    open(
        "{id: uw, profile: underpass-water, points: {level: [{counter: {start: 0.1, rate: 3.6}}]},"
            + " faults: [{kind: stuck, point: level, at: 10s, for: 5s},"
            + " {kind: spike, point: level, by: 0.5, at: 20s, for: 1s}]}");

    clock.advance(10_000);
    int stuck = client.read(1, 3, 0, 2).register(0);
    clock.advance(4_000);
    assertThat(client.read(1, 3, 0, 2).register(0)).isEqualTo(stuck);
    clock.advance(2_000);
    int free = client.read(1, 3, 0, 2).register(0);
    assertThat(free).isGreaterThan(stuck);
    clock.advance(4_000);
    assertThat(client.read(1, 3, 0, 2).register(0)).isEqualTo(free + 504);
  }

  @Test
  void anRtuLineAnswersItsUnitsAndNobodyElse() throws Exception {
    open(
        "{id: uw, profile: underpass-water, framing: rtu, faults: [{kind: checksum, at: 10s, for:"
            + " 1s}], points: {level: [{constant: {value: 0.25}}]}}");

    try (Socket line = new Socket(InetAddress.getLoopbackAddress(), port)) {
      line.setSoTimeout(5_000);
      // Noise, a request to a unit that isn't there, and one to a unit that is.
      line.getOutputStream()
          .write(HexFormat.of().parseHex("ff00ff" + "090300000002c543" + "010300000002c40b"));
      assertThat(line.getInputStream().readNBytes(9))
          .isEqualTo(HexFormat.of().parseHex("01030400fa00011bc2"));
      clock.advance(10_000);
      line.getOutputStream().write(HexFormat.of().parseHex("010300000002c40b"));
      assertThat(line.getInputStream().readNBytes(9))
          .as("last byte spoiled")
          .isEqualTo(HexFormat.of().parseHex("01030400fa00025b3c"));
    }
    assertThat(truth("uw").blocks().get(0).state(1, 0)).isEqualTo(BlockTruth.NOT_SHOWN);
  }

  @Test
  void takenPortIsNamedWithWhatNeedsIt() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Street street =
          street("{id: uw, profile: underpass-water, port: " + taken.getLocalPort() + "}");
      assertThatThrownBy(() -> SlavePorts.open(street, "127.0.0.1", clock))
          .isInstanceOf(StreetException.class)
          .hasMessageContaining(taken.getLocalPort() + " is taken")
          .hasMessageContaining("--port-base");
    }
  }

  private void open(String device) throws Exception {
    port = FreePort.find();
    Street street = street(device.replace("{id:", "{port: " + port + ", id:"));
    slaves = SlavePorts.open(street, "127.0.0.1", clock);
    client = new ModbusClient(port);
  }

  private static Street street(String device) throws StreetException {
    return StreetFile.parse(
        "street.yaml",
        "schema: culvert-street/1\ndevices:\n  - " + device + "\n",
        new Profile.Library(List.of()),
        null,
        null);
  }

  private DeviceTruth truth(String id) {
    return slaves.truth().device(id);
  }
}
