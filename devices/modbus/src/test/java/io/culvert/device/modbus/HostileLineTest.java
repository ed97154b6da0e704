package io.culvert.device.modbus;

import static io.culvert.api.DataType.UINT16;
import static io.culvert.api.DataType.UINT32;
import static io.culvert.device.modbus.HostileSlave.bytes;
import static io.culvert.device.modbus.HostileSlave.register;
import static io.culvert.device.modbus.Rounds.nothingMadeUp;
import static io.culvert.device.modbus.Talk.answer;
import static io.culvert.device.modbus.Talk.byPoint;
import static io.culvert.device.modbus.Talk.point;
import static io.culvert.device.modbus.Talk.read;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.Readable;
import io.culvert.testkit.SerialBus;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What may come over a bad line, in RTU: it costs the exchange at hand at most, is counted as what
 * it is, and never becomes a value that nobody measured.
 */
@Timeout(120)
class HostileLineTest {
  /** Where somebody is silent: what is answered has to be answered in this time, too. */
  private static final Map<String, String> HASTY = Map.of("responseTimeout", "800ms");

  private static final int UNIT = 5;

  /** In three blocks; the prank is played on the second. */
  private static final Point FIRST = point("holding:100", UINT16);

  private static final Point VICTIM = point("holding:200", UINT32);
  private static final Point LAST = point("holding:300", UINT16);

  @TempDir Path folder;
  private SerialBus bus;
  private Talk talk;
  private ModbusConnection connection;
  private final ByteArrayOutputStream heard = new ByteArrayOutputStream();
  private volatile Function<Request, byte[]> script = Request::answer;

  /** A request for registers. */
  private record Request(int unit, int function, int address, int count) {
    byte[] pdu() {
      ByteArrayOutputStream pdu = new ByteArrayOutputStream();
      pdu.writeBytes(bytes(function, 2 * count));
      for (int i = 0; i < count; i++) {
        pdu.write(register(address + i) >> 8);
        pdu.write(register(address + i));
      }
      return pdu.toByteArray();
    }

    byte[] answer() {
      return frame(unit, pdu());
    }
  }

  private static byte[] frame(int unit, byte... pdu) {
    return new RtuFraming(null).frame(0, unit, pdu);
  }

  private static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  @BeforeEach
  void start() throws Exception {
    bus = new SerialBus(folder);
    String file = bus.plug("gateway");
    bus.listen(this::hear);
    talk = new Talk("modbus-rtu://" + file + "?baud=115200&parity=none");
    connection = talk.open(UNIT);
  }

  @AfterEach
  void stop() throws Exception {
    talk.close();
    bus.close();
  }

  private void afresh() throws Exception {
    stop();
    heard.reset();
    script = Request::answer;
    start();
  }

  /** All requests of these tests have eight bytes. */
  private void hear(byte[] bytes) {
    heard.writeBytes(bytes);
    while (heard.size() >= 8) {
      byte[] frame = heard.toByteArray();
      heard.reset();
      heard.write(frame, 8, frame.length - 8);
      Request request =
          new Request(
              frame[0] & 0xFF,
              frame[1] & 0xFF,
              (frame[2] & 0xFF) << 8 | frame[3] & 0xFF,
              (frame[4] & 0xFF) << 8 | frame[5] & 0xFF);
      try {
        bus.say(script.apply(request));
      } catch (IOException ended) {
        throw new UncheckedIOException(ended);
      }
    }
  }

  private record Prank(
      String name, Object outcome, Diagnosed.LineFacts line, Function<Request, byte[]> script) {
    boolean lastsUntilTheTimeout() {
      return outcome.equals(Quality.BAD_TIMEOUT) || name.equals("half an answer");
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static Value truth(int address) {
    return Value.of(((long) register(address) << 16) + register(address + 1));
  }

  private static Map<String, Object> truth() {
    Map<String, Object> truth = new HashMap<>();
    truth.put(FIRST.id(), Value.of((long) register(100)));
    truth.put(VICTIM.id(), truth(200));
    truth.put(LAST.id(), Value.of((long) register(300)));
    return truth;
  }

  private static Diagnosed.LineFacts line(int wrongUnit, int late, int foreign, int noise) {
    return new Diagnosed.LineFacts(wrongUnit, late, foreign, 0, noise);
  }

  static Stream<Prank> pranks() {
    Object right = truth(200);
    byte[] noise = new byte[40];
    new Random(3).nextBytes(noise);
    return Stream.of(
        new Prank("noise before it", right, line(0, 0, 0, 40), r -> concat(noise, r.answer())),
        new Prank(
            "noise after it", right, line(0, 0, 0, 3), r -> concat(r.answer(), bytes(0, 0, 7))),
        new Prank(
            "noise that begins like it",
            right,
            line(0, 0, 0, 3),
            r -> concat(bytes(UNIT, 3, 4), r.answer())),
        new Prank(
            "answer of another unit first",
            right,
            line(1, 0, 0, 0),
            r -> concat(frame(UNIT + 1, r.pdu()), r.answer())),
        new Prank(
            "answer of another unit",
            Quality.BAD_TIMEOUT,
            line(1, 0, 0, 0),
            r -> frame(9, r.pdu())),
        new Prank(
            "request of another master and its answer first",
            right,
            line(0, 0, 1, 0),
            r ->
                concat(
                    frame(9, bytes(3, 0, 1, 0, 2)), frame(9, bytes(3, 4, 1, 2, 3, 4)), r.answer())),
        new Prank(
            "another master asks the same unit",
            Quality.BAD_COMMUNICATION,
            line(0, 0, 1, 0),
            r -> frame(UNIT, bytes(3, 0, 1, 0, 2))),
        new Prank(
            "wrong check sum",
            Quality.BAD_COMMUNICATION,
            line(0, 0, 0, 9),
            r -> {
              byte[] answer = r.answer();
              answer[4] ^= 1;
              return answer;
            }),
        new Prank(
            "half an answer",
            Quality.BAD_COMMUNICATION,
            line(0, 0, 0, 5),
            r -> Arrays.copyOf(r.answer(), 5)),
        new Prank(
            "fewer registers than asked for",
            Quality.BAD_COMMUNICATION,
            line(0, 0, 0, 0),
            r -> frame(UNIT, bytes(3, 2, 1, 2))),
        new Prank(
            "more registers than asked for",
            Quality.BAD_COMMUNICATION,
            line(0, 0, 0, 0),
            r -> frame(UNIT, bytes(3, 6, 1, 2, 3, 4, 5, 6))),
        new Prank(
            "answer of another function",
            Quality.BAD_COMMUNICATION,
            line(0, 0, 0, 0),
            r -> frame(UNIT, bytes(4, 4, 1, 2, 3, 4))),
        new Prank(
            "exception of another function",
            Quality.BAD_COMMUNICATION,
            line(0, 0, 0, 0),
            r -> frame(UNIT, bytes(0x84, 2))),
        new Prank(
            "exception",
            Quality.BAD_DEVICE_FAILURE,
            line(0, 0, 0, 0),
            r -> frame(UNIT, bytes(0x83, 4))),
        new Prank("nothing but noise", Quality.BAD_TIMEOUT, line(0, 0, 0, 40), r -> noise),
        new Prank("silence", Quality.BAD_TIMEOUT, line(0, 0, 0, 0), r -> bytes()));
  }

  @ParameterizedTest
  @MethodSource("pranks")
  void costsItsOwnExchangeAtMostAndIsCountedAsWhatItIs(Prank prank) throws Exception {
    if (prank.lastsUntilTheTimeout()) {
      Rounds.oneOfThreeHolds(
          this::afresh, () -> costsItsOwnExchangeAtMost(prank, talk.open(UNIT, HASTY)));
    } else {
      costsItsOwnExchangeAtMost(prank, connection);
    }
  }

  private void costsItsOwnExchangeAtMost(Prank prank, ModbusConnection connection)
      throws Exception {
    script = r -> r.address == 200 ? prank.script.apply(r) : r.answer();
    Readable.Plan plan = connection.prepare(List.of(FIRST, VICTIM, LAST));
    Map<String, Object> expected = truth();
    expected.put(VICTIM.id(), prank.outcome);
    assertThat(nothingMadeUp(byPoint(answer(plan.read())), truth())).isEqualTo(expected);
    script = Request::answer;
    assertThat(nothingMadeUp(byPoint(answer(plan.read())), truth())).isEqualTo(truth());
    assertThat(connection.line()).isEqualTo(prank.line);
    Diagnosed.Facts facts = connection.facts();
    assertThat(facts.requests()).isEqualTo(6);
    assertThat(facts.answers() + facts.timeouts() + facts.checksumErrors() + facts.malformed())
        .isEqualTo(6);
  }

  @Test
  void anAnswerInPiecesIsAnAnswer() throws Exception {
    script =
        r -> {
          byte[] answer = r.answer();
          for (int i = 0; i < answer.length - 1; i++) {
            try {
              bus.say(answer[i]);
            } catch (IOException ended) {
              throw new UncheckedIOException(ended);
            }
          }
          return new byte[] {answer[answer.length - 1]};
        };
    assertThat(read(connection, VICTIM)).isEqualTo(Map.of(VICTIM.id(), truth(200)));
    assertThat(connection.line()).isEqualTo(line(0, 0, 0, 0));
  }

  /** As long and of the same function: without numbers, only time can tell them apart. */
  @Test
  void aLateAnswerIsNotGivenToTheNextRequest() throws Exception {
    Readable.Plan other = talk.open(UNIT, HASTY).prepare(List.of(point("holding:500", UINT32)));
    Readable.Plan plan = connection.prepare(List.of(VICTIM));
    BlockingQueue<Request> asked = new LinkedBlockingQueue<>();
    script =
        r -> {
          asked.add(r);
          return bytes();
        };
    assertThatThrownBy(() -> answer(other.read())).hasCauseInstanceOf(TimeoutException.class);
    script = Request::answer;
    CompletableFuture<List<Sample>> next = plan.read().toCompletableFuture();
    bus.say(asked.take().answer());
    assertThat(byPoint(answer(next))).isEqualTo(Map.of(VICTIM.id(), truth(200)));
    assertThat(connection.line()).isEqualTo(line(0, 1, 0, 0));
  }

  /** Two masters ask one unit at the same time: what comes first may be either's. */
  @Test
  void theAnswerToWhatAnotherMasterAskedJustBeforeIsNotTaken() throws Exception {
    Readable.Plan plan = connection.prepare(List.of(VICTIM));
    assertThat(byPoint(answer(plan.read()))).isEqualTo(Map.of(VICTIM.id(), truth(200)));
    bus.say(frame(UNIT, bytes(3, 500 >> 8, 500 & 0xFF, 0, 2)));
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(connection.line().foreign()).isOne());
    script = r -> new Request(UNIT, 3, 500, 2).answer();
    assertThat(byPoint(answer(plan.read())))
        .isEqualTo(Map.of(VICTIM.id(), Quality.BAD_COMMUNICATION));
    script = Request::answer;
    assertThat(byPoint(answer(plan.read()))).isEqualTo(Map.of(VICTIM.id(), truth(200)));
  }

  @Test
  void aLateAnswerOfAnotherUnitIsKnownAsSuch() throws Exception {
    ModbusConnection slow = talk.open(7, HASTY);
    BlockingQueue<Request> asked = new LinkedBlockingQueue<>();
    script =
        r -> {
          asked.add(r);
          return bytes();
        };
    assertThatThrownBy(() -> read(slow, VICTIM)).hasCauseInstanceOf(TimeoutException.class);
    Request late = asked.take();
    script = r -> concat(late.answer(), r.answer());
    assertThat(read(connection, LAST)).isEqualTo(Map.of(LAST.id(), Value.of((long) register(300))));
    assertThat(connection.line()).isEqualTo(line(0, 1, 0, 0));
    assertThat(slow.facts().answers()).isZero();
  }

  @Test
  void whatIsHeardBetweenExchangesIsCounted() throws Exception {
    assertThat(read(connection, FIRST)).hasSize(1);
    bus.say(frame(8, bytes(6, 0, 1, 0, 2)));
    bus.say(frame(8, bytes(6, 0, 1, 0, 2)));
    bus.say(bytes(0x55, 0x55));
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(connection.line()).isEqualTo(line(0, 0, 1, 2)));
    assertThat(read(connection, VICTIM)).isEqualTo(Map.of(VICTIM.id(), truth(200)));
  }

  @Test
  void requestsTakeTurnsAndACancelledOneLetsTheNextGo() throws Exception {
    BlockingQueue<Request> asked = new LinkedBlockingQueue<>();
    script =
        r -> {
          asked.add(r);
          return r.unit == UNIT ? bytes() : r.answer();
        };
    CompletableFuture<?> first = connection.prepare(List.of(FIRST)).read().toCompletableFuture();
    CompletableFuture<List<Sample>> second =
        talk.open(6).prepare(List.of(LAST)).read().toCompletableFuture();
    assertThat(asked.poll(20, TimeUnit.SECONDS).unit()).isEqualTo(UNIT);
    assertThat(asked).isEmpty();
    first.cancel(true);
    assertThat(byPoint(answer(second)))
        .isEqualTo(Map.of(LAST.id(), Value.of((long) register(300))));
    assertThat(asked.poll(20, TimeUnit.SECONDS).unit()).isEqualTo(6);
  }
}
