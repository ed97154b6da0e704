package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.benchmarks.Fixtures;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.DeflaterOutputStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Readings to the bytes of a row of the buffer: columns, deflated, with a checksum. The baseline
 * writes name, time and value one after the other and deflates that.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(Fixtures.BATCH)
public class RowBenchmark {
  private final List<Reading> readings = Fixtures.readings();

  /** The buffer's way. */
  @Benchmark
  public int culvert() {
    RowHead head =
        RowHead.of(
            StreamClass.TELEMETRY,
            1,
            new RowHead.Stamp(0, 0, 0, 0, 0),
            readings,
            device -> 1_000_000);
    byte[] body = RowCodec.seal(RowCodec.pack(RowCodec.encode(head, readings)));
    return RowCodec.seal(head.encode()).length + body.length;
  }

  /** As a programmer would write a log in an afternoon. */
  @Benchmark
  public int baseline() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(new DeflaterOutputStream(bytes))) {
      for (Reading reading : readings) {
        out.writeUTF(reading.device());
        out.writeUTF(reading.point());
        out.writeUTF(reading.unit());
        out.writeLong(reading.eventTime().toEpochMilli());
        out.writeDouble(number(reading.value()));
      }
    }
    return bytes.size();
  }

  private static double number(Value value) {
    return value instanceof Value.Int whole ? whole.value() : ((Value.Decimal) value).value();
  }
}
