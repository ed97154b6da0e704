package io.culvert.core.model;

import io.culvert.api.Device;
import java.time.Duration;
import java.util.List;

/**
 * The site in force, as far as it is valid.
 *
 * @param gateway its id
 * @param own what it tells of itself; {@code null} while no bundle brings that profile
 * @param devices in the document's order, each id once
 */
public record Site(String gateway, Profile own, List<Entry> devices) {
  public Site {
    devices = List.copyOf(devices);
  }

  /** A site whose gateway tells nothing of itself. */
  public Site(String gateway, List<Entry> devices) {
    this(gateway, null, devices);
  }

  /**
   * A device of the site.
   *
   * @param device settings are those of profile and site together
   * @param profile {@code null} while no bundle brings it
   * @param interval between polls of the points that have none of their own
   * @param timeout deadline of one exchange
   * @param problem what is wrong in the document about it, with file and line; {@code ""} if
   *     nothing. A device with a problem is shown and not run
   */
  public record Entry(
      Device device, Profile profile, Duration interval, Duration timeout, String problem) {

    /** Interval of one of its points: the point's own, else the device's. */
    public Duration interval(PointModel point) {
      return point.interval() == null ? interval : point.interval();
    }
  }
}
