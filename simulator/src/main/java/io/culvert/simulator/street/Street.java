package io.culvert.simulator.street;

import java.time.Duration;
import java.util.List;

/**
 * A street, read and ready to be opened.
 *
 * @param start street time at opening, in seconds after midnight
 * @param speed street seconds in a wall second
 */
public record Street(String title, double start, double speed, long seed, List<Resident> devices) {

  /**
   * One device on the street.
   *
   * @param profile id of the profile that a gateway uses for it
   * @param unit Modbus unit id
   * @param framing of its port, the same for all behind one
   * @param interval between polls, for the site document
   * @param readable how many readings a poll gives
   */
  public record Resident(
      String id,
      String profile,
      int port,
      int unit,
      Framing framing,
      Duration interval,
      int readable,
      Body body,
      List<Fault> faults,
      long seed) {}

  /** How Modbus is framed on a port. */
  public enum Framing {
    /** Modbus TCP. */
    TCP,
    /** RTU frames over TCP, as behind a serial device server. */
    RTU
  }

  /** The street's moment, {@code wallSeconds} after opening. */
  public Physics.Moment moment(double wallSeconds) {
    return new Physics.Moment(start + wallSeconds * speed, wallSeconds, speed);
  }

  /** Readings in one round of polls. */
  public int readable() {
    return devices.stream().mapToInt(Resident::readable).sum();
  }

  /** Whether a device may answer when nobody waits any more. */
  public boolean answersLate() {
    return devices.stream()
        .flatMap(device -> device.faults().stream())
        .anyMatch(fault -> fault.kind() == Fault.Kind.LATE);
  }

  /** The ports that it needs, rising. */
  public List<Integer> ports() {
    return devices.stream().map(Resident::port).distinct().sorted().toList();
  }
}
