package io.culvert.buffer;

import static io.culvert.buffer.Readings.T0;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.northbound.Forwarder;
import io.culvert.api.northbound.Receipt;
import io.culvert.api.northbound.Receipt.Outcome;
import io.culvert.api.service.LedgerEntry;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** What holds for the two lanes of delivery whatever is committed, answered, lost and restarted. */
class LanesTest {
  /** States and telemetry more often, because only these fall behind. */
  private static final StreamClass[] CLASSES = {
    StreamClass.ALARM,
    StreamClass.EVENT,
    StreamClass.STATE,
    StreamClass.TELEMETRY,
    StreamClass.TELEMETRY
  };

  private record Id(String device, StreamClass streamClass, long sequence) {}

  private record Lane(String device, StreamClass streamClass, boolean historical) {}

  private record Point(String device, String point, StreamClass streamClass) {}

  private enum Fate {
    ON_THE_WAY,
    FAILED,
    SETTLED
  }

  /** A platform that watches what arrives, and by and by is told what to answer. */
  private static final class Watcher implements Forwarder {
    private record Waiting(Batch batch, CompletableFuture<Receipt> receipt) {}

    private static final int WINDOW = 5;
    final Map<Id, Fate> fates = new HashMap<>();
    final Map<Point, Id> lastLive = new HashMap<>();
    final Set<Id> refused = new HashSet<>();
    private final Map<Lane, Long> reached = new HashMap<>();
    private final Map<Lane, Long> settled = new HashMap<>();
    private final Set<StreamClass> failed = new HashSet<>();
    private final List<Waiting> waiting = new ArrayList<>();
    private Runnable wake = () -> {};
    private boolean ready = true;

    @Override
    public boolean ready() {
      return ready;
    }

    @Override
    public int window() {
      return ready ? WINDOW - waiting.size() : 0;
    }

    @Override
    public void onChange(Runnable wake) {
      this.wake = wake;
    }

    @Override
    public CompletionStage<Receipt> send(Batch batch) {
      for (Batch.Entry entry : batch.entries()) {
        arrived(batch, entry);
      }
      Waiting sent = new Waiting(batch, new CompletableFuture<>());
      waiting.add(sent);
      return sent.receipt();
    }

    private static Id id(Batch batch, Batch.Entry entry) {
      return new Id(entry.reading().device(), batch.streamClass(), entry.sequence());
    }

    private static Lane lane(Batch batch, Batch.Entry entry) {
      return new Lane(entry.reading().device(), batch.streamClass(), batch.historical());
    }

    private void arrived(Batch batch, Batch.Entry entry) {
      Id id = id(batch, entry);
      Lane lane = lane(batch, entry);
      Fate before = fates.put(id, Fate.ON_THE_WAY);
      assertThat(before).as("%s comes again only if it failed", id).isIn(null, Fate.FAILED);
      assertThat(id.sequence())
          .as("%s follows what was sent in this connection in lane %s", id, lane)
          .isGreaterThan(reached.getOrDefault(lane, 0L));
      if (before == null) {
        assertThat(id.sequence())
            .as("%s, for the first time, follows what was confirmed in lane %s", id, lane)
            .isGreaterThan(settled.getOrDefault(lane, 0L));
      }
      reached.put(lane, id.sequence());
      if (!batch.historical()) {
        lastLive.put(new Point(id.device(), entry.reading().point(), id.streamClass()), id);
      }
    }

    /** Answers the oldest batch: all confirmed, but for what {@code other} says by index. */
    void answer(Map<Integer, Outcome> other) {
      if (waiting.isEmpty()) {
        return;
      }
      Waiting next = waiting.remove(0);
      Batch batch = next.batch();
      boolean counts = !failed.contains(batch.streamClass());
      Map<Integer, Outcome> exceptions = new HashMap<>();
      for (int i = 0; i < batch.entries().size(); i++) {
        Batch.Entry entry = batch.entries().get(i);
        Id id = id(batch, entry);
        Outcome outcome = other.getOrDefault(i, new Outcome.Confirmed());
        exceptions.put(i, outcome);
        if (outcome instanceof Outcome.Retry) {
          failed.add(batch.streamClass());
          fates.put(id, Fate.FAILED);
        } else if (outcome instanceof Outcome.Refused) {
          refused.add(id);
          fates.put(id, Fate.SETTLED);
        } else if (counts) {
          fates.put(id, Fate.SETTLED);
          settled.merge(lane(batch, entry), id.sequence(), Math::max);
        } else {
          fates.put(id, Fate.FAILED);
        }
      }
      next.receipt().complete(new Receipt(new Outcome.Retry(), exceptions));
      if (waiting.isEmpty() && !failed.isEmpty()) {
        disconnected();
      }
      wake.run();
    }

    /** Ends the connection. */
    void lose() {
      ready = false;
      List<Waiting> lost = List.copyOf(waiting);
      forget();
      lost.forEach(each -> each.receipt().complete(Receipt.retry()));
      wake.run();
    }

    /** What is on its way is not heard of any more. */
    void forget() {
      for (Waiting each : waiting) {
        each.batch().entries().forEach(e -> fates.put(id(each.batch(), e), Fate.FAILED));
      }
      waiting.clear();
      disconnected();
    }

    private void disconnected() {
      failed.clear();
      reached.clear();
    }

    void back() {
      ready = true;
      wake.run();
    }
  }

  /** One run: a watcher at the end of a pump, and what was committed. */
  private static final class Run implements AutoCloseable {
    private final Bounds bounds = new Bounds().clockWait(Duration.ofSeconds(8));
    private final Rig rig = new Rig(bounds);
    private final Watcher watcher = new Watcher();
    private final Map<Point, Id> newest = new HashMap<>();
    private final Map<String, Long> sequences = new HashMap<>();
    private long committed;

    Run() throws IOException {
      rig.start(watcher);
    }

    void step(int kind, int much) throws IOException {
      switch (kind) {
        case 0, 1 -> commit(much);
        case 2 -> fallBehind(much);
        case 3 -> rig.pass(Duration.ofMillis(much * 100L));
        case 4 -> watcher.lose();
        case 5 -> watcher.back();
        case 6 -> some(much, new Outcome.Retry());
        case 7 -> some(much, new Outcome.Refused("no"));
        case 8 -> {
          if (much < 20) {
            rig.restart();
            watcher.forget();
            rig.start(watcher);
          }
        }
        default -> answerAll(much % 3);
      }
      rig.loop.run();
    }

    /** More than fits on the way, and too little of it answered for too long. */
    private void fallBehind(int much) throws IOException {
      for (int i = 0; i < 3; i++) {
        commit(99 - much % 2);
      }
      rig.pass(Duration.ofSeconds(6));
      if (much % 3 == 0) {
        some(much, new Outcome.Refused("no"));
      } else {
        answerAll(1 + much % 3);
      }
    }

    private void answerAll(int batches) {
      for (int i = 0; i < batches; i++) {
        watcher.answer(Map.of());
        rig.loop.run();
      }
    }

    private void some(int much, Outcome outcome) {
      Map<Integer, Outcome> others = new HashMap<>();
      int first = watcher.waiting.isEmpty() ? 0 : watcher.waiting.get(0).batch().entries().size();
      for (int i = much % 7; i < first; i += 1 + much % 11) {
        others.put(i, outcome);
      }
      watcher.answer(others);
    }

    private void commit(int much) throws IOException {
      StreamClass streamClass = CLASSES[much % CLASSES.length];
      List<Reading> readings = new ArrayList<>();
      int count = much % 3 == 0 ? 1 + much * 30 : 1 + much % 10;
      for (int i = 0; i < count; i++) {
        // Points of a device speak as differently often as the weeks and the days.
        String device = "d" + (i + much) % 2;
        String point = i % 50 == 7 ? "seldom" + much % 5 : "often" + i % 3;
        long sequence = sequences.merge(device + streamClass, 1L, Long::sum);
        newest.put(new Point(device, point, streamClass), new Id(device, streamClass, sequence));
        readings.add(
            new Reading(
                device,
                point,
                streamClass,
                Value.of(sequence),
                "",
                Quality.GOOD,
                T0.plusMillis(committed++),
                T0,
                much % 7 == 0 ? ClockState.UNSYNCHRONISED : ClockState.SYNCHRONISED,
                Grade.GENERAL));
      }
      rig.commit(readings);
    }

    void end() throws IOException {
      watcher.back();
      for (int i = 0; i < 10_000 && (rig.unconfirmed() > 0 || !watcher.waiting.isEmpty()); i++) {
        answerAll(8);
        rig.pass(Duration.ofMillis(200));
      }
      assertThat(rig.unconfirmed()).as("still owed").isZero();
      assertThat(watcher.fates).hasSize((int) committed);
      assertThat(watcher.fates.values()).containsOnly(Fate.SETTLED);
      long entered =
          rig.ledger.entries(Instant.MIN, Instant.MAX, 100_000).stream()
              .mapToLong(LedgerEntry::count)
              .sum();
      assertThat(entered).as("in the ledger").isEqualTo(watcher.refused.size());
      newest.forEach(
          (point, id) -> {
            if (point.streamClass() == StreamClass.STATE
                || point.streamClass() == StreamClass.TELEMETRY) {
              assertThat(watcher.lastLive).as("the newest one went live").containsEntry(point, id);
            }
          });
    }

    @Override
    public void close() throws IOException {
      rig.close();
    }
  }

  @Property(tries = 50)
  void everyReadingComesOnceAndInTheOrderOfItsLane(
      @ForAll @Size(min = 5, max = 60) List<@IntRange(min = 0, max = 999) Integer> steps)
      throws IOException {
    try (Run run = new Run()) {
      for (int step : steps) {
        run.step(step % 10, step / 10);
      }
      if (run.committed > 0) {
        run.end();
      }
    }
  }
}
