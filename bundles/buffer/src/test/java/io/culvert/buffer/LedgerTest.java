package io.culvert.buffer;

import static io.culvert.buffer.Readings.T0;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerTest {
  private static final int MOST = 100;

  @TempDir Path directory;
  private Instant now = T0;
  private Ledger ledger;

  @BeforeEach
  void open() throws IOException {
    ledger = Ledger.open(directory.resolve("ledger.db"), () -> now, Sqlite::open, MOST);
  }

  @AfterEach
  void close() {
    ledger.close();
  }

  private static LedgerEntry gap(Reason reason, String device, int second, String detail) {
    Instant at = T0.plusSeconds(second);
    return new LedgerEntry(device, "telemetry", at, at, 3, true, reason, detail);
  }

  private void refused(String device, int second, String detail) throws IOException {
    ledger.store(List.of(gap(Reason.REFUSED, device, second, detail)), List.of(), true);
  }

  private List<LedgerEntry> all() throws IOException {
    return ledger.entries(Instant.MIN, Instant.MAX, 1_000_000);
  }

  @Test
  void refusalsOfAMinuteThatSayTheSameAreOneEntry() throws IOException {
    for (int i = 0; i < 60; i++) {
      now = T0.plusSeconds(i);
      refused("a", i, "no");
    }
    assertThat(all())
        .containsExactly(
            new LedgerEntry(
                "a", "telemetry", T0, T0.plusSeconds(59), 180, true, Reason.REFUSED, "no"));
    assertThat(ledger.unsent(10)).as("it grows").isEmpty();
    refused("b", 59, "no");
    refused("a", 59, "other");
    assertThat(all()).hasSize(3);

    now = T0.plusSeconds(60);
    refused("a", -1, "no");
    assertThat(ledger.unsent(10)).extracting(s -> s.entry().count()).containsExactly(180L);
    assertThat(all()).hasSize(4);
  }

  @Test
  void otherGapsAreSentAtOnceAndStayApart() throws IOException {
    ledger.store(List.of(gap(Reason.DROPPED, "a", 0, "")), List.of(), true);
    ledger.store(List.of(gap(Reason.DROPPED, "a", 1, "")), List.of(), true);
    assertThat(ledger.unsent(10)).hasSize(2);
  }

  @Test
  void theOldestThatWereSentGoBeyondTheBound() throws IOException {
    ledger.store(List.of(gap(Reason.DROPPED, "unsent", 0, "")), List.of(), true);
    for (int i = 0; i < 10; i++) {
      ledger.store(tens(i), List.of(), false);
    }
    List<LedgerEntry> left = all();
    assertThat(left.size()).isBetween(MOST - 5, MOST);
    assertThat(left.get(0).device()).isEqualTo("unsent");
    assertThat(left.get(1).device()).isNotEqualTo("0");
    assertThat(left.get(left.size() - 1).device()).isEqualTo("99");

    close();
    open();
    ledger.store(tens(10), List.of(), false);
    assertThat(all().size()).as("counted again after a restart").isBetween(MOST - 5, MOST);
  }

  @Test
  void theBoundHoldsIfNothingCanBeSent() throws IOException {
    for (int i = 0; i < 30; i++) {
      ledger.store(tens(i), List.of(), true);
    }
    assertThat(all().size()).isBetween(MOST - 5, MOST);
    assertThat(all().get(all().size() - 1).device()).isEqualTo("299");
  }

  private static List<LedgerEntry> tens(int ten) {
    return IntStream.range(0, 10)
        .mapToObj(i -> ten * 10 + i)
        .map(i -> gap(Reason.NEVER_READ, Integer.toString(i), i, ""))
        .toList();
  }
}
