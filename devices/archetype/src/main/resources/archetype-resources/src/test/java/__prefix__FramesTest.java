package ${package};

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ${prefix}FramesTest {
  @Test
  void theCheckSumIsTheOneOfTheCatalogue() {
    byte[] digits = "123456789".getBytes(StandardCharsets.US_ASCII);
    assertThat(${prefix}Frames.checkSum(digits, 0, 9)).isEqualTo(0x4B37);
  }

  @Test
  void aRequestIsWhatTheProtocolSays() {
    String frame = HexFormat.of().formatHex(${prefix}Frames.read(7, 16).array());
    assertThat(frame).startsWith("a503070110").hasSize(2 * 7);
  }

  @Test
  void aFrameIsTakenWhereverTcpCutsIt() throws IOException {
    ByteBuffer whole = ${prefix}Frames.write(9, 32, 0x1234);
    for (int cut = 0; cut < whole.limit(); cut++) {
      assertThat(${prefix}Frames.next(whole.duplicate().limit(cut))).isNull();
    }
    ${prefix}Frames.Body body = ${prefix}Frames.next(whole);
    assertThat(body.number()).isEqualTo(9);
    assertThat(body.data()).containsExactly(${prefix}Frames.WRITE, 32, 0x12, 0x34);
    assertThat(whole.hasRemaining()).isFalse();
  }

  @Test
  void everyBitThatIsWrongIsFound() {
    byte[] frame = ${prefix}Frames.read(200, 33).array();
    for (int bit = 8; bit < frame.length * 8; bit++) {
      byte[] damaged = frame.clone();
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      // A longer length makes it wait for more, until the core's deadline.
      byte[] padded = java.util.Arrays.copyOf(damaged, ${prefix}Frames.ROOM);
      assertThatThrownBy(() -> ${prefix}Frames.next(ByteBuffer.wrap(padded)))
          .as("bit " + bit)
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void whateverArrivesIsAFrameOrAnIOException() {
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = new byte[random.nextInt(${prefix}Frames.ROOM)];
      random.nextBytes(bytes);
      if (bytes.length > 1 && random.nextBoolean()) {
        bytes[0] = (byte) 0xA5;
        bytes[1] = (byte) random.nextInt(12);
      }
      try {
        ${prefix}Frames.next(ByteBuffer.wrap(bytes));
      } catch (IOException e) {
        assertThat(e).hasMessageStartingWith("The controller");
      }
    }
  }
}
