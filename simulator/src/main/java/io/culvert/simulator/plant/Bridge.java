package io.culvert.simulator.plant;

import io.culvert.simulator.plant.Variable.Type;
import io.culvert.simulator.plant.Variable.Words;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A girder that warms and cools over the day, stretches with it, and bends and shakes under each
 * lorry.
 */
final class Bridge implements Works {
  private static final int GAUGES = 4;
  private static final double DAY = 86_400;
  private static final double LORRY_EACH = 90;
  private static final double LORRY_LASTS = 8;

  private static final List<Variable> VARIABLES = variables(GAUGES);

  private final SplittableRandom random;
  private final double[] offsets = new double[GAUGES];
  private final double[] noise = new double[VARIABLES.size()];
  private double time;
  private double load;

  Bridge(long seed) {
    random = new SplittableRandom(seed);
    time = 6 * 3600 + 600 * random.nextDouble();
    for (int i = 0; i < GAUGES; i++) {
      offsets[i] = -110 + 40 * random.nextDouble();
    }
  }

  private static List<Variable> variables(int gauges) {
    List<Variable> all = new ArrayList<>();
    all.add(Variable.tick());
    all.add(
        Variable.measured(
            "Temperature",
            "temperature",
            new Words("Temperature of the girder", "主梁温度"),
            Type.FLOAT,
            Variable.CELSIUS,
            -40,
            80,
            0.1));
    all.add(
        Variable.measured(
            "Deflection",
            "deflection",
            new Words("Deflection at mid-span", "跨中挠度"),
            Type.DOUBLE,
            Variable.MILLIMETRE,
            -200,
            200,
            0.01));
    all.add(
        Variable.measured(
            "AccelerationRms",
            "acceleration_rms",
            new Words("Vertical acceleration, rms", "竖向加速度均方根"),
            Type.FLOAT,
            Variable.METRE_PER_SECOND_SQUARED,
            0,
            20,
            0));
    all.add(
        Variable.measured(
            "AccelerationPeak",
            "acceleration_peak",
            new Words("Vertical acceleration, greatest", "竖向加速度峰值"),
            Type.FLOAT,
            Variable.METRE_PER_SECOND_SQUARED,
            -20,
            20,
            0));
    for (int i = 1; i <= gauges; i++) {
      all.add(
          Variable.measured(
              "Strain" + i,
              "strain_" + i,
              new Words("Strain " + i, "应变" + i),
              Type.DOUBLE,
              Variable.MICROMETRE_PER_METRE,
              -3000,
              3000,
              0.1));
    }
    return List.copyOf(all);
  }

  @Override
  public List<Variable> variables() {
    return VARIABLES;
  }

  @Override
  public void run(double seconds) {
    time += seconds;
    double since = time % LORRY_EACH;
    load = since < LORRY_LASTS ? Math.sin(Math.PI * since / LORRY_LASTS) : 0;
    for (int i = 0; i < noise.length; i++) {
      noise[i] = random.nextDouble() - 0.5;
    }
  }

  private double temperature() {
    return 14 + 6 * Math.cos(2 * Math.PI * (time - 15 * 3600) / DAY);
  }

  @Override
  public double value(int variable) {
    return switch (variable) {
      case 1 -> temperature() + 0.1 * noise[1];
      case 2 -> -12 - 0.3 * (temperature() - 14) - 9 * load + 0.02 * noise[2];
      case 3 -> 0.01 + 0.2 * load + 0.002 * noise[3];
      case 4 -> 3 * (0.01 + 0.2 * load) + 0.01 * noise[4];
      default -> {
        int gauge = variable - 5;
        yield offsets[gauge]
            + 11 * temperature()
            + (30 + 10 * gauge) * load
            + 0.8 * noise[variable];
      }
    };
  }
}
