package io.culvert.simulator.street;

import io.culvert.simulator.street.Profile.PointSpec;
import java.util.ArrayList;
import java.util.List;

/**
 * What the hand-written devices share. They are written from their maker's register map; of the
 * profile they only take which points a gateway reads, in which unit and class, and what it may
 * keep back, and never an address, a type, a scale or an order: a profile that is wrong about those
 * is found out.
 */
abstract class HandWritten implements Body {
  private final List<Block> blocks = new ArrayList<>();

  /**
   * What the map says of one point.
   *
   * @param unit in which the truth is kept, {@code ""} for none
   * @param step the register's resolution in that unit
   * @param relative resolution in proportion to the value
   * @param modulus of a tick counter, 0 for anything else
   */
  record Entry(
      String id,
      Table table,
      int address,
      int width,
      String unit,
      double step,
      double relative,
      boolean bool,
      long modulus) {

    static Entry scaled(String id, Table table, int address, int width, String unit, double step) {
      return new Entry(id, table, address, width, unit, step, 0, false, 0);
    }

    static Entry float32(String id, Table table, int address, String unit) {
      return new Entry(id, table, address, 2, unit, 0, 0x1p-24, false, 0);
    }

    static Entry bit(String id, Table table, int address) {
      return new Entry(id, table, address, 1, "", 1, 0, true, 0);
    }

    static Entry tick(String id, Table table, int address, int width) {
      return new Entry(id, table, address, width, "", 1, 0, false, 1L << (16 * width));
    }
  }

  /** Computes the truth of a table in the units of its entries, in their order, and its image. */
  @FunctionalInterface
  interface Show {
    void show(Physics.Moment moment, long tick, double[] truth, Image image);
  }

  /** Adds a table, whose entries are given with the tick first. */
  final void table(Profile profile, int first, int size, List<Entry> entries, Show show) {
    blocks.add(new HandBlock(profile, first, size, entries, show));
  }

  /** Refuses a profile with points that the map doesn't know. */
  final void requireKnown(Profile profile, List<Entry> known) throws StreetException {
    for (PointSpec point : profile.points()) {
      if (point.readable() && known.stream().noneMatch(entry -> entry.id().equals(point.id()))) {
        throw new StreetException(
            profile.place()
                + ": found the point '"
                + point.id()
                + "', which the maker's register map doesn't have; expected some of "
                + known.stream().map(Entry::id).toList());
      }
    }
  }

  @Override
  public final List<Block> blocks() {
    return blocks;
  }

  private static PointTruth judge(Entry entry, PointSpec spec) {
    PointTruth policy = spec.truth();
    String unit =
        Double.isNaN(Ucum.convert(1, entry.unit(), policy.unit())) ? entry.unit() : policy.unit();
    double step =
        Math.abs(
            Ucum.convert(entry.step(), entry.unit(), unit) - Ucum.convert(0, entry.unit(), unit));
    return new PointTruth(
        entry.id(),
        unit,
        step,
        entry.relative(),
        entry.bool(),
        policy.streamClass(),
        policy.min(),
        policy.max(),
        policy.deadband(),
        policy.heartbeatMillis(),
        entry.modulus() > 0,
        entry.modulus(),
        policy.intervalMillis(),
        false,
        null);
  }

  private static final class HandBlock implements Block {
    private final int first;
    private final int size;
    private final Show show;
    private final Table table;
    private final int entryCount;
    private final List<Entry> read = new ArrayList<>();
    private final List<PointTruth> points = new ArrayList<>();
    private final List<Integer> indexes = new ArrayList<>();

    HandBlock(Profile profile, int first, int size, List<Entry> entries, Show show) {
      this.first = first;
      this.size = size;
      this.show = show;
      this.table = entries.get(0).table();
      this.entryCount = entries.size();
      for (int i = 0; i < entries.size(); i++) {
        Entry entry = entries.get(i);
        for (PointSpec spec : profile.points()) {
          if (spec.readable() && spec.id().equals(entry.id())) {
            read.add(entry);
            points.add(judge(entry, spec));
            indexes.add(i);
          }
        }
      }
    }

    @Override
    public Table table() {
      return table;
    }

    @Override
    public int first() {
      return first;
    }

    @Override
    public int size() {
      return size;
    }

    @Override
    public List<PointTruth> points() {
      return points;
    }

    @Override
    public int address(int point) {
      return read.get(point).address();
    }

    @Override
    public int width(int point) {
      return read.get(point).width();
    }

    @Override
    public void show(Physics.Moment moment, long tick, double[] truth, Image image) {
      double[] all = new double[entryCount];
      show.show(moment, tick, all, image);
      for (int i = 0; i < points.size(); i++) {
        truth[i] = Ucum.convert(all[indexes.get(i)], read.get(i).unit(), points.get(i).unit());
      }
    }
  }
}
