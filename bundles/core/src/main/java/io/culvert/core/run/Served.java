package io.culvert.core.run;

import io.culvert.api.southbound.Driver;
import org.osgi.framework.Version;

/**
 * A driver as the registry knows it. Everything that needs the driver goes through here, so that
 * letting go of it is one assignment.
 */
final class Served implements Comparable<Served> {
  private final String scheme;
  private final int ranking;
  private final Version version;
  private final long serviceId;
  private final Caller caller;
  private final Conduct conduct;
  private volatile Driver driver;

  /**
   * @param ranking of the service
   * @param conduct of its plug-in
   */
  Served(
      Driver driver, String scheme, int ranking, long serviceId, Caller caller, Conduct conduct) {
    this.driver = driver;
    this.scheme = scheme;
    this.ranking = ranking;
    this.version = conduct.plugIn().version();
    this.serviceId = serviceId;
    this.caller = caller;
    this.conduct = conduct;
  }

  String scheme() {
    return scheme;
  }

  Caller caller() {
    return caller;
  }

  Conduct conduct() {
    return conduct;
  }

  /** The driver; throws if it has gone. */
  Driver driver() {
    Driver present = driver;
    if (present == null) {
      throw new IllegalStateException("the driver of " + scheme + " has gone");
    }
    return present;
  }

  void release() {
    driver = null;
  }

  /** The better one first: highest ranking, then newest bundle, then the one registered first. */
  @Override
  public int compareTo(Served other) {
    int order = Integer.compare(other.ranking, ranking);
    if (order == 0) {
      order = other.version.compareTo(version);
    }
    return order != 0 ? order : Long.compare(serviceId, other.serviceId);
  }
}
