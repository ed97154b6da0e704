package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** A device's axis and its points' columns. */
class SeriesChunkTest {

  @Property(tries = 300)
  void everyReadingComesBackAsItWas(@ForAll("rows") List<Reading> readings) throws Exception {
    Map<String, List<Batch.Entry>> expected = new LinkedHashMap<>();
    Map<String, SeriesDevice> devices = new LinkedHashMap<>();
    long sequence = 7;
    int counted = 0;
    for (Reading reading : readings) {
      sequence += reading.point().isEmpty() ? 3 : 1;
      Batch.Entry entry = new Batch.Entry(sequence, reading);
      expected
          .computeIfAbsent(reading.device() + "\0" + reading.point(), d -> new ArrayList<>())
          .add(entry);
      counted += devices.computeIfAbsent(reading.device(), d -> new SeriesDevice()).add(entry);
    }
    for (List<Batch.Entry> entries : expected.values()) {
      Reading first = entries.get(0).reading();
      SeriesDevice device = devices.get(first.device());
      List<Batch.Entry> back = new ArrayList<>();
      device.chunk(StreamClass.EVENT, first.device(), first.point()).forEach(back::add);
      assertThat(back).isEqualTo(entries);
      assertThat(device.chunk(StreamClass.EVENT, first.device(), "no such point")).isNull();
    }
    assertThat(counted + devices.size() * SeriesDevice.OVERHEAD)
        .isEqualTo(devices.values().stream().mapToInt(SeriesDevice::bytes).sum());
  }

  @Example
  void numbersThatAreNearlyTheSameAreToldApart() throws Exception {
    double[] numbers = {
      0.0, -0.0, 0.1, 0.1f, 0.1 + 0.2, 0.3, 1, 1e300, Double.NaN, Float.MIN_VALUE, -1e14, 1e14
    };
    List<Value> values = new ArrayList<>(List.of(Value.of(1), Value.of(-1), Value.of(true)));
    for (double number : numbers) {
      values.add(Value.of(number));
    }
    SeriesDevice device = new SeriesDevice();
    List<String> expected = new ArrayList<>();
    for (Value one : values) {
      for (Value other : values) {
        for (Value value : List.of(one, other)) {
          expected.add(exact(value));
          device.add(
              new Batch.Entry(
                  expected.size(), Readings.of("a", "n", StreamClass.EVENT, value, Readings.T0)));
        }
      }
    }
    List<String> back = new ArrayList<>();
    device
        .chunk(StreamClass.EVENT, "a", "n")
        .forEach(entry -> back.add(exact(entry.reading().value())));
    assertThat(back).isEqualTo(expected);
  }

  private static String exact(Value value) {
    return value instanceof Value.Decimal decimal
        ? Long.toHexString(Double.doubleToRawLongBits(decimal.value()))
        : value.getClass().getSimpleName() + value;
  }

  @Property(tries = 400)
  void anyBytesDoNoMoreThanFailAsDamaged(
      @ForAll("bytes") byte[] axis, @ForAll("bytes") byte[] column) {
    damagedOrFine(axis, column);
    damagedOrFine(new byte[] {2, 0x11, 2, 2, 0}, column);
  }

  /** Wrong bytes at random rarely come far; right ones with a few changed do. */
  @Property(tries = 400)
  void changedBytesDoNoMoreThanFailAsDamaged(
      @ForAll("rows") List<Reading> readings, @ForAll("changes") List<int[]> changes) {
    SeriesDevice device = new SeriesDevice();
    for (int i = 0; i < readings.size(); i++) {
      device.add(new Batch.Entry(i, readings.get(i)));
    }
    byte[] axis = device.axis();
    for (byte[] column : device.columns().values()) {
      for (int[] change : changes) {
        axis[change[0] % axis.length] = (byte) change[1];
        column[change[0] % column.length] = (byte) change[1];
      }
      damagedOrFine(axis, column);
      damagedOrFine(device.axis(), column);
    }
  }

  /** Anything else that is thrown fails the test. */
  private static void damagedOrFine(byte[] axis, byte[] column) {
    try {
      new SeriesChunk(StreamClass.EVENT, "a", "n", axis, column).forEach(entry -> true);
    } catch (DamagedException expected) {
      assertThat(expected.getMessage()).isNotBlank();
    }
  }

  @Provide
  Arbitrary<byte[]> bytes() {
    return Arbitraries.bytes().array(byte[].class).ofMaxSize(200).map(SeriesChunkTest::likely);
  }

  /** Begins with a count that there is room for, and kinds that are known. */
  private static byte[] likely(byte[] bytes) {
    if (bytes.length > 0 && bytes.length % 3 != 0) {
      bytes[0] = (byte) (bytes.length / 4);
      for (int i = 1; i < bytes.length; i += 3) {
        bytes[i] &= 0x0F;
      }
    }
    return bytes;
  }

  @Provide
  Arbitrary<List<int[]>> changes() {
    return new RowCodecTest().changes();
  }

  @Provide
  Arbitrary<List<Reading>> rows() {
    return new RowCodecTest().rows();
  }
}
