package io.culvert.device.modbus;

import io.culvert.api.Point;
import io.culvert.api.Sample;
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

/** An answer of 125 registers to samples; the baseline takes the numbers out and nothing else. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(Fixtures.POINTS)
public class DecodeBenchmark {
  private final byte[] answer = Fixtures.answer();
  private final List<Point> points = Fixtures.points();
  private final Codec[] codecs =
      points.stream()
          .map(point -> Address.of(point, Settings.DEFAULT).codec())
          .toArray(Codec[]::new);

  /** The driver's way. */
  @Benchmark
  public Sample[] culvert() {
    Sample[] samples = new Sample[codecs.length];
    for (int i = 0; i < codecs.length; i++) {
      samples[i] = codecs[i].decode(points.get(i).id(), answer, Fixtures.at(i));
    }
    return samples;
  }

  /** Registers as numbers. */
  @Benchmark
  public int[] baseline() {
    int[] numbers = new int[Fixtures.POINTS];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (answer[Fixtures.at(i)] & 0xFF) << 8 | answer[Fixtures.at(i) + 1] & 0xFF;
    }
    return numbers;
  }
}
