package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import com.sun.management.ThreadMXBean;
import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import java.lang.management.ManagementFactory;
import java.util.Random;
import org.eclipse.milo.opcua.stack.core.encoding.DefaultEncodingContext;
import org.eclipse.milo.opcua.stack.core.encoding.EncodingContext;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.structured.DataChangeNotification;
import org.eclipse.milo.opcua.stack.core.types.structured.MonitoredItemNotification;
import org.junit.jupiter.api.Test;

/**
 * Any bytes as a notification: they are refused, or become samples; and they cost no more memory
 * than there are bytes, many times over. In a normal build on its corpus; to search for an hour:
 *
 * <pre>
 * JAZZER_FUZZ=1 ./mvnw -pl devices/opcua -am test -Dsurefire.failIfNoSpecifiedTests=false \
 *     -Dtest='DecodingFuzzTest#notification' -Djazzer.max_duration=1h
 * </pre>
 */
class DecodingFuzzTest {
  /** For each byte; and once a text or bytes that say that they are as long as a message may be. */
  private static final long MOST_A_BYTE = 300;

  private static final long MOST = 3 << 20;

  private static final EncodingContext CONTEXT = Bounds.context(DefaultEncodingContext.INSTANCE);

  static {
    // Classes and codecs are loaded now.
    try {
      decode(new byte[60]);
    } catch (RuntimeException refused) {
      // It doesn't matter.
    }
  }

  private static final Values VALUES =
      new Values(
          index -> "urn:" + index,
          number -> null,
          (structure, prefix, into) -> {
            throw new Values.Unfit(Values.UNKNOWN_TYPE);
          });

  @FuzzTest(maxDuration = "1h")
  void notification(FuzzedDataProvider data) {
    judge(data.consumeRemainingAsBytes());
  }

  /** Bytes that are likely to mean something: masks of values, small numbers, extremes. */
  @Test
  void thousandsOfNotificationsAreRefusedOrBecomeSamples() {
    int[] likely = {
      0, 1, 2, 6, 12, 15, 22, 23, 24, 25, 0x40, 0x86, 0x97, 0x98, 0xC6, 0xD7, 0xD8, 255
    };
    long seed = System.nanoTime();
    Random random = new Random(seed);
    int decoded = 0;
    for (int i = 0; i < 10_000; i++) {
      // Nothing at the end, so that there may be an end.
      byte[] bytes = new byte[9 + random.nextInt(40) + 16];
      for (int at = 0; at < bytes.length - 16; at++) {
        bytes[at] =
            (byte)
                (random.nextInt(4) == 0
                    ? random.nextInt(256)
                    : likely[random.nextInt(likely.length)]);
      }
      // One value of handle 1.
      System.arraycopy(new byte[] {1, 0, 0, 0, 1, 0, 0, 0, 1}, 0, bytes, 0, 9);
      try {
        decoded += judge(bytes) ? 1 : 0;
      } catch (Throwable failed) {
        throw new AssertionError("with the seed " + seed + ", at " + i, failed);
      }
    }
    assertThat(decoded).as("notifications that could be decoded").isGreaterThan(200);
  }

  private static DataChangeNotification decode(byte[] bytes) {
    return (DataChangeNotification)
        ExtensionObject.of(
                ByteString.of(bytes),
                CONTEXT
                    .getDataTypeManager()
                    .getBinaryEncodingId(Bounds.local(DataChangeNotification.TYPE_ID)))
            .decode(CONTEXT);
  }

  /** Whether it could be decoded. */
  private static boolean judge(byte[] bytes) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    DataChangeNotification change = null;
    try {
      change = decode(bytes);
    } catch (RuntimeException refused) {
      // As it may be; the message then is told as lost.
    }
    assertThat(threads.getCurrentThreadAllocatedBytes() - before)
        .as("bytes of memory for a message of %d", bytes.length)
        .isLessThan(MOST + MOST_A_BYTE * bytes.length);
    if (change == null || change.getMonitoredItems() == null) {
      return false;
    }
    for (MonitoredItemNotification item : change.getMonitoredItems()) {
      for (DataType type : DataType.values()) {
        Point point = new Point("p", "i=1", type, Access.READ);
        Sample sample = VALUES.sample(point, item.getValue());
        assertThat(sample.point()).isEqualTo("p");
        assertThat(sample.value() == null).isEqualTo(sample.quality().bad());
      }
    }
    return true;
  }
}
