package io.culvert.testkit;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.util.List;
import java.util.Map;

/**
 * The far side of a {@link DriverContract}: a real device or an independent stand-in, which the
 * test can command. Runs when it is given to the contract; several may run at once, each at an
 * address of its own.
 *
 * <p>What a peer offers decides which cases apply; and a driver whose connections can more than the
 * peer offers doesn't pass. {@link ScriptedPeer} is one made of a text.
 */
public interface Peer extends AutoCloseable {

  /** How the driver reaches it; the same for as long as the peer lives. */
  Device device();

  /**
   * Points that can be read or subscribed to, and the value that each shows; one or more, and two
   * or more if it {@linkplain #tells tells}. None if the driver only writes.
   */
  Map<Point, Value> values();

  /** Points that are valid for the driver but which the device refuses to read or to send. */
  default List<Point> refused() {
    return List.of();
  }

  /**
   * Points that can be written, and two different values for each, none of which they hold at
   * first. If the driver reads, too, they can be read back.
   */
  default Map<Point, List<Value>> writes() {
    return Map.of();
  }

  /**
   * Other devices behind the same peer, in the same {@linkplain
   * io.culvert.api.southbound.Driver#lane lane}: each with what it shows.
   */
  default Map<Device, Map<Point, Value>> neighbours() {
    return Map.of();
  }

  /** Whether it sends by itself: {@link #tell}. */
  default boolean tells() {
    return false;
  }

  /** Sends a point's value by itself to whoever is connected, once; has when this returns. */
  default void tell(Point point, Value value) throws Exception {
    throw new UnsupportedOperationException("This peer doesn't send by itself");
  }

  /**
   * Whether it keeps subscriptions while it is {@linkplain #stop away}, and what it has to {@link
   * #tell} then. So {@code tell} is called in that time, too, once for a point.
   */
  default boolean keeps() {
    return false;
  }

  /**
   * What it has kept of points: two samples or more of each, with the time of the device, oldest
   * first. Nothing is kept of others.
   */
  default Map<Point, List<Sample>> history() {
    return Map.of();
  }

  /**
   * Whether a single wrong byte in an answer can't go unnoticed: the protocol has a check sum. Then
   * a damaged answer must never become a good value.
   */
  default boolean checksummed() {
    return false;
  }

  /**
   * A way to it that can damage what it sends, for the cases of hostile answers. If the endpoint
   * names a host and a port, one for TCP.
   *
   * @return {@code null} if there is none; then these cases don't apply
   */
  default Relay relay() throws Exception {
    return Relay.tcp(device());
  }

  /** From the return of this call on, takes what it is sent and answers nothing. */
  void hold() throws Exception;

  /** Ends a {@link #hold}; may or may not answer what it was sent meanwhile. */
  void resume() throws Exception;

  /** Goes away: existing connections end, new ones are refused. */
  void stop() throws Exception;

  /** Comes back at the same address after {@link #stop}; has when this returns. */
  void start() throws Exception;

  @Override
  void close() throws Exception;
}
