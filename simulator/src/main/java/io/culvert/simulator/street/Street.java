package io.culvert.simulator.street;

import java.time.Duration;
import java.util.List;

/**
 * A street, read and ready to be opened.
 *
 * @param start street time at opening, in seconds after midnight
 * @param speed street seconds in a wall second
 * @param plant beside the street, {@code null} for none
 */
public record Street(
    String title, double start, double speed, long seed, List<Resident> devices, Plant plant) {

  /**
   * Devices behind one server of OPC UA.
   *
   * @param cycle how often it measures
   * @param history whether it keeps what it measured
   * @param secured whether it wants signed and encrypted messages; else it takes none such
   */
  public record Plant(
      int port, Duration cycle, boolean history, boolean secured, List<Station> stations) {
    /** Scheme of the profiles that its devices have. */
    public static final String SCHEME = "opc.tcp";
  }

  /**
   * A device of the plant.
   *
   * @param profile that a gateway uses for it, which tells the kind of device, too
   */
  public record Station(String id, Profile profile) {}

  /** The same street with a plant beside it. */
  public Street with(Plant other) {
    return new Street(title, start, speed, seed, devices, other);
  }

  /** A plant alone, at the street's pace. */
  public Street only(Plant other) {
    return new Street("Plant behind a server of OPC UA", start, speed, seed, List.of(), other);
  }

  /** Devices of the street and the plant. */
  public int size() {
    return devices.size() + (plant == null ? 0 : plant.stations().size());
  }

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

  /** Points of the street and the plant. */
  public int points() {
    return readable()
        + (plant == null
            ? 0
            : plant.stations().stream().mapToInt(station -> station.profile().readable()).sum());
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
