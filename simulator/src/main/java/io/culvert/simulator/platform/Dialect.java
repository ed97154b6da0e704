package io.culvert.simulator.platform;

import io.culvert.simulator.platform.Entry.Item;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the dialect {@code iotda} strictly: a message that leaves anything to guess is refused,
 * with the reason. Thread-safe.
 */
public final class Dialect {
  /** What stands beside the points of a service. */
  private static final Set<String> COMPANIONS =
      Set.of("seq_first", "seq_count", "historical", "gateway_clock");

  private static final Pattern SUB_DEVICES =
      Pattern.compile("\\$oc/devices/([^/]+)/sys/gateway/sub_devices/properties/report");
  private static final Pattern OWN = Pattern.compile("\\$oc/devices/([^/]+)/sys/properties/report");
  private static final Pattern EVENTS = Pattern.compile("\\$oc/devices/([^/]+)/sys/events/up");
  private static final Pattern ANSWERS =
      Pattern.compile("\\$oc/devices/([^/]+)/sys/(commands|properties/set)/response/request_id=.+");
  private static final Pattern COMMANDS =
      Pattern.compile("\\$oc/devices/([^/]+)/sys/(commands|properties/set)/request_id=.+");
  private static final Set<String> CLASSES = Set.of("alarm", "event", "state", "telemetry");
  private static final DateTimeFormatter TIME =
      new DateTimeFormatterBuilder()
          .appendValue(ChronoField.YEAR, 4)
          .appendPattern("-MM-dd'T'HH:mm:ss")
          .appendFraction(ChronoField.NANO_OF_SECOND, 3, 3, true)
          .appendLiteral('Z')
          .toFormatter(Locale.ROOT);

  /** A message that isn't in the dialect. */
  public static final class MalformedException extends Exception {
    MalformedException(String message) {
      super(message);
    }
  }

  /**
   * What a message says.
   *
   * @param gateway from the topic
   * @param entries readings, empty for other messages
   * @param status ONLINE or OFFLINE by sub-device, empty for other messages
   */
  public record Message(String gateway, List<Entry> entries, Map<String, String> status) {}

  /** Reads a message that a gateway published. */
  public Message read(String topic, byte[] payload) throws MalformedException {
    Matcher matcher = SUB_DEVICES.matcher(topic);
    try {
      if (matcher.matches()) {
        return report(matcher.group(1), JsonTree.read(payload), false);
      }
      matcher = OWN.matcher(topic);
      if (matcher.matches()) {
        return report(matcher.group(1), JsonTree.read(payload), true);
      }
      matcher = EVENTS.matcher(topic);
      if (matcher.matches()) {
        return new Message(matcher.group(1), List.of(), status(JsonTree.read(payload)));
      }
      matcher = ANSWERS.matcher(topic);
      if (matcher.matches()) {
        JsonTree.read(payload);
        return new Message(matcher.group(1), List.of(), Map.of());
      }
    } catch (IOException e) {
      throw new MalformedException("isn't JSON: " + e.getMessage().lines().findFirst().orElse(""));
    }
    matcher = COMMANDS.matcher(topic);
    if (matcher.matches()) {
      // The platform's own; there may be more of it than this.
      return new Message(matcher.group(1), List.of(), Map.of());
    }
    throw new MalformedException("no topic of the dialect");
  }

  private static Message report(String gateway, Object root, boolean own)
      throws MalformedException {
    List<Entry> entries = new ArrayList<>();
    if (own) {
      services(gateway, root, true, entries);
    } else {
      for (Object device : list(root, "devices")) {
        services(text(device, "device_id"), device, false, entries);
      }
    }
    for (Entry entry : entries) {
      if (!entry.streamClass().equals(entries.get(0).streamClass())) {
        throw new MalformedException("readings of two classes in one message");
      }
    }
    return new Message(gateway, entries, Map.of());
  }

  private static void services(String device, Object holder, boolean own, List<Entry> entries)
      throws MalformedException {
    for (Object service : list(holder, "services")) {
      String streamClass = text(service, "service_id");
      if (!CLASSES.contains(streamClass)) {
        throw new MalformedException("service_id '" + streamClass + "' is no class");
      }
      long eventMillis = time(text(service, "event_time"));
      Map<?, ?> properties = map(map(service).get("properties"));
      entries.add(entry(device, streamClass, eventMillis, properties, own));
    }
  }

  private static Entry entry(
      String device, String streamClass, long eventMillis, Map<?, ?> properties, boolean own)
      throws MalformedException {
    List<Item> items = new ArrayList<>();
    Object historical = properties.get("historical");
    if (historical != null && historical != Boolean.TRUE) {
      throw new MalformedException("historical is " + historical + ", expected true or nothing");
    }
    for (Map.Entry<?, ?> property : properties.entrySet()) {
      String name = (String) property.getKey();
      if (COMPANIONS.contains(name)) {
        continue;
      }
      if (name.endsWith("_q") || name.endsWith("_u")) {
        if (!properties.containsKey(name.substring(0, name.length() - 2))) {
          throw new MalformedException(name + " stands without its point in " + device);
        }
        continue;
      }
      Object quality = properties.get(name + "_q");
      Object unit = properties.get(name + "_u");
      if (property.getValue() == null && !(quality instanceof String q && q.startsWith("Bad"))) {
        throw new MalformedException(name + " of " + device + " is null and not bad");
      }
      items.add(
          new Item(
              name,
              property.getValue(),
              unit instanceof String u ? u : "",
              quality instanceof String q ? q : "Good"));
    }
    double first = number(properties, "seq_first");
    double count = number(properties, "seq_count");
    if (count != items.size()) {
      throw new MalformedException(
          "seq_count of "
              + device
              + " is "
              + (long) count
              + ", but it has "
              + items.size()
              + " points");
    }
    return new Entry(
        device, streamClass, eventMillis, historical != null, (long) first, items, own);
  }

  private static Map<String, String> status(Object root) throws MalformedException {
    Map<String, String> status = new LinkedHashMap<>();
    for (Object service : list(root, "services")) {
      Object event = map(service).get("event_type");
      if ("$sub_device_manager".equals(map(service).get("service_id"))
          && "sub_device_update_status".equals(event)) {
        for (Object device : list(map(service).get("paras"), "device_statuses")) {
          status.put(text(device, "device_id"), text(device, "status"));
        }
      }
    }
    return status;
  }

  private static long time(String text) throws MalformedException {
    try {
      return LocalDateTime.parse(text, TIME).toInstant(ZoneOffset.UTC).toEpochMilli();
    } catch (DateTimeException e) {
      throw new MalformedException(
          "event_time '" + text + "' isn't like 2026-11-21T01:48:00.123Z, in UTC");
    }
  }

  private static Map<?, ?> map(Object value) throws MalformedException {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw new MalformedException("found " + value + " where an object belongs");
  }

  private static List<?> list(Object holder, String key) throws MalformedException {
    if (map(holder).get(key) instanceof List<?> list) {
      return list;
    }
    throw new MalformedException("no list '" + key + "'");
  }

  private static String text(Object holder, String key) throws MalformedException {
    if (map(holder).get(key) instanceof String text) {
      return text;
    }
    throw new MalformedException("no text '" + key + "'");
  }

  private static double number(Map<?, ?> holder, String key) throws MalformedException {
    if (holder.get(key) instanceof Double number && number >= 0) {
      return number;
    }
    throw new MalformedException("no number '" + key + "'");
  }
}
