package io.culvert.simulator.street;

import static io.culvert.simulator.street.HandWritten.Entry.float32;
import static io.culvert.simulator.street.HandWritten.Entry.scaled;
import static io.culvert.simulator.street.HandWritten.Entry.tick;

import java.util.List;

/** Maker B's pump controller PC-7, after {@code maps/maker-b-pump.md}. */
final class MakerBPump extends HandWritten {
  /** What drives it: water running into the well (m³/h) and air at the motor (Cel). */
  static final String[] QUANTITIES = {"inflow", "ambient"};

  private static final List<Entry> HOLDING =
      List.of(
          tick("tick", Table.HOLDING, 110, 2),
          scaled("level", Table.HOLDING, 100, 1, "m", 0.001),
          scaled("current", Table.HOLDING, 101, 1, "A", 0.01),
          float32("power", Table.HOLDING, 102, "W"),
          scaled("run_state", Table.HOLDING, 104, 1, "", 1),
          scaled("flow", Table.HOLDING, 105, 2, "m3/h", 0.01),
          scaled("winding_temperature", Table.HOLDING, 107, 1, "Cel", 0.1 * 5 / 9),
          scaled("start_level", Table.HOLDING, 108, 1, "m", 0.001),
          scaled("command", Table.HOLDING, 109, 1, "", 1),
          scaled("energy", Table.HOLDING, 112, 2, "kW.h", 0.1));

  private static final int STOPPED = 0;
  private static final int STARTING = 1;
  private static final int RUNNING = 2;
  private static final int STOPPING = 3;
  private static final int START = 1;
  private static final int STOP = 2;
  private static final int AUTOMATIC = 3;

  private static final double PROBE_ABOVE_FLOOR = 0.35;
  private static final double WELL_AREA = 12;
  private static final double PUMPED = 120;
  private static final double STEP_SECONDS = 0.5;
  private static final double LONGEST_CATCH_UP = 3600;

  private final Physics physics;
  private int startLevel = 1500;
  private int mode = AUTOMATIC;
  private int state = STOPPED;
  private double stateSince;
  private double level;
  private double heat;
  private double energy;
  private double now = Double.NaN;

  MakerBPump(Profile profile, Physics physics, long seed) throws StreetException {
    this.physics = physics;
    this.level = 0.5 + Noise.even(seed, 1);
    this.energy = 10_000 * Noise.even(seed, 2);
    requireKnown(profile, HOLDING);
    table(profile, 100, 14, HOLDING, this::show);
  }

  @Override
  public boolean serves(int function) {
    return function == 3 || function == 6 || function == 16;
  }

  private void show(Physics.Moment moment, long tick, double[] truth, Image image) {
    runTo(moment);
    boolean turning = state == RUNNING || state == STARTING;
    double flicker =
        0.01 * Noise.normal(Math.round(level * 1e9), Math.round(moment.street() * 1e3));
    double current = turning ? 18.5 * (1 + flicker) : 0;
    double power = turning ? 9_600 * (1 + flicker) : 0;
    double flow = state == RUNNING ? PUMPED * (1 + flicker) : 0;
    double winding = physics.value(1, moment) + heat;

    image.put(100, (int) Math.rint((level - PROBE_ABOVE_FLOOR) * 1000));
    image.put(101, (int) Math.rint(current * 100));
    image.put32(102, Float.floatToIntBits((float) power), false);
    image.put(104, state);
    image.put32(105, (int) Math.rint(flow * 100), true);
    image.put(107, (int) Math.rint((winding * 1.8 + 32) * 10));
    image.put(108, startLevel);
    image.put(109, 0);
    image.put32(110, (int) tick, false);
    image.put32(112, (int) Math.round(energy * 10), false);

    truth[0] = tick;
    truth[1] = level;
    truth[2] = current;
    truth[3] = power;
    truth[4] = state;
    truth[5] = flow;
    truth[6] = winding;
    truth[7] = startLevel / 1000.0;
    truth[8] = 0;
    truth[9] = energy;
  }

  /** Lets water run and the pump work from the last moment to this one. */
  private void runTo(Physics.Moment moment) {
    if (Double.isNaN(now)) {
      now = moment.street();
      stateSince = now;
    }
    now = Math.max(now, moment.street() - LONGEST_CATCH_UP);
    double inflow = Math.max(0, physics.value(0, moment));
    while (now < moment.street()) {
      double step = Math.min(STEP_SECONDS, moment.street() - now);
      now += step;
      control();
      double out = state == RUNNING ? PUMPED : 0;
      level = Math.max(0, Math.min(5, level + (inflow - out) / 3600 / WELL_AREA * step));
      heat += ((state == RUNNING ? 35 : 0) - heat) / 900 * step;
      energy += state == RUNNING || state == STARTING ? 9.6 * step / 3600 : 0;
    }
  }

  private void control() {
    double start = startLevel / 1000.0;
    double stop = Math.max(start - 1.0, 0.30);
    boolean wanted =
        switch (mode) {
          case START -> true;
          case STOP -> false;
          default -> state == STOPPED || state == STOPPING ? level >= start : level > stop;
        };
    if (state == STOPPED && wanted) {
      enter(STARTING);
    } else if (state == RUNNING && !wanted) {
      enter(STOPPING);
    } else if (state == STARTING && now - stateSince >= 2) {
      enter(RUNNING);
    } else if (state == STOPPING && now - stateSince >= 2) {
      enter(STOPPED);
    }
  }

  private void enter(int next) {
    state = next;
    stateSince = now;
  }

  @Override
  public int write(Table table, int address, int[] values, Physics.Moment moment) {
    if (address < 108 || address + values.length > 110) {
      return 2;
    }
    for (int i = 0; i < values.length; i++) {
      boolean allowed =
          address + i == 108
              ? values[i] >= 500 && values[i] <= 4000
              : values[i] >= START && values[i] <= AUTOMATIC;
      if (!allowed) {
        return 3;
      }
    }
    for (int i = 0; i < values.length; i++) {
      if (address + i == 108) {
        startLevel = values[i];
      } else {
        runTo(moment);
        mode = values[i];
      }
    }
    return 0;
  }
}
