package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Batch;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a drain is judged by. */
class ReceiverTest {
  private static final Instant T0 = Instant.parse("2026-11-21T08:00:00Z");
  private static final long LIVE = T0.toEpochMilli() + 60_000;

  @TempDir Path folder;

  private final Receiver receiver = new Receiver(100, LIVE, "cabinet-17");

  /** Readings of one device with numbers from one to another, both inclusive. */
  private void batch(boolean historical, int from, int to) {
    List<Reading> readings = new Traffic(T0, 0).next(Traffic.POINTS);
    List<Batch.Entry> entries = new ArrayList<>();
    for (int number = from; number <= to; number++) {
      entries.add(new Batch.Entry(number, readings.get(number % Traffic.POINTS)));
    }
    receiver.batch(new Batch(StreamClass.TELEMETRY, historical, entries), LIVE);
  }

  @Test
  void whatComesOnceAndInOrderIsRightWhicheverLaneItTakes() {
    batch(false, 11, 12);
    batch(true, 1, 10);
    batch(true, 13, 20);
    batch(false, 21, 21);

    assertThat(receiver.backlog()).isEqualTo(21);
    assertThat(receiver.twice()).isZero();
    assertThat(receiver.disordered()).isZero();
    assertThat(receiver.missing()).isZero();
  }

  @Test
  void whatComesTwiceIsLeftOutOrOvertakesIsSeen() {
    batch(true, 1, 4);
    batch(false, 3, 3);
    batch(true, 7, 8);
    batch(true, 6, 6);

    assertThat(receiver.twice()).isEqualTo(1);
    assertThat(receiver.disordered()).isEqualTo(1);
    assertThat(receiver.missing()).isEqualTo(1);
  }

  @Test
  void messagesCountByTheirNumbersAndLiveOnesByTheirAge() throws Exception {
    String message =
        """
        {"devices": [
          {"device_id": "a", "services": [
            {"service_id": "telemetry", "event_time": "2026-11-21T08:00:00.000Z",
             "properties": {"v": 1, "o": {"x": 2}, "seq_first": 1, "seq_count": 20,
                            "historical": true}},
            {"service_id": "telemetry", "event_time": "2026-11-21T08:01:00.500Z",
             "properties": {"v": 1, "seq_first": 21, "seq_count": 3}}]},
          {"device_id": "cabinet-17", "services": [
            {"service_id": "event", "event_time": "2026-11-21T08:01:00.000Z",
             "properties": {"ledger": {}, "seq_first": 1, "seq_count": 1}}]}]}
        """;

    receiver.message(message.getBytes(StandardCharsets.UTF_8), LIVE + 700);

    assertThat(receiver.backlog()).isEqualTo(20);
    assertThat(receiver.live()).isEqualTo(3);
    assertThat(receiver.missing() + receiver.twice() + receiver.disordered()).isZero();
    assertThat(receiver.ages().quantile(1)).isEqualTo(200);
  }

  @Test
  void thePlainFileHasWhatWasWritten() throws Exception {
    Path file = folder.resolve("plain");
    List<Reading> readings = new Traffic(T0, 0).next(1_000);
    List<Reading> read = new ArrayList<>();

    try (RawLog log = new RawLog(file)) {
      log.append(readings.subList(0, 400));
      log.append(readings.subList(400, 1_000));
    }
    RawLog.read(file, read::add);

    assertThat(read).isEqualTo(readings);
  }

  @Test
  void trafficHasItsPace() {
    Traffic traffic = new Traffic(T0, 0);

    List<Reading> readings = traffic.next(2 * Traffic.PER_SECOND);

    assertThat(traffic.time()).isEqualTo(T0.plusSeconds(2));
    assertThat(readings.stream().map(Reading::device).distinct()).hasSize(Traffic.DEVICES);
    assertThat(readings.get(Traffic.POINTS).eventTime()).isEqualTo(T0.plusMillis(5));
  }
}
