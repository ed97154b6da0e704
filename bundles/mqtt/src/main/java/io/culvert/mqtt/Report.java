package io.culvert.mqtt;

import io.culvert.api.Reading;
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

  /**
   * What an empty report must hold to take one reading.
   *
   * @param device bytes of its id
   * @param size of the reading
   */
  static int alone(int device, int size) {
    return MESSAGE_BYTES + DEVICE_BYTES + device + SERVICE_BYTES + size;
  }

  /**
   * Adds a reading, if there is room for it; in an empty report there is.
   *
   * @param index of the entry in its batch
   * @param device bytes of its device's id
   * @param size of the reading
   */
  boolean add(int index, Batch.Entry entry, int device, int size) {
    Reading reading = entry.reading();
    List<Service> services = devices.get(reading.device());
    Instant time = reading.eventTime().truncatedTo(ChronoUnit.MILLIS);
    boolean joins = services != null && joins(entry, time, services);
    int cost =
        services == null
            ? alone(device, size) - MESSAGE_BYTES
            : joins ? size : SERVICE_BYTES + size;
    if (!devices.isEmpty()
        && ((services == null && devices.size() == maxDevices) || bytes + cost > maxBytes)) {
      return false;
    }
    bytes += cost;
    if (services == null) {
      services = new ArrayList<>(1);
      devices.put(reading.device(), services);
    }
    if (!joins) {
      services.add(new Service(time, entry.sequence(), new ArrayList<>(), new HashSet<>()));
    }
    Service last = services.get(services.size() - 1);
    last.entries.add(index);
    last.points.add(reading.point());
    return true;
  }

  void clear() {
    devices.clear();
    bytes = MESSAGE_BYTES;
  }

  Map<String, List<Service>> devices() {
    return devices;
  }

  /**
   * A service has one event time and a first number that with the count tells all numbers, and a
   * JSON object holds a point once.
   */
  private static boolean joins(Batch.Entry entry, Instant time, List<Service> services) {
    Service last = services.get(services.size() - 1);
    return last.first + last.entries.size() == entry.sequence()
        && last.eventTime.equals(time)
        && !last.points.contains(entry.reading().point());
  }

  /** Readings that share one entry in the list of services. */
  record Service(Instant eventTime, long first, List<Integer> entries, Set<String> points) {}
}
