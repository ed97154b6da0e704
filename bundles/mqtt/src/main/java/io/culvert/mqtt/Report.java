package io.culvert.mqtt;

import io.culvert.api.northbound.Batch;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One report in the making: which readings go into which service of which device, kept within the
 * bounds on devices and bytes. Sizes are upper bounds, so that nothing has to be taken back after
 * it was written.
 */
final class Report {

  /** Everything about a service but its readings, with the longest numbers. */
  private static final int SERVICE_BYTES = 200;

  private static final int DEVICE_BYTES = 40;
  private static final int MESSAGE_BYTES = 20;

  private final int maxDevices;
  private final int maxBytes;
  private final Map<String, List<Service>> devices = new LinkedHashMap<>();
  private int bytes = MESSAGE_BYTES;

  Report(int maxDevices, int maxBytes) {
    this.maxDevices = maxDevices;
    this.maxBytes = maxBytes;
  }

  /** What an empty report must hold to take one reading of this size. */
  static int alone(String device, int size) {
    return MESSAGE_BYTES + DEVICE_BYTES + JsonSize.of(device) + SERVICE_BYTES + size;
  }

  /** Whether there is room for another reading. */
  boolean takes(Batch.Entry entry, int size) {
    List<Service> services = devices.get(entry.reading().device());
    if (services == null && devices.size() == maxDevices) {
      return false;
    }
    return bytes + cost(entry, services, size) <= maxBytes;
  }

  void add(int index, Batch.Entry entry, int size) {
    String device = entry.reading().device();
    List<Service> services = devices.get(device);
    bytes += cost(entry, services, size);
    if (services == null) {
      services = new ArrayList<>();
      devices.put(device, services);
    }
    if (!joins(entry, services)) {
      services.add(
          new Service(
              millis(entry.reading().eventTime()),
              entry.sequence(),
              new ArrayList<>(),
              new HashSet<>()));
    }
    Service last = services.get(services.size() - 1);
    last.entries.add(index);
    last.points.add(entry.reading().point());
  }

  void clear() {
    devices.clear();
    bytes = MESSAGE_BYTES;
  }

  Map<String, List<Service>> devices() {
    return devices;
  }

  private static int cost(Batch.Entry entry, List<Service> services, int size) {
    if (services == null) {
      return alone(entry.reading().device(), size) - MESSAGE_BYTES;
    }
    return joins(entry, services) ? size : SERVICE_BYTES + size;
  }

  /**
   * A service has one event time and a first number that with the count tells all numbers, and a
   * JSON object holds a point once.
   */
  private static boolean joins(Batch.Entry entry, List<Service> services) {
    if (services.isEmpty()) {
      return false;
    }
    Service last = services.get(services.size() - 1);
    return last.first + last.entries.size() == entry.sequence()
        && last.eventTime.equals(millis(entry.reading().eventTime()))
        && !last.points.contains(entry.reading().point());
  }

  private static Instant millis(Instant instant) {
    return instant.truncatedTo(ChronoUnit.MILLIS);
  }

  /** Readings that share one entry in the list of services. */
  record Service(Instant eventTime, long first, List<Integer> entries, Set<String> points) {}
}
