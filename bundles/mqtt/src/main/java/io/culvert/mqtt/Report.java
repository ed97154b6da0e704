package io.culvert.mqtt;

import io.culvert.api.ClockState;
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
  private static final int SERVICE_BYTES = 240;

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
   * @param device its device's id
   * @param size of the reading, at most
   */
  boolean add(Item item, JsonNames.Word device, int size) {
    Reading reading = item.entry.reading();
    List<Service> services = devices.get(reading.device());
    Service last = services == null ? null : services.get(services.size() - 1);
    boolean joins = last != null && last.goesOnWith(item.entry);
    int cost =
        services == null
            ? alone(device.bytes(), size) - MESSAGE_BYTES
            : joins ? size : SERVICE_BYTES + size;
    if (!devices.isEmpty()
        && ((services == null && devices.size() == maxDevices) || bytes + cost > maxBytes)) {
      return false;
    }
    if (joins && !last.points.add(reading.point())) {
      joins = false;
      cost += SERVICE_BYTES;
      if (bytes + cost > maxBytes) {
        return false;
      }
    }
    bytes += cost;
    if (services == null) {
      services = new ArrayList<>(1);
      devices.put(reading.device(), services);
    }
    if (!joins) {
      last = new Service(reading, item.entry.sequence());
      last.points.add(reading.point());
      services.add(last);
    }
    last.items.add(item);
    return true;
  }

  /** At most so many bytes. */
  int bytes() {
    return bytes;
  }

  void clear() {
    devices.clear();
    bytes = MESSAGE_BYTES;
  }

  Map<String, List<Service>> devices() {
    return devices;
  }

  private static Instant millis(Instant instant) {
    return instant.truncatedTo(ChronoUnit.MILLIS);
  }

  /**
   * A reading with its names as JSON has them.
   *
   * @param index of the entry in its batch
   */
  record Item(int index, Batch.Entry entry, JsonNames.Property property, JsonNames.Word unit) {}

  /** Readings that share one entry in the list of services: time, clock, and each point once. */
  static final class Service {
    final Instant eventTime;
    final ClockState clock;

    /** Number of the first reading in its stream; with the count it tells all numbers. */
    final long first;

    final List<Item> items = new ArrayList<>();
    private final Set<String> points = new HashSet<>();

    /** The time as the last reading that was compared had it, since most share one object. */
    private Instant latest;

    private Service(Reading reading, long first) {
      this.eventTime = millis(reading.eventTime());
      this.clock = reading.clock();
      this.first = first;
    }

    private boolean goesOnWith(Batch.Entry entry) {
      if (first + items.size() != entry.sequence() || entry.reading().clock() != clock) {
        return false;
      }
      Instant time = entry.reading().eventTime();
      if (time != latest && !millis(time).equals(eventTime)) {
        return false;
      }
      latest = time;
      return true;
    }
  }
}
