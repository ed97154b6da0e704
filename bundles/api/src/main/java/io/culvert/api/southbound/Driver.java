package io.culvert.api.southbound;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Speaks one protocol. Published as an OSGi service with the property {@value #SCHEME}.
 *
 * <p>Called from several threads at once, for different devices. No method may block, except where
 * it says so.
 */
@ConsumerType
public interface Driver {

  /** Service property: the URL scheme, or several, that this driver serves ({@code String+}). */
  String SCHEME = "scheme";

  /**
   * Service property: for each scheme, how a frame of the protocol is told and what differs in it
   * from one time to the next ({@code String+}, each {@code scheme: words}). It goes into
   * recordings of such devices, so that one can be played back without the driver. May be left out;
   * the words are explained in {@code docs/guides/record-replay.md}.
   */
  String MATCHER = "matcher";

  /**
   * Checks endpoint, settings and point addresses. Does no I/O and throws nothing: whatever a
   * person can write comes back as a problem.
   *
   * @return all that is wrong; empty if the device can be opened
   */
  List<Problem> validate(Device device, List<Point> points);

  /**
   * The name of what can carry one exchange at a time on the way to a device: a serial line, a TCP
   * connection, a session. Devices with the same lane take turns, also across drivers; so the name
   * says what it is, for example {@code tcp:192.168.3.17:502} or {@code serial:/dev/ttyS1}.
   */
  String lane(Device device);

  /**
   * What a person should see to before it stops something, though all devices may answer now: a
   * certificate that expires within the month, say. Asked for every minute; does no I/O. It stands
   * in status, and its number goes to the platform.
   *
   * @return whole sentences that say what to do; empty if there is nothing
   * @since 1.1
   */
  default List<String> warnings() {
    return List.of();
  }

  /**
   * Opens the way to a valid device. May connect at once or with the first exchange; the stage
   * fails if the device cannot be reached.
   *
   * @param sink takes what the device sends by itself, until the connection is closed
   */
  CompletionStage<Connection> open(Device device, Sink sink);
}
