package io.culvert.simulator.plant;

import io.culvert.simulator.plant.Variable.Type;
import io.culvert.simulator.plant.Variable.Words;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A well that fills and is pumped out. After each storm the water stands higher than it should; and
 * now and then something blocks the impeller, until the motor's protection trips.
 */
final class PumpStation implements Works {
  private static final int STOPPED = 0;
  private static final int STARTING = 1;
  private static final int RUNNING = 2;
  private static final int STOPPING = 3;
  private static final int FAULT = 4;

  private static final int START_LEVEL = 9;
  private static final int STOP_LEVEL = 10;
  private static final int HIGH_LEVEL = 11;
  private static final int AUTOMATIC = 12;

  private static final double WELL_AREA = 12;
  private static final double PUMPED = 150;
  private static final double DEPTH = 6;
  private static final double STEP_SECONDS = 0.5;
  private static final double LONGEST_CATCH_UP = 3600;
  private static final double OVERLOAD_AMPERES = 60;
  private static final double TRIPS_AFTER = 10;
  private static final double COOLS_FOR = 120;

  private static final List<Variable> VARIABLES =
      List.of(
          Variable.tick(),
          Variable.measured(
              "Level",
              "level",
              new Words("Water level", "水位"),
              Type.DOUBLE,
              Variable.METRE,
              0,
              DEPTH,
              0.001),
          Variable.measured(
              "Flow",
              "flow",
              new Words("Flow", "流量"),
              Type.FLOAT,
              Variable.CUBIC_METRE_PER_HOUR,
              0,
              400,
              0.1),
          Variable.measured(
              "Pressure",
              "pressure",
              new Words("Pressure in the rising main", "出口压力"),
              Type.DOUBLE,
              Variable.KILOPASCAL,
              0,
              600,
              0.1),
          Variable.measured(
              "Current",
              "current",
              new Words("Motor current", "电机电流"),
              Type.FLOAT,
              Variable.AMPERE,
              0,
              120,
              0.01),
          Variable.measured(
              "Power",
              "power",
              new Words("Active power", "有功功率"),
              Type.FLOAT,
              Variable.KILOWATT,
              0,
              60,
              0.01),
          new Variable(
              "State",
              "run_state",
              new Words("Run state", "运行状态"),
              Type.INT32,
              null,
              0,
              4,
              1,
              false,
              new Words("stopped", "停止"),
              new Words("starting", "启动中"),
              new Words("running", "运行"),
              new Words("stopping", "停止中"),
              new Words("fault", "故障")),
          Variable.measured(
              "RunHours",
              "run_hours",
              new Words("Running hours", "运行小时"),
              Type.DOUBLE,
              Variable.HOUR,
              0,
              1e6,
              0.001),
          Variable.measured(
              "Starts", "starts", new Words("Starts", "启动次数"), Type.UINT32, null, 0, 1L << 32, 1),
          Variable.setPoint(
              "StartLevel",
              "start_level",
              new Words("Level at which the pump starts", "启泵水位"),
              Variable.METRE,
              0.5,
              4),
          Variable.setPoint(
              "StopLevel",
              "stop_level",
              new Words("Level at which the pump stops", "停泵水位"),
              Variable.METRE,
              0.2,
              3.5),
          Variable.setPoint(
              "HighLevel",
              "high_level",
              new Words("Level that is too high", "高水位报警值"),
              Variable.METRE,
              0.5,
              5.5),
          new Variable(
              "Automatic",
              "automatic",
              new Words("Automatic", "自动"),
              Type.BOOLEAN,
              null,
              0,
              1,
              1,
              true));

  private final SplittableRandom random;
  private double time;
  private double level;
  private double runHours;
  private long starts;
  private double startLevel = 1.6;
  private double stopLevel = 0.8;
  private double highLevel = 1.9;
  private boolean automatic = true;
  private boolean wanted;
  private double until = Double.POSITIVE_INFINITY;
  private int state = STOPPED;
  private double stateSince;
  private double overloadedFor;
  private double flicker;

  PumpStation(long seed) {
    random = new SplittableRandom(seed);
    level = 1 + 0.5 * random.nextDouble();
    time = 500 * random.nextDouble();
    stateSince = time;
    runHours = 10_000 * random.nextDouble();
    starts = random.nextInt(100_000);
  }

  @Override
  public List<Variable> variables() {
    return VARIABLES;
  }

  @Override
  public void run(double seconds) {
    double end = time + seconds;
    time = Math.max(time, end - LONGEST_CATCH_UP);
    while (time < end) {
      double step = Math.min(STEP_SECONDS, end - time);
      time += step;
      flicker = random.nextDouble() - 0.5;
      control(step);
      double out = state == RUNNING ? PUMPED * (blocked() ? 0.2 : 1) : 0;
      level = Math.max(0, Math.min(DEPTH, level + (inflow() - out) / 3600 / WELL_AREA * step));
      runHours += turning() ? step / 3600 : 0;
    }
  }

  /** A storm each twelve minutes, for four. */
  private double inflow() {
    return 60 + (time % 720 < 240 ? 190 : 0) + 4 * flicker;
  }

  /** Half a minute each nine. */
  private boolean blocked() {
    return time % 540 > 510;
  }

  private boolean turning() {
    return state == RUNNING || state == STARTING;
  }

  private double current() {
    return turning() ? (state == STARTING ? 55 : 41 + flicker) * (blocked() ? 1.6 : 1) : 0;
  }

  private void control(double step) {
    overloadedFor = current() > OVERLOAD_AMPERES ? overloadedFor + step : 0;
    if (time >= until) {
      wanted = false;
      until = Double.POSITIVE_INFINITY;
    }
    if (automatic) {
      wanted = turning() ? level > stopLevel : level >= startLevel;
    }
    double since = time - stateSince;
    if (overloadedFor >= TRIPS_AFTER) {
      enter(FAULT);
    } else if (state == STOPPED && wanted) {
      starts++;
      enter(STARTING);
    } else if (state == RUNNING && !wanted) {
      enter(STOPPING);
    } else if (state == STARTING && since >= 3) {
      enter(RUNNING);
    } else if ((state == STOPPING && since >= 3) || (state == FAULT && since >= COOLS_FOR)) {
      enter(STOPPED);
    }
  }

  private void enter(int next) {
    overloadedFor = 0;
    state = next;
    stateSince = time;
  }

  @Override
  public double value(int variable) {
    double flow = state == RUNNING ? PUMPED * (blocked() ? 0.2 : 1) + 2 * flicker : 0;
    return switch (variable) {
      case 1 -> level;
      case 2 -> flow;
      case 3 -> 98 + flow * flow / 350;
      case 4 -> current();
      case 5 -> current() * 0.58;
      case 6 -> state;
      case 7 -> runHours;
      case 8 -> starts;
      case START_LEVEL -> startLevel;
      case STOP_LEVEL -> stopLevel;
      case HIGH_LEVEL -> highLevel;
      case AUTOMATIC -> automatic ? 1 : 0;
      default -> throw new IllegalArgumentException("no variable " + variable);
    };
  }

  @Override
  public boolean write(int variable, double value) {
    switch (variable) {
      case START_LEVEL -> {
        if (value <= stopLevel) {
          return false;
        }
        startLevel = value;
      }
      case STOP_LEVEL -> {
        if (value >= startLevel) {
          return false;
        }
        stopLevel = value;
      }
      case HIGH_LEVEL -> highLevel = value;
      default -> automatic = value >= 0.5;
    }
    return true;
  }

  @Override
  public Map<String, Order> orders() {
    return Map.of(
        "Start", new Order(new Words("Start the pump", "启动水泵"), null, any -> order(true, 0)),
        "Stop", new Order(new Words("Stop the pump", "停止水泵"), null, any -> order(false, 0)),
        "RunFor",
            new Order(
                new Words("Run the pump for a time", "定时运行"),
                "Minutes",
                minutes -> minutes > 0 && order(true, minutes)));
  }

  private boolean order(boolean run, double minutes) {
    if (state == FAULT) {
      return false;
    }
    automatic = false;
    wanted = run;
    until = minutes > 0 ? time + 60 * minutes : Double.POSITIVE_INFINITY;
    return true;
  }

  @Override
  public List<Warning> warnings() {
    return List.of(
        new Warning(
            "HighLevel",
            new Words("High water level", "水位过高"),
            1,
            700,
            true,
            () -> level >= highLevel),
        new Warning(
            "Overload", new Words("Motor overload", "电机过载"), 4, 800, false, () -> state == FAULT));
  }
}
