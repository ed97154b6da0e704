package io.culvert.buffer;

import static io.culvert.buffer.Readings.T0;
import static io.culvert.buffer.Readings.of;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.northbound.Receipt;
import io.culvert.api.northbound.Receipt.Outcome;
import io.culvert.api.service.Buffer.Forwarding;
import io.culvert.api.service.LedgerEntry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three platforms at once, each with a trouble of its own, across a restart. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ForwardersTest {
  private static final StreamClass[] CLASSES = StreamClass.values();
  private static final int ROUNDS = 40;
  private static final int EACH = 50;

  @TempDir Path directory;
  private final ScheduledExecutorService world = Executors.newSingleThreadScheduledExecutor();
  private final Set<List<Object>> slowHas = ConcurrentHashMap.newKeySet();
  private final Set<List<Object>> choosyHas = ConcurrentHashMap.newKeySet();
  private final Set<List<Object>> choosyRefused = ConcurrentHashMap.newKeySet();
  private final Set<List<Object>> shakyHas = ConcurrentHashMap.newKeySet();
  private DurableBuffer buffer;
  private int accepted;

  @AfterEach
  void close() {
    world.shutdownNow();
    if (buffer != null) {
      buffer.close();
    }
  }

  private void open() throws Exception {
    buffer =
        new DurableBuffer(
            directory,
            new Bounds().commitInterval(Duration.ofMillis(10)).settings(),
            new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open));
    buffer.platforms(Set.of("slow", "choosy", "shaky"));
  }

  private static List<Object> key(Batch.Entry entry) {
    return List.of(entry.reading().streamClass(), entry.sequence());
  }

  private static void note(Batch batch, Set<List<Object>> has) {
    // Without the gateway's own: entries of the ledger.
    batch.entries().stream()
        .filter(entry -> entry.reading().device().equals("a"))
        .forEach(entry -> has.add(key(entry)));
  }

  /** Confirms one batch at a time, now and then. */
  private Platform slow() {
    Platform platform = new Platform(2);
    world.scheduleWithFixedDelay(
        () -> {
          if (platform.inFlight() > 0) {
            note(platform.answerNext(Receipt.confirmed()), slowHas);
          }
        },
        40,
        40,
        TimeUnit.MILLISECONDS);
    return platform;
  }

  /** Refuses each tenth reading. */
  private Platform choosy() {
    return new Platform(8)
        .answering(
            batch -> {
              note(batch, choosyHas);
              Map<Integer, Outcome> refused = new HashMap<>();
              for (int i = 0; i < batch.entries().size(); i++) {
                Batch.Entry entry = batch.entries().get(i);
                if (entry.reading().device().equals("a") && entry.sequence() % 10 == 0) {
                  refused.put(i, new Outcome.Refused("not wanted"));
                  choosyRefused.add(key(entry));
                  choosyHas.remove(key(entry));
                }
              }
              return new Receipt(new Outcome.Confirmed(), refused);
            });
  }

  /** Loses its link again and again, with what is on its way. */
  private Platform shaky() {
    Platform platform = new Platform(4);
    AtomicInteger turn = new AtomicInteger();
    world.scheduleWithFixedDelay(
        () -> {
          switch (turn.incrementAndGet() % 10) {
            case 7 -> platform.lose();
            case 9 -> platform.ready(true);
            default -> {
              if (platform.inFlight() > 0) {
                note(platform.answerNext(Receipt.confirmed()), shakyHas);
              }
            }
          }
        },
        4,
        4,
        TimeUnit.MILLISECONDS);
    return platform;
  }

  private void accept() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      List<Reading> readings = new ArrayList<>();
      for (int i = 0; i < EACH; i++) {
        for (StreamClass streamClass : CLASSES) {
          readings.add(of("a", "p" + i % 7, streamClass, Value.of(accepted), T0.plusMillis(i)));
        }
        accepted++;
      }
      buffer.accept(readings).toCompletableFuture().get(60, TimeUnit.SECONDS);
    }
  }

  private Map<String, Long> owing() {
    Map<String, Long> owing = new HashMap<>();
    for (Forwarding each : buffer.status().forwarders()) {
      owing.put(each.id(), each.unconfirmed());
    }
    return owing;
  }

  /** What a platform isn't owed any more, it has, or the ledger accounts for it. */
  private void nothingIsForgotten(Delivery delivery, Set<List<Object>> has) {
    for (StreamClass streamClass : CLASSES) {
      if (streamClass == StreamClass.EVENT) {
        // Positions there are not those of the device alone.
        continue;
      }
      Set<Object> missing = ConcurrentHashMap.newKeySet();
      for (long position = 0; position < accepted; position++) {
        if (!delivery.owes(streamClass, position)
            && !has.contains(List.of(streamClass, position + 1))) {
          missing.add(position);
        }
      }
      assertThat(missing).as("%s of %s", streamClass, delivery.id()).isEmpty();
    }
  }

  @Test
  void eachEndsWithAllThatIsTrueLessWhatTheLedgerCounts() throws Exception {
    open();
    List<Platform> platforms = List.of(slow(), choosy(), shaky());
    buffer.add("slow", platforms.get(0));
    buffer.add("choosy", platforms.get(1));
    buffer.add("shaky", platforms.get(2));
    accept();
    await().until(() -> !choosyRefused.isEmpty() && !slowHas.isEmpty() && !shakyHas.isEmpty());
    buffer.close();
    // Whoever was just answering has made its note then.
    world.submit(() -> {}).get();

    Set<List<Object>> choosySettled = ConcurrentHashMap.newKeySet();
    choosySettled.addAll(choosyHas);
    choosySettled.addAll(choosyRefused);
    Map<String, Long> stored = new HashMap<>();
    for (Delivery delivery : new StateFile(directory, Readings.wear()).load().deliveries()) {
      nothingIsForgotten(
          delivery,
          switch (delivery.id()) {
            case "slow" -> slowHas;
            case "choosy" -> choosySettled;
            default -> shakyHas;
          });
      stored.put(delivery.id(), delivery.unconfirmed(streamClass -> 0));
    }
    assertThat(stored.get("slow")).as("not all is sent yet").isPositive();
    open();
    assertThat(owing()).isEqualTo(stored);

    buffer.add("slow", slow());
    buffer.add("choosy", choosy());
    buffer.add("shaky", shaky());
    accept();
    await()
        .atMost(Duration.ofSeconds(90))
        .until(() -> owing().values().stream().allMatch(owed -> owed == 0));
    long truth = (long) accepted * CLASSES.length;
    assertThat(slowHas).hasSize((int) truth);
    assertThat(shakyHas).hasSize((int) truth);
    assertThat(choosyHas).doesNotContainAnyElementsOf(choosyRefused);
    assertThat(choosyHas.size() + choosyRefused.size()).isEqualTo((int) truth);
    assertThat(
            buffer.ledger(Instant.MIN, Instant.MAX, 10_000).stream()
                .filter(entry -> entry.reason() == LedgerEntry.Reason.REFUSED)
                .filter(entry -> entry.detail().startsWith("Platform choosy: refused: not wanted"))
                .mapToLong(LedgerEntry::count)
                .sum())
        .isEqualTo(choosyRefused.size());
    assertThat(buffer.ledger(Instant.MIN, Instant.MAX, 10_000))
        .noneMatch(entry -> entry.detail().startsWith("Platform slow"))
        .noneMatch(entry -> entry.detail().startsWith("Platform shaky"));
  }
}
