package io.culvert.plugins;

import java.util.List;
import org.osgi.framework.Version;

/**
 * What a jar says of itself in its manifest.
 *
 * @param vendor of {@code Bundle-Vendor}
 * @param licence of {@code Bundle-License}
 * @param schemes of {@code Culvert-Schemes}, in small letters, for which it has drivers; empty if
 *     it brings profiles only
 * @param opens of {@code Culvert-Opens}, such as {@code tcp} or {@code serial}
 * @param listens of {@code Culvert-Listens}, such as {@code tcp:7001}
 * @param profiles folder of {@code Culvert-Profiles}; {@code ""} if it brings none
 * @param nativeCode whether there is machine code in it, or it says so
 */
record Identity(
    String symbolicName,
    Version version,
    String vendor,
    String licence,
    List<String> schemes,
    List<String> opens,
    List<String> listens,
    String profiles,
    boolean nativeCode) {
  Identity {
    schemes = List.copyOf(schemes);
    opens = List.copyOf(opens);
    listens = List.copyOf(listens);
  }
}
