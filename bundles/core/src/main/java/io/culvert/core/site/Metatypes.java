package io.culvert.core.site;

import java.util.Map;
import java.util.TreeMap;

/** What the bundles present declare, by PID. Safe in any thread. */
final class Metatypes {
  private final Map<Long, Map<String, Metatype>> bundles = new TreeMap<>();

  /** Takes what a bundle declares; empty if it is gone. */
  synchronized void bundle(long number, Map<String, Metatype> declared) {
    if (declared.isEmpty()) {
      bundles.remove(number);
    } else {
      bundles.put(number, declared);
    }
  }

  /**
   * @return {@code null} while no bundle declares it; of several, the one installed first
   */
  synchronized Metatype get(String pid) {
    for (Map<String, Metatype> declared : bundles.values()) {
      if (declared.containsKey(pid)) {
        return declared.get(pid);
      }
    }
    return null;
  }
}
