package io.culvert.simulator.plant;

import io.culvert.simulator.plant.Variable.Type;
import io.culvert.simulator.plant.Variable.Words;
import java.util.List;
import java.util.SplittableRandom;

/** A station for tap water. While it cleans its cells there is no value of chlorine. */
final class WaterQuality implements Works {
  private static final double DAY = 86_400;
  private static final double CLEANS_EACH = 600;
  private static final double CLEANS_FOR = 60;

  private static final List<Variable> VARIABLES =
      List.of(
          Variable.tick(),
          Variable.measured(
              "Turbidity",
              "turbidity",
              new Words("Turbidity", "浊度"),
              Type.FLOAT,
              Variable.TURBIDITY,
              0,
              100,
              0.001),
          Variable.measured(
              "Chlorine",
              "chlorine",
              new Words("Free chlorine", "余氯"),
              Type.DOUBLE,
              Variable.MILLIGRAM_PER_LITRE,
              0,
              5,
              0.001),
          Variable.measured(
              "PH", "ph", new Words("pH", "酸碱度"), Type.FLOAT, Variable.PH, 0, 14, 0.01),
          Variable.measured(
              "Conductivity",
              "conductivity",
              new Words("Conductivity", "电导率"),
              Type.FLOAT,
              Variable.MICROSIEMENS_PER_CENTIMETRE,
              0,
              2000,
              0.5),
          Variable.measured(
              "Temperature",
              "temperature",
              new Words("Water temperature", "水温"),
              Type.FLOAT,
              Variable.CELSIUS,
              0,
              50,
              0.1),
          Variable.measured(
              "Cleaning",
              "cleaning",
              new Words("Cleaning its cells", "清洗中"),
              Type.BOOLEAN,
              null,
              0,
              1,
              1));

  private final SplittableRandom random;
  private double time;
  private final double[] drift = new double[VARIABLES.size()];

  WaterQuality(long seed) {
    random = new SplittableRandom(seed);
    time = CLEANS_EACH * random.nextDouble();
  }

  @Override
  public List<Variable> variables() {
    return VARIABLES;
  }

  @Override
  public void run(double seconds) {
    time += seconds;
    for (int i = 0; i < drift.length; i++) {
      drift[i] = 0.95 * drift[i] + 0.1 * (random.nextDouble() - 0.5);
    }
  }

  private boolean cleaning() {
    return time % CLEANS_EACH < CLEANS_FOR;
  }

  @Override
  public double value(int variable) {
    double day = Math.cos(2 * Math.PI * time / DAY);
    return switch (variable) {
      case 1 -> 0.35 + 0.2 * Math.abs(drift[1]);
      case 2 -> cleaning() ? Double.NaN : 0.45 + 0.08 * day + 0.1 * drift[2];
      case 3 -> 7.4 + 0.3 * drift[3];
      case 4 -> 420 + 20 * day + 10 * drift[4];
      case 5 -> 16 + 2 * day + 0.3 * drift[5];
      default -> cleaning() ? 1 : 0;
    };
  }
}
