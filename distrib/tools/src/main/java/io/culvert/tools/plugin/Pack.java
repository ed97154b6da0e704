package io.culvert.tools.plugin;

import io.culvert.api.Device;
import io.culvert.api.Problem;
import io.culvert.core.document.Faults;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Profile;
import io.culvert.core.profile.LoadedProfile;
import io.culvert.core.profile.ProfileReader;
import io.culvert.device.modbus.ModbusTcpDriver;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Profiles, and what a plug-in says of itself: a plug-in without Java. */
final class Pack {
  private static final String FOLDER = "profiles";
  private static final long MAX_BYTES = 1 << 20;

  /** The same profiles give the same jar. */
  private static final LocalDateTime TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

  private final Manifest manifest = new Manifest();
  private final Map<String, byte[]> profiles = new TreeMap<>();

  /** What the manifest says; each as it stands there. */
  Pack(String name, String version, String vendor, String licence) throws UsageException {
    check("--name", name, "[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*", "a name such as com.example.lamp");
    check("--version", version, "[0-9]{1,9}(\\.[0-9]{1,9}){0,2}", "a version such as 1.0.0");
    check("--vendor", vendor, "[^\\p{Cntrl}]{1,200}", "who answers for it, in one line");
    check(
        "--licence",
        licence,
        "[A-Za-z0-9.+:/_-]{1,200}",
        "an SPDX identifier such as Apache-2.0, LicenseRef-Example for one of your own, or the"
            + " address of its text");
    Attributes main = manifest.getMainAttributes();
    main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    main.putValue("Bundle-ManifestVersion", "2");
    main.putValue("Bundle-SymbolicName", name);
    main.putValue("Bundle-Version", version);
    main.putValue("Bundle-Vendor", vendor);
    main.putValue("Bundle-License", licence);
    main.putValue("Culvert-Profiles", FOLDER);
  }

  private static void check(String option, String found, String pattern, String expected)
      throws UsageException {
    if (!found.matches(pattern)) {
      throw new UsageException("found " + option + " " + found + "; expected " + expected);
    }
  }

  /**
   * Takes the profiles, if the gateway would.
   *
   * @throws Refusal with all that is wrong, by file and line
   */
  void take(List<Path> files) throws IOException, Refusal {
    ProfileReader reader = new ProfileReader();
    List<String> wrong = new ArrayList<>();
    Map<String, Path> ids = new TreeMap<>();
    for (Path file : files) {
      if (!Files.isRegularFile(file)) {
        wrong.add(file + ": found no such file; expected a profile (YAML)");
        continue;
      }
      if (Files.size(file) > MAX_BYTES) {
        wrong.add(file + ": found more than " + MAX_BYTES + " bytes; expected a profile (YAML)");
        continue;
      }
      byte[] yaml = Files.readAllBytes(file);
      LoadedProfile loaded = reader.read(yaml, new Faults(file.toString()));
      wrong.addAll(loaded.faults());
      if (loaded.profile() == null) {
        continue;
      }
      wrong.addAll(driver(loaded));
      Path first = ids.putIfAbsent(loaded.id(), file);
      if (first != null) {
        wrong.add(
            loaded.places().get("id")
                + ": found \""
                + loaded.id()
                + "\"; expected an id of its own: "
                + first
                + " has it");
      }
      profiles.put(FOLDER + "/" + loaded.id() + ".yaml", yaml);
    }
    if (!wrong.isEmpty()) {
      throw new Refusal(wrong);
    }
  }

  /** What the driver that is shipped finds wrong with addresses and settings. */
  private static List<String> driver(LoadedProfile loaded) {
    Profile profile = loaded.profile();
    if (!profile.scheme().startsWith("modbus")) {
      return List.of();
    }
    Device device =
        new Device(
            "any", profile.id(), URI.create("modbus-tcp://127.0.0.1:502"), profile.settings());
    List<String> wrong = new ArrayList<>();
    for (Problem problem :
        new ModbusTcpDriver()
            .validate(device, profile.points().stream().map(PointModel::point).toList())) {
      wrong.add(
          loaded.places().getOrDefault(problem.key(), loaded.file() + ": " + problem.key())
              + ": found "
              + problem.found()
              + "; expected "
              + problem.expected());
    }
    return wrong;
  }

  /** Whole or not at all; the file must not be there. */
  void write(Path jar) throws IOException {
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
      entry(out, JarFile.MANIFEST_NAME);
      manifest.write(out);
      for (Map.Entry<String, byte[]> profile : profiles.entrySet()) {
        entry(out, profile.getKey());
        out.write(profile.getValue());
      }
    }
  }

  private static void entry(ZipOutputStream out, String name) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setTimeLocal(TIME);
    out.putNextEntry(entry);
  }

  /** Ids of the profiles taken. */
  List<String> ids() {
    return profiles.keySet().stream()
        .map(path -> path.replaceFirst("^" + FOLDER + "/(.*)\\.yaml$", "$1"))
        .toList();
  }
}
