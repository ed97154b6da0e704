package io.culvert.simulator.evil;

import io.culvert.simulator.platform.Entry;
import io.culvert.simulator.platform.Entry.Item;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** Counts what arrives at the platform of devices that nobody audits. Keeps no reading. */
public final class Arrivals implements Consumer<List<Entry>> {
  private final Map<String, Tally> tallies = new ConcurrentHashMap<>();

  /**
   * What came of one device.
   *
   * @param good readings of a quality that isn't bad
   * @param bad readings of bad quality
   */
  public record Tally(long good, long bad) {
    static final Tally NOTHING = new Tally(0, 0);

    Tally plus(Tally other) {
      return new Tally(good + other.good, bad + other.bad);
    }
  }

  @Override
  public void accept(List<Entry> entries) {
    for (Entry entry : entries) {
      long bad = entry.items().stream().filter(Item::bad).count();
      tallies.merge(entry.device(), new Tally(entry.items().size() - bad, bad), Tally::plus);
    }
  }

  /** What came of a device. Any thread. */
  public Tally of(String device) {
    return tallies.getOrDefault(device, Tally.NOTHING);
  }
}
