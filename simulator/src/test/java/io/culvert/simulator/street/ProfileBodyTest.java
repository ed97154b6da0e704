package io.culvert.simulator.street;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.culvert.simulator.street.Street.Resident;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a device that goes by its profile shows on the wire, digit for digit, and as its truth. */
class ProfileBodyTest {
  private static final String NOTHING = "{absent: {every: 1s, for: 1s}}";

  @TempDir Path folder;

  /** A device of one table whose points are these and stand still at these values. */
  private Shown show(Map<String, String> values, String... points) throws Exception {
    Files.writeString(
        folder.resolve("thing.yaml"),
        "schema: culvert-profile/1\nid: thing\ntitle: {en: Thing}\nscheme: modbus\ninterval: 1s\n"
            + "points:\n  - "
            + String.join("\n  - ", points)
            + "\n");
    StringBuilder behaviour = new StringBuilder();
    values.forEach(
        (id, part) ->
            behaviour.append("      ").append(id).append(": [").append(part).append("]\n"));
    Street street =
        StreetFile.parse(
            "s.yaml",
            "schema: culvert-street/1\ndevices:\n  - id: a\n    profile: thing\n"
                + (values.isEmpty() ? "" : "    points:\n")
                + behaviour,
            new Profile.Library(List.of(folder)),
            null,
            null);
    Resident device = street.devices().get(0);
    return Shown.of(street, device.body().blocks().get(0), 0);
  }

  private record Shown(Street street, Body.Block block, Image image, double[] truth) {
    static Shown of(Street street, Body.Block block, int second) {
      Image image = new Image(block.first(), block.size());
      double[] truth = new double[block.points().size()];
      block.show(street.moment(second), second + 1, truth, image);
      return new Shown(street, block, image, truth);
    }

    Shown at(int second) {
      return of(street, block, second);
    }

    int register(int address) {
      return image.get(address);
    }

    double truth(String id) {
      return truth[index(id)];
    }

    PointTruth point(String id) {
      return block.points().get(index(id));
    }

    private int index(String id) {
      return block.points().stream().map(PointTruth::id).toList().indexOf(id);
    }
  }

  private static String constant(String value) {
    return "{constant: {value: " + value + "}}";
  }

  @Test
  void decimalDigitsStandInFourBitsEach() throws Exception {
    Shown shown =
        show(
            Map.of("total", constant("123456.7")),
            "{id: total, address: 'holding:0;bcd', type: uint32, scale: 0.1, unit: m3}");

    assertThat(shown.register(0)).isEqualTo(0x0123);
    assertThat(shown.register(1)).isEqualTo(0x4567);
    assertThat(shown.truth("total")).isEqualTo(123456.7);
  }

  @Test
  void fieldsOfBitsShareARegister() throws Exception {
    Shown shown =
        show(
            Map.of("stage", constant("5"), "level", constant("2"), "fault", constant("1")),
            "{id: stage, address: 'holding:0;bits=4-6', type: uint16}",
            "{id: level, address: 'holding:0;bits=12-13', type: uint16}",
            "{id: fault, address: 'holding:0;bit=0', type: bool}");

    assertThat(shown.register(0)).isEqualTo(2 << 12 | 5 << 4 | 1);
  }

  @Test
  void aCounterRollsOverOnTheWireAndGoesOnInTruth() throws Exception {
    // 65535 at six in the morning, three more each second; a round before nobody has seen.
    Shown shown =
        show(
            Map.of("count", "{counter: {start: 65536, rate: 10800}}, {constant: {value: 735}}"),
            "{id: count, address: 'holding:0', type: uint16, counter: {modulus: 65536}}");
    assertThat(shown.register(0)).isEqualTo(65535);
    assertThat(shown.truth("count")).isEqualTo(65535);
    shown.block().answered(0);

    Shown later = shown.at(1);
    assertThat(later.register(0)).isEqualTo(2);
    assertThat(later.truth("count")).isEqualTo(65538);
  }

  @Test
  void aCounterBeginsWithTheFirstAnswerThatHasIt() throws Exception {
    Shown shown =
        show(
            Map.of("count", "{counter: {start: 65536, rate: 10800}}, {constant: {value: 735}}"),
            "{id: count, address: 'holding:0', type: uint16, counter: {modulus: 65536}}");

    Shown later = shown.at(1);
    assertThat(later.register(0)).isEqualTo(2);
    assertThat(later.truth("count")).isEqualTo(2);
  }

  @Test
  void noValueIsTheCodeOnTheWireAndNoNumberInTruth() throws Exception {
    Shown shown =
        show(
            Map.of("a", NOTHING, "b", NOTHING),
            "{id: a, address: 'holding:0', type: int16, notAvailable: [0x8000, 1]}",
            "{id: b, address: 'holding:1', type: float32, notAvailable: [NaN]}");

    assertThat(shown.register(0)).isEqualTo(0x8000);
    assertThat(shown.register(1)).isEqualTo(0x7FC0);
    assertThat(shown.truth()).containsOnly(Double.NaN);
  }

  @Test
  void scalesOfOtherPointsAreTakenOut() throws Exception {
    Shown shown =
        show(
            Map.of(
                "power", constant("1234.56"),
                "ratio", constant("50"),
                "small", constant("0.315"),
                "exponent", constant("-3")),
            "{id: power, address: 'holding:0', type: uint16, scale: {point: ratio, times: 0.1}}",
            "{id: ratio, address: 'holding:1', type: uint16}",
            "{id: small, address: 'holding:2', type: int16, scale: {point: exponent, power: 10}}",
            "{id: exponent, address: 'holding:3', type: int16}");

    assertThat(shown.register(0)).isEqualTo(247);
    assertThat(shown.truth("power")).isCloseTo(1235, within(1e-9));
    assertThat(shown.register(2)).isEqualTo(315);
    assertThat(shown.register(3)).isEqualTo(0xFFFD);
    assertThat(shown.truth("small")).isCloseTo(0.315, within(1e-12));
  }

  @Test
  void aTextIsTheDevicesSerialNumber() throws Exception {
    Shown shown =
        show(Map.of(), "{id: serial, address: 'holding:0;length=3', type: text, interval: 24h}");

    assertThat(shown.register(0)).isEqualTo('C' << 8 | 'V');
    assertThat(shown.register(1)).isEqualTo('2' << 8 | '6');
    assertThat(shown.point("serial").text()).hasSize(6).startsWith("CV26");
    assertThat(shown.point("serial").intervalMillis()).isEqualTo(86_400_000);
  }
}
