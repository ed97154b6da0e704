package io.culvert.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A mobile uplink that carries a third of what is read. Telemetry falls behind on disk, not in
 * memory; what comes live is young, alarms above all. In the long form the bound on the disk bites
 * as well. (That it does, and the count is exact, LongOutageIT shows in the short form too.)
 */
class NarrowUplinkIT {
  private static final Duration SAMPLE = Duration.ofSeconds(5);

  /** As long as what is on its way takes to get through, when the link gets narrow. */
  private static final Duration SETTLES = Duration.ofSeconds(45);

  private static final Duration NARROW = Duration.ofSeconds(Form.of(20, 1_200));

  /** Samples, if the link hasn't settled yet. */
  private static final int MORE = 24;

  private static final long ALARM_MILLIS = 8_000;
  private static final long VALUE_MILLIS = 25_000;
  private static final long GROWTH_KIB = 64 << 10;

  @TempDir Path folder;

  @Test
  void memoryStaysFlatAndWhatComesLiveIsYoung() throws Exception {
    try (Broker broker = Broker.start(folder);
        Uplink uplink = new Uplink(broker.port());
        Line line =
            Line.open(
                folder, broker, uplink.port(), NarrowUplinkIT::smallDisk, Map.of(), List.of())) {
      long needed = 0;
      for (int sample = 0; sample < 3; sample++) {
        long before = uplink.carried();
        pass(SAMPLE);
        // A pause of the machine makes it less.
        needed = Math.max(needed, (uplink.carried() - before) / SAMPLE.toSeconds());
      }
      uplink.narrow((int) (needed / 3));
      pass(SETTLES);
      line.ear().slowest("alarm");
      line.ear().slowest("telemetry");

      long atFirst = residentKib(line);
      long most = atFirst;
      List<Long> alarms = new ArrayList<>();
      List<Long> values = new ArrayList<>();
      int enough = (int) (NARROW.toSeconds() / SAMPLE.toSeconds());
      // On a busy machine it takes longer to settle.
      while (alarms.size() < enough
          || (alarms.size() < enough + MORE
              && !(young(alarms, enough, ALARM_MILLIS) && young(values, enough, VALUE_MILLIS)))) {
        pass(SAMPLE);
        most = Math.max(most, residentKib(line));
        alarms.add(line.ear().slowest("alarm"));
        values.add(line.ear().slowest("telemetry"));
      }
      long alarm = median(alarms, enough);
      long value = median(values, enough);
      long owed = owed(line);
      System.out.printf(
          "needed %,d bytes/s, carried a third; resident %,d KiB, then %,d at most; alarms %s ms,"
              + " telemetry %s ms at most in each sample; %,d readings owed%n",
          needed, atFirst, most, alarms, values, owed);
      assertThat(most - atFirst).as("growth in KiB").isLessThan(GROWTH_KIB);
      assertThat(owed).as("readings that wait on disk").isGreaterThan(5_000);
      assertThat(alarm).as("slowest alarm of a sample, in ms").isBetween(0L, ALARM_MILLIS);
      assertThat(value).as("oldest live telemetry of a sample, in ms").isBetween(0L, VALUE_MILLIS);

      uplink.narrow(0);
      await("the rest arrives").atMost(Duration.ofMinutes(2)).until(() -> owed(line) < 5_000);
      var audit = line.end(0);
      long dropped = audit.report().at("/explained/dropped").asLong();
      assertThat(audit.report().at("/ledger").asLong()).isEqualTo(dropped);
    }
  }

  private static boolean young(List<Long> samples, int latest, long bound) {
    long median = median(samples, latest);
    return median >= 0 && median <= bound;
  }

  /**
   * In the middle of the latest samples, which a pause of the machine doesn't move; of an even
   * number the greater of two.
   *
   * @return −1 if nothing has come
   */
  private static long median(List<Long> samples, int latest) {
    List<Long> of =
        samples.subList(samples.size() - latest, samples.size()).stream()
            .filter(millis -> millis >= 0)
            .sorted()
            .toList();
    return of.isEmpty() ? -1 : of.get(of.size() / 2);
  }

  private static void smallDisk(ObjectNode site) {
    site.putObject("buffer").put("maxBytes", 4 << 20).put("segmentBytes", 1 << 20);
  }

  private static void pass(Duration time) {
    await().pollDelay(time).atMost(time.plusSeconds(60)).until(() -> true);
  }

  private static long residentKib(Line line) throws IOException {
    long pid = line.gateway().process().pid();
    try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/status"))) {
      return lines
          .filter(text -> text.startsWith("VmRSS:"))
          .mapToLong(text -> Long.parseLong(text.replaceAll("\\D", "")))
          .findFirst()
          .orElseThrow();
    }
  }

  private static long owed(Line line) throws IOException, InterruptedException {
    var answer = line.gateway().command("status", "--json");
    return new com.fasterxml.jackson.databind.ObjectMapper()
        .readTree(answer.text())
        .findValue("unconfirmed")
        .asLong();
  }
}
