package io.culvert.device.modbus;

import static io.culvert.api.DataType.BOOL;
import static io.culvert.api.DataType.UINT16;
import static io.culvert.api.DataType.UINT32;
import static io.culvert.device.modbus.HostileSlave.bytes;
import static io.culvert.device.modbus.HostileSlave.frame;
import static io.culvert.device.modbus.HostileSlave.register;
import static io.culvert.device.modbus.Rounds.nothingMadeUp;
import static io.culvert.device.modbus.Talk.answer;
import static io.culvert.device.modbus.Talk.browse;
import static io.culvert.device.modbus.Talk.byPoint;
import static io.culvert.device.modbus.Talk.point;
import static io.culvert.device.modbus.Talk.read;
import static io.culvert.device.modbus.Talk.value;
import static io.culvert.device.modbus.Talk.writable;
import static io.culvert.device.modbus.Talk.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable.Found;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.Readable;
import io.culvert.device.modbus.HostileSlave.Request;
import io.culvert.device.modbus.HostileSlave.Script;
import io.culvert.testkit.RecordingSink;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Answers that are garbage, late, short or another's never crash anything and never become the
 * value of a request or point that they don't belong to.
 */
@Timeout(60)
class HostileSlaveTest {
  /** Where somebody is silent: what is answered has to be answered in this time, too. */
  private static final Map<String, String> HASTY = Map.of("responseTimeout", "300ms");

  /** In three blocks; the prank is played on the second. */
  private static final Point FIRST = point("holding:100", UINT16);

  private static final Point VICTIM = point("holding:200", UINT32);
  private static final Point LAST = point("holding:300", UINT16);

  private HostileSlave slave;
  private Talk talk;

  @BeforeEach
  void start() throws Exception {
    slave = new HostileSlave();
    talk = new Talk(slave.port());
  }

  @AfterEach
  void stop() throws Exception {
    talk.close();
    slave.close();
  }

  private void afresh() throws Exception {
    stop();
    start();
  }

  private record Prank(String name, Script script, Quality quality) {
    boolean silent() {
      return quality.equals(Quality.BAD_TIMEOUT);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static Prank prank(String name, Quality quality, Function<Request, byte[]> frame) {
    return new Prank(name, (request, out) -> out.write(frame.apply(request)), quality);
  }

  /** The connection stays; the frame is whole but is no answer to the request. */
  static Stream<Prank> strangeAnswers() {
    return Stream.of(
        prank(
            "wrong transaction",
            Quality.BAD_TIMEOUT,
            r -> frame(r.transaction() + 1000, 0, r.unit(), r.answerPdu())),
        prank(
            "wrong unit",
            Quality.BAD_COMMUNICATION,
            r -> frame(r.transaction(), 0, r.unit() + 1, r.answerPdu())),
        prank(
            "answer of another table",
            Quality.BAD_COMMUNICATION,
            r -> frame(r.transaction(), 0, r.unit(), bytes(4, 4, 1, 2, 3, 4))),
        prank(
            "unknown function",
            Quality.BAD_COMMUNICATION,
            r -> frame(r.transaction(), 0, r.unit(), bytes(0x63, 4, 1, 2, 3, 4))),
        prank(
            "fewer registers than asked for",
            Quality.BAD_COMMUNICATION,
            r -> frame(r.transaction(), 0, r.unit(), bytes(3, 2, 1, 2))),
        prank(
            "more registers than asked for",
            Quality.BAD_COMMUNICATION,
            r -> frame(r.transaction(), 0, r.unit(), bytes(3, 6, 1, 2, 3, 4, 5, 6))),
        prank(
            "count of bytes without the bytes",
            Quality.BAD_COMMUNICATION,
            r -> frame(r.transaction(), 0, r.unit(), bytes(3, 4, 1, 2))),
        prank(
            "bytes beyond their count",
            Quality.BAD_COMMUNICATION,
            r -> frame(r.transaction(), 0, r.unit(), bytes(3, 4, 1, 2, 3, 4, 5))),
        prank(
            "function and nothing else",
            Quality.BAD_COMMUNICATION,
            r -> frame(r.transaction(), 0, r.unit(), bytes(3))),
        prank(
            "exception without a code",
            Quality.BAD_COMMUNICATION,
            r -> frame(r.transaction(), 0, r.unit(), bytes(0x83))),
        prank(
            "exception with a tail",
            Quality.BAD_COMMUNICATION,
            r -> frame(r.transaction(), 0, r.unit(), bytes(0x83, 2, 0))),
        prank(
            "exception of another function",
            Quality.BAD_COMMUNICATION,
            r -> frame(r.transaction(), 0, r.unit(), bytes(0x84, 2))),
        prank(
            "the longest frame there is",
            Quality.BAD_COMMUNICATION,
            r -> frame(r.transaction(), 0, r.unit(), new byte[253])),
        prank("silence", Quality.BAD_TIMEOUT, r -> new byte[0]));
  }

  @ParameterizedTest
  @MethodSource("strangeAnswers")
  void aStrangeAnswerCostsOnlyItsOwnPoints(Prank prank) throws Exception {
    if (prank.silent()) {
      Rounds.oneOfThreeHolds(this::afresh, () -> costsOnlyItsOwnPoints(prank, HASTY));
    } else {
      costsOnlyItsOwnPoints(prank, Map.of());
    }
  }

  private void costsOnlyItsOwnPoints(Prank prank, Map<String, String> settings) throws Exception {
    Readable.Plan plan = talk.open(1, settings).prepare(List.of(FIRST, VICTIM, LAST));
    slave.play(onVictim(prank.script));
    assertThat(nothingMadeUp(byPoint(answer(plan.read())), truth()))
        .isEqualTo(truthExceptVictim(prank.quality));
    slave.behave();
    assertThat(nothingMadeUp(byPoint(answer(plan.read())), truth())).isEqualTo(truth());
    assertThat(slave.connections()).isEqualTo(1);
  }

  /** The stream can't be trusted any more: the connection has to be made anew. */
  static Stream<Prank> brokenStreams() {
    byte[] http = "HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    return Stream.of(
        prank("another protocol", Quality.BAD_NOT_CONNECTED, r -> http),
        prank(
            "wrong protocol identifier",
            Quality.BAD_NOT_CONNECTED,
            r -> frame(r.transaction(), 1, r.unit(), r.answerPdu())),
        prank(
            "length 0",
            Quality.BAD_NOT_CONNECTED,
            r -> frame(r.transaction(), 0, 0, r.unit(), r.answerPdu())),
        prank(
            "length of the unit alone",
            Quality.BAD_NOT_CONNECTED,
            r -> frame(r.transaction(), 0, 1, r.unit(), r.answerPdu())),
        prank(
            "length beyond the specification",
            Quality.BAD_NOT_CONNECTED,
            r -> frame(r.transaction(), 0, 255, r.unit(), new byte[254])),
        prank(
            "length 65535, to be waited for",
            Quality.BAD_NOT_CONNECTED,
            r -> frame(r.transaction(), 0, 65535, r.unit(), r.answerPdu())),
        prank(
            "right answer with garbage before it",
            Quality.BAD_NOT_CONNECTED,
            r -> concat(bytes(0xFF), r.answer())),
        prank("half a frame, and no more", Quality.BAD_TIMEOUT, r -> Arrays.copyOf(r.answer(), 10)),
        prank("half a header, and no more", Quality.BAD_TIMEOUT, r -> Arrays.copyOf(r.answer(), 5)),
        prank(
            "a frame that promises more than it holds",
            Quality.BAD_TIMEOUT,
            r -> frame(r.transaction(), 0, 9, r.unit(), r.answerPdu())),
        new Prank(
            "end within a frame",
            (request, out) -> {
              out.write(request.answer(), 0, 8);
              throw new IOException("enough");
            },
            Quality.BAD_NOT_CONNECTED));
  }

  @ParameterizedTest
  @MethodSource("brokenStreams")
  void aBrokenStreamIsLeftForANewOneAndNoValueIsMadeUp(Prank prank) throws Exception {
    if (prank.silent()) {
      Rounds.oneOfThreeHolds(this::afresh, () -> isLeftForANewOne(prank, HASTY));
    } else {
      isLeftForANewOne(prank, Map.of());
    }
  }

  private void isLeftForANewOne(Prank prank, Map<String, String> settings) throws Exception {
    Readable.Plan plan = talk.open(1, settings).prepare(List.of(FIRST, VICTIM, LAST));
    slave.play(onVictim(prank.script));
    Map<String, Object> values = nothingMadeUp(byPoint(answer(plan.read())), truth());
    assertThat(values)
        .containsEntry(FIRST.id(), Value.of((long) register(100)))
        .containsEntry(VICTIM.id(), prank.quality);
    // A time-out leaves it at that; a lost link ends the cycle.
    assertThat(values.get(LAST.id()))
        .isEqualTo(
            prank.quality.equals(Quality.BAD_TIMEOUT)
                ? Value.of((long) register(300))
                : Quality.BAD_NOT_CONNECTED);
    slave.behave();
    assertThat(nothingMadeUp(byPoint(answer(plan.read())), truth())).isEqualTo(truth());
    assertThat(slave.connections()).isEqualTo(2);
  }

  @Test
  void aStreamThatIsBrokenFromTheStartIsAnException() throws Exception {
    slave.play((request, out) -> out.write(bytes(1, 2, 3, 4, 5, 6, 7, 8)));
    ModbusConnection connection = talk.open(1);
    assertThatThrownBy(() -> read(connection, VICTIM))
        .isInstanceOf(ExecutionException.class)
        .cause()
        .isExactlyInstanceOf(IOException.class)
        .hasMessageContaining("127.0.0.1:" + slave.port())
        .hasMessageContaining("what came is not Modbus: protocol identifier 772 instead of 0");
  }

  @Test
  void anAnswerInPiecesIsAnAnswer() throws Exception {
    slave.play(
        (request, out) -> {
          for (byte piece : request.answer()) {
            out.write(piece);
            out.flush();
          }
        });
    assertThat(read(talk.open(1), FIRST, VICTIM, LAST)).isEqualTo(truth());
  }

  @Test
  void aLateAnswerIsNotGivenToTheNextRequest() throws Exception {
    BlockingQueue<byte[]> late = new LinkedBlockingQueue<>();
    ModbusConnection connection = talk.open(1);
    Readable.Plan plan = connection.prepare(List.of(VICTIM));
    slave.play(
        (request, out) -> late.add(frame(request.transaction(), 0, 1, bytes(3, 4, 9, 9, 9, 9))));
    CompletableFuture<List<Sample>> cancelled = plan.read().toCompletableFuture();
    byte[] held = late.poll(30, TimeUnit.SECONDS);
    cancelled.cancel(true);
    slave.play(
        (request, out) -> {
          out.write(held);
          out.write(request.answer());
          out.write(request.answer());
        });
    for (int i = 0; i < 3; i++) {
      assertThat(byPoint(answer(plan.read()))).isEqualTo(Map.of(VICTIM.id(), truth(200)));
    }
    assertThat(slave.connections()).isEqualTo(1);
  }

  @Test
  void answersInTheWrongOrderFindTheirRequests() throws Exception {
    ModbusConnection one = talk.open(1);
    ModbusConnection two = talk.open(2);
    BlockingQueue<Request> held = new LinkedBlockingQueue<>();
    slave.play(
        (request, out) -> {
          held.add(request);
          if (held.size() == 2) {
            Request first = held.remove();
            out.write(concat(request.answer(), first.answer()));
          }
        });
    CompletableFuture<List<Sample>> first =
        one.prepare(List.of(FIRST)).read().toCompletableFuture();
    CompletableFuture<List<Sample>> last = two.prepare(List.of(LAST)).read().toCompletableFuture();
    assertThat(byPoint(answer(first))).containsEntry(FIRST.id(), Value.of((long) register(100)));
    assertThat(byPoint(answer(last))).containsEntry(LAST.id(), Value.of((long) register(300)));
  }

  @Test
  void whatIsHeardIsCountedByUnitAndConnection() throws Exception {
    ModbusConnection connection = talk.open(1);
    ModbusConnection neighbour = talk.open(2);
    read(connection, FIRST);
    slave.play(
        (request, out) ->
            out.write(frame(request.transaction(), 0, request.unit(), bytes(0x83, 4))));
    read(connection, FIRST);
    slave.play(
        (request, out) -> out.write(frame(request.transaction(), 0, 9, request.answerPdu())));
    read(connection, FIRST);
    slave.play(
        (request, out) ->
            out.write(frame(request.transaction(), 0, request.unit(), bytes(3, 1, 0))));
    read(connection, FIRST);
    BlockingQueue<Request> silent = new LinkedBlockingQueue<>();
    slave.play((request, out) -> silent.add(request));
    CompletableFuture<?> reading = connection.prepare(List.of(FIRST)).read().toCompletableFuture();
    byte[] late = silent.take().answer();
    reading.cancel(true);
    slave.play(
        (request, out) -> {
          out.write(late);
          out.write(request.answer());
        });
    read(neighbour, FIRST);
    Diagnosed.Facts facts = connection.facts();
    assertThat(facts.requests()).isEqualTo(5);
    assertThat(facts.answers()).isEqualTo(2);
    assertThat(facts.malformed()).isEqualTo(1);
    assertThat(facts.answerNanos()).isPositive();
    assertThat(facts.refusals()).isEqualTo(Map.of("exception 04 (server device failure)", 1L));
    assertThat(neighbour.facts().requests()).isEqualTo(1);
    assertThat(connection.line())
        .isEqualTo(neighbour.line())
        .isEqualTo(new Diagnosed.LineFacts(1, 1, 0, 0, 0));
  }

  /** Two ports of one gateway: neither waits for the other, and there is one connection. */
  @Test
  void linesBehindOneAddressAreAskedAtOnceOverOneConnection() throws Exception {
    BlockingQueue<Request> held = new LinkedBlockingQueue<>();
    slave.play(
        (request, out) -> {
          held.add(request);
          if (held.size() == 2) {
            for (Request each : held) {
              out.write(each.answer());
            }
          }
        });
    List<CompletableFuture<List<Sample>>> reads = new ArrayList<>();
    Set<String> lanes = new HashSet<>();
    for (String line : List.of("roof", "cellar")) {
      URI endpoint = URI.create("modbus-tcp://127.0.0.1:" + slave.port() + "?unit=7&line=" + line);
      Device device = new Device(line, "p", endpoint, Map.of());
      lanes.add(talk.driver().lane(device));
      Readable connection = (Readable) answer(talk.driver().open(device, new RecordingSink()));
      reads.add(connection.prepare(List.of(FIRST)).read().toCompletableFuture());
    }
    for (CompletableFuture<List<Sample>> read : reads) {
      assertThat(byPoint(answer(read)))
          .isEqualTo(Map.of(FIRST.id(), Value.of((long) register(100))));
    }
    assertThat(lanes).hasSize(2);
    assertThat(slave.connections()).isEqualTo(1);
  }

  @Test
  void aFloodOfAnswersToNothingEndsTheConnectionAndNotTheReading() throws Exception {
    ModbusConnection connection = talk.open(1);
    slave.play(
        (request, out) -> {
          byte[] stray = frame(request.transaction() - 1, 0, request.unit(), request.answerPdu());
          while (true) {
            out.write(stray);
          }
        });
    assertThatThrownBy(() -> read(connection, VICTIM))
        .hasMessageContaining("answers in turn were to nothing that was asked");
    slave.behave();
    assertThat(read(connection, FIRST, VICTIM, LAST)).isEqualTo(truth());
  }

  @Test
  void aSilentPeerIsTriedOverANewConnectionInTheEnd() throws Exception {
    ModbusConnection connection = talk.open(1);
    Readable.Plan plan = connection.prepare(List.of(VICTIM));
    BlockingQueue<Request> asked = new LinkedBlockingQueue<>();
    slave.play((request, out) -> asked.add(request));
    for (int i = 0; i < 3; i++) {
      CompletableFuture<?> reading = plan.read().toCompletableFuture();
      assertThat(asked.poll(30, TimeUnit.SECONDS)).isNotNull();
      reading.cancel(true);
    }
    slave.behave();
    assertThat(byPoint(answer(plan.read()))).isEqualTo(Map.of(VICTIM.id(), truth(200)));
    assertThat(slave.connections()).isEqualTo(2);
  }

  @Test
  void aSlaveThatClosesIdleConnectionsCostsNoReading() throws Exception {
    ModbusConnection connection = talk.open(1);
    slave.play(
        (request, out) -> {
          out.write(request.answer());
          throw new IOException("idle");
        });
    for (int i = 0; i < 3; i++) {
      assertThat(value(connection, FIRST)).isEqualTo(Value.of((long) register(100)));
      await().until(() -> !connection.connected());
    }
  }

  @Test
  void twoSilentBlocksEndACycleAndComeLastInTheNext() throws Exception {
    Rounds.oneOfThreeHolds(this::afresh, this::twoSilentBlocksEndACycle);
  }

  private void twoSilentBlocksEndACycle() throws Exception {
    Point[] points = new Point[6];
    for (int i = 0; i < points.length; i++) {
      points[i] = point("holding:" + 100 * i, UINT16);
    }
    slave.play(
        (request, out) -> {
          if (request.address() > 0 && request.address() < 400) {
            return;
          }
          out.write(request.answer());
        });
    Readable.Plan plan = talk.open(1, HASTY).prepare(List.of(points));
    assertThat(good(answer(plan.read()))).containsExactly("holding:0");
    assertThat(good(answer(plan.read())))
        .containsExactly("holding:0", "holding:400", "holding:500");
    assertThat(good(answer(plan.read())))
        .containsExactly("holding:0", "holding:400", "holding:500");
    slave.behave();
    assertThat(good(answer(plan.read()))).hasSize(6);
  }

  @Test
  void aDeviceThatIsWhollySilentIsAnExceptionWithinTwoTimeouts() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    slave.play((request, out) -> asked.incrementAndGet());
    ModbusConnection connection = talk.open(1, HASTY);
    long before = System.nanoTime();
    assertThatThrownBy(() -> read(connection, FIRST, VICTIM, LAST))
        .cause()
        .isInstanceOf(TimeoutException.class)
        .hasMessage("Unit 1 at 127.0.0.1:%d did not answer within 300 ms", slave.port());
    // Far less than the minute after which the driver gives up by itself.
    assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - before)).isLessThan(20_000);
    talk.close();
    await().atMost(Duration.ofSeconds(60)).until(slave::quiet);
    assertThat(asked).as("requests that it was asked").hasValue(2);
  }

  @Test
  void aSingleBlockHasTheCoresWholeDeadline() throws Exception {
    BlockingQueue<Request> asked = new LinkedBlockingQueue<>();
    CompletableFuture<Void> release = new CompletableFuture<>();
    slave.play(
        (request, out) -> {
          asked.add(request);
          release.get();
          out.write(request.answer());
        });
    CompletableFuture<List<Sample>> reading =
        talk.open(1, Map.of("responseTimeout", "10ms"))
            .prepare(List.of(VICTIM))
            .read()
            .toCompletableFuture();
    asked.take();
    assertThatThrownBy(() -> reading.get(200, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);
    release.complete(null);
    assertThat(byPoint(answer(reading))).isEqualTo(Map.of(VICTIM.id(), truth(200)));
  }

  @Test
  void aWriteThatIsAnsweredWithAnotherIsNotGood() throws Exception {
    slave.play(
        (request, out) -> {
          byte[] pdu = request.answerPdu();
          pdu[4]++;
          out.write(frame(request.transaction(), 0, request.unit(), pdu));
        });
    ModbusConnection connection = talk.open(1);
    assertThatThrownBy(() -> write(connection, writable("holding:7", UINT16), Value.of(7L)))
        .cause()
        .isExactlyInstanceOf(IOException.class)
        .hasMessageContaining("an answer to another write");
    slave.behave();
    assertThat(write(connection, writable("holding:7", UINT16), Value.of(7L)))
        .isEqualTo(Quality.GOOD);
  }

  @Test
  void aRefusedBlockIsMergedAgainWithoutTheCulprit() throws Exception {
    BlockingQueue<Request> asked = new LinkedBlockingQueue<>();
    slave.play(
        (request, out) -> {
          asked.add(request);
          boolean refuses = request.address() <= 105 && request.address() + request.count() > 105;
          byte[] refusal = frame(request.transaction(), 0, request.unit(), bytes(0x83, 2));
          out.write(refuses ? refusal : request.answer());
        });
    Point[] points = new Point[10];
    for (int i = 0; i < 10; i++) {
      points[i] = point("holding:" + (100 + i), UINT16);
    }
    Readable.Plan plan = talk.open(1).prepare(List.of(points));
    // All; two halves; of the second, two; of its first, two. Then around it.
    for (int[] requests : new int[][] {{7}, {2}, {2}}) {
      Map<String, Object> values = byPoint(answer(plan.read()));
      for (int i = 0; i < 10; i++) {
        assertThat(values)
            .containsEntry(
                "holding:" + (100 + i),
                i == 5 ? Quality.BAD_NOT_FOUND : Value.of((long) register(100 + i)));
      }
      assertThat(asked).hasSize(requests[0]);
      asked.clear();
    }
  }

  @Test
  void whatWasRefusedIsKnownToOtherPlansAndAfterReconnecting() throws Exception {
    BlockingQueue<String> asked = new LinkedBlockingQueue<>();
    slave.play(refusing(105, asked));
    Point[] points = new Point[10];
    for (int i = 0; i < 10; i++) {
      points[i] = point("holding:" + (100 + i), UINT16);
    }
    ModbusConnection connection = talk.open(1);
    Readable.Plan earlier = connection.prepare(List.of(points));
    read(connection, points);
    assertThat(asked).hasSize(7);
    asked.clear();
    for (Readable.Plan plan : List.of(earlier, connection.prepare(List.of(points)))) {
      answer(plan.read());
      assertThat(asked).containsExactly("100+5", "106+4");
      asked.clear();
    }
    connection.close();
    assertThat(read(talk.open(1), points)).hasSize(10);
    assertThat(asked).containsExactly("100+5", "106+4");
    asked.clear();
    assertThat(read(talk.open(2), points)).hasSize(10);
    assertThat(asked).as("another device").hasSize(7);
  }

  @Test
  void aPointThatWasRefusedIsAskedForAgainAfterAMinuteAndReadWhenItIsMended() throws Exception {
    BlockingQueue<String> asked = new LinkedBlockingQueue<>();
    slave.play(refusing(105, asked));
    Point[] points = new Point[10];
    for (int i = 0; i < 10; i++) {
      points[i] = point("holding:" + (100 + i), UINT16);
    }
    Readable.Plan plan = talk.open(1).prepare(List.of(points));
    answer(plan.read());
    answer(plan.read());
    slave.play(refusing(-1, asked));
    asked.clear();
    assertThat(good(answer(plan.read()))).hasSize(9);
    talk.later(Duration.ofMinutes(1));
    assertThat(good(answer(plan.read()))).hasSize(10);
    assertThat(good(answer(plan.read()))).hasSize(10);
    assertThat(asked).containsExactly("100+5", "106+4", "100+5", "105+1", "106+4", "100+10");
  }

  @Test
  void aDeviceThatRefusesMuchIsTakenApartOverSeveralCycles() throws Exception {
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < 120; i++) {
      points.add(point("holding:" + i, UINT16));
    }
    points.add(LAST);
    AtomicInteger asked = new AtomicInteger();
    slave.play(
        (request, out) -> {
          asked.incrementAndGet();
          talk.later(Duration.ofMillis(100));
          boolean refuses = request.address() < 120 && request.address() + request.count() > 7;
          out.write(
              refuses ? frame(request.transaction(), 0, 1, bytes(0x83, 2)) : request.answer());
        });
    Readable.Plan plan = talk.open(1, Map.of("responseTimeout", "800ms")).prepare(points);
    int most = 0;
    List<Sample> samples = List.of();
    for (int cycle = 0; cycle < 60; cycle++) {
      asked.set(0);
      samples = answer(plan.read());
      assertThat(samples).hasSize(121);
      assertThat(byPoint(samples)).containsEntry(LAST.id(), Value.of((long) register(300)));
      most = Math.max(most, asked.get());
    }
    assertThat(most).isLessThan(30);
    assertThat(good(samples)).hasSize(8);
    assertThat(byPoint(samples)).containsEntry("holding:6", Value.of((long) register(6)));
  }

  @Test
  void pointsThatAreAllRefusedStillShowThatTheDeviceIsThere() throws Exception {
    BlockingQueue<String> asked = new LinkedBlockingQueue<>();
    slave.play(refusing(105, asked));
    Readable.Plan plan = talk.open(1).prepare(List.of(point("holding:105", UINT16)));
    for (int cycle = 0; cycle < 3; cycle++) {
      assertThat(byPoint(answer(plan.read())))
          .isEqualTo(Map.of("holding:105", Quality.BAD_NOT_FOUND));
    }
    assertThat(asked).hasSize(3);
    slave.play((request, out) -> {});
    assertThatThrownBy(() -> plan.read().toCompletableFuture().get(300, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);
  }

  @Test
  void aDeviceThatWasSilentIsAskedOnceUntilItAnswers() throws Exception {
    Rounds.oneOfThreeHolds(this::afresh, this::isAskedOnceUntilItAnswers);
  }

  private void isAskedOnceUntilItAnswers() throws Exception {
    BlockingQueue<Request> asked = new LinkedBlockingQueue<>();
    slave.play((request, out) -> asked.add(request));
    ModbusConnection connection = talk.open(1, HASTY);
    Readable.Plan plan = connection.prepare(List.of(FIRST, VICTIM, LAST));
    assertThatThrownBy(() -> answer(plan.read())).cause().isInstanceOf(TimeoutException.class);
    await().untilAsserted(() -> assertThat(asked).hasSize(2));
    for (int cycle = 0; cycle < 3; cycle++) {
      asked.clear();
      assertThatThrownBy(() -> answer(plan.read())).cause().isInstanceOf(TimeoutException.class);
      await().untilAsserted(() -> assertThat(asked).hasSize(1));
    }
    asked.clear();
    Readable.Plan other = connection.prepare(List.of(FIRST, LAST));
    assertThatThrownBy(() -> answer(other.read())).cause().isInstanceOf(TimeoutException.class);
    await().untilAsserted(() -> assertThat(asked).as("another plan").hasSize(1));
    slave.behave();
    assertThat(nothingMadeUp(byPoint(answer(plan.read())), truth())).isEqualTo(truth());
  }

  @Test
  void asManyRequestsAreInFlightAsTheSettingsAllow() throws Exception {
    Point[] points = new Point[9];
    Map<String, Object> truth = new LinkedHashMap<>();
    for (int i = 0; i < points.length; i++) {
      points[i] = point("holding:" + 1000 * i, UINT16);
      truth.put(points[i].id(), Value.of((long) register(1000 * i)));
    }
    BlockingQueue<Request> held = new LinkedBlockingQueue<>();
    slave.play(
        (request, out) -> {
          held.add(request);
          if (held.size() == 3) {
            // The last first.
            Request[] three = {held.remove(), held.remove(), held.remove()};
            out.write(concat(three[2].answer(), concat(three[1].answer(), three[0].answer())));
          }
        });
    ModbusConnection connection = talk.open(1, Map.of("inFlight", "3"));
    Readable.Plan plan = connection.prepare(List.of(points));
    for (int cycle = 0; cycle < 3; cycle++) {
      Map<String, Object> read = byPoint(answer(plan.read()));
      assertThat(read).isEqualTo(truth);
      assertThat(List.copyOf(read.keySet())).isEqualTo(List.copyOf(truth.keySet()));
    }
  }

  @Test
  void cancellingAReadLetsGoOfAllItsRequests() throws Exception {
    BlockingQueue<Request> held = new LinkedBlockingQueue<>();
    slave.play((request, out) -> held.add(request));
    ModbusConnection connection = talk.open(1, Map.of("inFlight", "3"));
    Readable.Plan plan = connection.prepare(List.of(FIRST, VICTIM, LAST));
    CompletableFuture<?> reading = plan.read().toCompletableFuture();
    await().until(() -> held.size() == 3);
    reading.cancel(true);
    slave.behave();
    assertThat(byPoint(answer(plan.read()))).isEqualTo(truth());
  }

  @Test
  void aFunctionThatTheDeviceDoesNotKnowIsTriedOnce() throws Exception {
    BlockingQueue<Integer> asked = new LinkedBlockingQueue<>();
    slave.play(
        (request, out) -> {
          asked.add(request.function());
          boolean unknown = request.function() == 0x16 || request.function() == 0x06;
          out.write(
              unknown
                  ? frame(request.transaction(), 0, 1, bytes(request.function() | 0x80, 1))
                  : request.answer());
        });
    ModbusConnection connection = talk.open(1);
    Point bit = writable("holding:7;bit=1", BOOL);
    assertThat(write(connection, bit, Value.of(true))).isEqualTo(Quality.GOOD);
    assertThat(asked).containsExactly(0x16, 0x03, 0x06, 0x10);
    asked.clear();
    assertThat(write(connection, bit, Value.of(true))).isEqualTo(Quality.GOOD);
    assertThat(write(talk.open(1), bit, Value.of(true))).isEqualTo(Quality.GOOD);
    assertThat(asked).containsExactly(0x03, 0x10, 0x03, 0x10);
  }

  @Test
  void halfAValueIsNeitherWrittenNorRefused() throws Exception {
    slave.play(
        (request, out) ->
            out.write(
                request.address() == 8
                    ? frame(request.transaction(), 0, 1, bytes(0x86, 4))
                    : request.answer()));
    ModbusConnection connection = talk.open(1, Map.of("write", "single"));
    assertThatThrownBy(() -> write(connection, writable("holding:7", UINT32), Value.of(7L)))
        .cause()
        .isExactlyInstanceOf(IOException.class)
        .hasMessage(
            "holding:7: 1 of 2 registers are written, the next is refused:"
                + " exception 04 (server device failure)");
    assertThat(write(connection, writable("holding:8", UINT32), Value.of(7L)))
        .isEqualTo(Quality.BAD_DEVICE_FAILURE);
  }

  @Test
  void aScanGivesWhatItFoundWhenItsTimeIsUp() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    slave.play(
        (request, out) -> {
          asked.incrementAndGet();
          if (request.unit() == 2) {
            out.write(request.answer());
          }
        });
    // Unit 2 and what it says of itself have 200 ms each, in which a slow machine may miss them.
    List<Found> found = List.of();
    for (int scan = 0; scan < 5 && (found.isEmpty() || found.get(0).facts().size() < 4); scan++) {
      asked.set(0);
      found = answer(talk.open(1).scan(247, Duration.ofMillis(600)));
      // Four at once for 200 ms each; if its time weren't up, it would ask all units.
      assertThat(asked).as("requests of a scan").hasValueLessThan(50);
    }
    assertThat(found).extracting(Found::title).containsExactly("HS");
    assertThat(found.get(0).facts())
        .isEqualTo(Map.of("unit", "2", "answer", "value", "vendor", "HS", "revision", "9"));
  }

  /** What devices make of the question who they are, and what is told of them. */
  static Stream<Arguments> identities() {
    return Stream.of(
        arguments(
            "objects one by one",
            (Function<Request, byte[]>)
                request ->
                    request.pdu()[2] != 4
                        ? bytes(0xAB, 3)
                        : request.pdu()[3] > 1
                            ? bytes(0xAB, 2)
                            : bytes(0x2B, 0x0E, 4, 0x81, 0, 0, 1, request.pdu()[3], 1, 'X'),
            Map.of("vendor", "X", "product", "X")),
        arguments(
            "more follows for ever",
            (Function<Request, byte[]>)
                request -> bytes(0x2B, 0x0E, request.pdu()[2], 1, 0xFF, 1, 1, 0, 1, 'X'),
            Map.of("vendor", "X")),
        arguments(
            "more follows, and nothing does",
            (Function<Request, byte[]>)
                request -> bytes(0x2B, 0x0E, request.pdu()[2], 1, 0xFF, request.pdu()[3] + 1, 0),
            Map.of()),
        arguments(
            "three answers",
            (Function<Request, byte[]>)
                request ->
                    bytes(
                        0x2B,
                        0x0E,
                        1,
                        1,
                        request.pdu()[3] < 2 ? 0xFF : 0,
                        request.pdu()[3] + 1,
                        1,
                        request.pdu()[3],
                        1,
                        'A' + request.pdu()[3]),
            Map.of("vendor", "A", "product", "B", "revision", "C")),
        arguments(
            "function 17 only",
            (Function<Request, byte[]>)
                request -> request.function() == 0x2B ? bytes(0xAB, 1) : request.answerPdu(),
            Map.of("server", "M7")),
        arguments(
            "neither",
            (Function<Request, byte[]>) request -> bytes(request.function() | 0x80, 1),
            Map.of()),
        arguments(
            "objects that promise more than they hold",
            (Function<Request, byte[]>) request -> bytes(0x2B, 0x0E, 1, 1, 0, 0, 2, 0, 200, 'X'),
            Map.of()),
        arguments(
            "what can't be printed",
            (Function<Request, byte[]>)
                request -> bytes(0x2B, 0x0E, 1, 1, 0, 0, 1, 0, 4, 0xE6, 'X', 7, 0),
            Map.of("vendor", "X")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("identities")
  void aScanTellsWhatADeviceSaysOfItself(
      String name, Function<Request, byte[]> who, Map<String, String> told) throws Exception {
    slave.play(
        (request, out) ->
            out.write(
                request.function() < 5
                    ? request.answer()
                    : frame(request.transaction(), 0, request.unit(), who.apply(request))));
    List<Found> found = browse(talk.open(5), 1, "5");
    Map<String, String> facts = new LinkedHashMap<>(found.get(0).facts());
    assertThat(facts.remove("unit")).isEqualTo("5");
    assertThat(facts.remove("answer")).isEqualTo("value");
    assertThat(facts).isEqualTo(told);
  }

  private static Script refusing(int register, BlockingQueue<String> asked) {
    return (request, out) -> {
      asked.add(request.address() + "+" + request.count());
      boolean refuses =
          request.address() <= register && request.address() + request.count() > register;
      byte[] refusal = frame(request.transaction(), 0, request.unit(), bytes(0x83, 2));
      out.write(refuses ? refusal : request.answer());
    };
  }

  private static List<String> good(List<Sample> samples) {
    return samples.stream()
        .filter(sample -> sample.quality().good())
        .map(Sample::point)
        .sorted()
        .toList();
  }

  private static Script onVictim(Script prank) {
    return (request, out) -> {
      if (request.address() == 200) {
        prank.play(request, out);
      } else {
        out.write(request.answer());
      }
    };
  }

  private static Value truth(int address) {
    return Value.of(((long) register(address) << 16) + register(address + 1));
  }

  private static Map<String, Object> truth() {
    Map<String, Object> truth = new LinkedHashMap<>();
    truth.put(FIRST.id(), Value.of((long) register(100)));
    truth.put(VICTIM.id(), truth(200));
    truth.put(LAST.id(), Value.of((long) register(300)));
    return truth;
  }

  private static Map<String, Object> truthExceptVictim(Quality quality) {
    Map<String, Object> truth = truth();
    truth.put(VICTIM.id(), quality);
    return truth;
  }

  private static byte[] concat(byte[] one, byte[] other) {
    byte[] both = Arrays.copyOf(one, one.length + other.length);
    System.arraycopy(other, 0, both, one.length, other.length);
    return both;
  }
}
