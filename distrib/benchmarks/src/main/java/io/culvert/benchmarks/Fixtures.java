package io.culvert.benchmarks;

import io.culvert.api.ClockState;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.core.model.Profile;
import io.culvert.core.model.Site;
import io.culvert.core.normalise.Normaliser;
import io.culvert.core.profile.LoadedProfile;
import io.culvert.core.profile.ProfileReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What the benchmarks of single joints work on: one poll of a device, or of ten. */
public final class Fixtures {
  /** Points of a device, which fill the longest answer that Modbus has. */
  public static final int POINTS = Load.MOST_POINTS;

  /** Devices whose polls make up a batch. */
  public static final int DEVICES = 8;

  /** Readings in a batch. */
  public static final int BATCH = DEVICES * POINTS;

  private static final Instant TIME = Instant.parse("2026-11-21T01:48:00.123Z");
  private static final int DATA = 2;

  private Fixtures() {}

  /** PDU of the answer to a read of all holding registers: function, length, registers. */
  public static byte[] answer() {
    byte[] answer = new byte[DATA + 2 * POINTS];
    answer[0] = 3;
    answer[1] = (byte) (2 * POINTS);
    for (int register = 0; register < POINTS; register++) {
      int value = 500 * register + 17;
      answer[DATA + 2 * register] = (byte) (value >>> 8);
      answer[DATA + 2 * register + 1] = (byte) value;
    }
    return answer;
  }

  /** Place of a register in the answer. */
  public static int at(int register) {
    return DATA + 2 * register;
  }

  /** The points of a device, register by register. */
  public static List<Point> points() {
    return profile().points().stream().map(model -> model.point()).toList();
  }

  /** What the driver makes of the answer. */
  public static List<Sample> samples() {
    byte[] answer = answer();
    List<Sample> samples = new ArrayList<>();
    for (int register = 0; register < POINTS; register++) {
      int raw = (answer[at(register)] & 0xFF) << 8 | answer[at(register) + 1] & 0xFF;
      samples.add(Sample.good(Load.point(register), Value.of(raw)));
    }
    return samples;
  }

  /** The normaliser of a device. */
  public static Normaliser normaliser(String device) {
    return new Normaliser(
        new Site.Entry(
            new Device(device, "load", URI.create("modbus-tcp://127.0.0.1"), Map.of()),
            profile(),
            Duration.ofSeconds(1),
            Duration.ofSeconds(2),
            ""),
        () -> ClockState.SYNCHRONISED);
  }

  /** When the gateway had the samples. */
  public static Instant time() {
    return TIME;
  }

  /** One poll of each device. */
  public static List<Reading> readings() {
    List<Reading> readings = new ArrayList<>();
    for (int device = 0; device < DEVICES; device++) {
      readings.addAll(normaliser("d-" + device).normalise(samples(), TIME).readings());
    }
    return readings;
  }

  /** The same as the buffer hands it to a forwarder. */
  public static Batch batch() {
    List<Batch.Entry> entries = new ArrayList<>();
    List<Reading> readings = readings();
    for (int i = 0; i < readings.size(); i++) {
      entries.add(new Batch.Entry(1_000_000 + i % POINTS, readings.get(i)));
    }
    return new Batch(StreamClass.TELEMETRY, false, entries);
  }

  private static Profile profile() {
    byte[] yaml =
        new Load(1, POINTS, Duration.ofSeconds(1)).profileText().getBytes(StandardCharsets.UTF_8);
    LoadedProfile loaded = new ProfileReader().read("load.yaml", yaml);
    if (loaded.profile() == null) {
      throw new IllegalStateException(loaded.faults().toString());
    }
    if (loaded.profile().points().get(1).point().type() != DataType.UINT16) {
      throw new IllegalStateException("one register a point");
    }
    return loaded.profile();
  }
}
