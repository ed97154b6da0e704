package io.culvert.simulator.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.culvert.simulator.replay.Recording.Kind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A recorded device, met at its port. */
@Timeout(120)
class ReplayTest {
  private static final String READ = "000000060103 0000 0002".replace(" ", "");
  private static final String OTHER = "000000060103 0008 0002".replace(" ", "");

  private final List<String> said = new ArrayList<>();
  private Replay replay;

  @AfterEach
  void close() {
    if (replay != null) {
      replay.close();
    }
  }

  private Client play(Tapes tape) throws IOException {
    replay = Replay.tcp(tape.tape(), 0, 1000, line -> said.add(line));
    return new Client(replay.port());
  }

  /** Somebody who asks. */
  private static final class Client implements AutoCloseable {
    private final Socket socket;

    Client(int port) throws IOException {
      socket = new Socket(InetAddress.getByName("127.0.0.1"), port);
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(60_000);
    }

    void say(String hex) throws IOException {
      socket.getOutputStream().write(Tapes.bytes(hex));
    }

    String hears(int bytes) throws IOException {
      return Tapes.hex(socket.getInputStream().readNBytes(bytes));
    }

    String asks(String hex, int bytes) throws IOException {
      say(hex);
      return hears(bytes);
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private static Tapes counting() {
    return new Tapes(Tapes.TCP)
        .opened(0, 1)
        .asked(100, "0001" + READ)
        .answered(110, "0001" + "00000007010304056f0003")
        .asked(200, "0002" + READ)
        .answered(210, "0002" + "00000007010304056f0004");
  }

  @Test
  void anAnswerHasTheTransactionOfItsRequest() throws Exception {
    try (Client client = play(counting())) {
      assertThat(client.asks("abcd" + READ, 13)).isEqualTo("abcd00000007010304056f0003");
    }
  }

  @Test
  void theSameRequestIsAnsweredInOrderOfTimeAndThenAsTheLastTimeOverReconnections()
      throws Exception {
    try (Client client = play(counting())) {
      assertThat(client.asks("0009" + READ, 13)).endsWith("0003");
    }
    try (Client client = new Client(replay.port())) {
      assertThat(client.asks("0001" + READ, 13)).endsWith("0004");
      assertThat(client.asks("0002" + READ, 13)).endsWith("0004");
    }
    ReplayReport report = replay.report();
    assertThat(report.requests()).isEqualTo(3);
    assertThat(report.known()).isEqualTo(3);
    assertThat(report.repeated()).isEqualTo(1);
    assertThat(report.unasked()).isZero();
    assertThat(report.complete()).isTrue();
  }

  @Test
  void manyRequestsAtOnceAreAnsweredEachByItsOwn() throws Exception {
    Tapes tape =
        new Tapes(Tapes.TCP)
            .opened(0, 1)
            .asked(1, "0001" + READ + "0002" + OTHER)
            .answered(5, "0002" + "0000000701030400080008")
            .answered(6, "0001" + "0000000701030400010001");
    try (Client client = play(tape)) {
      client.say("0011" + READ + "0012" + OTHER);
      List<String> both = List.of(client.hears(13), client.hears(13));
      assertThat(both)
          .containsExactlyInAnyOrder(
              "0011" + "0000000701030400010001", "0012" + "0000000701030400080008");
    }
  }

  @Test
  void aRequestThatWasNeverRecordedIsLeftUnansweredAndToldWithTheNearest() throws Exception {
    try (Client client = play(counting())) {
      client.say("0001" + OTHER);
      client.say("0002" + OTHER);
      assertThat(client.asks("0003" + READ, 13)).startsWith("0003");
    }
    assertThat(said)
        .containsExactly(
            "unknown request 0001"
                + OTHER
                + "; nearest recorded 0001"
                + READ
                + ": byte 9 is 08 instead of 00");
    ReplayReport report = replay.report();
    assertThat(report.complete()).isFalse();
    assertThat(report.unknown()).hasSize(1);
    assertThat(report.unknown().get(0).times()).isEqualTo(2);
    assertThat(report.toString()).contains("3 requests, 1 of them as recorded", "(2 times)");
  }

  @Test
  void whatWasNotAnsweredIsNotAnsweredButForTheOneThatTheEndCutOff() throws Exception {
    Tapes tape =
        new Tapes(Tapes.TCP)
            .opened(0, 1)
            .asked(1, "0001" + READ)
            .asked(1000, "0002" + READ)
            .answered(1001, "0002" + "00000007010304056f0004")
            .asked(2000, "0003" + READ);
    try (Client client = play(tape)) {
      client.say("0001" + READ);
      assertThat(client.asks("0002" + READ, 13)).isEqualTo("000200000007010304056f0004");
      assertThat(client.asks("0003" + READ, 13)).isEqualTo("000300000007010304056f0004");
    }
  }

  @Test
  void whatBelongsToNoRequestIsSentByItself() throws Exception {
    Tapes tape =
        counting()
            .answered(300, "7777" + "0000000701030400770077")
            .answered(310, "7777" + "0000000701030400780078");
    try (Client client = play(tape)) {
      assertThat(client.hears(26))
          .isEqualTo("7777" + "0000000701030400770077" + "7777" + "0000000701030400780078");
      assertThat(client.asks("abcd" + READ, 13)).startsWith("abcd");
    }
  }

  @Test
  void aDeviceThatHungUpHangsUp() throws Exception {
    Tapes tape =
        new Tapes(Tapes.TCP)
            .opened(0, 1)
            .asked(1, "0001" + READ)
            .answered(2, "0001" + "0000")
            .ended(3, Kind.CLOSED, true);
    try (Client client = play(tape)) {
      client.say("0001" + READ);
      assertThat(client.socket.getInputStream().read()).isEqualTo(-1);
    }
  }

  @Test
  void aDeviceThatBrokeOffBreaksOff() throws Exception {
    Tapes tape =
        new Tapes(Tapes.TCP).opened(0, 1).asked(1, "0001" + READ).ended(3, Kind.RESET, true);
    try (Client client = play(tape)) {
      client.say("0001" + READ);
      assertThatThrownBy(() -> client.socket.getInputStream().read())
          .isInstanceOf(SocketException.class);
    }
  }

  @Test
  void framesThatOnlySilenceEndsAreKnownAtOnceAlsoInPieces() throws Exception {
    String request = Tapes.rtu("010300000002");
    String answer = Tapes.rtu("010304056f0003");
    Tapes tape =
        new Tapes(Tapes.RTU)
            .opened(0, 1)
            .asked(1, request)
            .answered(5, answer.substring(0, 6))
            .answered(6, answer.substring(6));
    try (Client client = play(tape)) {
      client.say(request.substring(0, 8));
      client.say(request.substring(8));
      assertThat(client.hears(9)).isEqualTo(answer);
      // One byte of it is wrong, so its check sum is.
      client.say("02" + request.substring(2));
      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(() -> assertThat(replay.report().damaged()).isEqualTo(1));
      assertThat(client.asks(request, 9)).isEqualTo(answer);
      assertThat(replay.report().complete()).isTrue();
    }
  }

  @Test
  void framesWithAnEndOfTheirOwnAreFoundBehindNoise() throws Exception {
    String request = hexOf(":010300000002FA\r\n");
    String answer = hexOf(":010304056F00037D\r\n");
    Tapes tape = new Tapes(Tapes.ASCII).opened(0, 1).asked(1, request).answered(5, answer);
    try (Client client = play(tape)) {
      assertThat(client.asks("0000" + request, answer.length() / 2)).isEqualTo(answer);
    }
    assertThat(replay.report().damaged()).isEqualTo(1);
  }

  private static String hexOf(String text) {
    return Tapes.hex(text.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
  }

  @Test
  void anAnswerTakesAsLongAsItTook() throws Exception {
    Tapes tape =
        new Tapes(Tapes.TCP)
            .opened(0, 1)
            .asked(0, "0001" + READ)
            .answered(2000, "0001" + "00000007010304056f0003");
    replay = Replay.tcp(tape.tape(), 0, 10);
    try (Client client = new Client(replay.port())) {
      long before = System.nanoTime();
      client.asks("0001" + READ, 13);
      assertThat(Duration.ofNanos(System.nanoTime() - before))
          .isGreaterThan(Duration.ofMillis(199));
    }
  }

  @Test
  void aSerialDeviceIsPlayedOnALine(@TempDir Path folder) throws Exception {
    Path device = folder.resolve("device");
    Path cabinet = folder.resolve("cabinet");
    Process cable =
        new ProcessBuilder(
                "socat", "pty,raw,echo=0,link=" + device, "pty,raw,echo=0,link=" + cabinet)
            .start();
    try {
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> Files.exists(device) && Files.exists(cabinet));
      String request = Tapes.rtu("010300000002");
      String answer = Tapes.rtu("010304056f0003");
      replay =
          Replay.serial(
              new Recording(
                  // A pseudo-terminal knows no parity: that is said, and no more.
                  Map.of(
                      "format", Recording.FORMAT,
                      "matcher", Tapes.RTU,
                      "endpoint", "modbus-rtu:///dev/x?baud=19200&parity=even"),
                  new Tapes(Tapes.RTU)
                      .opened(0, 1)
                      .asked(1, request)
                      .answered(5, answer)
                      .tape()
                      .events()),
              device,
              1000,
              said::add);
      try (var out = Files.newOutputStream(cabinet);
          var in = Files.newInputStream(cabinet)) {
        for (int round = 0; round < 2; round++) {
          out.write(Tapes.bytes(request));
          byte[] heard = {};
          while (heard.length < answer.length() / 2) {
            byte[] piece = new byte[64];
            int count = in.read(piece);
            assertThat(count).isPositive();
            int before = heard.length;
            heard = Arrays.copyOf(heard, before + count);
            System.arraycopy(piece, 0, heard, before, count);
          }
          assertThat(Tapes.hex(heard)).isEqualTo(answer);
        }
      }
      assertThat(replay.report().repeated()).isEqualTo(1);
    } finally {
      cable.destroyForcibly().waitFor();
    }
  }

  @Test
  void whatIsNoLineIsRefused(@TempDir Path folder) {
    assertThatThrownBy(() -> Replay.serial(counting().tape(), folder.resolve("no"), 1, said::add))
        .hasMessageContaining("no device file of a serial line");
    assertThatThrownBy(() -> Replay.serial(counting().tape(), Path.of("/dev/null"), 1, said::add))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("stty -F /dev/null raw -echo: ");
  }

  @Test
  void aLineIsSetAsTheEndpointSays() {
    assertThat(
            SerialSettings.words(
                "modbus-rtu:///dev/ttyS1?baud=9600&parity=odd&data=8&stop=2&unit=3"))
        .containsExactly("9600", "parenb", "parodd", "cs8", "cstopb");
    assertThat(SerialSettings.words("no endpoint at all")).isEmpty();
  }

  @Test
  void aPortThatIsTakenIsSaid() throws Exception {
    try (Client client = play(counting())) {
      assertThatThrownBy(() -> Replay.tcp(counting().tape(), replay.port(), 1))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("Port " + replay.port());
    }
  }

  @Test
  void whoeverSendsGarbageHarmsNobody() throws Exception {
    try (Client mad = play(counting());
        Client client = new Client(replay.port())) {
      byte[] garbage = new byte[200_000];
      Arrays.fill(garbage, (byte) 0x5A);
      mad.socket.getOutputStream().write(garbage);
      assertThat(client.asks("0001" + READ, 13)).endsWith("0003");
      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(() -> assertThat(replay.report().requests()).isGreaterThan(1));
    }
  }
}
