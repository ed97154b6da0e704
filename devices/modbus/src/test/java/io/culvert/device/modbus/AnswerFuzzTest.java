package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** Answers of every function, right ones, damaged ones and any bytes, without a wire. */
class AnswerFuzzTest {

  /** Any PDU that a frame can hold: one byte or more. */
  @Property(tries = 20_000)
  void whateverComesIsJudgedAndWhatFitsCanBeDecoded(
      @ForAll("requests") byte[] request, @ForAll("answers") byte[] any, @ForAll boolean near) {
    byte[] answer = any.clone();
    if (near) {
      answer[0] = request[0];
    }
    judge(request, answer);
  }

  /** A right answer with one byte changed, left out or added, or cut short. */
  @Property(tries = 20_000)
  void aDamagedAnswerIsJudgedAndWhatFitsCanBeDecoded(
      @ForAll("requests") byte[] request,
      @ForAll @IntRange(max = 3) int kind,
      @ForAll @IntRange(max = 252) int where,
      @ForAll byte put) {
    byte[] right = new HostileSlave.Request(1, 1, request).answerPdu();
    assertThat(AnswerCheck.wrong(request, right)).isNull();
    int at = where % right.length;
    byte[] damaged;
    switch (kind) {
      case 0 -> {
        damaged = right.clone();
        damaged[at] = put;
      }
      case 1 -> damaged = Arrays.copyOf(right, at + 1);
      case 2 -> {
        damaged = Arrays.copyOf(right, right.length + 1);
        System.arraycopy(right, at, damaged, at + 1, right.length - at);
        damaged[at] = put;
      }
      default -> {
        damaged = Arrays.copyOf(right, Math.max(1, right.length - 1));
        System.arraycopy(right, at + 1, damaged, at, Math.max(0, damaged.length - at));
      }
    }
    judge(request, damaged);
    if (request[0] >= 5 && request[0] <= 0x10 || request[0] == 0x15 || request[0] == 0x16) {
      // A write is believed if the answer is the right one, and in no other case.
      boolean refused = damaged.length == 2 && damaged[0] == (byte) (request[0] | 0x80);
      assertThat(AnswerCheck.wrong(request, damaged) == null)
          .isEqualTo(refused || Arrays.equals(damaged, right));
    }
  }

  @Property(tries = 5000)
  void identifyingEndsWhateverTheAnswers(
      @ForAll @Size(min = 1, max = 40) List<@Size(min = 1, max = 60) byte[]> answers) {
    int[] asked = {0};
    CompletableFuture<Map<String, String>> told =
        Identification.of(
            request -> {
              byte[] answer = answers.get(asked[0]++ % answers.size()).clone();
              answer[0] = request[0];
              for (int i = 1; i < Math.min(3, Math.min(request.length, answer.length)); i++) {
                answer[i] = request[i];
              }
              String wrong = AnswerCheck.wrong(request, answer);
              return wrong == null
                  ? CompletableFuture.completedFuture(answer)
                  : CompletableFuture.failedFuture(
                      asked[0] % 3 == 0
                          ? new RefusedException(new Refusal(asked[0] % 4))
                          : new GarbledException(wrong));
            });
    assertThat(told).isCompleted();
    assertThat(asked[0]).isLessThanOrEqualTo(32);
  }

  private static void judge(byte[] request, byte[] answer) {
    byte[] before = answer.clone();
    String wrong = AnswerCheck.wrong(request, answer);
    assertThat(answer).isEqualTo(before);
    if (wrong != null || answer[0] != request[0]) {
      return;
    }
    Table table =
        switch (request[0]) {
          case 1 -> Table.COIL;
          case 2 -> Table.DISCRETE;
          case 3 -> Table.HOLDING;
          case 4 -> Table.INPUT;
          case 0x14 -> Table.FILE;
          default -> null;
        };
    if (table != null) {
      // The point that needs the last byte of it.
      int count = table == Table.FILE ? request[8] : (request[3] & 0xFF) << 8 | request[4] & 0xFF;
      Codec codec = table.bits() ? Codec.BIT : RowCodec.bytes(count, Order.ABCD);
      Point point = new Point("p", "x", DataType.BYTES, Access.READ);
      Address address = new Address(table, 0, table.bits() ? count - 1 : 0, codec);
      Sample[] samples = new Sample[1];
      int at = Pdu.data(table);
      samples[0] =
          address.codec().decode(point.id(), answer, table.bits() ? 8 * at + count - 1 : at);
      assertThat(samples[0].quality().good()).isTrue();
      assertThat(answer).hasSize(at + (table.bits() ? (count + 7) / 8 : 2 * count));
    }
  }

  @Provide
  Arbitrary<byte[]> answers() {
    return Arbitraries.bytes().array(byte[].class).ofMinSize(1).ofMaxSize(253);
  }

  @Provide
  Arbitrary<byte[]> requests() {
    Arbitrary<Integer> starts = Arbitraries.integers().between(0, 0xFFFF);
    Arbitrary<Integer> counts = Arbitraries.integers().between(1, 121);
    Arbitrary<byte[]> registers =
        Arbitraries.bytes()
            .array(byte[].class)
            .ofMinSize(1)
            .ofMaxSize(60)
            .map(AnswerFuzzTest::even);
    return Arbitraries.oneOf(
        Combinators.combine(Arbitraries.of(Table.INPUT, Table.HOLDING), starts, counts)
            .as((table, start, count) -> Pdu.read(table, 0, start, count)),
        Combinators.combine(starts, counts)
            .as((start, count) -> Pdu.read(Table.FILE, 4, start % 10_000, count)),
        Combinators.combine(starts, Arbitraries.of(true, false)).as(Pdu::writeCoil),
        Combinators.combine(starts, Arbitraries.of(true, false)).as(Pdu::writeCoils),
        Combinators.combine(starts, registers).as((start, r) -> Pdu.writeRegister(start, r, 0)),
        Combinators.combine(starts, registers).as(Pdu::writeRegisters),
        Combinators.combine(starts, registers).as((start, r) -> Pdu.writeFile(4, start, r)),
        Combinators.combine(starts, registers)
            .as((s, r) -> Pdu.maskWrite(s, new byte[] {0, r[0]}, new byte[] {0, r[1]})),
        Arbitraries.of(Pdu.identify(1, 0), Pdu.identify(4, 2), Pdu.reportServerId()));
  }

  /** Twice the bytes: whole registers. */
  private static byte[] even(byte[] bytes) {
    return Arrays.copyOf(bytes, 2 * bytes.length);
  }
}
