package io.culvert.core.run;

import static io.culvert.core.run.Rig.SECOND;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.service.Commands;
import io.culvert.api.service.Drivers.DriverStatus;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import io.culvert.api.service.Monitor.State;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Readable;
import io.culvert.core.model.Site;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.osgi.framework.Version;

/**
 * A driver that does what it may not is noticed, named and kept from its devices for a while; a
 * driver beside it loses no poll.
 */
class ConductTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final List<Caller> callers = new ArrayList<>();

  /** Threads in {@link #awaitEnd}. */
  private final Set<Thread> hanging = ConcurrentHashMap.newKeySet();

  private Rig rig = new Rig();
  private FakeDriver evil;
  private final CountDownLatch end = new CountDownLatch(1);
  private final List<AutoCloseable> open = new CopyOnWriteArrayList<>();

  @AfterEach
  void free() throws Exception {
    end.countDown();
    rig.engine.close();
    for (AutoCloseable one : open) {
      one.close();
    }
  }

  /** An evil driver and one that is well, with a device on the same lane and one on another. */
  private Rig plug(Caller caller, String... devices) {
    evil = new FakeDriver(rig, "evil");
    rig.plug().plug("evil", evil, 0, "2.1.0", caller);
    for (String id : devices) {
      evil(id, "evil://lane-1/" + id);
    }
    return rig.device("near", "lane-1").device("far", "lane-2");
  }

  private Rig plug(String... devices) {
    return plug(new Rig.DirectCaller(), devices);
  }

  private void evil(String id, String endpoint) {
    rig.device(at(id, endpoint));
  }

  private static Site.Entry at(String id, String endpoint) {
    // Shorter than the interval, so that who shares its lane waits for a turn but misses none.
    Duration timeout = Duration.ofMillis(500);
    Site.Entry like = Rig.entry(id, "x", SECOND, timeout, Rig.profile("plain", 2));
    return new Site.Entry(
        new Device(id, "plain", URI.create(endpoint), Map.of()),
        like.profile(),
        like.interval(),
        like.timeout(),
        "");
  }

  private Caller threads() {
    // A loader of its own, as a bundle has.
    Caller caller =
        new Caller("evil", new URLClassLoader(new URL[0], ConductTest.class.getClassLoader()));
    callers.add(caller);
    return caller;
  }

  private State state() {
    return rig.status("bad").state();
  }

  private String message() {
    return rig.status("bad").message();
  }

  private DriverStatus figures() {
    return rig.engine.conduct().drivers().stream()
        .filter(d -> d.plugin().equals("io.culvert.evil"))
        .findFirst()
        .orElseThrow();
  }

  /** Lets time pass until it is in quarantine, at most so long. */
  private void untilQuarantine(int seconds) {
    for (int i = 0; i < seconds && state() != State.QUARANTINED; i++) {
      rig.seconds(1);
    }
    assertThat(state()).as(message()).isEqualTo(State.QUARANTINED);
  }

  /** The same, beside threads that are not the test's. */
  private void awaitQuarantine() {
    awaitWith(Duration.ofMillis(100), () -> state() == State.QUARANTINED);
  }

  /** Lets time pass in steps until something is so; threads that aren't the test's keep up. */
  private void awaitWith(Duration step, BooleanSupplier so) {
    await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(10))
        .atMost(PATIENCE)
        .until(
            () -> {
              rig.advance(step);
              keepUp();
              return so.getAsBoolean();
            });
  }

  /** Lets time pass; threads that aren't the test's keep up. */
  private void pass(int seconds) {
    for (int i = 0; i < seconds; i++) {
      rig.advance(SECOND);
      keepUp();
    }
  }

  /**
   * Waits until the driver's threads have begun all that was handed to them, or none of them is
   * free: on a busy machine time would run ahead of them.
   */
  private void keepUp() {
    for (Caller caller : callers) {
      CountDownLatch reached = new CountDownLatch(1);
      caller.execute(reached::countDown);
      await()
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(1))
          .atMost(PATIENCE)
          .until(() -> reached.getCount() == 0 || noneIsFree(caller));
    }
    rig.settle();
  }

  private boolean noneIsFree(Caller caller) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> Caller.of(thread) == caller)
        .allMatch(hanging::contains);
  }

  private void healthyOnesMissNothing() {
    List<Duration> far = rig.driver.polls("far");
    List<Duration> near = rig.driver.polls("near");
    assertThat(PollingTest.gaps(far)).isNotEmpty().containsOnly(SECOND);
    assertThat(rig.elapsed().minus(far.get(far.size() - 1))).isLessThanOrEqualTo(SECOND);
    // It may have to wait for a turn that takes its time, but misses none.
    assertThat(near.size()).isBetween(far.size() - 1, far.size() + 1);
    for (String id : List.of("near", "far")) {
      assertThat(rig.status(id).failures()).isZero();
      assertThat(rig.buffer.good(id)).hasSize(2 * rig.driver.polls(id).size());
    }
  }

  @Test
  void whatADriverWarnsOfIsToldUntilItIsSeenTo() {
    plug("bad").apply();
    List<String> many = new ArrayList<>(List.of("The key wears out.", "x".repeat(2000)));
    for (int i = 0; i < 100; i++) {
      many.add("Warning " + i);
    }
    evil.warnings = many;
    rig.seconds(11);
    assertThat(figures().warnings())
        .contains("The key wears out.", "x".repeat(500) + "…", "Warning 29")
        .hasSize(32);

    evil.warnings = List.of();
    rig.seconds(61);
    assertThat(figures().warnings()).isEmpty();

    evil.warnings = null;
    long before = figures().errors();
    rig.seconds(60);
    assertThat(figures().errors()).isEqualTo(before + 1);
    assertThat(figures().warnings()).isEmpty();
    assertThat(state()).isEqualTo(State.ONLINE);
    healthyOnesMissNothing();
  }

  private interface Bad {
    CompletionStage<List<Sample>> read();
  }

  private static Arguments bad(String name, String told, Bad how) {
    return Arguments.of(name, told, how);
  }

  static Stream<Arguments> faults() {
    return Stream.of(
        bad(
            "throws",
            "the driver threw IllegalStateException: oops",
            () -> {
              throw new IllegalStateException("oops");
            }),
        bad(
            "lacks a class",
            "the driver threw NoClassDefFoundError: com/acme/Missing",
            () -> {
              throw new NoClassDefFoundError("com/acme/Missing");
            }),
        bad("overflows the stack", "the driver threw StackOverflowError", ConductTest::overflow),
        bad(
            "has no memory",
            "the driver threw OutOfMemoryError: array",
            () -> {
              throw new OutOfMemoryError("array");
            }),
        bad(
            "fails with an error",
            "the driver says: LinkageError: two of it",
            () -> CompletableFuture.failedFuture(new LinkageError("two of it"))),
        bad("returns null", "the driver returned null in place of a stage", () -> null),
        bad(
            "answers null",
            "the driver's answer is of no use",
            () -> CompletableFuture.completedFuture(null)),
        bad(
            "answers with nulls",
            "the driver's answer is of no use",
            () -> CompletableFuture.completedFuture(Collections.singletonList(null))),
        bad(
            "answers what nobody asked for",
            "none of the points",
            () -> CompletableFuture.completedFuture(List.of(Sample.good("x", Value.of(1))))));
  }

  private static CompletionStage<List<Sample>> overflow() {
    return overflow().thenApply(x -> x);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("faults")
  void whoFailsByItsOwnDoingAgainAndAgainIsPutInQuarantine(String name, String told, Bad how) {
    plug("bad").apply();
    evil.reads.put("bad", points -> how.read());
    untilQuarantine(60);

    assertThat(message())
        .contains("io.culvert.evil 2.1.0 is in quarantine since ")
        .contains(told)
        .contains("read of bad")
        .contains("it is tried again at ");
    healthyOnesMissNothing();
    evil.reads.clear();
    rig.seconds(13);
    assertThat(state()).isEqualTo(State.ONLINE);
    healthyOnesMissNothing();
  }

  @Test
  void aDeviceThatIsAwayIsNoMisconduct() {
    plug("bad").apply();
    evil.reads.put(
        "bad", points -> CompletableFuture.failedFuture(new IOException("connection reset")));
    rig.seconds(3600);
    evil.reads.put("bad", points -> new CompletableFuture<>());
    rig.seconds(3600);
    evil.opens.put("bad", () -> CompletableFuture.failedFuture(new IOException("refused")));
    rig.seconds(3600);

    assertThat(state()).isEqualTo(State.OFFLINE);
    assertThat(figures().quarantine()).isNull();
    assertThat(figures().errors()).isGreaterThan(100);
  }

  @Test
  void oneDeviceThatItCannotServeIsNotPaidForByFourThatItCan() {
    plug("bad", "b", "c", "d", "e").apply();
    evil.reads.put(
        "bad",
        points -> {
          throw new IllegalStateException("oops");
        });
    rig.seconds(600);

    assertThat(state()).isEqualTo(State.OFFLINE);
    assertThat(rig.status("b").state()).isEqualTo(State.ONLINE);
    assertThat(rig.status("b").failures()).isZero();
  }

  @Test
  void inQuarantineNothingOfTheDriverIsCalledAndEveryPollIsAccountedFor() {
    plug("bad", "other").apply().seconds(5);
    evil.reads.put(
        "other",
        points -> {
          throw new IllegalStateException("oops");
        });
    evil.reads.put("bad", evil.reads.get("other"));
    untilQuarantine(60);
    assertThat(rig.status("other").state()).as("all of the plug-in's").isEqualTo(state());
    assertThat(rig.engine.latest("bad"))
        .hasSize(2)
        .extracting(Reading::quality)
        .containsOnly(Quality.BAD_OUT_OF_SERVICE);
    assertThat(rig.buffer.of("bad"))
        .filteredOn(r -> r.quality().equals(Quality.BAD_OUT_OF_SERVICE))
        .hasSize(2);
    assertThat(evil.opened("bad")).as("closed").isEqualTo(evil.closed("bad"));

    int calls = evil.log.size();
    long called = figures().calls();
    CompletableFuture<Commands.Result> written =
        rig.engine
            .commands()
            .submit(new Commands.Command("1", "bad", "p0", Value.of(1), "shell:root"))
            .toCompletableFuture();
    CompletableFuture<?> scan =
        rig.engine.scan().scan("evil://lane-1", "", 10).toCompletableFuture();
    rig.seconds(9);
    assertThat(evil.log).hasSize(calls);
    assertThat(figures().calls()).isEqualTo(called);
    assertThat(written.join().done()).isFalse();
    assertThat(written.join().message()).contains("is in quarantine since", "oops");
    assertThat(scan)
        .failsWithin(Duration.ZERO)
        .withThrowableOfType(ExecutionException.class)
        .withMessageContaining("is in quarantine since");

    evil.reads.clear();
    rig.seconds(5);
    assertThat(state()).isEqualTo(State.ONLINE);
    long good = rig.buffer.good("bad").size();
    long gaps =
        rig.buffer.ledger.stream()
            .filter(e -> e.device().equals("bad") && e.reason() == Reason.NEVER_READ)
            .mapToLong(LedgerEntry::count)
            .sum();
    // Two points each second; it begins somewhere in its first second, twice.
    assertThat(good + gaps)
        .isBetween(2 * (rig.elapsed().toSeconds() - 2), 2 * rig.elapsed().toSeconds() + 4);
    assertThat(gaps).isGreaterThanOrEqualTo(2 * 10);
    healthyOnesMissNothing();
  }

  @Test
  void quarantinesGrowUpToABoundAndBeginAnewAfterAGoodHour() {
    plug("bad").apply();
    evil.reads.put(
        "bad",
        points -> {
          throw new IllegalStateException("oops");
        });
    List<Duration> spans = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      untilQuarantine(120);
      assertThat(figures().quarantine().times()).isEqualTo(i + 1);
      spans.add(left());
      rig.advance(left().plus(SECOND));
      assertThat(state()).as("tried again").isNotEqualTo(State.QUARANTINED);
    }
    List<Integer> least = List.of(10, 20, 40, 80, 160, 320, 600, 600);
    for (int i = 0; i < least.size(); i++) {
      assertThat(spans.get(i).toSeconds())
          .as("with its jitter")
          .isBetween((long) least.get(i) - 1, least.get(i) * 6L / 5);
    }
    evil.reads.clear();
    rig.seconds(4000);
    assertThat(state()).isEqualTo(State.ONLINE);
    evil.reads.put("bad", points -> null);
    untilQuarantine(60);
    assertThat(left().toSeconds()).isBetween(9L, 12L);
    assertThat(figures().quarantine().times()).as("since it came").isEqualTo(9);
  }

  private Duration left() {
    Instant until = figures().quarantine().until();
    assertThat(message()).contains("it is tried again at " + until);
    return Duration.between(rig.now(), until);
  }

  @Test
  void aDeviceThatComesMeanwhileWaitsToo() {
    plug("bad").apply();
    evil.reads.put("bad", points -> null);
    untilQuarantine(60);
    evil("new", "evil://lane-1/new");
    rig.apply();
    assertThat(rig.status("new").state()).isEqualTo(State.QUARANTINED);
    assertThat(evil.opened("new")).isZero();

    evil.reads.clear();
    rig.seconds(14);
    assertThat(rig.status("new").state()).isEqualTo(State.ONLINE);
  }

  @Test
  void aDriverDoesNotEscapeByComingAnew() {
    plug("bad").apply();
    evil.reads.put("bad", points -> null);
    untilQuarantine(60);
    rig.engine.removeDriver("evil");
    rig.settle();
    assertThat(state()).isEqualTo(State.WAITING);
    rig.plug("evil", evil, 0, "2.1.0").settle();
    assertThat(state()).isEqualTo(State.QUARANTINED);

    rig.engine.removeDriver("evil");
    evil.reads.clear();
    rig.plug("evil", evil, 0, "2.1.1").seconds(2);
    assertThat(state()).as("another version is another plug-in").isEqualTo(State.ONLINE);
  }

  /** Reads that don't return, on threads of the driver. */
  private void hang(String... devices) {
    for (String id : devices) {
      evil.reads.put(id, this::hang);
    }
  }

  private CompletionStage<List<Sample>> hang(List<Point> points) {
    awaitEnd();
    return CompletableFuture.completedFuture(evil.samples("bad", points));
  }

  private void awaitEnd() {
    hanging.add(Thread.currentThread());
    boolean over = false;
    while (!over) {
      try {
        end.await();
        over = true;
      } catch (InterruptedException e) {
        // As a library would that knows no better.
      }
    }
    hanging.remove(Thread.currentThread());
  }

  @Test
  void aCallThatNeverReturnsIsNoticed() {
    plug(threads(), "bad").apply();
    hang("bad");
    awaitQuarantine();

    assertThat(message()).contains("read of bad hasn't returned").contains("after it should have");
    assertThat(figures().stuck()).isEqualTo(1);
    assertThat(figures().threads()).isGreaterThanOrEqualTo(1);
    assertThat(figures().inCalls()).isGreaterThan(Conduct.STUCK);
    healthyOnesMissNothing();

    evil.reads.clear();
    pass(13);
    awaitWith(Duration.ofMillis(100), () -> state() == State.ONLINE && figures().stuck() == 1);
    end.countDown();
    awaitWith(Duration.ofMillis(100), () -> figures().stuck() == 0);
  }

  @Test
  void oneCallThatNeverReturnsIsNotPaidForByTwoThatDo() {
    plug(threads(), "bad", "b", "c").apply();
    hang("bad");
    awaitWith(
        Duration.ofMillis(100),
        () ->
            rig.elapsed().toSeconds() > 60
                && figures().stuck() == 1
                && rig.status("b").state() == State.ONLINE
                && rig.status("c").state() == State.ONLINE);
    assertThat(figures().quarantine()).isNull();
    assertThat(state()).isEqualTo(State.OFFLINE);
  }

  @Test
  void aCloseThatBlocksIsNoticed() {
    plug(threads(), "bad").apply();
    evil.opens.put("bad", () -> CompletableFuture.completedFuture(new Clinging()));
    awaitQuarantine();

    assertThat(message()).contains("close of bad hasn't returned");
    healthyOnesMissNothing();
  }

  @Test
  void whatItHangsOnTheSinksStageMayNotBlockEither() {
    plug(threads(), "bad");
    evil.subscribable.add("bad");
    rig.apply();
    awaitWith(Duration.ofMillis(100), () -> state() == State.ONLINE);
    tell(List.of(Sample.good("p0", Value.of(1)))).whenComplete((nothing, error) -> awaitEnd());
    awaitQuarantine();

    assertThat(message()).contains("what follows on a hand-over of bad hasn't returned");
    healthyOnesMissNothing();
  }

  @Test
  void whatFollowsOnHandOversIsNotDoneInQuarantine() {
    subscribed();
    rig.buffer.hold = true;
    CompletableFuture<Void> told = tell(List.of(Sample.good("p0", Value.of(1))));
    tell(new Endless());
    untilQuarantine(1);
    rig.buffer.waiting.forEach(f -> f.complete(null));
    rig.settle();
    assertThat(told).isNotDone();
  }

  @Test
  void aThreadThatACallHasChangedIsAsBeforeForTheNext() throws Exception {
    Caller caller = threads();
    List<String> seen = new CopyOnWriteArrayList<>();
    for (int i = 0; i < 2 * Caller.MOST; i++) {
      caller.execute(
          () -> {
            Thread thread = Thread.currentThread();
            seen.add(
                thread.getName().replaceAll("[0-9]+", "n")
                    + (thread.getContextClassLoader() == caller.loader())
                    + thread.getPriority()
                    + Thread.interrupted());
            thread.setName("mine");
            thread.setContextClassLoader(null);
            thread.setPriority(Thread.MAX_PRIORITY);
            thread.interrupt();
          });
    }
    assertThat(caller.close().await(PATIENCE.toMillis())).isTrue();
    assertThat(seen).hasSize(2 * Caller.MOST).containsOnly("culvert-driver-evil-ntrue5false");
  }

  /** Fails when it is read, and doesn't let itself be closed. */
  private final class Clinging implements Readable {
    @Override
    public Plan prepare(List<Point> points) {
      return () -> CompletableFuture.failedFuture(new IOException("reset"));
    }

    @Override
    public void close() {
      awaitEnd();
    }
  }

  @Test
  void whoKeepsAllThreadsGetsNoMoreUntilSomeReturn() {
    String[] all = new String[Caller.MOST];
    for (int i = 0; i < all.length; i++) {
      all[i] = i == 0 ? "bad" : "bad" + i;
    }
    plug(threads(), all).apply();
    for (String id : all) {
      evil(id, "evil://own-" + id + "/" + id);
    }
    rig.apply();
    hang(all);
    awaitWith(SECOND, () -> message().contains(" of its calls still hold a thread"));
    int stuck = figures().stuck();
    assertThat(stuck).isBetween(Conduct.LOST, Conduct.LOST + Caller.MOST - 1);
    assertThat(figures().threads()).isBetween(stuck, stuck + Caller.MOST);
    rig.seconds(3600);
    assertThat(figures().stuck()).isEqualTo(stuck);
    assertThat(state()).isEqualTo(State.QUARANTINED);
    healthyOnesMissNothing();

    evil.reads.clear();
    end.countDown();
    awaitWith(SECOND, () -> state() == State.ONLINE);
    healthyOnesMissNothing();
  }

  private void subscribed() {
    plug("bad");
    evil.subscribable.add("bad");
    rig.apply().seconds(2);
    assertThat(state()).isEqualTo(State.ONLINE);
  }

  private CompletableFuture<Void> tell(List<Sample> samples) {
    return evil.sinks.get("bad").accept(samples).toCompletableFuture();
  }

  @Test
  void whoGoesOnAlthoughTheSinkPushesBackIsNoticed() {
    subscribed();
    rig.buffer.hold = true;
    for (int i = 0; i <= Intake.MOST + Conduct.PUSHED_BACK; i++) {
      tell(List.of(Sample.good("p0", Value.of(i))));
    }
    rig.buffer.hold = false;
    untilQuarantine(1);

    assertThat(message()).contains("it floods: 1001 hand-overs in a second although");
    assertThat(figures().refused()).isEqualTo(Conduct.PUSHED_BACK + 1);
    assertThat(rig.buffer.ledger)
        .filteredOn(e -> e.reason() == Reason.NOT_ACCEPTED)
        .extracting(LedgerEntry::count)
        .containsExactly(Conduct.PUSHED_BACK + 1L);
    rig.buffer.waiting.forEach(f -> f.complete(null));
    healthyOnesMissNothing();
  }

  @Test
  void whoPushesBackIsPutUpWithAsLongAsTheDeviceIsNoFlood() {
    subscribed();
    rig.buffer.hold = true;
    for (int i = 0; i < 2 * Conduct.PUSHED_BACK; i++) {
      tell(List.of(Sample.good("p0", Value.of(i))));
      rig.advance(Duration.ofMillis(100));
    }
    assertThat(state()).isEqualTo(State.ONLINE);
    assertThat(figures().refused()).isEqualTo(2 * Conduct.PUSHED_BACK - Intake.MOST);
  }

  @Test
  void moreThanAnyDeviceTellsInASecondIsAFlood() {
    subscribed();
    List<Sample> many = Collections.nCopies(5_000, Sample.good("p0", Value.of(1)));
    for (int i = 0; i < 11; i++) {
      tell(many);
    }
    untilQuarantine(1);

    assertThat(message()).contains("it floods: 55000 samples in a second for bad");
    long taken = rig.buffer.good("bad").size();
    long entered =
        rig.buffer.ledger.stream()
            .filter(e -> e.reason() == Reason.NOT_ACCEPTED)
            .mapToLong(LedgerEntry::count)
            .sum();
    assertThat(taken + entered).isEqualTo(11 * 5_000);
    assertThat(figures().samples()).isEqualTo(11 * 5_000);
    healthyOnesMissNothing();
  }

  @Test
  void aHandOverWithoutEndCountsNoMoreInAFloodThanWithout() {
    subscribed();
    List<Sample> many = Collections.nCopies(5_000, Sample.good("p0", Value.of(1)));
    for (int i = 0; i < 11; i++) {
      tell(many);
    }
    assertThat(tell(new Endless())).isCompletedExceptionally();
    assertThat(figures().refused()).isEqualTo(5_000 + Conduct.AT_ONCE);
  }

  @Test
  void aHandOverWithoutEndIsNotLookedAt() {
    subscribed();
    CompletableFuture<Void> told = tell(new Endless());
    untilQuarantine(1);

    assertThat(told).isCompletedExceptionally();
    assertThat(message()).contains("it floods: 2147483647 samples at once");
    healthyOnesMissNothing();
  }

  @Test
  void picturesDoNotGoThroughTheSink() {
    subscribed();
    tell(List.of(Sample.good("p0", Value.of("x".repeat(5 << 20)))));
    untilQuarantine(1);

    assertThat(message()).contains("it floods: 5242880 bytes at once");
    assertThat(rig.buffer.of("bad")).noneMatch(r -> r.value() != null);
  }

  @Test
  void manyBytesInASecondAreAFlood() {
    subscribed();
    Value big = Value.of("x".repeat(4 << 20));
    for (int i = 0; i < 9; i++) {
      tell(List.of(Sample.good("p0", big)));
    }
    untilQuarantine(1);

    assertThat(message()).contains("it floods: 37748736 bytes in a second for bad");
  }

  @Test
  void anAnswerWithoutEndIsNotLookedAt() {
    plug("bad").apply().seconds(3);
    evil.reads.put("bad", points -> CompletableFuture.completedFuture(new Endless()));
    untilQuarantine(3);

    assertThat(message())
        .contains("it answered for bad with 2147483647 samples where 2 were asked for");
    healthyOnesMissNothing();
  }

  @Test
  void anAnswerOfHugeValuesIsNotTaken() {
    plug("bad").apply();
    Value huge = Value.of("x".repeat(5 << 20));
    evil.reads.put(
        "bad", points -> CompletableFuture.completedFuture(List.of(Sample.good("p0", huge))));
    untilQuarantine(3);

    assertThat(message()).contains("it answered for bad with 5242880 bytes at once");
    assertThat(rig.buffer.of("bad")).noneMatch(r -> r.value() != null);
  }

  /** Says that it is as long as a list can be; copying it would take all memory there is. */
  private static final class Endless extends AbstractList<Sample> {
    @Override
    public Sample get(int index) {
      return Sample.good("p0", Value.of(index));
    }

    @Override
    public int size() {
      return Integer.MAX_VALUE;
    }

    @Override
    public Object[] toArray() {
      throw new AssertionError("copied");
    }
  }

  @Test
  void aTellOfALostLinkIsHeardOnce() {
    subscribed();
    AtomicInteger asked = new AtomicInteger();
    IOException cause =
        new IOException() {
          @Override
          public String getMessage() {
            asked.incrementAndGet();
            return "reset";
          }
        };
    for (int i = 0; i < 100_000; i++) {
      evil.sinks.get("bad").lost(cause);
    }
    assertThat(asked).as("else each would be handed to the loop").hasValue(1);
    rig.settle();
    assertThat(rig.status("bad").failures()).isEqualTo(1);
  }

  @Test
  void threadsThatItStartsAndLeavesAreNoticed() {
    plug(threads(), "bad").apply();
    evil.reads.put(
        "bad",
        points -> {
          for (int i = 0; i < 5; i++) {
            Thread left = new Thread(this::awaitEnd);
            left.setDaemon(true);
            left.start();
          }
          return CompletableFuture.completedFuture(evil.samples("bad", points));
        });
    awaitQuarantine();

    assertThat(message()).containsPattern("it has \\d+ threads, with 1 devices in use");
    assertThat(figures().threads()).isGreaterThan(Conduct.THREADS);
    healthyOnesMissNothing();
    assertThat(rig.engine.conduct().drivers())
        .filteredOn(d -> !d.plugin().equals("io.culvert.evil"))
        .as("of others none is counted")
        .extracting(DriverStatus::threads)
        .containsOnly(0);

    // What stays is borne, if it gets no worse.
    evil.reads.clear();
    awaitWith(Duration.ofMillis(100), () -> state() == State.ONLINE);
    pass(30);
    assertThat(state()).as(message()).isNotEqualTo(State.QUARANTINED);
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void connectionsThatItLeavesOpenAreNoticed() throws IOException {
    rig = new Rig(true, Path.of("/"));
    ServerSocket server = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
    open.add(server);
    plug();
    evil("bad", "evil://127.0.0.1:" + server.getLocalPort() + "/bad");
    // One of a plug-in that opens none, by its manifest, at the same endpoint.
    rig.device(at("neighbour", "fake://127.0.0.1:" + server.getLocalPort() + "/neighbour"));
    evil.reads.put(
        "bad",
        points -> {
          try {
            open.add(new Socket(server.getInetAddress(), server.getLocalPort()));
          } catch (IOException e) {
            throw new AssertionError(e);
          }
          return CompletableFuture.completedFuture(evil.samples("bad", points));
        });
    rig.apply();
    untilQuarantine(40);

    assertThat(message())
        .containsPattern("it has \\d+ TCP connections to 127.0.0.1 port " + server.getLocalPort())
        .contains("with 2 devices there; expected at most 12");
    assertThat(rig.status("neighbour").state()).isEqualTo(State.ONLINE);
    healthyOnesMissNothing();
  }

  @Test
  void anAnswerFromAnotherDriversThreadIsTakenButNotForLong() {
    Caller other = new Caller("other", getClass().getClassLoader());
    plug(threads(), "bad").apply();
    Function<List<Point>, CompletionStage<List<Sample>>> astray =
        points -> {
          CompletableFuture<List<Sample>> answer = new CompletableFuture<>();
          other.execute(() -> answer.complete(evil.samples("bad", points)));
          return answer;
        };
    evil.reads.put("bad", astray);
    awaitQuarantine();

    assertThat(message())
        .containsPattern("read of bad was answered from the thread culvert-driver-other-\\d, ");
    assertThat(rig.buffer.good("bad")).isNotEmpty();
    healthyOnesMissNothing();
    other.close();
  }

  @Test
  void whatItCostsIsCounted() {
    plug("bad", "b").apply();
    evil.opens.put("b", () -> CompletableFuture.failedFuture(new IOException("refused")));
    rig.seconds(10);

    DriverStatus figures = figures();
    int polls = evil.polls("bad").size();
    assertThat(figures.version()).isEqualTo("2.1.0");
    assertThat(figures.schemes()).containsExactly("evil");
    assertThat(figures.devices()).isEqualTo(2);
    assertThat(figures.samples()).isEqualTo(2L * polls);
    assertThat(figures.bytes()).as("integers").isEqualTo(16L * polls);
    assertThat(figures.errors()).isEqualTo(evil.opened("b"));
    // Each is validated; one is opened and prepared once, the other opened again and again; and
    // the driver was asked for warnings.
    assertThat(figures.calls()).isEqualTo(2 + 2 + polls + evil.opened("b") + 1);
    assertThat(figures.present()).isEqualTo(rig.elapsed());
    assertThat(figures.stuck()).isZero();
    assertThat(figures.quarantine()).isNull();

    rig.without("bad").apply();
    assertThat(figures().devices()).isEqualTo(1);
    rig.engine.removeDriver("evil");
    assertThat(rig.engine.conduct().drivers())
        .extracting(DriverStatus::plugin)
        .containsExactly("io.culvert.fake");
  }

  @Test
  void timeInCallsIsTheDrivers() {
    plug(threads(), "bad").apply();
    CountDownLatch entered = new CountDownLatch(1);
    evil.reads.put(
        "bad",
        points -> {
          entered.countDown();
          return hang(points);
        });
    awaitWith(Duration.ofMillis(100), () -> entered.getCount() == 0);
    Duration before = figures().inCalls();
    long calls = figures().calls();
    rig.advance(Duration.ofMillis(700));
    end.countDown();
    await().atMost(PATIENCE).until(() -> figures().calls() > calls);
    // What has returned no longer counts as running, once the loop has heard of it.
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              rig.settle();
              assertThat(figures().inCalls().minus(before))
                  .isBetween(Duration.ofMillis(700), Duration.ofMillis(1300));
            });
  }

  @Test
  void twoDriversOfOnePlugInAreJudgedTogether() {
    plug("bad").apply();
    FakeDriver second = new FakeDriver(rig, "second");
    PlugIn plugIn = new PlugIn("io.culvert.evil", new Version("2.1.0"), 0, true);
    rig.engine.addDriver(
        "second", second, List.of("second"), 0, plugIn, 77, new Rig.DirectCaller());
    evil("good", "second://lane-9/good");
    rig.apply().seconds(3);
    assertThat(figures().schemes()).containsExactly("evil", "second");
    assertThat(figures().devices()).isEqualTo(2);

    evil.reads.put("bad", points -> CompletableFuture.completedFuture(new Endless()));
    untilQuarantine(3);
    assertThat(rig.status("good").state()).isEqualTo(State.QUARANTINED);
  }

  /** What the driver is asked for by the connection that a test makes itself. */
  @Test
  void whatCloseThrowsIsNoReasonForAQuarantine() {
    plug("bad").apply();
    evil.opens.put(
        "bad",
        () -> {
          Connection real = evil.connection("bad");
          return CompletableFuture.completedFuture(
              new Readable() {
                @Override
                public Plan prepare(List<Point> points) {
                  return ((Readable) real).prepare(points);
                }

                @Override
                public void close() {
                  throw new IllegalStateException("can't");
                }
              });
        });
    rig.seconds(5);
    for (int i = 0; i < 10; i++) {
      evil.sinks.get("bad").lost(new IOException("reset"));
      rig.seconds(120);
    }
    assertThat(state()).isEqualTo(State.ONLINE);
  }
}
