package io.culvert.benchmarks;

import io.culvert.simulator.street.Profile;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetException;
import io.culvert.simulator.street.StreetFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * A load: so many devices with so many points, polled so often. Each device has a port and so a
 * connection of its own. Each point is one unsigned register with scale 0.1, a unit and a range,
 * without dead-band, and follows a ramp of its own that moves by more than a step in a poll; the
 * first one is the counter by which the audit knows the answers apart, and counts as a point like
 * the others.
 *
 * @param points 2 to 125, so that a device is read by one request
 * @param interval between polls of a device
 */
record Load(int devices, int points, Duration interval) {
  static final int MOST_POINTS = 125;

  /** What the counter is called. */
  static final String TICK = "tick";

  /** UCUM code of every point but the counter. */
  static final String UNIT = "mV";

  /** A raw value is so many of a unit. */
  static final String SCALE = "0.1";

  /** Points a second. */
  double rate() {
    return devices * points / (interval.toNanos() / 1e9);
  }

  /** Id of the profile. */
  String profile() {
    return "load-" + points;
  }

  /** Id of a point by its register. */
  static String point(int register) {
    return register == 0 ? TICK : String.format(Locale.ROOT, "v%03d", register);
  }

  /** The profile as the gateway and the simulator read it. */
  String profileText() {
    StringBuilder text = new StringBuilder();
    text.append("schema: culvert-profile/1\nid: ").append(profile());
    text.append("\ntitle: {en: Load}\nscheme: modbus-tcp\ninterval: 1s\npoints:\n");
    for (int register = 0; register < points; register++) {
      text.append("  - id: ").append(point(register));
      text.append("\n    title: {en: ").append(point(register)).append('}');
      text.append("\n    address: holding:").append(register).append("\n    type: uint16\n");
      if (register > 0) {
        text.append("    scale: " + SCALE + "\n    unit: " + UNIT + "\n    range: [0, 6553.5]\n");
      }
    }
    return text.toString();
  }

  /** The street, in the simulator's language. */
  String streetText() {
    StringBuilder text = new StringBuilder();
    text.append("schema: culvert-street/1\ntitle: Load\ndevices:\n");
    text.append("  - {id: d, count: ").append(devices).append(", profile: ").append(profile());
    text.append(", units-per-port: 1}\nbehaviours:\n  ").append(profile()).append(":\n");
    for (int register = 1; register < points; register++) {
      text.append("    ").append(point(register)).append(": [{sawtooth: {low: ");
      text.append(register * 7).append(", high: ").append(5_000 + register * 11);
      text.append(", period: ").append(300 + register).append("s, fall: 0.00001}}]\n");
    }
    return text.toString();
  }

  /** Writes the profile into a folder. */
  void writeProfile(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve(profile() + ".yaml"), profileText());
  }

  /**
   * The street, ready to be opened.
   *
   * @param work folder for the profile
   * @param portBase of the first device; the others follow
   */
  Street street(Path work, int portBase) throws StreetException, IOException {
    Path profiles = work.resolve("profiles");
    writeProfile(profiles);
    return StreetFile.parse(
        "load", streetText(), new Profile.Library(List.of(profiles)), portBase, null);
  }

  /** For people. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%,d devices × %d points every %s = %,.0f points/s",
        devices,
        points,
        Text.duration(interval),
        rate());
  }
}
