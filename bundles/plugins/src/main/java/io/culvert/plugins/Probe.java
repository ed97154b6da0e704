package io.culvert.plugins;

import io.culvert.api.Reading;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Monitor.DeviceStatus;
import io.culvert.api.service.Monitor.State;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Whether the devices that a plug-in touches are as good after a change as they were before: those
 * that use its schemes or profiles, old or new, and those that share a lane with one of these. Good
 * is a device that is online, and of it each point whose last reading was good; it is good again
 * with a good reading made since the change.
 *
 * <p>Readings are told apart by what they are, not by their time: the clock may be set meanwhile.
 */
final class Probe {
  /** So many devices are named. */
  private static final int NAMED = 5;

  private final Monitor monitor;

  /** What hasn't proved itself yet, by device. */
  private final Map<String, Subject> waiting = new LinkedHashMap<>();

  private int watched;

  private static final class Subject {
    /** Points that were good and have no good reading since. */
    private final Map<String, Expected> points = new LinkedHashMap<>();

    /** Whether any point has had one. */
    private boolean proved;

    /** The readings that there were before the new plug-in was started. */
    private Map<String, Reading> stale = Map.of();
  }

  /**
   * @param often whether it was read so recently that it should be again before the deadline
   */
  private record Expected(boolean often) {}

  /**
   * Looks how good everything is. Before anything is stopped.
   *
   * @param offer of the old plug-in and the new
   * @param window how long the new one has
   */
  Probe(Monitor monitor, Offer offer, Duration window, Instant now) {
    this.monitor = monitor;
    List<DeviceStatus> devices = monitor.devices();
    Set<String> lanes = new HashSet<>();
    for (DeviceStatus device : devices) {
      if (offer.serves(device) && !device.lane().isEmpty()) {
        lanes.add(device.lane());
      }
    }
    for (DeviceStatus device : devices) {
      if (device.state() == State.ONLINE
          && (offer.serves(device) || lanes.contains(device.lane()))) {
        Subject subject = new Subject();
        for (Reading reading : monitor.latest(device.id())) {
          if (reading.quality().good()) {
            Duration age = Duration.between(reading.receivedTime(), now);
            subject.points.put(reading.point(), new Expected(age.compareTo(window) <= 0));
          }
        }
        if (!subject.points.isEmpty()) {
          waiting.put(device.id(), subject);
        }
      }
    }
    watched = waiting.size();
  }

  /**
   * When the old plug-in has stopped and the new one hasn't begun: no later reading is the old's.
   */
  void changed() {
    waiting.forEach((device, subject) -> subject.stale = latest(device));
  }

  /** Looks again; any number of times. */
  boolean allGoodAgain() {
    Map<String, DeviceStatus> now = devices();
    Iterator<Map.Entry<String, Subject>> each = waiting.entrySet().iterator();
    while (each.hasNext()) {
      Map.Entry<String, Subject> entry = each.next();
      DeviceStatus device = now.get(entry.getKey());
      if (device == null) {
        // Taken out of the site meanwhile.
        each.remove();
        watched--;
      } else if (device.state() == State.ONLINE) {
        Subject subject = entry.getValue();
        latest(device.id())
            .forEach(
                (point, reading) -> {
                  if (reading.quality().good() && !reading.equals(subject.stale.get(point))) {
                    subject.proved |= subject.points.remove(point) != null;
                  }
                });
        if (subject.points.isEmpty()) {
          each.remove();
        }
      }
    }
    return waiting.isEmpty();
  }

  /**
   * What is to be said against it when its time is over; {@code ""} if nothing. A point that is
   * read too rarely for that time, or that the profile has no longer, doesn't speak against it.
   */
  String verdict() {
    allGoodAgain();
    Map<String, DeviceStatus> now = devices();
    List<String> bad = new ArrayList<>();
    waiting.forEach(
        (id, subject) -> {
          String why = why(now.get(id), subject);
          if (!why.isEmpty()) {
            bad.add(id + " (" + why + ")");
          }
        });
    if (bad.isEmpty()) {
      return "";
    }
    String more = bad.size() > NAMED ? ", and " + (bad.size() - NAMED) + " more" : "";
    return "%d of %d devices that were good %s not: %s%s"
        .formatted(
            bad.size(),
            watched,
            bad.size() == 1 ? "is" : "are",
            String.join(", ", bad.subList(0, Math.min(NAMED, bad.size()))),
            more);
  }

  private String why(DeviceStatus device, Subject subject) {
    if (device.state() != State.ONLINE) {
      return device.state() + (device.message().isEmpty() ? "" : ": " + device.message());
    }
    Map<String, Reading> latest = latest(device.id());
    List<String> points = new ArrayList<>();
    subject.points.forEach(
        (point, expected) -> {
          Reading reading = latest.get(point);
          if (reading == null) {
            // Of a device that answers each point that the profile has has a reading.
            if (!subject.proved) {
              points.add(point + ": not read");
            }
          } else if (!reading.equals(subject.stale.get(point))) {
            points.add(point + ": " + reading.quality());
          } else if (expected.often()) {
            points.add(point + ": not read");
          }
        });
    return String.join(", ", points.subList(0, Math.min(NAMED, points.size())));
  }

  private Map<String, DeviceStatus> devices() {
    Map<String, DeviceStatus> now = new HashMap<>();
    monitor.devices().forEach(device -> now.put(device.id(), device));
    return now;
  }

  private Map<String, Reading> latest(String device) {
    Map<String, Reading> latest = new HashMap<>();
    monitor.latest(device).forEach(reading -> latest.put(reading.point(), reading));
    return latest;
  }
}
