package io.culvert.core.model;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A model of devices as data: what its points are and what their raw values mean.
 *
 * @param scheme of the endpoints that it fits, or what several begin with: {@code modbus} fits
 *     {@code modbus-tcp} and {@code modbus-rtu}
 * @param interval between polls where the site says nothing else
 * @param settings for the driver
 */
public record Profile(
    String id,
    String scheme,
    Duration interval,
    Map<String, String> settings,
    List<PointModel> points) {
  public Profile {
    settings = Map.copyOf(settings);
    points = List.copyOf(points);
  }

  /** Whether it describes devices behind an endpoint of this scheme. */
  public boolean fits(String endpointScheme) {
    return endpointScheme.equals(scheme) || endpointScheme.startsWith(scheme + "-");
  }
}
