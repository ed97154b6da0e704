package io.culvert.tests.faults;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.simulator.street.PointTruth;
import io.culvert.simulator.street.Table;
import io.culvert.simulator.truth.BlockTruth;
import io.culvert.simulator.truth.DeviceTruth;
import io.culvert.simulator.truth.Truth;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Devices that nobody needs to poll: what they would have shown at a time is noted as the truth and
 * handed out as readings. Each has a tick counter, a level that rises and falls, and now and then
 * an alarm.
 */
final class SyntheticStreet {
  private static final int TICK = 0;
  private static final int LEVEL = 1;
  private static final int HIGH = 2;

  /** Every so many polls of a device its alarm is looked at. */
  private static final int ALARMS = 50;

  private final SplittableRandom random = new SplittableRandom(17);
  private final Truth truth = new Truth();
  private final List<DeviceTruth> devices = new ArrayList<>();
  private volatile long handedOut;

  SyntheticStreet(int count) {
    for (int i = 0; i < count; i++) {
      BlockTruth block =
          new BlockTruth(
              Table.HOLDING,
              List.of(
                  point("tick", 1, false, "telemetry", true),
                  point("level", 0, false, "telemetry", false),
                  point("high", 0, true, "alarm", false)));
      DeviceTruth device = new DeviceTruth("well-" + i, List.of(block));
      devices.add(device);
      truth.add(device);
    }
  }

  private static PointTruth point(
      String id, double step, boolean bool, String streamClass, boolean tick) {
    return new PointTruth(
        id,
        "",
        step,
        0,
        bool,
        streamClass,
        Double.NaN,
        Double.NaN,
        Double.NaN,
        0,
        tick,
        tick ? 1L << 40 : 0,
        0,
        false,
        null);
  }

  Truth truth() {
    return truth;
  }

  /** What every device shows at a time, which must be later than the last. */
  List<Reading> poll(Instant at) {
    Instant event = Instant.ofEpochMilli(at.toEpochMilli());
    List<Reading> readings = new ArrayList<>();
    for (DeviceTruth device : devices) {
      synchronized (device) {
        poll(device, event, readings);
      }
    }
    handedOut += readings.size();
    return readings;
  }

  /** Readings handed out so far. */
  long handedOut() {
    return handedOut;
  }

  private void poll(DeviceTruth device, Instant event, List<Reading> readings) {
    BlockTruth block = device.blocks().get(0);
    long tick = block.rows() + 1L;
    // With all its digits, so that a disk fills in a test's time.
    double level = 2 + random.nextDouble() + Math.sin(tick / 40.0);
    boolean high = level > 3;
    int row = block.add(event.toEpochMilli(), 0, new double[] {tick, level, high ? 1 : 0});
    block.shown(row, TICK);
    block.shown(row, LEVEL);
    readings.add(reading(device.id(), "tick", StreamClass.TELEMETRY, Value.of(tick), event));
    readings.add(reading(device.id(), "level", StreamClass.TELEMETRY, Value.of(level), event));
    if (tick % ALARMS == 0) {
      block.shown(row, HIGH);
      readings.add(reading(device.id(), "high", StreamClass.ALARM, Value.of(high), event));
    }
  }

  private static Reading reading(
      String device, String point, StreamClass streamClass, Value value, Instant event) {
    return new Reading(
        device,
        point,
        streamClass,
        value,
        "",
        Quality.GOOD,
        event,
        event,
        ClockState.SYNCHRONISED,
        Grade.GENERAL);
  }
}
