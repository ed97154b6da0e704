package io.culvert.simulator.street;

import io.culvert.simulator.street.Profile.PointSpec;
import io.culvert.simulator.street.Street.Resident;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads a street from its YAML file ({@code schema: culvert-street/1}). */
public final class StreetFile {
  private static final String SCHEMA = "culvert-street/1";
  private static final int PLANT_PORT = 48_400;

  private final Profile.Library profiles;
  private final Section root;
  private final long seed;
  private final Set<String> ids = new HashSet<>();
  private final Map<String, String> addresses = new HashMap<>();
  private final Map<Integer, Street.Framing> framings = new HashMap<>();
  private final List<Resident> devices = new ArrayList<>();
  private int nextPort;

  private StreetFile(Section root, Profile.Library profiles, Integer portBase) {
    this.root = root;
    this.profiles = profiles;
    this.seed = root.whole("seed", 1, 0, Long.MAX_VALUE);
    long base = root.whole("port-base", 15020, 1, 65_535);
    this.nextPort = portBase == null ? (int) base : portBase;
  }

  /**
   * Reads a file.
   *
   * @param portBase first port for devices that don't name one, {@code null} for the file's own
   * @param devices how many devices the street shall have, in the file's proportions, {@code null}
   *     for as many as it says
   */
  public static Street read(Path file, Profile.Library profiles, Integer portBase, Integer devices)
      throws StreetException {
    try {
      return parse(file.toString(), Files.readString(file), profiles, portBase, devices);
    } catch (IOException e) {
      throw new StreetException(
          file + ": can't be read (" + e.getClass().getSimpleName() + "); expected a street file");
    }
  }

  /** Reads a street from text; {@code name} stands for the file in errors. */
  public static Street parse(
      String name, String text, Profile.Library profiles, Integer portBase, Integer devices)
      throws StreetException {
    Section root = Section.read(name, text);
    if (!root.text("schema").equals(SCHEMA)) {
      root.wrong("schema", "found '" + root.text("schema", "") + "', expected " + SCHEMA);
    }
    StreetFile reader = new StreetFile(root, profiles, portBase);
    String title = root.text("title", name);
    double speed = root.number("speed", 1);
    if (!(speed > 0)) {
      root.wrong("speed", "found " + speed + ", expected more than 0");
    }
    double start = root.clocks("start", 21_600)[0];
    Optional<Section> behaviours = root.section("behaviours");
    List<Section> groups = root.has("devices") ? root.sections("devices") : List.of();
    long inFile = 0;
    for (Section group : groups) {
      inFile += count(group);
    }
    long before = 0;
    for (Section group : groups) {
      long after = before + count(group);
      long scaled =
          devices == null ? after - before : devices * after / inFile - devices * before / inFile;
      reader.group(group, behaviours, (int) scaled);
      before = after;
    }
    Street.Plant plant = root.section("plant").map(reader::plant).orElse(null);
    root.refuseOthers();
    if (reader.devices.isEmpty() && plant == null && root.sound()) {
      root.wrong("devices", "found no device, expected at least one below 'devices'");
    }
    root.check();
    return new Street(title, start, speed, reader.seed, List.copyOf(reader.devices), plant);
  }

  private Street.Plant plant(Section at) {
    int port = (int) at.whole("port", PLANT_PORT, 1, 65_535);
    Duration cycle = at.duration("cycle", Duration.ofMillis(250));
    if (cycle.toMillis() < 10) {
      at.wrong("cycle", "found " + cycle.toMillis() + " ms, expected 10ms or more");
      cycle = Duration.ofMillis(10);
    }
    boolean history = oneOf(at, "history", "none", "kept");
    boolean secured = !oneOf(at, "security", "required", "none");
    List<Street.Station> stations = new ArrayList<>();
    for (Section group : at.sections("devices")) {
      String id = group.text("id");
      long count = count(group);
      try {
        Profile profile = profiles.find(group.text("profile"));
        for (int i = 0; i < count; i++) {
          String deviceId = count == 1 ? id : String.format(Locale.ROOT, "%s-%03d", id, i + 1);
          if (!ids.add(deviceId)) {
            group.wrong("id", "found the device '" + deviceId + "' twice, expected each id once");
          }
          stations.add(new Street.Station(deviceId, profile));
        }
      } catch (StreetException e) {
        group.wrong("profile", e.getMessage());
      }
      group.refuseOthers();
    }
    at.refuseOthers();
    return new Street.Plant(port, cycle, history, secured, List.copyOf(stations));
  }

  /** Whether a key says the second of two words. */
  private static boolean oneOf(Section at, String key, String usual, String other) {
    String found = at.text(key, usual);
    if (!found.equals(usual) && !found.equals(other)) {
      at.wrong(key, "found '" + found + "', expected " + usual + " or " + other);
    }
    return found.equals(other);
  }

  private static long count(Section group) {
    return group.whole("count", 1, 1, 100_000);
  }

  private void group(Section group, Optional<Section> behaviours, int count)
      throws StreetException {
    String id = group.text("id");
    boolean alone = count(group) == 1;
    int perPort = (int) group.whole("units-per-port", 20, 1, 247);
    int firstUnit = (int) group.whole("first-unit", 1, 0, 247);
    int port = (int) group.whole("port", nextPort, 1, 65_535);
    String maker = group.text("maker", "");
    String wanted = group.text("framing", "tcp");
    if (!wanted.equals("tcp") && !wanted.equals("rtu")) {
      group.wrong("framing", "found '" + wanted + "', expected tcp or rtu");
    }
    Street.Framing framing = wanted.equals("rtu") ? Street.Framing.RTU : Street.Framing.TCP;
    String profileId = group.text("profile");
    if (profileId.isEmpty()) {
      return;
    }
    Profile profile;
    try {
      profile = profiles.find(profileId);
    } catch (StreetException e) {
      group.wrong("profile", e.getMessage());
      return;
    }
    Duration interval = group.duration("interval", profile.interval());
    Section own = group.section("points").orElse(null);
    Section shared = behaviours.flatMap(all -> all.section(profileId)).orElse(null);
    List<Fault> faults = faults(group, framing);
    group.refuseOthers();

    String[] names = quantities(maker, profile);
    Signal[] signals = new Signal[names.length];
    List<Set<Integer>> follows = new ArrayList<>();
    for (int i = 0; i < names.length; i++) {
      Set<Integer> others = new HashSet<>();
      follows.add(others);
      signals[i] = signal(names, i, others, own, shared, profile);
    }
    for (int i = 0; i < names.length; i++) {
      if (reaches(follows, i, i, new HashSet<>())) {
        group.wrong("points", "found '" + names[i] + "' following itself in a circle");
        return;
      }
    }
    refuseUnknown(own, names);
    refuseUnknown(shared, names);

    for (int i = 0; i < count; i++) {
      String deviceId = alone ? id : String.format(Locale.ROOT, "%s-%03d", id, i + 1);
      if (!ids.add(deviceId)) {
        group.wrong("id", "found the device '" + deviceId + "' twice, expected each id once");
      }
      int at = port + i / perPort;
      int unit = firstUnit + i % perPort;
      String other = addresses.putIfAbsent(at + "/" + unit, deviceId);
      if (other != null || unit > 255) {
        group.wrong(
            "port",
            "found unit "
                + unit
                + " behind port "
                + at
                + " for "
                + deviceId
                + (other == null ? ", expected units up to 255" : ", which is " + other + "'s"));
      }
      if (framings.computeIfAbsent(at, any -> framing) != framing) {
        group.wrong(
            "framing",
            "found "
                + label(framing)
                + " for port "
                + at
                + ", which another group frames otherwise; expected one framing a port");
      }
      long deviceSeed = Noise.hash(seed, deviceId.hashCode());
      Physics physics = new Physics(names, signals, seed, deviceSeed, faults);
      Body body = body(maker, profile, physics, deviceSeed, group);
      int readable = profile.readable();
      devices.add(
          new Resident(
              deviceId,
              profileId,
              at,
              unit,
              framing,
              interval,
              readable,
              body,
              faults,
              deviceSeed));
    }
    nextPort = Math.max(nextPort, port + (count + perPort - 1) / perPort);
  }

  private static String[] quantities(String maker, Profile profile) {
    return switch (maker) {
      case "a-gas" -> MakerAGas.QUANTITIES;
      case "b-pump" -> MakerBPump.QUANTITIES;
      default -> profile.points().stream().map(PointSpec::id).toArray(String[]::new);
    };
  }

  private static Body body(
      String maker, Profile profile, Physics physics, long seed, Section group) {
    try {
      return switch (maker) {
        case "" -> new ProfileBody(profile, physics, serial(seed));
        case "a-gas" -> new MakerAGas(profile, physics);
        case "b-pump" -> new MakerBPump(profile, physics, seed);
        default -> {
          group.wrong("maker", "found '" + maker + "', expected a-gas or b-pump");
          yield new ProfileBody(profile, physics, serial(seed));
        }
      };
    } catch (StreetException e) {
      group.wrong("profile", e.getMessage());
      return new ProfileBody(profile, physics, serial(seed));
    }
  }

  /** A serial number, as makers give them. */
  private static String serial(long seed) {
    return String.format(Locale.ROOT, "CV26%08d", Math.floorMod(seed, 100_000_000L));
  }

  private static boolean reaches(
      List<Set<Integer>> follows, int from, int goal, Set<Integer> visited) {
    for (int next : follows.get(from)) {
      if (next == goal || (visited.add(next) && reaches(follows, next, goal, visited))) {
        return true;
      }
    }
    return false;
  }

  private static Signal signal(
      String[] names, int at, Set<Integer> follows, Section own, Section shared, Profile profile) {
    for (Section section : new Section[] {own, shared}) {
      if (section != null && section.has(names[at])) {
        return Behaviour.read(section, names[at], name -> follow(names, name, follows));
      }
    }
    // Nobody said how it behaves: it wanders gently in the middle of its range.
    for (PointSpec point : profile.points()) {
      if (point.id().equals(names[at])) {
        double min = point.truth().min();
        double max = point.truth().max();
        if (point.type() == Profile.Type.BOOL) {
          return Signal.constant(0);
        }
        if (!Double.isNaN(min) && !Double.isNaN(max)) {
          double middle = (min + max) / 2;
          return Signal.sum(
              new Signal[] {Signal.constant(middle), Signal.walk((max - min) / 4, 3600)},
              Double.NaN,
              Double.NaN);
        }
      }
    }
    return Signal.constant(0);
  }

  private static int follow(String[] names, String name, Set<Integer> follows) {
    int index = List.of(names).indexOf(name);
    if (index >= 0) {
      follows.add(index);
    }
    return index;
  }

  private static void refuseUnknown(Section section, String[] names) {
    if (section == null) {
      return;
    }
    for (String name : names) {
      section.tolerate(name);
    }
    section.refuseOthers();
  }

  private static List<Fault> faults(Section group, Street.Framing framing) {
    List<Fault> faults = new ArrayList<>();
    for (Section at : group.sections("faults")) {
      String name = at.text("kind");
      Fault.Kind kind = null;
      List<String> labels = new ArrayList<>();
      for (Fault.Kind candidate : Fault.Kind.values()) {
        labels.add(candidate.label());
        if (candidate.label().equals(name)) {
          kind = candidate;
        }
      }
      if (kind == null) {
        at.wrong("kind", "found '" + name + "', expected one of " + String.join(", ", labels));
        continue;
      }
      if (kind.framing() != null && kind.framing() != framing) {
        at.wrong(
            "kind",
            "found '" + name + "', which needs framing " + label(kind.framing()) + " of its group");
      }
      double amount =
          switch (kind) {
            case SPIKE -> at.number("by");
            case SLOW -> at.duration("delay", Duration.ofMillis(300)).toMillis();
            case LATE -> at.duration("delay", Duration.ofSeconds(3)).toMillis();
            case EXCEPTION -> at.whole("code", 4, 1, 255);
            default -> 0;
          };
      double probability = at.number("probability", 1);
      if (!(probability > 0 && probability <= 1)) {
        at.wrong("probability", "found " + probability + ", expected more than 0 and at most 1");
      }
      faults.add(
          new Fault(
              kind,
              kind.ofSensor() ? at.text("point") : "",
              probability,
              seconds(at, "at", 0),
              seconds(at, "for", Double.POSITIVE_INFINITY),
              seconds(at, "every", Double.POSITIVE_INFINITY),
              amount));
      at.refuseOthers();
    }
    return List.copyOf(faults);
  }

  private static String label(Street.Framing framing) {
    return framing.name().toLowerCase(Locale.ROOT);
  }

  private static double seconds(Section at, String key, double absent) {
    Duration duration = at.duration(key, null);
    return duration == null ? absent : duration.toMillis() / 1000.0;
  }
}
