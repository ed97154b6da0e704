package io.culvert.simulator.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.simulator.platform.Entry;
import io.culvert.simulator.platform.Entry.Item;
import io.culvert.simulator.street.Profile;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetFile;
import io.culvert.simulator.truth.BlockTruth;
import io.culvert.simulator.truth.DeviceTruth;
import io.culvert.simulator.truth.Truth;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the judge asks of points that have no value at times, an interval of their own, or words.
 */
class TruthsOfPointsTest {
  private static final long T0 = 1_800_000_000_000L;

  @TempDir Path folder;
  private BlockTruth block;
  private Audit audit;
  private long sequence = 1;

  @BeforeEach
  void open() throws Exception {
    Files.writeString(
        folder.resolve("thing.yaml"),
        """
        schema: culvert-profile/1
        id: thing
        title: {en: Thing}
        scheme: modbus
        interval: 1s
        points:
          - {id: tick, address: "holding:0", type: uint16}
          - {id: gas, address: "holding:1", type: uint16, notAvailable: [0xFFFF]}
          - {id: slow, address: "holding:2", type: uint16, interval: 1m}
          - {id: serial, address: "holding:3;length=3", type: text, interval: 24h}
          - {id: scaled, address: "holding:6", type: uint16, scale: {point: gas}}
        """);
    Street street =
        StreetFile.parse(
            "s.yaml",
            "schema: culvert-street/1\ndevices: [{id: a, profile: thing}]\n",
            new Profile.Library(List.of(folder)),
            null,
            null);
    var shown = street.devices().get(0).body().blocks().get(0);
    block = new BlockTruth(shown.table(), shown.points());
    Truth truth = new Truth();
    truth.add(new DeviceTruth("a", List.of(block)));
    audit = new Audit(truth);
  }

  /** An answer, seconds after the first, that shows the whole table. */
  private void shows(int second, double gas, double slow, double scaled) {
    double[] values = new double[block.points()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (block.point(i).id()) {
            case "tick" -> block.rows() + 1;
            case "gas" -> gas;
            case "slow" -> slow;
            case "scaled" -> scaled;
            default -> 0;
          };
    }
    int row = block.add(T0 + second * 1000L, 0, values);
    for (int i = 0; i < values.length; i++) {
      block.shown(row, i);
    }
  }

  private static Item good(String point, Object value) {
    return new Item(point, value, "", "Good");
  }

  private void arrives(int second, Item... items) {
    List<Item> all = new ArrayList<>(List.of(good("tick", (double) block.rows())));
    all.addAll(List.of(items));
    audit.message(
        List.of(new Entry("a", "telemetry", T0 + second * 1000L, false, sequence, all, false)));
    sequence += all.size();
  }

  private Report verdict() {
    return audit.verdict(new Rules(0, 0, List.of()));
  }

  @Test
  void noValueMustArriveAsNoValue() {
    shows(0, Double.NaN, 1, 1);
    arrives(
        0,
        new Item("gas", null, "", "BadNoData"),
        good("slow", 1.0),
        good("serial", block.point(index("serial")).text()),
        good("scaled", 1.0));
    assertThat(verdict().examples()).isEmpty();

    shows(1, Double.NaN, 1, 1);
    arrives(1, good("gas", 65535.0), good("scaled", 1.0));
    assertThat(verdict().examples()).containsOnlyKeys(Violation.WRONG_VALUE);
  }

  @Test
  void aValueMustNotArriveAsNone() {
    shows(0, 7, 1, 1);
    arrives(
        0,
        new Item("gas", null, "", "BadNoData"),
        good("slow", 1.0),
        good("serial", block.point(index("serial")).text()),
        good("scaled", 1.0));

    assertThat(verdict().examples()).containsOnlyKeys(Violation.WRONG_QUALITY);
  }

  @Test
  void aPointWithAnIntervalOfItsOwnNeedNotArriveInBetween() {
    for (int second = 0; second < 59; second += 20) {
      shows(second, 7, second, 1);
      List<Item> items = new ArrayList<>(List.of(good("gas", 7.0), good("scaled", 1.0)));
      if (second == 0) {
        items.add(good("slow", 0.0));
        items.add(good("serial", block.point(index("serial")).text()));
      }
      arrives(second, items.toArray(Item[]::new));
    }
    assertThat(verdict().examples()).isEmpty();

    shows(80, 7, 80, 1);
    arrives(80, good("gas", 7.0), good("scaled", 1.0));
    assertThat(verdict().examples().get(Violation.LOST))
        .singleElement()
        .asString()
        .contains("a/slow tick 4");
  }

  @Test
  void anotherTextIsAWrongValue() {
    shows(0, 7, 1, 1);
    arrives(0, good("gas", 7.0), good("slow", 1.0), good("serial", "CV"), good("scaled", 1.0));

    assertThat(verdict().examples()).containsOnlyKeys(Violation.WRONG_VALUE);
  }

  @Test
  void aScaleOfAnotherPointMayBeWaitedForAtFirstOnly() {
    Item waits = new Item("scaled", null, "", "BadWaitingForInitialData");
    shows(0, 7, 1, 1);
    arrives(
        0,
        good("gas", 7.0),
        good("slow", 1.0),
        good("serial", block.point(index("serial")).text()),
        waits);
    assertThat(verdict().examples()).isEmpty();

    shows(50, 7, 1, 1);
    arrives(50, good("gas", 7.0), waits);
    assertThat(verdict().examples()).containsOnlyKeys(Violation.WRONG_QUALITY);
  }

  private int index(String point) {
    for (int i = 0; i < block.points(); i++) {
      if (block.point(i).id().equals(point)) {
        return i;
      }
    }
    throw new IllegalArgumentException(point);
  }
}
