package io.culvert.plugins;

import io.culvert.api.service.Generations.Plugin;
import org.osgi.framework.Version;

/**
 * The rule that nothing older than what is in force is taken by oversight, such as a copy of an old
 * inbox, and that one version has one content.
 */
final class StepBack {
  private StepBack() {}

  /**
   * Why a jar would be a step back. It is none once nothing of its name is in force.
   *
   * @param inForce {@code null} for nothing
   * @param development whether the site takes anything, as under development
   * @return {@code null} if it isn't
   */
  static String of(
      String name, Version version, String sha256, Plugin inForce, boolean development) {
    if (inForce == null || inForce.sha256().equals(sha256)) {
      return null;
    }
    int newer = version.compareTo(Version.parseVersion(inForce.version()));
    // A snapshot stands for whatever was built last.
    if (newer > 0 || newer == 0 && (development || version.getQualifier().equals("SNAPSHOT"))) {
      return null;
    }
    return newer < 0
        ? ("it is %s %s, older than %s that is in force: to go back to it, remove every jar of it"
                + " first, and put this one in when culvert status doesn't list the plug-in any"
                + " more")
            .formatted(name, version, inForce.version())
        : ("it is another %s %s than the one in force: give it a higher version, or remove every"
                + " jar of it first")
            .formatted(name, version);
  }
}
