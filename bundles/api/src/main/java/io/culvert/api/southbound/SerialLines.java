package io.culvert.api.southbound;

import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import org.osgi.annotation.versioning.ConsumerType;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The serial lines of this gateway, an OSGi service for drivers whose protocol runs on one.
 *
 * <p>A line's device file is opened once, whoever shares it: two drivers may have devices on one
 * RS-485 pair, with settings of their own, because the core gives them turns by the name of the
 * lane, {@code serial:} and the device file.
 */
@ProviderType
public interface SerialLines {

  /**
   * Joins a line. Does no I/O.
   *
   * @param device file of the line, such as {@code /dev/ttyS1}
   * @param listener hears what comes in after this user's own sending, until another user sends
   */
  SerialLine join(String device, Settings settings, Listener listener);

  /** Parity bit. */
  enum Parity {
    NONE,
    EVEN,
    ODD
  }

  /**
   * How a user speaks on a line. In force while it is the last one that sent.
   *
   * @param baud bits a second, 50 to 4,000,000
   * @param dataBits 7 or 8
   * @param stopBits 1 or 2
   * @param rs485 whether the driver of the port switches the transmitter by itself (RTS); not
   *     needed by most USB adapters and built-in ports, which do it in hardware
   * @param echo whether the adapter hears its own sending: as many bytes as were sent are then
   *     taken off what comes in, and one that differs tells of a collision
   * @param pause silence on the line before sending, since the last byte either way
   */
  record Settings(
      int baud,
      int dataBits,
      Parity parity,
      int stopBits,
      boolean rs485,
      boolean echo,
      Duration pause) {
    public Settings {
      Objects.requireNonNull(parity, "parity");
      Objects.requireNonNull(pause, "pause");
      if (baud < 50 || baud > 4_000_000) {
        throw new IllegalArgumentException("baud " + baud + " instead of 50 to 4,000,000");
      }
      if (dataBits != 7 && dataBits != 8) {
        throw new IllegalArgumentException(dataBits + " data bits instead of 7 or 8");
      }
      if (stopBits != 1 && stopBits != 2) {
        throw new IllegalArgumentException(stopBits + " stop bits instead of 1 or 2");
      }
      if (pause.isNegative()) {
        throw new IllegalArgumentException("a negative pause");
      }
    }

    /** How long one character takes: start bit, data, parity, stop bits. */
    public Duration character() {
      int bits = 1 + dataBits + (parity == Parity.NONE ? 0 : 1) + stopBits;
      return Duration.ofNanos(bits * 1_000_000_000L / baud);
    }
  }

  /** Hears what comes in. Called from the line's own thread, in order; must return at once. */
  @ConsumerType
  interface Listener {
    /**
     * Some bytes came.
     *
     * @param nanos when, by {@link System#nanoTime}
     */
    void received(byte[] bytes, long nanos);

    /** The port is gone: unplugged, say. The next sending opens it again. */
    void lost(IOException cause);
  }
}
