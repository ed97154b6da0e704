package io.culvert.simulator.street;

import static io.culvert.simulator.street.HandWritten.Entry.bit;
import static io.culvert.simulator.street.HandWritten.Entry.float32;
import static io.culvert.simulator.street.HandWritten.Entry.scaled;
import static io.culvert.simulator.street.HandWritten.Entry.tick;

import java.util.ArrayList;
import java.util.List;

/** Maker A's methane detector TG-20, after {@code maps/maker-a-gas.md}. */
final class MakerAGas extends HandWritten {
  /** What it measures, and in which unit the street describes it. */
  static final String[] QUANTITIES = {"methane", "temperature", "light", "supply"};

  private static final List<Entry> INPUT =
      List.of(
          tick("tick_input", Table.INPUT, 7, 1),
          // The display's "ppm by volume" as share of the volume.
          float32("methane", Table.INPUT, 0, "%{vol}"),
          scaled("temperature", Table.INPUT, 2, 1, "Cel", 0.1),
          scaled("light", Table.INPUT, 3, 1, "%", 0.1),
          bit("alarm_low", Table.INPUT, 4),
          bit("alarm_high", Table.INPUT, 4),
          bit("fault", Table.INPUT, 4),
          bit("horn_on", Table.INPUT, 4),
          bit("warming_up", Table.INPUT, 4),
          scaled("trend", Table.INPUT, 5, 1, "[ppm]", 2),
          scaled("supply", Table.INPUT, 6, 1, "V", 0.001));
  private static final List<Entry> HOLDING =
      List.of(
          tick("tick", Table.HOLDING, 2, 1),
          scaled("limit_low", Table.HOLDING, 0, 1, "%{vol}", 0.005),
          scaled("hold_time", Table.HOLDING, 1, 1, "s", 1));
  private static final List<Entry> COIL = List.of(bit("horn", Table.COIL, 0));

  private static final double HIGH_ALARM_PERCENT = 1.75;
  private static final double BLIND_BELOW_PERCENT = 5.0;

  private final Physics physics;
  private int limit = 200;
  private int delay = 10;
  private boolean horn;
  private double lastMethane;
  private double lowSince = Double.NaN;
  private double highSince = Double.NaN;

  MakerAGas(Profile profile, Physics physics) throws StreetException {
    this.physics = physics;
    List<Entry> known = new ArrayList<>(INPUT);
    known.addAll(HOLDING);
    known.addAll(COIL);
    requireKnown(profile, known);
    table(profile, 0, 8, INPUT, this::showInput);
    table(profile, 0, 3, HOLDING, this::showHolding);
    table(profile, 0, 1, COIL, this::showCoil);
  }

  @Override
  public boolean serves(int function) {
    return function != 2;
  }

  private void showInput(Physics.Moment moment, long tick, double[] truth, Image image) {
    double light = clamp(physics.value(2, moment), 0, 100);
    boolean blind = light < BLIND_BELOW_PERCENT;
    double methane = blind ? lastMethane : clamp(physics.value(0, moment), 0, 20);
    lastMethane = methane;
    double temperature = clamp(physics.value(1, moment), -40, 85);
    double supply = clamp(physics.value(3, moment), 9, 28);
    double minuteAgo = clamp(physics.value(0, moment.atStreet(moment.street() - 60)), 0, 20);
    double change = clamp((methane - minuteAgo) * 10_000, -65_534, 65_534);

    lowSince = since(lowSince, methane >= limit * 0.005, moment);
    highSince = since(highSince, methane >= HIGH_ALARM_PERCENT, moment);
    boolean low = moment.street() - lowSince >= delay;
    boolean high = moment.street() - highSince >= delay;
    boolean sounding = horn || low || high;
    boolean warming = moment.wall() < 30;

    image.put32(0, Float.floatToIntBits((float) (methane * 10_000)), false);
    image.put(2, (int) Math.rint((temperature + 40.0) * 10));
    image.put(3, (int) Math.rint(light * 10));
    image.put(
        4,
        (low ? 1 : 0)
            | (high ? 2 : 0)
            | (blind ? 4 : 0)
            | (sounding ? 8 : 0)
            | (warming ? 16 : 0)
            | 0x8000);
    image.put(5, (int) Math.rint(change / 2));
    image.put(6, (int) Math.rint(supply * 1000));
    image.put(7, (int) tick);

    truth[0] = tick;
    truth[1] = methane;
    truth[2] = temperature;
    truth[3] = light;
    truth[4] = low ? 1 : 0;
    truth[5] = high ? 1 : 0;
    truth[6] = blind ? 1 : 0;
    truth[7] = sounding ? 1 : 0;
    truth[8] = warming ? 1 : 0;
    truth[9] = change;
    truth[10] = supply;
  }

  private void showHolding(Physics.Moment moment, long tick, double[] truth, Image image) {
    image.put(0, limit);
    image.put(1, delay);
    image.put(2, (int) tick);
    truth[0] = tick;
    truth[1] = limit / 1000.0 * 5.0;
    truth[2] = delay;
  }

  private void showCoil(Physics.Moment moment, long tick, double[] truth, Image image) {
    image.put(0, horn ? 1 : 0);
    truth[0] = horn ? 1 : 0;
  }

  @Override
  public int write(Table table, int address, int[] values, Physics.Moment moment) {
    if (table == Table.COIL) {
      horn = values[0] != 0;
      return 0;
    }
    if (address + values.length > 2) {
      return 2;
    }
    for (int i = 0; i < values.length; i++) {
      boolean allowed = address + i == 0 ? values[i] >= 100 && values[i] <= 500 : values[i] <= 600;
      if (!allowed) {
        return 3;
      }
    }
    for (int i = 0; i < values.length; i++) {
      if (address + i == 0) {
        limit = values[i];
      } else {
        delay = values[i];
      }
    }
    return 0;
  }

  private static double since(double since, boolean holds, Physics.Moment moment) {
    if (!holds) {
      return Double.NaN;
    }
    return Double.isNaN(since) ? moment.street() : since;
  }

  private static double clamp(double value, double min, double max) {
    return Math.max(min, Math.min(max, value));
  }
}
