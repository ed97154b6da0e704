package io.culvert.device.modbus;

import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Entries of one table that one request reads.
 *
 * @param table of all items
 * @param start first entry
 * @param count of entries, 1 or more
 * @param items whose values lie wholly within, in order of address
 * @param history what is known of the device's willingness to answer it
 */
record Block(Table table, int start, int count, List<Item> items, History history) {

  /** A point and where it lives. */
  record Item(Point point, Address address) {
    private int end() {
      return address.start() + address.count();
    }
  }

  /** How a block came about; a device may refuse a request because of one entry in it. */
  enum History {
    /** Planned from addresses alone. */
    PLANNED,
    /** One value of a planned block that was refused: tried by itself to find the culprit. */
    TRIED,
    /** Adjacent values which were answered when tried, merged again without gaps. */
    REGROUPED,
    /** One value of a regrouped block that was refused: the device takes it only by itself. */
    ALONE
  }

  Block {
    items = List.copyOf(items);
  }

  /**
   * Merges points into few requests.
   *
   * @param maxGap entries, in registers, that may be read though no point wants them; a register
   *     counts sixteen bits in tables of bits
   * @param maxBlock registers a block, at least as many as the widest value; likewise
   */
  static List<Block> plan(List<Item> items, int maxGap, int maxBlock, History history) {
    List<Item> sorted = new ArrayList<>(items);
    sorted.sort(
        Comparator.comparing((Item item) -> item.address().table())
            .thenComparing(item -> item.address().start()));
    List<Block> blocks = new ArrayList<>();
    List<Item> open = new ArrayList<>();
    int end = 0;
    for (Item item : sorted) {
      if (!open.isEmpty()) {
        Address first = open.get(0).address();
        int unit = first.table().bits() ? 16 : 1;
        boolean fits =
            item.address().table() == first.table()
                && item.address().start() - end <= maxGap * unit
                && Math.max(end, item.end()) - first.start() <= maxBlock * unit;
        if (!fits) {
          blocks.add(of(open, end, history));
          open.clear();
        }
      }
      end = open.isEmpty() ? item.end() : Math.max(end, item.end());
      open.add(item);
    }
    if (!open.isEmpty()) {
      blocks.add(of(open, end, history));
    }
    return blocks;
  }

  private static Block of(List<Item> items, int end, History history) {
    Address first = items.get(0).address();
    return new Block(first.table(), first.start(), end - first.start(), items, history);
  }

  /** Whether a refusal may be the fault of one entry among several values. */
  boolean divisible() {
    return items.size() > 1;
  }

  /** Each value by itself, after a refusal of all together. */
  List<Block> divide() {
    History next = history == History.PLANNED ? History.TRIED : History.ALONE;
    return items.stream().map(item -> of(List.of(item), item.end(), next)).toList();
  }

  byte[] request() {
    return table.read(start, count);
  }

  /**
   * Values out of an answer's data.
   *
   * @param data exactly as long as the request asks
   */
  List<Sample> samples(byte[] data) {
    List<Sample> samples = new ArrayList<>(items.size());
    for (Item item : items) {
      Address address = item.address();
      int at = address.start() - start;
      Value value;
      if (table.bits()) {
        value = Value.of((data[at >> 3] >> (at & 7) & 1) == 1);
      } else {
        DataType type = item.point().type();
        value = Registers.decode(type, address.order(), address.bit(), data, 2 * at);
      }
      samples.add(Sample.good(item.point().id(), value));
    }
    return samples;
  }

  /** Every point of the block, with no value. */
  List<Sample> samples(Quality bad) {
    return items.stream().map(item -> Sample.bad(item.point().id(), bad)).toList();
  }

  /** For messages: {@code holding:100–109}. */
  @Override
  public String toString() {
    return table + ":" + start + (count > 1 ? "–" + (start + count - 1) : "");
  }
}
