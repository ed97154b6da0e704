package io.culvert.device.modbus;

import static io.culvert.api.DataType.UINT16;
import static io.culvert.api.DataType.UINT32;
import static io.culvert.device.modbus.HostileSlave.register;
import static io.culvert.device.modbus.Talk.point;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Readable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** Bytes of every kind, over a real socket: every cycle ends, and no value is made up. */
class FuzzTest {
  private static final Point NARROW = point("holding:100", UINT16);
  private static final Point WIDE = point("holding:102", UINT32);
  private static final Map<String, Value> TRUTH =
      Map.of(
          NARROW.id(),
          Value.of((long) register(100)),
          WIDE.id(),
          Value.of(((long) register(102) << 16) + register(103)));

  /** Header, function and count of bytes: what stands before the values. */
  private static final int HEAD = 9;

  private static HostileSlave slave;
  private static Talk talk;
  private static Readable.Plan plan;

  @BeforeContainer
  static void start() throws Exception {
    slave = new HostileSlave();
    talk = new Talk(slave.port());
    plan = talk.open(1).prepare(List.of(NARROW, WIDE));
  }

  @AfterContainer
  static void stop() throws Exception {
    talk.close();
    slave.close();
  }

  @Property(tries = 500)
  void randomBytesNeverHangACycle(@ForAll @Size(max = 600) byte[] bytes) throws Exception {
    slave.play(
        (request, out) -> {
          out.write(bytes);
          throw new IOException("that was all");
        });
    assertNothingMadeUp();
  }

  /** A valid answer, damaged before its values, cut short, or with a tail. */
  @Property(tries = 1000)
  void aDamagedAnswerIsNeverTakenForAnother(
      @ForAll @IntRange(max = HEAD - 1) int at,
      @ForAll byte put,
      @ForAll @IntRange(max = 4) int kind,
      @ForAll @IntRange(max = 17) int length,
      @ForAll @Size(max = 300) byte[] tail)
      throws Exception {
    // One byte too many, equal to the count of bytes and before it, shifts the values within a
    // frame that is valid in itself: no receiver can tell.
    Assume.that(kind != 3 || at != HEAD - 1 || put != 8);
    slave.play(
        (request, out) -> {
          byte[] frame = request.answer();
          ByteArrayOutputStream damaged = new ByteArrayOutputStream();
          switch (kind) {
            case 0 -> {
              frame[at] = put;
              damaged.write(frame);
            }
            case 1 -> damaged.write(Arrays.copyOf(frame, Math.min(length, frame.length)));
            case 2 -> {
              damaged.write(frame, 0, at);
              damaged.write(frame, at + 1, frame.length - at - 1);
            }
            case 3 -> {
              damaged.write(frame, 0, at);
              damaged.write(put);
              damaged.write(frame, at, frame.length - at);
            }
            default -> {
              damaged.write(frame);
              damaged.write(tail);
            }
          }
          out.write(damaged.toByteArray());
          throw new IOException("that was all");
        });
    assertNothingMadeUp();
  }

  private static void assertNothingMadeUp() throws Exception {
    CompletableFuture<List<Sample>> reading = plan.read().toCompletableFuture();
    try {
      for (Sample sample : reading.get(30, TimeUnit.SECONDS)) {
        if (!sample.quality().bad()) {
          assertThat(sample.value()).isEqualTo(TRUTH.get(sample.point()));
        }
      }
    } catch (ExecutionException failed) {
      assertThat(failed.getCause()).isExactlyInstanceOf(IOException.class);
    }
  }
}
