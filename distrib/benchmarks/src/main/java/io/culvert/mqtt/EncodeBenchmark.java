package io.culvert.mqtt;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.api.Reading;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.benchmarks.Fixtures;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Readings to messages of IoTDA, within their bounds. The baseline writes one object with each
 * point's value and unit by Jackson.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(Fixtures.BATCH)
public class EncodeBenchmark {
  private static final int MOST_BYTES = 64 << 10;

  private final Batch batch = Fixtures.batch();
  private final IotDa dialect = new IotDa("cabinet-17", MOST_BYTES);
  private final JsonFactory json = new JsonFactory();

  /** The forwarder's way. */
  @Benchmark
  public Dialect.Encoded culvert() {
    return dialect.encode(batch);
  }

  /** The least that JSON takes. */
  @Benchmark
  public byte[] baseline() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(MOST_BYTES);
    try (JsonGenerator out = json.createGenerator(bytes)) {
      out.writeStartObject();
      for (Batch.Entry entry : batch.entries()) {
        Reading reading = entry.reading();
        out.writeFieldName(reading.point());
        if (reading.value() instanceof Value.Int whole) {
          out.writeNumber(whole.value());
        } else {
          out.writeNumber(((Value.Decimal) reading.value()).value());
        }
        out.writeStringField(reading.point() + "_u", reading.unit());
      }
      out.writeEndObject();
    }
    return bytes.toByteArray();
  }
}
