package io.culvert.plugins;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.service.Monitor;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Devices that are as a test says. */
final class Street implements Monitor {
  private final InstantSource clock;
  private final Map<String, DeviceStatus> devices = new LinkedHashMap<>();
  private final Map<String, Map<String, Reading>> latest = new HashMap<>();
  private long value;

  Street(InstantSource clock) {
    this.clock = clock;
  }

  /** A device, on a lane of its own. */
  void device(String id, String endpoint) {
    device(id, "some-profile", endpoint, "lane of " + id);
  }

  void device(String id, String profile, String endpoint, String lane) {
    put(id, profile, endpoint, lane, State.STARTING, "");
  }

  private void put(
      String id, String profile, String endpoint, String lane, State state, String message) {
    Instant now = clock.instant();
    devices.put(id, new DeviceStatus(id, profile, endpoint, lane, state, message, now, null, 0, 0));
  }

  void become(String id, State state, String message) {
    DeviceStatus d = devices.get(id);
    put(id, d.profile(), d.endpoint(), d.lane(), state, message);
  }

  /** Online, with a new reading of each point. */
  void answer(String id, Quality quality, String... points) {
    answer(id, Duration.ZERO, quality, points);
  }

  /**
   * As above.
   *
   * @param age how long ago it was read
   */
  void answer(String id, Duration age, Quality quality, String... points) {
    become(id, State.ONLINE, "");
    Instant then = clock.instant().minus(age);
    for (String point : points) {
      latest
          .computeIfAbsent(id, key -> new TreeMap<>())
          .put(
              point,
              new Reading(
                  id,
                  point,
                  StreamClass.TELEMETRY,
                  quality.bad() ? null : Value.of(++value),
                  "",
                  quality,
                  then,
                  then,
                  ClockState.SYNCHRONISED,
                  Grade.GENERAL));
    }
  }

  /** What was read of a device is forgotten, as with another profile. */
  void forget(String id) {
    latest.remove(id);
  }

  void remove(String id) {
    devices.remove(id);
    latest.remove(id);
  }

  @Override
  public String gateway() {
    return "g";
  }

  @Override
  public List<DeviceStatus> devices() {
    return List.copyOf(devices.values());
  }

  @Override
  public List<Reading> latest(String device) {
    return new ArrayList<>(latest.getOrDefault(device, Map.of()).values());
  }

  @Override
  public Figures figures() {
    return new Figures(0, 0, 0, 0);
  }

  @Override
  public Watch watch(Listener listener) {
    return () -> {};
  }
}
