package io.culvert.shell;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.service.Doctor.Cause;
import io.culvert.api.service.Doctor.Cycle;
import io.culvert.api.service.Doctor.Exchanges;
import io.culvert.api.service.Doctor.Figures;
import io.culvert.api.service.Doctor.Finding;
import io.culvert.api.service.Doctor.Lane;
import io.culvert.api.service.Doctor.Latency;
import io.culvert.api.service.Doctor.Patient;
import io.culvert.api.service.Monitor.State;
import io.culvert.api.southbound.Diagnosed.Facts;
import io.culvert.api.southbound.Diagnosed.LineFacts;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DoctorReportTest {
  private static final Instant NOW = Instant.parse("2026-11-21T03:00:00Z");

  private static final Finding WELL =
      new Finding(Cause.HEALTHY, List.of(), "2 devices answer, 95 % within 30 ms", "");

  private static final Lane HEALTHY =
      lane(
          "tcp:192.168.3.17:502",
          0.04,
          0,
          WELL,
          patient("a", 480, 480, 0),
          patient("b", 480, 480, 0));

  private static final Lane WITH_A_DEAD_ONE =
      lane(
          "serial:/dev/ttyS1",
          0.31,
          0.12,
          new Finding(
              Cause.DEAD_DEVICE,
              List.of("pump-3"),
              "pump-3 doesn't answer any more, the last answer came 12 min ago, though pump-1 does"
                  + " (no answer within 2s); waiting for that takes 12 % of the lane",
              "Check its power, then its stub of the cable."),
          patient("pump-1", 480, 479, 0),
          patient("pump-3", 14, 0, 2));

  @Test
  void aHealthyLaneIsOneLine() {
    assertThat(new DoctorReport(List.of(HEALTHY), NOW).text())
        .isEqualTo(
            """
            1 lane: none in trouble, 1 healthy

            Healthy:
              lane                  devices  95 % within  busy  one round
              tcp:192.168.3.17:502        2        30 ms   4 %      40 ms
            """);
  }

  @Test
  void aLaneInTroubleComesFirstWithEvidenceAdviceAndTheDevicesConcernedOnTop() {
    String text = new DoctorReport(List.of(WITH_A_DEAD_ONE, HEALTHY), NOW).text();
    assertThat(text.lines()).allMatch(line -> line.length() <= Text.COLUMNS);
    assertThat(text)
        .isEqualTo(
            """
            2 lanes: 1 in trouble, 1 healthy

            serial:/dev/ttyS1: 31 % busy, 12 % of it without an answer, in the last 8 min
              dead device: pump-3 doesn't answer any more, the last answer came 12 min ago,
                though pump-1 does (no answer within 2s); waiting for that takes 12 % of the
                lane.
                Check its power, then its stub of the cable.
              device  answered  median   95 %  longest  lost  broken  last answer
              pump-3      0/14       -      -        -    14       2  never
              pump-1   479/480   20 ms  30 ms    45 ms     1       0  < 1 s ago
              Reading everything once takes 40 ms; at the intervals wanted, 4 % of the lane.
                Waiting for a turn: 5.0 ms on average, 2.1 s at most.
              Heard on the line: 2 answers too late, 1 byte of noise.

            Healthy:
              lane                  devices  95 % within  busy  one round
              tcp:192.168.3.17:502        2        30 ms   4 %      40 ms
            """);
  }

  @Test
  void manyLanesAndDevicesStillFitSomeScreens() {
    List<Lane> lanes = new ArrayList<>();
    Patient[] patients = new Patient[100];
    for (int i = 0; i < 100; i++) {
      patients[i] = patient("a-device-of-some-length-" + i, 10_000, 9_000, 5);
    }
    for (int i = 0; i < 50; i++) {
      lanes.add(
          lane("tcp:10.0.0." + i + ":502", 0.3, 0.1, WITH_A_DEAD_ONE.findings().get(0), patients));
    }
    for (int i = 0; i < 500; i++) {
      lanes.add(lane("tcp:10.0.1." + i + ":502", 0.3, 0, WELL, patients));
    }
    String text = new DoctorReport(lanes, NOW).text();

    assertThat(text.lines().count()).isLessThan(150);
    assertThat(text)
        .contains(
            "… and 45 more lanes in trouble", "… and 88 more devices", "… and 488 more lanes (");
  }

  @Test
  void oneLaneCanBeAskedForByItsNameOrByADeviceOnIt() {
    DoctorReport all = new DoctorReport(List.of(WITH_A_DEAD_ONE, HEALTHY), NOW);

    assertThat(all.only("b").details()).startsWith("tcp:192.168.3.17:502: 4 % busy in the last");
    assertThat(all.only("serial:/dev/ttyS1").details()).contains("pump-3").doesNotContain("tcp:");
    assertThat(all.only("nobody")).isNull();
  }

  @Test
  void withoutALaneItSaysWhereToLook() {
    assertThat(new DoctorReport(List.of(), NOW).text()).contains("culvert status");
  }

  @Test
  void scriptsGetEveryFigure() throws Exception {
    String json = new DoctorReport(List.of(WITH_A_DEAD_ONE), NOW).json();

    assertThat(json)
        .containsSubsequence(
            "\"lane\" : \"serial:/dev/ttyS1\"",
            "\"cause\" : \"dead device\"",
            "\"devices\" : [ \"pump-3\" ]",
            "\"advice\" : \"Check its power",
            "\"busy\" : 0.31",
            "\"round\" : 0.04",
            "\"noise\" : 1",
            "\"id\" : \"pump-1\"",
            "\"interval\" : 1.0",
            "\"percentile95\" : 0.03",
            "\"lastAnswer\" : \"2026-11-21T02:59:59.500Z\"");
  }

  private static Lane lane(
      String name, double busy, double unanswered, Finding finding, Patient... patients) {
    Figures figures =
        new Figures(
            Duration.ofMinutes(8),
            busy,
            unanswered,
            0.04,
            Duration.ofMillis(40),
            Duration.ofMillis(5),
            Duration.ofMillis(2100),
            new LineFacts(0, 2, 0, 0, 1));
    return new Lane(name, figures, List.of(patients), List.of(finding));
  }

  private static Patient patient(String id, long made, long answered, long broken) {
    boolean dead = answered == 0;
    long lost = made - answered;
    return new Patient(
        id,
        dead ? State.OFFLINE : State.ONLINE,
        Duration.ofSeconds(2),
        Duration.ofMinutes(8),
        List.of(new Cycle(Duration.ofSeconds(1), Duration.ofMillis(20))),
        new Exchanges(made, answered, lost, 0, dead ? made : 0),
        dead
            ? null
            : new Latency(Duration.ofMillis(20), Duration.ofMillis(30), Duration.ofMillis(45)),
        Duration.ofMillis(5),
        Duration.ofMillis(50),
        0.1,
        new Facts(made, answered, lost, broken, 0, 1_000_000, Map.of()),
        Map.of(),
        dead ? null : NOW.minusMillis(500),
        NOW.minusSeconds(3),
        "");
  }
}
