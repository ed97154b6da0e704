package io.culvert.device.modbus;

import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Entries of one table, or of one file, that one request reads, and the points in it. */
final class Block {
  private static final Comparator<Item> BY_PLACE =
      Comparator.comparing((Item item) -> item.address().table())
          .thenComparing(item -> item.address().file())
          .thenComparing(item -> item.address().start())
          .thenComparing(item -> item.address().count());

  private final Settings settings;
  private final List<Item> items;
  private final Table table;
  private final int file;
  private final int start;
  private final int count;
  private final byte[] request;

  /** What the codec of each item is told of where it stands in the answer. */
  private final int[] at;

  /**
   * A point and where it lives.
   *
   * @param index of its sample among those of the plan
   */
  record Item(int index, Point point, Address address) {}

  /**
   * @param items of one table and file, in order of place
   * @param end of the last of them to end
   */
  private Block(Settings settings, List<Item> items, int end) {
    Address first = items.get(0).address();
    this.settings = settings;
    this.items = List.copyOf(items);
    this.table = first.table();
    this.file = first.file();
    this.start = settings.floor(table, first.start());
    this.count = settings.ceiling(table, end) - start;
    this.request = Pdu.read(table, file, start, count);
    this.at = new int[items.size()];
    for (int i = 0; i < at.length; i++) {
      int offset = items.get(i).address().start() - start;
      at[i] = table.bits() ? 8 * Pdu.data(table) + offset : Pdu.data(table) + 2 * offset;
    }
  }

  Table table() {
    return table;
  }

  int file() {
    return file;
  }

  /** The first entry asked for. */
  int start() {
    return start;
  }

  /** How many entries are asked for. */
  int count() {
    return count;
  }

  /** In order of place. */
  List<Item> items() {
    return items;
  }

  /** PDU of the request; not to be changed. */
  byte[] request() {
    return request;
  }

  /**
   * Merges points into few requests, as far as the settings allow and the findings advise. Records
   * of a file are merged with those of the same start only: not every maker's record is a register.
   */
  static List<Block> plan(List<Item> items, Settings settings, Findings findings) {
    List<Item> sorted = new ArrayList<>(items);
    sorted.sort(BY_PLACE);
    List<Block> blocks = new ArrayList<>();
    Merge merge = new Merge(settings, findings);
    for (Item item : sorted) {
      if (!merge.takes(item)) {
        blocks.add(merge.block());
        merge = new Merge(settings, findings);
      }
      merge.add(item);
    }
    if (!merge.items.isEmpty()) {
      blocks.add(merge.block());
    }
    return blocks;
  }

  /** A block that still takes items. */
  private static final class Merge {
    private final Settings settings;
    private final Findings findings;
    private final List<Item> items = new ArrayList<>();
    private int end;

    /** Something in it was refused by itself: it is not to be mixed with others. */
    private boolean alone;

    /** Something in it may be refused: it is not to be mixed with what is known to be answered. */
    private boolean doubted;

    Merge(Settings settings, Findings findings) {
      this.settings = settings;
      this.findings = findings;
    }

    boolean takes(Item item) {
      if (items.isEmpty()) {
        return true;
      }
      Address first = items.get(0).address();
      Address next = item.address();
      if (next.table() != first.table() || next.file() != first.file()) {
        return false;
      }
      if (next.table() == Table.FILE) {
        return next.start() == first.start();
      }
      int unit = Settings.unit(next.table());
      int from = settings.floor(next.table(), first.start());
      int to = settings.ceiling(next.table(), Math.max(end, next.end()));
      if (alone || culprit(next)) {
        return from == settings.floor(next.table(), next.start())
            && to == settings.ceiling(next.table(), next.end())
            && to == settings.ceiling(next.table(), end);
      }
      return doubted == suspect(next)
          && next.start() - end <= settings.maxGap() * unit
          && to - from <= settings.maxBlock() * unit
          && settings.forbidden(next.table(), from, to) == null
          && !findings.suspect(next.table(), next.file(), end, next.start())
          && !findings.cut(next.table(), next.file(), from, to);
    }

    private boolean culprit(Address at) {
      return findings.culprit(
          at.table(),
          at.file(),
          settings.floor(at.table(), at.start()),
          settings.ceiling(at.table(), at.end()));
    }

    private boolean suspect(Address at) {
      return findings.suspect(
          at.table(),
          at.file(),
          settings.floor(at.table(), at.start()),
          settings.ceiling(at.table(), at.end()));
    }

    void add(Item item) {
      if (items.isEmpty()) {
        alone = culprit(item.address());
        doubted = suspect(item.address());
      }
      end = Math.max(end, item.address().end());
      items.add(item);
    }

    Block block() {
      return new Block(settings, items, end);
    }
  }

  /**
   * Where to split, after a refusal that may be the fault of one entry: at the widest gap, since
   * what nobody knows of is the likeliest to be missing; else in the middle.
   *
   * @return index of the first item of the second half; 0 if there is nothing to split
   */
  int cut() {
    int best = 0;
    int widest = -1;
    int end = 0;
    for (int i = 0; i < items.size(); i++) {
      Address here = items.get(i).address();
      boolean other = i > 0 && !same(items.get(i - 1).address(), here);
      int gap = Math.max(0, here.start() - end);
      if (other && (gap > widest || gap == widest && fromMiddle(i) < fromMiddle(best))) {
        best = i;
        widest = gap;
      }
      end = Math.max(end, here.end());
    }
    return best;
  }

  private int fromMiddle(int i) {
    return Math.abs(2 * i - items.size());
  }

  /** Whether two are asked for with the same request. */
  private boolean same(Address one, Address other) {
    return settings.floor(table, one.start()) == settings.floor(table, other.start())
        && settings.ceiling(table, one.end()) == settings.ceiling(table, other.end());
  }

  /** The items before and after an index, each in a block that is no longer than needed. */
  List<Block> split(int index) {
    return List.of(part(0, index), part(index, items.size()));
  }

  private Block part(int from, int to) {
    List<Item> part = items.subList(from, to);
    int end = part.stream().mapToInt(item -> item.address().end()).max().orElseThrow();
    return new Block(settings, part, end);
  }

  /**
   * Puts the samples of an answer to their places.
   *
   * @param answer PDU that fits the request
   */
  void decode(byte[] answer, Sample[] samples) {
    for (int i = 0; i < at.length; i++) {
      Item item = items.get(i);
      samples[item.index] = item.address.codec().decode(item.point.id(), answer, at[i]);
    }
  }

  /** Puts samples without a value to the places of all points. */
  void fail(Quality bad, Sample[] samples) {
    for (Item item : items) {
      samples[item.index] = Sample.bad(item.point.id(), bad);
    }
  }

  /** For messages: {@code holding:100–109}. */
  @Override
  public String toString() {
    String place = table + ":" + (table == Table.FILE ? file + ":" : "") + start;
    return place + (count > 1 ? "–" + (start + count - 1) : "");
  }
}
