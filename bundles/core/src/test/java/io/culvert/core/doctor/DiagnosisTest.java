package io.culvert.core.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.service.Doctor.Finding;
import io.culvert.core.doctor.Ward.Bed;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What a field engineer finds on real lines, and what the doctor makes of the figures of it. */
class DiagnosisTest {
  private static final Duration NEVER = Duration.ZERO;
  private static final Duration TWELVE_MINUTES = Duration.ofMinutes(12);

  /**
   * @param expected every finding, as {@code CAUSE device device}
   * @param words that the first finding says
   */
  private record Case(String name, Ward ward, List<String> expected, String... words) {}

  private static Case of(String name, Ward ward, List<String> expected, String... words) {
    return new Case(name, ward, expected, words);
  }

  private static Case of(String name, Ward ward, String expected, String... words) {
    return new Case(name, ward, List.of(expected), words);
  }

  @TestFactory
  Stream<DynamicTest> healthAndTooLittleToJudge() {
    return tests(
        of(
            "all is well",
            new Ward().well("a", "b", "c"),
            "HEALTHY",
            "3 devices answer, 95 % within 30 ms; the lane is 6 % busy and could be polled every"
                + " 75 ms"),
        of(
            "all is well, as far as the core itself can count",
            new Ward().well("a", "b").uncounted(),
            "HEALTHY"),
        of(
            "the odd mishap of a good line",
            new Ward()
                .device("a", bed -> bed.broken(2))
                .device("b", bed -> bed.lose(2))
                .line(1, 2, 0, 1, 12),
            "HEALTHY"),
        of(
            "what is left of two broken answers is no floating line",
            new Ward().device("a", bed -> bed.broken(2)).well("b").line(0, 0, 0, 0, 400),
            "HEALTHY"),
        of(
            "a few in a thousand are broken",
            new Ward()
                .device(
                    "a",
                    bed -> {
                      bed.made = 5000;
                      bed.broken(9);
                    })
                .well("b"),
            "HEALTHY"),
        of(
            "only just started",
            new Ward().device("a", bed -> bed.made = bed.answered = 2),
            "UNHEARD",
            "not enough heard yet: 2 exchanges"),
        of(
            "two tries without an answer are no verdict",
            new Ward()
                .device(
                    "a",
                    bed -> {
                      bed.silentFor(NEVER);
                      bed.made = bed.inARow = bed.timeouts = 2;
                    }),
            "UNHEARD"),
        of(
            "polled every quarter of an hour: five of ten minutes' polls need an hour",
            new Ward()
                .device(
                    "a",
                    bed -> {
                      bed.interval = Duration.ofMinutes(15);
                      bed.made = bed.answered = 4;
                    })
                .well("b"),
            "HEALTHY",
            "b answers"),
        of(
            "a device that tells by itself isn't polled",
            new Ward()
                .device(
                    "a",
                    bed -> {
                      bed.polled = false;
                      bed.made = bed.answered = 1;
                    }),
            "HEALTHY"));
  }

  @TestFactory
  Stream<DynamicTest> silence() {
    return tests(
        of(
            "one of four was switched off",
            new Ward().well("a", "b", "c").device("d", bed -> bed.silentFor(TWELVE_MINUTES)),
            "DEAD_DEVICE d",
            "d doesn't answer any more, the last answer came 12 min ago, though 3 others do",
            "takes 6 % of the lane",
            "power"),
        of(
            "one of four never answered: its number is wrong, or it isn't wired",
            new Ward().well("a", "b", "c").device("d", bed -> bed.silentFor(NEVER)),
            "ADDRESS d",
            "d never answered",
            "unit number"),
        of(
            "one never answered and another went",
            new Ward()
                .well("a")
                .device("b", bed -> bed.silentFor(TWELVE_MINUTES))
                .device("c", bed -> bed.silentFor(NEVER)),
            List.of("ADDRESS c", "DEAD_DEVICE b"),
            "though a does"),
        of(
            "the cable beyond the second of five is cut",
            new Ward()
                .well("a", "b")
                .device("c", bed -> bed.silentFor(TWELVE_MINUTES))
                .device("d", bed -> bed.silentFor(TWELVE_MINUTES))
                .device("e", bed -> bed.silentFor(TWELVE_MINUTES)),
            "DEAD_DEVICE c d e",
            "the cable beyond the last that answers"),
        of(
            "none of three answers: the line itself",
            new Ward()
                .device("a", bed -> bed.silentFor(TWELVE_MINUTES))
                .device("b", bed -> bed.silentFor(TWELVE_MINUTES))
                .device("c", bed -> bed.silentFor(NEVER)),
            "DEAD_LINE",
            "none of 3 devices answers, the last answer came 12 min ago (no answer within 2s)",
            "converter"),
        of(
            "the only device doesn't answer: nobody to compare with",
            new Ward().device("a", bed -> bed.silentFor(NEVER)),
            "DEAD_DEVICE a",
            "nobody else is on this lane"),
        of(
            "it refuses the connection",
            new Ward()
                .device(
                    "a",
                    bed -> {
                      bed.silentFor(NEVER);
                      bed.timeouts = 0;
                      bed.lastFailure = "the driver says: connection refused";
                    })
                .uncounted(),
            "DEAD_DEVICE a",
            "(the driver says: connection refused)"),
        of(
            "a converter says that it can't reach one",
            new Ward()
                .well("a")
                .device(
                    "b",
                    bed -> {
                      bed.silentFor(TWELVE_MINUTES);
                      bed.refusals =
                          Map.of("exception 0B (gateway target device failed to respond)", 14L);
                      bed.lastFailure = "the driver says: exception 0B";
                    }),
            "DEAD_DEVICE b",
            "exception 0B"));
  }

  @TestFactory
  Stream<DynamicTest> wiringSpeedAndAddress() {
    return tests(
        of(
            "no termination: every device's answers are broken at times",
            new Ward()
                .device("a", bed -> bed.broken(20))
                .device("b", bed -> bed.broken(31))
                .device("c", bed -> bed.broken(14))
                .line(0, 0, 0, 0, 90),
            "WIRING",
            "broken answers of every device: 65 wrong check sums, 90 bytes of noise",
            "termination"),
        of(
            "only the far ones' answers are broken",
            new Ward()
                .well("a", "b")
                .device("c", bed -> bed.broken(40))
                .device("d", bed -> bed.broken(60)),
            "WIRING c d",
            "broken answers of c, d, but none of a, b",
            "Check the cable from the last whole one to the first broken one"),
        of(
            "a loose terminal at one device",
            new Ward().well("a", "b").device("c", bed -> bed.broken(30)),
            "WIRING c",
            "30 of c's 480 answers are broken, its neighbours' are whole",
            "stub"),
        of(
            "it was mended a while ago",
            new Ward()
                .well("a", "b")
                .device(
                    "c",
                    bed -> {
                      bed.broken(30);
                      bed.sinceTrouble = Duration.ofMinutes(4);
                    }),
            "WIRING c",
            "the last time 4 min ago"),
        of(
            "the idle line floats, though answers are whole",
            new Ward().well("a", "b").line(0, 0, 0, 0, 700),
            "WIRING",
            "bias"),
        of(
            "so bad that some never get through",
            new Ward()
                .device("a", bed -> bed.broken(100))
                .device(
                    "b",
                    bed -> {
                      bed.silentFor(TWELVE_MINUTES);
                      bed.checksumErrors = 14;
                      bed.timeouts = 0;
                    }),
            "WIRING"),
        of(
            "wrong speed: noise only, from the first day",
            new Ward()
                .device("a", bed -> bed.silentFor(NEVER))
                .device("b", bed -> bed.silentFor(NEVER))
                .line(0, 0, 0, 0, 160),
            "SPEED",
            "something comes back, but no whole answer: 160 bytes of noise",
            "baud, parity and stop bits"),
        of(
            "wrong parity: frames, but never a right check sum",
            new Ward()
                .device(
                    "a",
                    bed -> {
                      bed.silentFor(NEVER);
                      bed.checksumErrors = 14;
                    }),
            "SPEED"),
        of(
            "all was well until a cable was changed",
            new Ward()
                .device(
                    "a",
                    bed -> {
                      bed.silentFor(Duration.ofMinutes(4));
                      bed.answered = 200;
                      bed.made = 220;
                    })
                .device("b", bed -> bed.silentFor(Duration.ofMinutes(4)))
                .line(0, 0, 0, 0, 160),
            "WIRING",
            "4 min ago"),
        of(
            "two devices with one number: always garbled, the neighbours well",
            new Ward()
                .well("a", "b")
                .device(
                    "c",
                    bed -> {
                      bed.silentFor(TWELVE_MINUTES);
                      bed.checksumErrors = 12;
                      bed.timeouts = 2;
                    }),
            "ADDRESS c",
            "two devices have its unit number"),
        of(
            "two devices with one number that get through at times",
            new Ward().well("a", "b").device("c", bed -> bed.broken(210)).line(0, 0, 0, 5, 60),
            "ADDRESS c"),
        of(
            "a converter that answers in its own name",
            new Ward()
                .well("a")
                .device(
                    "b",
                    bed -> {
                      bed.silentFor(NEVER);
                      bed.malformed = 14;
                    })
                .line(14, 0, 0, 0, 0),
            "ADDRESS b",
            "14 answers came from another unit than the one asked; answers are missing of b"),
        of(
            "the only device has another number",
            new Ward().device("a", bed -> bed.silentFor(NEVER)).line(14, 0, 0, 0, 0),
            "ADDRESS a"));
  }

  @TestFactory
  Stream<DynamicTest> othersOnTheLine() {
    return tests(
        of(
            "an old controller still asks",
            new Ward()
                .device("a", bed -> bed.broken(20))
                .device("b", bed -> bed.broken(25))
                .line(0, 0, 120, 14, 40),
            "SECOND_MASTER",
            "120 requests heard that this gateway didn't send, 14 collisions"),
        of(
            "it is polite, and harms nobody yet",
            new Ward().well("a", "b").line(0, 0, 50, 0, 0),
            "SECOND_MASTER"),
        of(
            "it can't be heard, but is met",
            new Ward().device("a", bed -> bed.lose(20)).well("b").line(0, 0, 0, 22, 0),
            "SECOND_MASTER",
            "22 sendings met somebody else's"),
        of(
            "it leaves nothing through",
            new Ward()
                .device("a", bed -> bed.silentFor(TWELVE_MINUTES))
                .device("b", bed -> bed.silentFor(TWELVE_MINUTES))
                .line(0, 0, 300, 0, 500),
            "SECOND_MASTER"));
  }

  @TestFactory
  Stream<DynamicTest> tooMuchAndTooSlow() {
    return tests(
        of(
            "more polls than the lane can take",
            new Ward().device("a", bed -> tight(bed, 600)).device("b", bed -> tight(bed, 700)),
            "OVERLOAD",
            "the polls wanted take 130 % of the lane, of which 80 % are to be had for them;"
                + " 320 polls left out",
            "It fits with an interval of 1.7 s instead of 1 s."),
        of(
            "intervals that differ",
            new Ward()
                .device("a", bed -> tight(bed, 900))
                .device(
                    "b",
                    bed -> {
                      tight(bed, 1400);
                      bed.interval = Duration.ofSeconds(10);
                      bed.timeout = Duration.ofSeconds(4);
                    }),
            "OVERLOAD",
            "It fits if the intervals are 1.3 times as long."),
        of(
            "dead devices cost much, but the living are served",
            new Ward()
                .device("a", bed -> bed.busy = 0.6)
                .device(
                    "b",
                    bed -> {
                      bed.silentFor(TWELVE_MINUTES);
                      bed.busy = 0.25;
                    }),
            "DEAD_DEVICE b",
            "takes 25 % of the lane"),
        of(
            "a device says that it is busy",
            new Ward()
                .well("a")
                .device("b", bed -> bed.refused = Map.of("BadResourceUnavailable", List.of("p"))),
            "OVERLOAD b"),
        of(
            "answers near the deadline",
            new Ward()
                .well("a")
                .device(
                    "b",
                    bed -> {
                      bed.interval = Duration.ofSeconds(10);
                      bed.median = 1300;
                      bed.p95 = 1700;
                      bed.longest = 1950;
                    }),
            "SLOW_DEVICE b",
            "95 % of b's answers take up to 1.7 s of the 2 s allowed",
            "Raise timeout of b to 4 s"),
        of(
            "one long answer among a few, as the gateway itself starts up",
            new Ward()
                .device(
                    "a",
                    bed -> {
                      bed.made = bed.answered = 6;
                      bed.p95 = bed.longest = 1700;
                    }),
            "HEALTHY"),
        of(
            "answers near the deadline, of which a few are enough if most are",
            new Ward()
                .device(
                    "a",
                    bed -> {
                      bed.interval = Duration.ofMinutes(1);
                      bed.made = bed.answered = 6;
                      bed.median = bed.p95 = bed.longest = 1700;
                    }),
            "SLOW_DEVICE a"),
        of(
            "answers come after the deadline at times",
            new Ward().well("a").device("b", bed -> bed.lose(40)).line(0, 38, 0, 0, 0),
            "SLOW_DEVICE b",
            "38 answers came after the gateway had given up. Raise timeout of b to 4 s"),
        of(
            "answers always come too late",
            new Ward().device("a", bed -> bed.silentFor(NEVER)).line(0, 14, 0, 0, 0),
            "SLOW_DEVICE a",
            "14 answers came after the gateway had given up"),
        of(
            "answers are missing now and then",
            new Ward().well("a").device("b", bed -> bed.lose(20)),
            "UNSTEADY b",
            "20 of 480 requests of b brought nothing (no answer within 2s)",
            "neighbours are well"),
        of(
            "the same, seen by the core alone",
            new Ward().well("a").device("b", bed -> bed.lose(20)).uncounted(),
            "UNSTEADY b"),
        of(
            "answers that don't fit what was asked",
            new Ward()
                .well("a")
                .device(
                    "b",
                    bed -> {
                      bed.malformed = 30;
                      bed.answered = 450;
                    }),
            "UNSTEADY b",
            "30 of them answers that don't fit"));
  }

  private static void tight(Bed bed, long millis) {
    bed.median = millis;
    bed.p95 = millis + 50;
    bed.longest = millis + 100;
    bed.busy = 0.45;
    bed.missed = 160;
  }

  @TestFactory
  Stream<DynamicTest> whatDevicesRefuse() {
    return tests(
        of(
            "points that another model has",
            new Ward()
                .well("a")
                .device(
                    "b",
                    bed -> {
                      bed.refused = Map.of("BadNotFound", List.of("flow", "total"));
                      bed.refusals = Map.of("exception 02 (illegal data address)", 960L);
                    }),
            "REFUSED b",
            "b refuses flow, total: exception 02 (illegal data address)",
            "register map"),
        of(
            "its sensor has failed",
            new Ward().device("a", bed -> bed.refused = Map.of("BadDeviceFailure", List.of("ph"))),
            "REFUSED a",
            "a says that it can't tell ph",
            "Nothing is wrong with the line"),
        of(
            "one refuses, another is dead: both are told, the worse first",
            new Ward()
                .device("a", bed -> bed.refused = Map.of("BadNotFound", List.of("x")))
                .device("b", bed -> bed.silentFor(TWELVE_MINUTES)),
            List.of("DEAD_DEVICE b", "REFUSED a")));
  }

  private static Stream<DynamicTest> tests(Case... cases) {
    return Stream.of(cases)
        .map(
            c ->
                DynamicTest.dynamicTest(
                    c.name(),
                    () -> {
                      List<Finding> findings = c.ward().findings();
                      assertThat(findings)
                          .extracting(
                              f -> (f.cause() + " " + String.join(" ", f.devices())).strip())
                          .isEqualTo(c.expected());
                      Finding first = findings.get(0);
                      for (String words : c.words()) {
                        assertThat(first.evidence() + ". " + first.advice()).contains(words);
                      }
                    }));
  }
}
