package io.culvert.core.site;

import io.culvert.core.model.Site;
import java.util.List;
import java.util.function.Consumer;

/** Where the rest of the core has the site from. A service inside this bundle; any thread. */
public interface SiteSource {

  /** The site in force; without devices and with the id {@code ""} while there is none yet. */
  Site current();

  /**
   * Calls the listener at once with the site in force, then with each one that follows it: one call
   * at a time, in order, each whole. It should return soon; the next change waits for it.
   *
   * @return ends the calls
   */
  Listening listen(Consumer<Site> listener);

  /**
   * Where something about a device was written, to begin a message with: {@code etc/site.json:14:
   * devices[3].endpoint}, or the place in the profile for a key below {@code points}.
   *
   * @param device id of a device of the site in force
   * @param key as a driver names it in a {@link io.culvert.api.Problem}: {@code endpoint}, {@code
   *     settings.order}, {@code points.level.address}
   * @return the nearest place known; only the key if there is none
   */
  String where(String device, String key);

  /**
   * What is wrong in site document and profiles, one line each, in their order; empty if nothing.
   */
  List<String> problems();

  /** A listener's registration. */
  @FunctionalInterface
  interface Listening extends AutoCloseable {
    @Override
    void close();
  }
}
