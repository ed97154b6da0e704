package io.culvert.simulator.platform;

import io.culvert.simulator.platform.Dialect.MalformedException;
import io.culvert.simulator.platform.Dialect.Message;
import io.culvert.simulator.platform.Entry.Item;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * What the city's platform knows: the latest value of each point, and the gateway's word on itself.
 * Messages come from one thread; everything else may be asked from any.
 */
public final class Platform implements Broker.Consumer {
  private final Dialect dialect = new Dialect();
  private final Witness witness;
  private final InstantSource clock;
  private final Map<String, Map<String, Latest>> latest = new ConcurrentSkipListMap<>();
  private final Map<String, Latest> gateway = new ConcurrentHashMap<>();
  private final Map<String, String> status = new ConcurrentHashMap<>();
  private final LongAdder messages = new LongAdder();
  private final LongAdder readings = new LongAdder();
  private final LongAdder historical = new LongAdder();
  private final AtomicLong firstReadingAt = new AtomicLong();
  private final AtomicLong lastReadingAt = new AtomicLong();
  private volatile String gatewayId = "";
  private Set<String> strangers = Set.of();
  private Consumer<List<Entry>> ofStrangers = entries -> {};

  /**
   * The latest reading of a point.
   *
   * @param value as in {@link Item}
   */
  public record Latest(
      Object value, String unit, String quality, long eventMillis, long arrivedMillis) {}

  /**
   * @param witness told of every message, {@code null} for none
   */
  public Platform(Witness witness, InstantSource clock) {
    this.witness = witness;
    this.clock = clock;
  }

  /**
   * Leaves devices out of everything that is told here, and out of what the witness sees: they
   * don't belong to the street. To be called before anything arrives.
   *
   * @param devices their ids
   * @param others told of what they send, by the thread that received it
   */
  public void leaveOut(Set<String> devices, Consumer<List<Entry>> others) {
    strangers = Set.copyOf(devices);
    ofStrangers = others;
  }

  @Override
  public void message(String topic, byte[] payload) {
    messages.increment();
    Message message;
    try {
      message = dialect.read(topic, payload);
    } catch (MalformedException e) {
      if (witness != null) {
        witness.malformed(topic, e.getMessage());
      }
      return;
    }
    gatewayId = message.gateway();
    message
        .status()
        .forEach(
            (device, word) -> {
              if (!strangers.contains(device)) {
                status.put(device, word);
              }
            });
    List<Entry> entries = withoutStrangers(message.entries());
    if (witness != null) {
      witness.message(entries);
    }
    long now = clock.millis();
    for (Entry entry : entries) {
      keep(entry, now);
    }
  }

  private List<Entry> withoutStrangers(List<Entry> entries) {
    if (strangers.isEmpty()) {
      return entries;
    }
    List<Entry> known = new ArrayList<>();
    List<Entry> strange = new ArrayList<>();
    for (Entry entry : entries) {
      boolean stranger = !entry.ofGateway() && strangers.contains(entry.device());
      (stranger ? strange : known).add(entry);
    }
    ofStrangers.accept(strange);
    return known;
  }

  private void keep(Entry entry, long now) {
    Map<String, Latest> points =
        entry.ofGateway()
            ? gateway
            : latest.computeIfAbsent(entry.device(), id -> new ConcurrentHashMap<>());
    for (Item item : entry.items()) {
      Latest next = new Latest(item.value(), item.unit(), item.quality(), entry.eventMillis(), now);
      // History arrives beside live values and mustn't hide them.
      points.merge(
          item.point(), next, (old, young) -> old.eventMillis > young.eventMillis ? old : young);
    }
    if (!entry.ofGateway()) {
      readings.add(entry.items().size());
      if (entry.historical()) {
        historical.add(entry.items().size());
      }
      firstReadingAt.compareAndSet(0, now);
      lastReadingAt.set(now);
    }
  }

  /** Latest values by device and point, devices in the order of their ids. */
  public Map<String, Map<String, Latest>> latest() {
    return latest;
  }

  /** Points of a device in the order of their ids. */
  public Map<String, Latest> latest(String device) {
    return new TreeMap<>(latest.getOrDefault(device, Map.of()));
  }

  /** The gateway's own figure, NaN if it hasn't told. */
  public double figure(String point) {
    Latest value = gateway.get(point);
    return value != null && value.value() instanceof Double number ? number : Double.NaN;
  }

  /** Id of the gateway that published last, {@code ""} if none has. */
  public String gatewayId() {
    return gatewayId;
  }

  public long messages() {
    return messages.sum();
  }

  /** Readings of the street's devices, duplicates included. */
  public long readings() {
    return readings.sum();
  }

  public long historical() {
    return historical.sum();
  }

  /** When the first reading of a device arrived, in epoch milliseconds; 0 if none has. */
  public long firstReadingAt() {
    return firstReadingAt.get();
  }

  public long lastReadingAt() {
    return lastReadingAt.get();
  }

  /** Devices that the gateway calls online. */
  public long online() {
    return status.values().stream().filter("ONLINE"::equals).count();
  }

  /** The ids of devices that have sent anything. */
  public List<String> devices() {
    return List.copyOf(latest.keySet());
  }
}
