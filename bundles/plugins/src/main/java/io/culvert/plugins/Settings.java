package io.culvert.plugins;

import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * What the site says of plug-ins.
 *
 * @param hosted symbolic names
 * @param hostedSigners names on the trust list
 * @param hostedMemory in MiB
 */
record Settings(
    boolean allowUnsigned,
    Set<String> hosted,
    Set<String> hostedSigners,
    int hostedMemory,
    Duration probe) {

  static Settings of(PluginsConfig config) {
    return new Settings(
        config.allowUnsigned(),
        Set.copyOf(List.of(config.hosted())),
        Set.copyOf(List.of(config.hostedSigners())),
        config.hostedMemory(),
        Duration.ofSeconds(config.probeSeconds()));
  }
}
