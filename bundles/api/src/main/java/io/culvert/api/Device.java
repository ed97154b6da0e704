package io.culvert.api;

import java.net.URI;
import java.util.Map;
import java.util.Objects;

/**
 * One device of the site.
 *
 * @param id unique on this gateway; letters, digits, {@code -}, {@code _} and {@code .}
 * @param profile id of the profile that describes its points
 * @param endpoint where it is reached; the scheme chooses the driver. For example {@code
 *     modbus-tcp://192.168.3.17:502?unit=3}
 * @param settings what the driver is told beyond the endpoint: the profile's settings, overridden
 *     by the site's. Never a secret in clear
 */
public record Device(String id, String profile, URI endpoint, Map<String, String> settings) {
  public Device {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(profile, "profile");
    Objects.requireNonNull(endpoint, "endpoint");
    settings = Map.copyOf(settings);
  }
}
