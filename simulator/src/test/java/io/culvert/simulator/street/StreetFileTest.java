package io.culvert.simulator.street;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import org.junit.jupiter.api.Test;

class StreetFileTest {
  private static final String HEAD = "schema: culvert-street/1\ndevices:\n";
  private final Profile.Library profiles = new Profile.Library(List.of());

  @Test
  void unitsStandBehindPorts() throws Exception {
    Street street =
        street(
            "  - {id: uw, count: 45, profile: underpass-water, units-per-port: 20, port: 6000}\n");

    assertThat(street.ports()).containsExactly(6000, 6001, 6002);
    assertThat(street.devices().get(20))
        .satisfies(
            device -> {
              assertThat(device.id()).isEqualTo("uw-021");
              assertThat(device.port()).isEqualTo(6001);
              assertThat(device.unit()).isEqualTo(1);
            });
  }

  @Test
  void groupsFollowEachOtherFromThePortBase() throws Exception {
    Street street =
        StreetFile.parse(
            "s.yaml",
            HEAD
                + "  - {id: a, count: 21, profile: underpass-water}\n"
                + "  - {id: b, count: 2, profile: underpass-water, units-per-port: 1}\n",
            profiles,
            7000,
            null);

    assertThat(street.ports()).containsExactly(7000, 7001, 7002, 7003);
  }

  @Test
  void streetScalesInItsProportions() throws Exception {
    Street street =
        StreetFile.parse(
            "s.yaml",
            HEAD
                + "  - {id: a, count: 120, profile: underpass-water}\n"
                + "  - {id: b, count: 80, profile: water-main}\n",
            profiles,
            null,
            10);

    assertThat(street.devices()).extracting(Street.Resident::profile).hasSize(10);
    assertThat(street.devices().stream().filter(d -> d.profile().equals("water-main"))).hasSize(4);
  }

  @Test
  void aStreetKnowsWhetherItsDevicesMayAnswerLate() throws Exception {
    String slow = HEAD + "  - {id: a, profile: underpass-water, faults: [{kind: slow}]}\n";
    String late = slow + "  - {id: b, profile: underpass-water, faults: [{kind: late}]}\n";

    assertThat(StreetFile.parse("s.yaml", slow, profiles, null, null).answersLate()).isFalse();
    assertThat(StreetFile.parse("s.yaml", late, profiles, null, null).answersLate()).isTrue();
  }

  @Test
  void sameStreetTimeShowsTheSameValues() throws Exception {
    String text =
        HEAD
            + "  - {id: a, profile: underpass-water}\n"
            + "behaviours:\n"
            + "  underpass-water: {level: [{walk: {amplitude: 0.2}}, {noise: {sd: 0.1}},"
            + " {rain: {height: 0.3}}, {spikes: {low: 0, high: 1}}]}\n";
    Street one = StreetFile.parse("s.yaml", text, profiles, null, null);
    Street other = StreetFile.parse("s.yaml", text, profiles, null, null);

    assertThat(values(one, 0, 1, 17.5, 1234)).isEqualTo(values(other, 0, 1, 17.5, 1234));
    assertThat(values(one, 3, 4)).isNotEqualTo(values(one, 5, 6));
  }

  @Test
  void everythingWrongIsToldAtOnceByFileAndLine() {
    assertProblems(
        """
        schema: culvert-street/2
        speed: fast
        devices:
          - {id: a, profile: underpass-water, cuont: 3}
          - {id: a, profile: underpass-water, faults: [{kind: sulks}]}
          - id: b
            profile: underpass-water
            points:
              level: [{tide: {height: 3}}]
              depth: [{constant: {value: 1}}]
          - {id: c, profile: underpass-water, port: 90, framing: ascii, faults: [{kind: checksum}]}
          - {id: d, profile: underpass-water, port: 90, framing: rtu, first-unit: 2}
        """,
        "s.yaml:1: found 'culvert-street/2', expected culvert-street/1",
        "s.yaml:2: found 'fast', expected a number",
        "s.yaml:4: found the key 'cuont', expected one of",
        "s.yaml:5: found 'sulks', expected one of stuck, spike, gap",
        "s.yaml:5: found the device 'a' twice",
        "s.yaml:9: found [tide], expected one of constant, daily",
        "s.yaml:10: found the key 'depth', expected one of level, tick",
        "s.yaml:11: found 'ascii', expected tcp or rtu",
        "s.yaml:11: found 'checksum', which needs framing rtu of its group",
        "s.yaml:12: found rtu for port 90, which another group frames otherwise");
  }

  @Test
  void aPlantStandsBesideTheStreetOrAlone() throws Exception {
    String plant =
        """
        plant:
          history: kept
          devices:
            - {id: station, count: 2, profile: opcua-pump-station}
            - {id: tap, profile: opcua-water-quality}
        """;
    Street both =
        StreetFile.parse(
            "s.yaml",
            HEAD + "  - {id: a, profile: underpass-water}\n" + plant,
            profiles,
            null,
            null);
    assertThat(both.size()).isEqualTo(4);
    assertThat(both.plant().stations())
        .extracting(Street.Station::id)
        .containsExactly("station-001", "station-002", "tap");
    assertThat(both.plant().history()).isTrue();
    assertThat(both.plant().secured()).isTrue();
    Street alone =
        StreetFile.parse("s.yaml", "schema: culvert-street/1\n" + plant, profiles, null, null);
    assertThat(alone.devices()).isEmpty();
    assertThat(alone.size()).isEqualTo(3);
  }

  @Test
  void whatIsWrongWithAPlantIsToldByLine() {
    assertProblems(
        """
        schema: culvert-street/1
        plant:
          cycle: 1ms
          security: some
          devices:
            - {id: a, profile: opcua-bridge}
            - {id: a, profile: opcua-bridge, port: 3}
        """,
        "s.yaml:3: found 1 ms, expected 10ms or more",
        "s.yaml:4: found 'some', expected required or none",
        "s.yaml:7: found the device 'a' twice, expected each id once",
        "s.yaml:7: found the key 'port', expected one of");
  }

  @Test
  void missingProfileIsNamed() {
    assertProblems(
        HEAD + "  - {id: a, profile: no-such}\n", "s.yaml:3: found no profile 'no-such'");
  }

  @Test
  void notYamlIsToldWithItsLine() {
    assertProblems("schema: culvert-street/1\ndevices: [\n", "s.yaml:3: isn't YAML");
  }

  @Test
  void pointsThatFollowEachOtherInACircleAreRefused() {
    assertProblems(
        HEAD
            + "  - id: a\n    profile: water-main\n    points:\n"
            + "      flow: [{follow: {point: pressure}}]\n"
            + "      pressure: [{follow: {point: flow}}]\n",
        "following itself in a circle");
  }

  @Test
  void unitConversionIsItsOwn() {
    assertThat(Ucum.convert(77, "[degF]", "Cel"))
        .isCloseTo(25, org.assertj.core.data.Offset.offset(1e-9));
    assertThat(Ucum.convert(250, "kPa", "MPa"))
        .isCloseTo(0.25, org.assertj.core.data.Offset.offset(1e-12));
    assertThat(Ucum.convert(10_000, "[ppm]", "%{vol}"))
        .isCloseTo(1, org.assertj.core.data.Offset.offset(1e-12));
    assertThat(Ucum.convert(3.6, "m3/h", "L/s"))
        .isCloseTo(1, org.assertj.core.data.Offset.offset(1e-12));
    assertThat(Ucum.convert(1, "m", "s")).isNaN();
  }

  private double[] values(Street street, double... walls) {
    Body.Block block = street.devices().get(0).body().blocks().get(0);
    double[] all = new double[walls.length];
    for (int i = 0; i < walls.length; i++) {
      double[] truth = new double[block.points().size()];
      block.show(street.moment(walls[i]), 1, truth, new Image(block.first(), block.size()));
      all[i] = truth[1];
    }
    return all;
  }

  private Street street(String devices) throws StreetException {
    return StreetFile.parse("s.yaml", HEAD + devices, profiles, null, null);
  }

  private void assertProblems(String text, String... expected) {
    StreetException problem =
        catchThrowableOfType(
            StreetException.class, () -> StreetFile.parse("s.yaml", text, profiles, null, null));
    assertThat(problem).isNotNull();
    assertThat(problem.problems()).hasSize(expected.length);
    for (int i = 0; i < expected.length; i++) {
      assertThat(problem.problems().get(i)).contains(expected[i]);
    }
  }
}
