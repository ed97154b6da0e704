package io.culvert.tools.registermap;

import io.culvert.api.Device;
import io.culvert.api.Problem;
import io.culvert.core.document.Fault;
import io.culvert.core.document.Faults;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Profile;
import io.culvert.core.profile.LoadedProfile;
import io.culvert.core.profile.ProfileReader;
import io.culvert.device.modbus.ModbusTcpDriver;
import io.culvert.tools.registermap.Draft.Source;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Holds a drafted profile against the gateway's own reader and driver, and says where in the map
 * what they find fault with stands.
 */
final class ProfileCheck {
  private static final Pattern POINT = Pattern.compile("points\\[([0-9]+)](?:\\.([A-Za-z.-]+))?.*");
  private static final Pattern NAMED = Pattern.compile("points\\.([a-z0-9_]+)\\.([a-z]+).*");

  private final ProfileReader reader = new ProfileReader();
  private final ModbusTcpDriver driver = new ModbusTcpDriver();

  /** What is wrong with it; empty if the gateway takes it. */
  List<Trouble> check(Draft draft) {
    if (ProfileYaml.points(draft.profile()).isEmpty() && !draft.troubles().isEmpty()) {
      return List.of();
    }
    byte[] yaml = ProfileYaml.write(draft.profile());
    Faults faults = new Faults("profile");
    LoadedProfile loaded = reader.read(yaml, faults);
    List<Trouble> troubles = new ArrayList<>();
    for (Fault fault : faults.list()) {
      troubles.add(trouble(draft, fault));
    }
    if (loaded.profile() != null && loaded.profile().scheme().startsWith("modbus")) {
      modbus(loaded.profile(), draft, troubles);
    }
    return troubles;
  }

  private static Trouble trouble(Draft draft, Fault fault) {
    Matcher point = POINT.matcher(fault.path());
    if (point.matches() && Integer.parseInt(point.group(1)) < draft.sources().size()) {
      Source source = draft.sources().get(Integer.parseInt(point.group(1)));
      String key = Text.orEmpty(point.group(2));
      // Of a key within a key an exported map has a column of its own.
      String column = source.columns().get(key);
      column = column == null ? source.columns().getOrDefault(key.split("\\.")[0], key) : column;
      boolean unit = key.equals("unit") && fault.expected().startsWith("a UCUM code");
      return new Trouble(
          source.row(),
          column,
          fault.found(),
          unit ? UnitNames.mend(fault.found().replace("\"", "")) : "write " + fault.expected());
    }
    return new Trouble(0, fault.path(), fault.found(), "write " + fault.expected());
  }

  /** The driver looks at addresses and settings; nothing is opened. */
  private void modbus(Profile profile, Draft draft, List<Trouble> troubles) {
    Device device =
        new Device(
            "map", profile.id(), URI.create("modbus-tcp://127.0.0.1:502"), profile.settings());
    List<String> ids = profile.points().stream().map(model -> model.point().id()).toList();
    for (Problem problem :
        driver.validate(device, profile.points().stream().map(PointModel::point).toList())) {
      Matcher named = NAMED.matcher(problem.key());
      int index = named.matches() ? ids.indexOf(named.group(1)) : -1;
      Source source =
          index >= 0 && index < draft.sources().size()
              ? draft.sources().get(index)
              : new Source(0, Map.of());
      String key = named.matches() ? named.group(2) : problem.key();
      troubles.add(
          new Trouble(
              source.row(),
              source.columns().getOrDefault(key, key),
              problem.found(),
              "write " + problem.expected()));
    }
  }
}
