package io.culvert.core.site;

import java.io.IOException;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.Map;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** Brings Configuration Admin in line with the site document, touching only what differs. */
final class Configurations {
  private final ConfigurationAdmin admin;

  Configurations(ConfigurationAdmin admin) {
    this.admin = admin;
  }

  /** Creates, updates and deletes; blocks for the disk. */
  void apply(Derivation derived) throws IOException {
    if (derived.buffer() != null) {
      Configuration buffer = admin.getConfiguration(Derivation.BUFFER, "?");
      Dictionary<String, Object> present = buffer.getProperties();
      if (derived.bufferSound() || present == null) {
        buffer.updateIfDifferent(dictionary(derived.buffer()));
      } else {
        // Its bounds stay; which platforms there are doesn't depend on them.
        Object platforms = derived.buffer().get(Derivation.BUFFER_PLATFORMS);
        if (platforms == null) {
          present.remove(Derivation.BUFFER_PLATFORMS);
        } else {
          present.put(Derivation.BUFFER_PLATFORMS, platforms);
        }
        buffer.updateIfDifferent(present);
      }
    }
    if (derived.plugins() != null) {
      Configuration plugins = admin.getConfiguration(Derivation.PLUGINS, "?");
      if (derived.pluginsSound() || plugins.getProperties() == null) {
        plugins.updateIfDifferent(dictionary(derived.plugins()));
      }
    }
    for (Map.Entry<String, Configuration> present : platforms().entrySet()) {
      if (!derived.platforms().containsKey(present.getKey())
          && derived.keep() != null
          && !derived.keep().contains(present.getKey())) {
        present.getValue().delete();
      }
    }
    for (Map.Entry<String, Map<String, Object>> platform : derived.platforms().entrySet()) {
      admin
          .getFactoryConfiguration(Derivation.PLATFORM, platform.getKey(), "?")
          .updateIfDifferent(dictionary(platform.getValue()));
    }
  }

  private Map<String, Configuration> platforms() throws IOException {
    Map<String, Configuration> platforms = new HashMap<>();
    try {
      Configuration[] found =
          admin.listConfigurations(
              "(" + ConfigurationAdmin.SERVICE_FACTORYPID + "=" + Derivation.PLATFORM + ")");
      for (Configuration configuration : found == null ? new Configuration[0] : found) {
        // The name follows the tilde (Compendium 104.3.2).
        String pid = configuration.getPid();
        platforms.put(pid.substring(pid.indexOf('~') + 1), configuration);
      }
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
    return platforms;
  }

  private static Dictionary<String, Object> dictionary(Map<String, Object> properties) {
    return new Hashtable<>(properties);
  }
}
