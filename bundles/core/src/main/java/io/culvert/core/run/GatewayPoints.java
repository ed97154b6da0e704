package io.culvert.core.run;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.LedgerEntry.Reason;
import io.culvert.api.service.Monitor;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** The gateway as a device: tells of itself once a second, on the loop. */
final class GatewayPoints {
  private static final Duration EVERY = Duration.ofSeconds(1);

  private final Kit kit;
  private final Supplier<String> gateway;
  private final LongSupplier online;
  private final long began;
  private volatile List<Reading> latest = List.of();

  /**
   * @param gateway its id, {@code ""} while there is no site
   * @param online how many devices answer
   */
  GatewayPoints(Kit kit, Supplier<String> gateway, LongSupplier online) {
    this.kit = kit;
    this.gateway = gateway;
    this.online = online;
    this.began = kit.loop().nanos();
  }

  void start() {
    long next = kit.loop().nanos() + EVERY.toNanos();
    kit.loop()
        .at(
            next,
            () -> {
              start();
              tell();
            });
  }

  /** What it told last. Any thread. */
  List<Reading> latest() {
    return latest;
  }

  private void tell() {
    String device = gateway.get();
    Buffer.Status status = kit.outlet().status();
    if (device.isEmpty() || status == null) {
      return;
    }
    long confirmed = 0;
    long unconfirmed = 0;
    for (Buffer.Forwarding forwarder : status.forwarders()) {
      confirmed += forwarder.confirmed();
      unconfirmed += forwarder.unconfirmed();
    }
    Monitor.Figures figures = kit.tally().figures();
    Runtime runtime = Runtime.getRuntime();
    Instant now = kit.loop().now();
    ClockState clock = kit.clock().state();
    List<Reading> readings = new ArrayList<>(11);
    Points points =
        (point, value, unit) ->
            readings.add(
                new Reading(
                    device,
                    point,
                    StreamClass.TELEMETRY,
                    Value.of(value),
                    unit,
                    Quality.GOOD,
                    now,
                    now,
                    clock,
                    Grade.GENERAL));
    points.add("read", figures.read(), "");
    points.add("suppressed", figures.suppressed(), "");
    // The buffer's figure, so that it compares with what was confirmed: devices and gateway both.
    points.add("accepted", status.accepted(), "");
    points.add("missed", figures.missed(), "");
    points.add("confirmed", confirmed, "");
    points.add("dropped", status.dropped(), "");
    points.add("pending", status.pending(), "");
    points.add("unconfirmed", unconfirmed, "");
    points.add("devices_online", online.getAsLong(), "");
    points.add("heap_used", runtime.totalMemory() - runtime.freeMemory(), "By");
    points.add("uptime", (kit.loop().nanos() - began) / 1_000_000_000L, "s");
    latest = List.copyOf(readings);
    kit.outlet()
        .accept(
            latest,
            problem -> {
              if (problem != null) {
                kit.gaps()
                    .add(
                        device,
                        StreamClass.TELEMETRY,
                        now,
                        now,
                        readings.size(),
                        true,
                        Reason.NOT_ACCEPTED,
                        problem);
              }
            });
  }

  private interface Points {
    void add(String point, long value, String unit);
  }
}
