package io.culvert.testkit;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Value;
import java.util.List;
import java.util.Map;

/**
 * The far side of a {@link DriverContract}: a real device or an independent stand-in, which the
 * test can command. Runs when it is given to the contract.
 */
public interface Peer extends AutoCloseable {

  /** How the driver reaches it; the same for as long as the peer lives. */
  Device device();

  /** Readable points, and the value that each shows; one or more. */
  Map<Point, Value> values();

  /** Points that are valid for the driver but which the device refuses to read; one or more. */
  List<Point> refused();

  /** A point that can be written and read back. */
  Point writable();

  /** Two different values for {@link #writable}. */
  List<Value> writes();

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
