package io.culvert.simulator.street;

import io.culvert.simulator.street.Profile.PointSpec;
import io.culvert.simulator.street.Profile.Type;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A device that is what its profile says: physical values are encoded by it. */
final class ProfileBody implements Body {
  private final Physics physics;
  private final List<Block> blocks = new ArrayList<>();

  ProfileBody(Profile profile, Physics physics) {
    this.physics = physics;
    for (Table table : Table.values()) {
      List<PointSpec> specs =
          profile.points().stream().filter(point -> point.table() == table).toList();
      if (!specs.isEmpty()) {
        blocks.add(new TableBlock(table, specs));
      }
    }
  }

  @Override
  public List<Block> blocks() {
    return blocks;
  }

  @Override
  public int write(Table table, int address, int[] values, Physics.Moment moment) {
    for (Block block : blocks) {
      if (block.table() == table) {
        return ((TableBlock) block).write(address, values);
      }
    }
    return 2;
  }

  private final class TableBlock implements Block {
    private final Table table;
    private final List<PointSpec> all;
    private final List<PointSpec> shown;
    private final List<PointTruth> points;
    private final int first;
    private final int size;

    TableBlock(Table table, List<PointSpec> specs) {
      this.table = table;
      this.all = specs;
      this.shown =
          specs.stream()
              .filter(PointSpec::readable)
              .sorted(Comparator.comparing(point -> !point.truth().tick()))
              .toList();
      this.points = shown.stream().map(PointSpec::truth).toList();
      this.first = specs.stream().mapToInt(PointSpec::address).min().orElse(0);
      this.size =
          specs.stream().mapToInt(point -> point.address() + registers(point)).max().orElse(0)
              - first;
    }

    private int registers(PointSpec point) {
      return table.bits() ? 1 : point.type().registers;
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
      return shown.get(point).address();
    }

    @Override
    public int width(int point) {
      return registers(shown.get(point));
    }

    @Override
    public void show(Physics.Moment moment, long tick, double[] truth, Image image) {
      for (int i = 0; i < shown.size(); i++) {
        PointSpec point = shown.get(i);
        if (point.truth().tick()) {
          truth[i] = tick;
          image.putOrdered(point.address(), tick, registers(point), point.order());
        } else {
          truth[i] = encode(point, physics.value(physics.index(point.id()), moment), image);
        }
      }
    }

    /** Encodes a physical value and returns it as far as the register can hold it. */
    private double encode(PointSpec point, double value, Image image) {
      if (point.type() == Type.BOOL) {
        boolean on = value >= 0.5;
        if (table.bits()) {
          image.put(point.address(), on ? 1 : 0);
        } else {
          image.putBit(point.address(), Math.max(0, point.bit()), on);
        }
        return on ? 1 : 0;
      }
      double low = physical(point, point.type().min());
      double high = physical(point, point.type().max());
      double held = Math.max(Math.min(low, high), Math.min(Math.max(low, high), value));
      double own = Ucum.convert(held, point.truth().unit(), point.deviceUnit());
      double raw = (own - point.offset()) / point.scale();
      long bits =
          switch (point.type()) {
            case FLOAT32 -> Float.floatToIntBits((float) raw);
            case FLOAT64 -> Double.doubleToLongBits(raw);
            default ->
                (long) Math.max(point.type().min(), Math.min(point.type().max(), Math.rint(raw)));
          };
      image.putOrdered(point.address(), bits, registers(point), point.order());
      return held;
    }

    private static double physical(PointSpec point, double raw) {
      return Ucum.convert(
          raw * point.scale() + point.offset(), point.deviceUnit(), point.truth().unit());
    }

    int write(int address, int[] values) {
      boolean known = false;
      for (PointSpec point : all) {
        boolean touched =
            point.address() < address + values.length
                && address < point.address() + registers(point);
        boolean whole =
            point.address() >= address
                && point.address() + registers(point) <= address + values.length;
        if (touched && !(point.writable() && whole && point.bit() < 0)) {
          return 2;
        }
        known |= touched;
      }
      if (!known) {
        return 2;
      }
      Image written = new Image(address, values.length);
      for (int i = 0; i < values.length; i++) {
        written.put(address + i, values[i]);
      }
      for (PointSpec point : all) {
        if (written.holds(point.address(), registers(point))) {
          long bits = written.getOrdered(point.address(), registers(point), point.order());
          physics.hold(physics.index(point.id()), decode(point, bits));
        }
      }
      return 0;
    }

    private static double decode(PointSpec point, long bits) {
      double raw =
          switch (point.type()) {
            case INT16 -> (short) bits;
            case INT32 -> (int) bits;
            case FLOAT32 -> Float.intBitsToFloat((int) bits);
            case FLOAT64 -> Double.longBitsToDouble(bits);
            default -> bits;
          };
      return point.type() == Type.BOOL ? raw : physical(point, raw);
    }
  }
}
