package io.culvert.plugins;

import io.culvert.api.service.Generations.Plugin;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;

/** What the gateway of an installation would say of a jar, without running it. */
public final class PluginCheck {
  /**
   * Its answer.
   *
   * @param refusal why it wouldn't take the jar; {@code ""} if it would
   * @param lines what it found, for a person to read
   */
  public record Answer(String refusal, List<String> lines) {}

  private PluginCheck() {}

  /**
   * Examines a jar. Changes nothing but in the system's folder for temporary files.
   *
   * @param home of the installation
   * @param inForce plug-ins by symbolic name
   */
  public static Answer check(
      Path home, Path jar, boolean allowUnsigned, Map<String, Plugin> inForce) throws IOException {
    Map<String, Version> api = new TreeMap<>();
    Set<String> base = new HashSet<>();
    system(home.resolve("system"), api, base);
    Examiner examiner = new Examiner(home.resolve("etc/trust"), InstantSource.system());
    Path folder = Files.createTempDirectory("culvert-plugin");
    try {
      // As the gateway does: what is examined is a copy.
      Store.Staged staged = new Store(folder).stage(jar);
      try {
        return answer(examiner, staged, api, base, allowUnsigned, inForce);
      } finally {
        Files.delete(staged.file());
      }
    } catch (JarContent.Unreadable e) {
      return new Answer(
          "found no whole jar (" + e.getMessage() + "); expected a bundle", List.of());
    } catch (Refused e) {
      return new Answer(e.getMessage(), List.of());
    } finally {
      Files.delete(folder);
    }
  }

  private static Answer answer(
      Examiner examiner,
      Store.Staged staged,
      Map<String, Version> api,
      Set<String> base,
      boolean allowUnsigned,
      Map<String, Plugin> inForce)
      throws Refused, JarContent.Unreadable {
    boolean admitted = inForce.values().stream().anyMatch(p -> p.sha256().equals(staged.sha256()));
    Examiner.Verdict verdict = examiner.examine(staged.file(), api, allowUnsigned, admitted);
    Identity identity = verdict.identity();
    String name = identity.symbolicName();
    if (base.contains(name)) {
      throw Refused.ofBase(name);
    }
    List<String> lines = new ArrayList<>();
    lines.add("plug-in: " + name + " " + identity.version());
    lines.add("vendor: " + identity.vendor());
    lines.add("licence: " + identity.licence());
    if (!identity.schemes().isEmpty()) {
      lines.add("serves: " + String.join(", ", identity.schemes()));
      lines.add("opens: " + words(identity.opens()));
      lines.add("listens on: " + words(identity.listens()));
    }
    if (!identity.profiles().isEmpty()) {
      lines.add("profiles: in " + identity.profiles());
    }
    if (identity.nativeCode()) {
      lines.add("native code: yes, so it runs in a process of its own");
    }
    lines.add("signed by: " + (verdict.signer().isEmpty() ? "nobody trusted" : verdict.signer()));
    if (!verdict.warning().isEmpty()) {
      lines.add("warning: " + verdict.warning());
    }
    examiner.problems().forEach(problem -> lines.add("warning: " + problem));
    String stepBack =
        StepBack.of(name, identity.version(), staged.sha256(), inForce.get(name), allowUnsigned);
    return new Answer(stepBack == null ? "" : stepBack, lines);
  }

  private static String words(List<String> words) {
    return words.isEmpty() ? "none" : String.join(", ", words);
  }

  /** What the bundles of the base are called, and the packages of the API among them. */
  private static void system(Path folder, Map<String, Version> api, Set<String> base)
      throws IOException {
    try (DirectoryStream<Path> jars = Files.newDirectoryStream(folder, "*.jar")) {
      for (Path each : jars) {
        try (JarFile file = new JarFile(each.toFile(), false);
            InputStream in = file.getInputStream(file.getEntry(JarContent.MANIFEST))) {
          Attributes main = new Manifest(in).getMainAttributes();
          Header.parse(main.getValue(Constants.BUNDLE_SYMBOLICNAME))
              .forEach(clause -> base.addAll(clause.paths()));
          for (Header.Clause clause : Header.parse(main.getValue(Constants.EXPORT_PACKAGE))) {
            for (String name : clause.paths()) {
              if (JarCheck.ofApi(name)) {
                api.put(name, Version.parseVersion(clause.parameters().get("version")));
              }
            }
          }
        }
      }
    }
  }
}
