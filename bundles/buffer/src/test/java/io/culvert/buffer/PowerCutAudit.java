package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Reading;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.northbound.Receipt;
import io.culvert.api.northbound.Receipt.Outcome;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Opens what a power cut left, and holds it against what was promised before. */
final class PowerCutAudit {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String NEW = "new";

  private final Path directory;
  private final PowerCutPromise promise;
  private final boolean keepsAll;

  private PowerCutAudit(Path directory, PowerCutPromise promise, boolean keepsAll) {
    this.directory = directory;
    this.promise = promise;
    this.keepsAll = keepsAll;
  }

  /**
   * Fails if a promise is broken.
   *
   * @param keepsAll whether no bound deleted anything
   * @param alone whether it is opened and closed once before there is a forwarder
   */
  static void check(Path directory, PowerCutPromise promise, boolean keepsAll, boolean alone)
      throws Exception {
    PowerCutAudit audit = new PowerCutAudit(directory, promise, keepsAll);
    if (alone) {
      try (DurableBuffer buffer = audit.open()) {
        audit.look(buffer);
      }
    }
    try (DurableBuffer buffer = audit.open()) {
      audit.look(buffer);
      audit.acceptAndDeliver(buffer);
    }
    try (DurableBuffer buffer = audit.open()) {
      audit.look(buffer);
      audit.deliver(buffer).values().stream()
          .flatMap(platform -> platform.entries().stream())
          .filter(entry -> !entry.reading().device().equals(Readings.GATEWAY))
          .forEach(entry -> fail("%s is sent again after a clean stop", entry));
    }
  }

  private DurableBuffer open() throws IOException {
    long begun = System.nanoTime();
    DurableBuffer buffer =
        new DurableBuffer(
            directory,
            new Bounds().segmentBytes(12 << 10).settings(),
            new Machine(FastLoop.clock(Instant.now()), FastLoop::new, Sqlite::open));
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(30));
    return buffer;
  }

  /** What is on disk, and what the ledger says. */
  private void look(DurableBuffer buffer) throws IOException {
    Map<Truth.Stream, BitSet> all = new HashMap<>();
    Truth.STREAMS.forEach(stream -> all.put(stream, new BitSet()));
    for (String device : Set.of("d0", "d1", "d2")) {
      for (Batch.Entry entry : history(buffer, device)) {
        Truth.Stream stream = Truth.of(entry.reading());
        BitSet found = all.get(stream);
        assertThat(entry.reading()).isEqualTo(stream.reading(entry.sequence()));
        assertThat(found.get((int) entry.sequence())).as("%s twice", entry).isFalse();
        found.set((int) entry.sequence());
      }
    }
    for (Truth.Stream stream : Truth.STREAMS) {
      BitSet found = all.get(stream);
      assertThat((long) found.length() - 1)
          .as("last of %s", stream)
          .isLessThanOrEqualTo(promise.offered[stream.index()]);
      if (keepsAll) {
        assertThat((long) found.nextClearBit(1) - 1)
            .as("those of %s without a gap", stream)
            .isEqualTo(found.cardinality())
            .isGreaterThanOrEqualTo(promise.accepted[stream.index()]);
      }
    }
    BitSet gaps = new BitSet();
    for (LedgerEntry entry : ledger(buffer)) {
      assertThat(entry.reason()).as(entry.toString()).isNotEqualTo(Reason.DAMAGED);
      if (entry.detail().startsWith(PowerCutVictim.GAP)) {
        int number = (int) entry.count();
        assertThat(entry.detail()).isEqualTo(PowerCutVictim.GAP + " " + number);
        assertThat(gaps.get(number)).as("gap %d twice", number).isFalse();
        gaps.set(number);
      }
    }
    assertThat(gaps.length() - 1).isLessThanOrEqualTo(promise.gapsOffered);
    BitSet missing = (BitSet) promise.gaps.clone();
    missing.andNot(gaps);
    assertThat(missing.isEmpty()).as("gaps that the ledger forgot: %s", missing).isTrue();
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files.filter(file -> file.toString().endsWith(".damaged"))).isEmpty();
    }
  }

  private static List<Batch.Entry> history(DurableBuffer buffer, String device) {
    return buffer.history(device, "n", Instant.MIN, Instant.MAX, 100_000, PATIENCE).entries();
  }

  private static List<LedgerEntry> ledger(DurableBuffer buffer) {
    return buffer.ledger(Instant.MIN, Instant.MAX, 100_000);
  }

  /** Accepts new readings, and delivers them with what is owed. */
  private void acceptAndDeliver(DurableBuffer buffer) throws Exception {
    buffer.platforms(Set.copyOf(PowerCutVictim.PLATFORMS));
    long interruptions = interruptions(buffer);
    List<Reading> fresh = new ArrayList<>();
    for (Truth.Stream stream : Truth.STREAMS) {
      fresh.add(
          Readings.of(stream.device(), NEW, stream.streamClass(), Value.of(-1), Instant.now()));
    }
    buffer.accept(fresh).toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    Map<String, Platform> platforms = deliver(buffer);
    if (Arrays.stream(promise.accepted).sum() > 0) {
      assertThat(interruptions(buffer)).as("the end before").isEqualTo(interruptions + 1);
    }
    platforms.forEach((id, platform) -> count(buffer, id, platform));
  }

  /** Delivers what is owed. */
  private static Map<String, Platform> deliver(DurableBuffer buffer) {
    buffer.platforms(Set.copyOf(PowerCutVictim.PLATFORMS));
    Map<String, Platform> platforms = new TreeMap<>();
    for (String id : PowerCutVictim.PLATFORMS) {
      Platform platform = new Platform(8).answering(batch -> receipt(id, batch));
      platforms.put(id, platform);
      buffer.add(id, platform);
    }
    await()
        .pollInterval(Duration.ofMillis(2))
        .atMost(PATIENCE)
        .until(() -> buffer.status().forwarders().stream().allMatch(f -> f.unconfirmed() == 0));
    assertThat(buffer.status().problem()).isEmpty();
    return platforms;
  }

  private static long interruptions(DurableBuffer buffer) {
    return ledger(buffer).stream()
        .filter(
            entry ->
                entry.reason() == Reason.INTERRUPTION
                    || entry.reason() == Reason.NEVER_READ
                        && !entry.detail().startsWith(PowerCutVictim.GAP))
        .count();
  }

  private static Receipt receipt(String platform, Batch batch) {
    Map<Integer, Outcome> refused = new HashMap<>();
    for (int i = 0; i < batch.entries().size(); i++) {
      if (refuses(platform, batch.entries().get(i))) {
        refused.put(i, new Outcome.Refused("17"));
      }
    }
    return new Receipt(new Outcome.Confirmed(), refused);
  }

  private static boolean refuses(String platform, Batch.Entry entry) {
    return platform.equals("yard")
        && entry.reading().point().equals("n")
        && Truth.refused(entry.sequence());
  }

  /** Truth = confirmed + ledger, exactly, for each stream. */
  private void count(DurableBuffer buffer, String id, Platform platform) {
    for (Truth.Stream stream : Truth.STREAMS) {
      BitSet delivered = new BitSet();
      long fresh = 0;
      for (Batch.Entry entry : platform.entries()) {
        if (Truth.of(entry.reading()) != stream) {
          continue;
        }
        if (entry.reading().point().equals(NEW)) {
          fresh = entry.sequence();
          continue;
        }
        assertThat(entry.reading()).isEqualTo(stream.reading(entry.sequence()));
        if (!refuses(id, entry)) {
          assertThat(delivered.get((int) entry.sequence())).as("%s twice", entry).isFalse();
          delivered.set((int) entry.sequence());
        }
      }
      assertThat(fresh - 1)
          .as("%s: the number before that of the first new reading", stream)
          .isBetween(promise.accepted[stream.index()], promise.offered[stream.index()]);
      BitSet again = (BitSet) delivered.clone();
      again.and(promise.settled.get(id)[stream.index()]);
      assertThat(again.isEmpty()).as("%s of %s sent again: %s", stream, id, again).isTrue();
      BitSet has = (BitSet) delivered.clone();
      has.or(promise.received.get(id)[stream.index()]);
      BitSet lacks = new BitSet();
      lacks.set(1, (int) fresh);
      lacks.andNot(has);
      String streamClass = stream.streamClass().name().toLowerCase(Locale.ROOT);
      List<LedgerEntry> told =
          ledger(buffer).stream()
              .filter(entry -> entry.detail().startsWith("Platform " + id + ":"))
              .filter(entry -> entry.device().equals(stream.device()))
              .filter(entry -> entry.streamClass().equals(streamClass))
              .toList();
      assertThat(has.cardinality() + told.stream().mapToLong(LedgerEntry::count).sum())
          .as("%s: what %s has, all but %s, and the ledger's %s", stream, id, lacks, told)
          .isEqualTo(fresh - 1);
    }
  }
}
