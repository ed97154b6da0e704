package io.culvert.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.culvert.simulator.platform.Entry;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The harness itself; no benchmark runs here. */
class HarnessTest {
  @TempDir Path folder;

  @Test
  void processorTimeIsUserAndKernelTimeWhateverTheProgramIsCalled() {
    String stat =
        "17 (a b) c) S 1 17 17 0 -1 4194560 2463 0 13 0 1234 66 5 4 20 0 31 0 901 3049586688 66321"
            + " 18446744073709551615 1 1 0 0 0 0 4 1 2 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";

    assertThat(ProcessFigures.cpuSeconds(stat)).isCloseTo(13.00, within(1e-9));
  }

  @Test
  void memoryIsReadByItsWholeName() {
    List<String> status = List.of("VmHWM:\t  200 kB", "VmRSS:\t  123 kB", "RssAnon:\t 100 kB");

    assertThat(ProcessFigures.bytes(status, "VmRSS")).isEqualTo(123 * 1024);
    assertThat(ProcessFigures.bytes(status, "Pss")).isEqualTo(-1);
  }

  @Test
  void thisProcessHasUsedTimeAndMemoryAndOneThatIsGoneNone() throws Exception {
    ProcessFigures own = ProcessFigures.of(List.of(ProcessHandle.current()));
    Process ended = new ProcessBuilder("true").start();
    ended.waitFor();

    assertThat(own.cpuSeconds()).isPositive();
    assertThat(own.rssBytes()).isGreaterThan(1 << 20);
    assertThat(ProcessFigures.of(List.of(ended.toHandle())).cpuSeconds()).isZero();
  }

  @Test
  void aLoadIsAStreetWithAConnectionAndACounterForEachDevice() throws Exception {
    Load load = new Load(30, 125, Duration.ofMillis(500));

    Street street = load.street(folder, 27_000);

    assertThat(load.rate()).isEqualTo(7_500);
    assertThat(street.devices()).hasSize(30);
    assertThat(street.ports()).hasSize(30);
    assertThat(street.readable()).isEqualTo(3_750);
    assertThat(street.devices().get(0).body().blocks())
        .singleElement()
        .satisfies(
            block -> {
              assertThat(block.size()).isEqualTo(125);
              assertThat(block.points().get(0).tick()).isTrue();
              assertThat(block.points()).noneMatch(point -> point.suppressible());
            });
  }

  @Test
  void everyPointOfALoadMovesWithEachPollAndStaysInRange() throws Exception {
    Load load = new Load(2, 125, Duration.ofMillis(100));
    Street street = load.street(folder, 27_000);
    var block = street.devices().get(1).body().blocks().get(0);
    double[] before = new double[125];
    double[] after = new double[125];
    var image = new io.culvert.simulator.street.Image(block.first(), block.size());
    int[] raw = new int[125];

    for (int poll = 0; poll < 10_000; poll++) {
      block.show(street.moment(poll * 0.1), poll, after, image);
      for (int point = 1; point < 125; point++) {
        assertThat(block.points().get(point).inRange(after[point])).isTrue();
        if (poll > 0) {
          assertThat(image.get(block.address(point)))
              .as("point %d in poll %d", point, poll)
              .isNotEqualTo(raw[point]);
        }
        raw[point] = image.get(block.address(point));
      }
      before = after.clone();
    }
    assertThat(before).doesNotContain(Double.NaN);
  }

  @Test
  void theMedianIsTheMiddleAndARatioAgainstNothingIsNone() {
    assertThat(Statistics.median(List.of(3.0, 1.0, 2.0))).isEqualTo(2);
    assertThat(Statistics.median(List.of(4.0, 1.0, 2.0, 3.0))).isEqualTo(2.5);
    assertThat(Statistics.median(List.of())).isNaN();
    assertThat(Statistics.ratio(6, 4)).isEqualTo(1.5);
    assertThat(Statistics.ratio(6, 0)).isNaN();
    assertThat(Text.ratio(1.234)).isEqualTo("1.23×");
    assertThat(Text.ratio(Double.NaN)).isEqualTo("–");
  }

  @Test
  void latencyIsCountedByReadingAndWithoutTheGatewaysOwn() {
    InstantSource clock = InstantSource.fixed(Instant.ofEpochMilli(1_000));
    Latencies latencies = new Latencies(clock);
    Entry.Item item = new Entry.Item("v", 1.0, "", "Good");

    latencies.accept(
        List.of(
            new Entry("d", "telemetry", 990, false, 1, List.of(item, item, item), false),
            new Entry("d", "telemetry", 900, false, 4, List.of(item), false),
            new Entry("gateway", "state", 0, false, 1, List.of(item, item, item, item), true)));

    assertThat(latencies.quantile(0.5)).isEqualTo(10);
    assertThat(latencies.quantile(0.99)).isEqualTo(100);
    latencies.clear();
    assertThat(latencies.quantile(0.5)).isEqualTo(-1);
  }

  @Test
  void whatTheJvmSaysOfItsMemoryIsRead() {
    String summary =
        """
        Total: reserved=1790342KB, committed=131190KB
        -                 Java Heap (reserved=262144KB, committed=24832KB)
                                    (mmap: reserved=262144KB, committed=24832KB)

        -                     Class (reserved=1049191KB, committed=3943KB)
        -                   Logging (reserved=4KB, committed=4KB)
        """;
    String heap =
        """
         def new generation   total 9216K, used 3072K [0x00000000f0000000, 0x00000000f0a00000)
          eden space 8192K,  31% used [0x00000000f0000000, 0x00000000f0280010)
         tenured generation   total 20480K, used 14336K [0x00000000f1800000, 0x00000000f2c00000)
         Metaspace       used 21000K, committed 21500K, reserved 1081344K
        """;

    assertThat(Memory.committed(summary))
        .containsOnly(Map.entry("java heap", 24_832L * 1024), Map.entry("class", 3_943L * 1024));
    assertThat(Memory.heapUsed(heap)).isEqualTo((3_072 + 14_336) * 1024);
    assertThat(Memory.heapUsed("no such process")).isEqualTo(-1);
  }

  @Test
  void aTableStandsInColumns() {
    assertThat(Text.table(List.of(List.of("", "CPU"), List.of("Culvert", "0.123"))))
        .isEqualTo("             CPU\n  Culvert  0.123\n");
  }

  @Test
  void whatIsWrongIsSaidBeforeAnythingRuns() {
    PrintStream out = new PrintStream(new ByteArrayOutputStream());

    assertThatThrownBy(() -> Main.run(List.of("whole-lime"), out))
        .isInstanceOf(StreetException.class)
        .hasMessageContaining("whole-lime");
    assertThatThrownBy(() -> Main.run(List.of("whole-line", "--gateway", folder.toString()), out))
        .hasMessageContaining("expected an unpacked Culvert");
    assertThatThrownBy(() -> Main.run(List.of("whole-line", "--run", "3"), out))
        .hasMessageContaining("--run");
  }

  @Test
  void numbersThatAreMissingBetweenTwoAreLostAndThoseThatComeTwiceAreCounted() {
    OpcUaLine.Tally tally = new OpcUaLine.Tally();
    tally.message(List.of(values("d-1", 4.0), values("d-1", 5.0), values("d-2", 7.0)));
    assertThat(tally.lost()).isZero();

    tally.message(List.of(values("d-1", 8.0), values("d-2", 7.0)));

    assertThat(tally.lost()).isEqualTo(2);
    assertThat(tally.again()).isEqualTo(1);
    assertThat(tally.variables()).isEqualTo(2);
  }

  private static Entry values(String device, double value) {
    Entry.Item item = new Entry.Item("v1", value, "mV", "Good");
    return new Entry(device, "telemetry", 0, false, 1, List.of(item), false);
  }
}
