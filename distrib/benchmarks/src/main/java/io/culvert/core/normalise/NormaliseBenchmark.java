package io.culvert.core.normalise;

import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.benchmarks.Fixtures;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Samples of a poll to readings: exact scale, unit, range, quality, times. The baseline multiplies
 * in floating point and nothing else.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(Fixtures.POINTS)
public class NormaliseBenchmark {
  private final List<Sample> samples = Fixtures.samples();
  private final Normaliser normaliser = Fixtures.normaliser("d-001");

  /** The core's way, with the word that what came of it was stored. */
  @Benchmark
  public Normaliser.Result culvert() {
    Normaliser.Result result = normaliser.normalise(samples, Fixtures.time());
    normaliser.accepted(result);
    return result;
  }

  /** Raw times factor. */
  @Benchmark
  public double[] baseline() {
    double[] values = new double[samples.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = ((Value.Int) samples.get(i).value()).value() * 0.1;
    }
    return values;
  }
}
