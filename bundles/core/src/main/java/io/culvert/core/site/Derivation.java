package io.culvert.core.site;

import io.culvert.core.document.Faults;
import io.culvert.core.document.Node;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The configurations that follow from a site document.
 *
 * @param buffer properties of PID {@value #BUFFER}, those that are right; {@code null} while no
 *     bundle declares it
 * @param bufferSound whether all of them are right; otherwise a configuration in force stays
 * @param plugins properties of PID {@value #PLUGINS}, as for the buffer
 * @param pluginsSound whether all of them are right; otherwise a configuration in force stays
 * @param platforms properties of factory PID {@value #PLATFORM} by platform id
 * @param keep platforms whose configuration stays as it is, because what the document says of them
 *     is wrong or can't be checked yet: a slip of the pen must not take a platform away, and its
 *     unconfirmed readings with it; {@code null} for all
 * @param faults what is wrong
 */
record Derivation(
    Map<String, Object> buffer,
    boolean bufferSound,
    Map<String, Object> plugins,
    boolean pluginsSound,
    Map<String, Map<String, Object>> platforms,
    Set<String> keep,
    Faults faults) {
  static final String BUFFER = "io.culvert.buffer";

  /**
   * Property of {@value #BUFFER}: the ids of the platforms of the site. Of one that isn't in it the
   * buffer keeps nothing; it is absent while a slip hides an id.
   */
  static final String BUFFER_PLATFORMS = "platforms";

  static final String PLUGINS = "io.culvert.plugins";
  static final String PLATFORM = "io.culvert.mqtt";

  /** Derives; what no bundle present declares waits. */
  static Derivation of(SiteDocument document, Metatypes metatypes) {
    Faults faults = new Faults(document.faults().file());
    Map<String, Object> buffer = null;
    boolean bufferSound = false;
    Metatype bufferType = metatypes.get(BUFFER);
    if (bufferType != null) {
      Faults own = new Faults(faults.file());
      Map<String, Object> given = new HashMap<>();
      given.put("gateway", document.gateway());
      if (document.platformIds() != null) {
        given.put(BUFFER_PLATFORMS, List.copyOf(new TreeSet<>(document.platformIds())));
      }
      buffer = bufferType.check(section(document.buffer()), "buffer", given, own);
      bufferSound = own.none();
      faults.addAll(own);
    }
    Map<String, Object> plugins = null;
    boolean pluginsSound = false;
    Metatype pluginsType = metatypes.get(PLUGINS);
    if (pluginsType != null) {
      Faults own = new Faults(faults.file());
      plugins = pluginsType.check(section(document.plugins()), "plugins", Map.of(), own);
      pluginsSound = own.none();
      faults.addAll(own);
    }
    Map<String, Map<String, Object>> platforms = new LinkedHashMap<>();
    Set<String> keep =
        document.platformIds() == null ? null : new LinkedHashSet<>(document.platformIds());
    Metatype platformType = metatypes.get(PLATFORM);
    for (SiteDocument.Platform platform :
        platformType == null ? List.<SiteDocument.Platform>of() : document.platforms()) {
      Faults own = new Faults(faults.file());
      Map<String, Object> given = Map.of("id", platform.id(), "gateway", document.gateway());
      Map<String, Object> properties =
          platformType.check(platform.node(), platform.path(), given, own);
      if (own.none()) {
        platforms.put(platform.id(), properties);
        if (keep != null) {
          keep.remove(platform.id());
        }
      }
      faults.addAll(own);
    }
    return new Derivation(buffer, bufferSound, plugins, pluginsSound, platforms, keep, faults);
  }

  /** A section that isn't there has nothing but defaults. */
  private static Node.Obj section(Node.Obj given) {
    return given == null ? new Node.Obj(1, 1, Map.of(), Map.of(), List.of()) : given;
  }
}
