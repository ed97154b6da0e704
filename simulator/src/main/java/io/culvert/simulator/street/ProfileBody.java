package io.culvert.simulator.street;

import io.culvert.simulator.street.Profile.Form;
import io.culvert.simulator.street.Profile.PointSpec;
import io.culvert.simulator.street.Profile.Type;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A device that is what its profile says: physical values are encoded by it. */
final class ProfileBody implements Body {
  private final Physics physics;
  private final Profile profile;
  private final String serial;
  private final List<Block> blocks = new ArrayList<>();

  /**
   * @param serial what its points of type text say
   */
  ProfileBody(Profile profile, Physics physics, String serial) {
    this.physics = physics;
    this.profile = profile;
    this.serial = serial;
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

    /** What each counter counts in whole rounds. */
    private final Map<String, Double> rounds = new HashMap<>();

    /** The same before the first answer with it: nobody can know of those. */
    private final Map<String, Double> unseen = new HashMap<>();

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
      this.points =
          shown.stream()
              .map(
                  point ->
                      point.type() == Type.TEXT
                          ? point.truth().saying(words(point))
                          : point.truth())
              .toList();
      this.first = specs.stream().mapToInt(PointSpec::address).min().orElse(0);
      this.size =
          specs.stream().mapToInt(point -> point.address() + registers(point)).max().orElse(0)
              - first;
    }

    private int registers(PointSpec point) {
      return table.bits() ? 1 : point.registers();
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
          truth[i] = encode(point, physics.value(physics.index(point.id()), moment), moment, image);
        }
      }
    }

    @Override
    public void answered(int point) {
      String id = shown.get(point).id();
      if (rounds.containsKey(id)) {
        unseen.putIfAbsent(id, rounds.get(id));
      }
    }

    private String words(PointSpec point) {
      return serial.substring(0, Math.min(serial.length(), 2 * point.form().length()));
    }

    /** Encodes a physical value and returns it as far as the register can hold it. */
    private double encode(PointSpec point, double value, Physics.Moment moment, Image image) {
      if (point.type() == Type.TEXT) {
        byte[] bytes =
            Arrays.copyOf(
                words(point).getBytes(StandardCharsets.US_ASCII), 2 * point.form().length());
        for (int i = 0; i < bytes.length; i += 2) {
          image.put(point.address() + i / 2, bytes[i] << 8 | bytes[i + 1]);
        }
        return 0;
      }
      if (point.type() == Type.BOOL) {
        boolean on = value >= 0.5;
        if (table.bits()) {
          image.put(point.address(), on ? 1 : 0);
        } else {
          image.putBit(point.address(), Math.max(0, point.form().bit()), on);
        }
        return on ? 1 : 0;
      }
      Form form = point.form();
      if (Double.isNaN(value) && form.notAvailable() != null) {
        put(point, form.notAvailable(), image);
        return Double.NaN;
      }
      double factor = factor(point, moment);
      if (form.modulus() > 0) {
        double total = Math.rint(raw(point, value, factor));
        put(point, total % form.modulus(), image);
        double before = Math.floor(total / form.modulus()) * form.modulus();
        rounds.put(point.id(), before);
        return physical(point, total - unseen.getOrDefault(point.id(), before), factor);
      }
      double low = physical(point, point.rawMin(), factor);
      double high = physical(point, point.rawMax(), factor);
      double held = Math.max(Math.min(low, high), Math.min(Math.max(low, high), value));
      double raw = raw(point, held, factor);
      double shown = put(point, raw, image);
      // With a step of its own for each device there is nothing to be tolerant by.
      return point.factor().points().isEmpty() ? held : physical(point, shown, factor);
    }

    /** Puts a raw value as the register holds it, and returns that. */
    private double put(PointSpec point, double raw, Image image) {
      Form form = point.form();
      double whole = Math.max(point.rawMin(), Math.min(point.rawMax(), Math.rint(raw)));
      long bits =
          switch (point.type()) {
            case FLOAT32 -> Float.floatToIntBits((float) raw);
            case FLOAT64 -> Double.doubleToLongBits(raw);
            default -> form.bcd() ? Long.parseLong(Long.toString((long) whole), 16) : (long) whole;
          };
      if (form.low() >= 0) {
        long mask = ((1L << (form.high() - form.low() + 1)) - 1) << form.low();
        long others = image.getOrdered(point.address(), registers(point), point.order()) & ~mask;
        bits = others | (bits << form.low() & mask);
      }
      image.putOrdered(point.address(), bits, registers(point), point.order());
      return point.type() == Type.FLOAT32
          ? (float) raw
          : point.type() == Type.FLOAT64 ? raw : whole;
    }

    /** What other points of the device say of its scale; they are encoded the same way. */
    private double factor(PointSpec point, Physics.Moment moment) {
      double factor = point.factor().exponent() ? 0 : 1;
      for (String id : point.factor().points()) {
        PointSpec other =
            profile.points().stream().filter(p -> p.id().equals(id)).findFirst().orElseThrow();
        double otherFactor = factor(other, moment);
        double raw = Math.rint(raw(other, physics.value(physics.index(id), moment), otherFactor));
        double value = physical(other, raw, otherFactor);
        factor = point.factor().exponent() ? factor + value : factor * value;
      }
      return point.factor().exponent() ? Math.pow(10, factor) : factor;
    }

    private static double raw(PointSpec point, double value, double factor) {
      double own = Ucum.convert(value, point.truth().unit(), point.deviceUnit());
      return (own - point.offset()) / (point.scale() * factor);
    }

    private static double physical(PointSpec point, double raw, double factor) {
      return Ucum.convert(
          raw * (point.scale() * factor) + point.offset(),
          point.deviceUnit(),
          point.truth().unit());
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
        if (touched && !(point.writable() && whole && point.form().bit() < 0)) {
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
      return point.type() == Type.BOOL ? raw : physical(point, raw, 1);
    }
  }
}
