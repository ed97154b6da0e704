package io.culvert.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Continuous;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Historical;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Subscribable;
import io.culvert.api.southbound.Writable;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * What the core relies on, whatever the protocol: a driver passes by naming itself and a {@link
 * Peer}, a device to talk to. Each rule is a case of its own. Those of reading, writing, browsing
 * and so on apply if the connections of the driver can; each that applies must pass.
 *
 * <p>Looks at all threads and descriptors of the process, so nothing else may run in it.
 */
@Timeout(120)
public abstract class DriverContract {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  /** What a driver may hold of what nobody asked for, with all that its libraries keep. */
  private static final long MOST_HELD = 16L << 20;

  /** How long bytes without end are sent at most, however few the driver takes. */
  private static final Duration FLOOD = Duration.ofSeconds(3);

  /** After which a driver that has taken nothing of it takes no more. */
  private static final Duration STILL = Duration.ofMillis(500);

  /** In which a wait is counted, so that a machine that stands still takes but one of them. */
  private static final Duration SLICE = Duration.ofMillis(10);

  /** How often it is looked what is held, if it seems too much. */
  private static final int LOOKS = 10;

  /** From which the damages are drawn; told with each failure. */
  private static final String SEED = "culvert.testkit.seed";

  private static final int THREADS = 8;

  /** Of one history. */
  private static final int MOST_PAGES = 1000;

  /** How often a device tells what must not be heard: what comes by another way may come later. */
  private static final int CHANCES = 25;

  private final List<Peer> peers = new ArrayList<>();
  private final List<Connection> opened = new CopyOnWriteArrayList<>();
  private final Queue<String> deaths = new ConcurrentLinkedQueue<>();
  private Thread.UncaughtExceptionHandler handlerBefore;
  private LeakDetector.Mark before;
  private Peer peer;
  private Driver driver;

  /**
   * Starts a device to talk to; a case may want more than one at once. What it needs, such as
   * device files, must not be shared with another's.
   */
  protected abstract Peer peer() throws Exception;

  /** Makes the driver as the framework activates it. */
  protected abstract Driver activate() throws Exception;

  /** Ends the driver as the framework deactivates it. */
  protected abstract void deactivate(Driver driver) throws Exception;

  /** How long what must happen may take: an answer, an end. Generous, for a loaded machine. */
  Duration patience() {
    return Duration.ofSeconds(10);
  }

  /** After which an exchange whose answer is damaged is cancelled, as the core does. */
  private Duration deadline() {
    return patience().dividedBy(100);
  }

  /** How long a call that must not block may take. */
  private Duration moment() {
    return patience().dividedBy(3);
  }

  @BeforeEach
  void startPeerAndDriver() throws Exception {
    handlerBefore = Thread.getDefaultUncaughtExceptionHandler();
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, death) -> deaths.add(thread.getName() + ": " + stack(death)));
    peer = newPeer();
    before = LeakDetector.mark();
    driver = activate();
  }

  @AfterEach
  void stopPeerAndDriver() throws Exception {
    try {
      for (Connection connection : opened) {
        close(connection);
      }
      if (driver != null) {
        deactivate(driver);
      }
    } finally {
      driver = null;
      Thread.setDefaultUncaughtExceptionHandler(handlerBefore);
      for (Peer one : peers) {
        one.close();
      }
    }
    assertThat(deaths)
        .as("threads that died of an exception; a driver must catch what can happen in its own")
        .isEmpty();
  }

  private Peer newPeer() throws Exception {
    Peer one = peer();
    peers.add(one);
    return one;
  }

  // What the driver says without a device.

  @Test
  void findsNothingWrongWithAValidDevice() {
    assertThat(problems(peer.device(), points()))
        .as("problems that validate() finds with a device and points of the peer's, all valid")
        .isEmpty();
    assertThat(driver.lane(peer.device())).as("the name that lane() gives").isNotBlank();
    assertThat(driver.lane(peer.device()))
        .as("the name that lane() gives when it is asked again")
        .isEqualTo(driver.lane(peer.device()));
  }

  @Test
  void tellsWhatIsWrongInsteadOfThrowing() {
    Device device = peer.device();
    String scheme = device.endpoint().getScheme();
    for (String endpoint :
        List.of("x", scheme + ":x", scheme + ":///", scheme + "://h:99999", scheme + "://h?=&&")) {
      Device wrong =
          new Device(device.id(), device.profile(), URI.create(endpoint), device.settings());
      assertThat(problems(wrong, List.of()))
          .as("problems that validate() finds with the endpoint " + endpoint)
          .isNotEmpty();
    }
    for (String address : List.of("", "\0", "a".repeat(10_000))) {
      assertThat(problemsOf(address))
          .as("problems that validate() finds with the address " + shortened(address))
          .isNotEmpty();
    }
    for (String address : List.of(":", ";", "☃", "-1", "%s%n", "\uD800", "'\"\\", " ", "٣")) {
      problemsOf(address);
    }
    assertThat(
            problems(
                new Device(device.id(), device.profile(), device.endpoint(), Map.of("☃", "")),
                List.of()))
        .as("problems that validate() finds with a setting named ☃, which nobody reads")
        .isNotEmpty();
  }

  private List<Problem> problemsOf(String address) {
    Point point = points().get(0);
    Point wrong = new Point(point.id(), address, point.type(), point.access());
    List<Problem> problems = problems(peer.device(), List.of(wrong));
    assertThat(problems)
        .as("keys of the problems of a point, which begin with points." + point.id())
        .allSatisfy(problem -> assertThat(problem.key()).startsWith("points." + point.id()));
    return problems;
  }

  private List<Problem> problems(Device device, List<Point> points) {
    List<Problem> problems =
        atOnce("validate() of " + device.endpoint(), () -> driver.validate(device, points));
    assertThat(problems).as("what validate() returns").isNotNull().doesNotContainNull();
    return problems;
  }

  @Test
  void validatesAndNamesLanesFromManyThreadsWithoutTouchingTheDevice() throws Exception {
    List<Point> points = points();
    String lane = driver.lane(peer.device());
    peer.stop();
    LeakDetector.Mark mark = LeakDetector.mark();
    List<Problem> found = driver.validate(peer.device(), points);
    assertThat(found).as("problems of a valid device that is away; nobody should look").isEmpty();
    together(
        "validate() and lane()",
        () -> {
          for (int i = 0; i < 50; i++) {
            assertThat(driver.validate(peer.device(), points)).as("problems").isEqualTo(found);
            assertThat(driver.lane(peer.device())).as("lane").isEqualTo(lane);
          }
        });
    mark.none(true, patience());
  }

  @Test
  void connectionsCanWhatThePeerOffersAndNothingElse() throws Exception {
    Connection connection = open().connection;
    boolean reads = connection instanceof Readable;
    boolean sends = connection instanceof Subscribable;
    boolean writes = connection instanceof Writable;
    assertThat(reads || sends || writes)
        .as("whether the connection is Readable, Subscribable or Writable; it must be one of them")
        .isTrue();
    assertThat(!peer.values().isEmpty())
        .as(
            "whether Peer.values() names points; it must if, and only if, the driver reads or sends")
        .isEqualTo(reads || sends);
    assertThat(!peer.writes().isEmpty())
        .as("whether Peer.writes() names points; it must if, and only if, the driver is Writable")
        .isEqualTo(writes);
    assertThat(peer.tells())
        .as("whether Peer.tells(); it must if, and only if, the driver is Subscribable")
        .isEqualTo(sends);
    assertThat(connection instanceof Continuous || !peer.keeps())
        .as("whether the connection is Continuous; it must be, as Peer.keeps()")
        .isTrue();
    assertThat(connection instanceof Historical || peer.history().isEmpty())
        .as("whether the connection is Historical; it must be, as Peer.history() names points")
        .isTrue();
  }

  // Reading and writing.

  @TestFactory
  Stream<DynamicTest> readsWhatTheDeviceHolds() throws Exception {
    return when(
        can(Readable.class),
        "three times in turn",
        () -> {
          Way way = open();
          for (int cycle = 0; cycle < 3; cycle++) {
            assertThat(values(answer("a reading", way.read()), way.shown.keySet()))
                .as("what was read")
                .isEqualTo(named(way.shown));
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> anAnswerHasOneSampleForEachPointAndNoOther() throws Exception {
    return when(
        can(Readable.class),
        "of each point alone and of all",
        () -> {
          Way way = open();
          List<List<Point>> plans = new ArrayList<>();
          peer.values().keySet().forEach(point -> plans.add(List.of(point)));
          plans.add(List.copyOf(peer.values().keySet()));
          for (List<Point> plan : plans) {
            List<Sample> samples = answer("a reading", way.read(way.prepare(plan)));
            assertThat(samples).as("what was read").isNotNull().doesNotContainNull();
            assertThat(samples.stream().map(Sample::point).toList())
                .as("points of the samples of one reading: each point of the plan once")
                .containsExactlyInAnyOrderElementsOf(plan.stream().map(Point::id).toList());
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> aPointThatIsRefusedIsDataAndHarmsNoNeighbour() throws Exception {
    return when(
        can(Readable.class) && !peer.refused().isEmpty(),
        "between others",
        () -> {
          Way way = open();
          List<Point> points = new ArrayList<>(peer.refused());
          points.addAll(peer.values().keySet());
          Readable.Plan plan = way.prepare(points);
          for (int cycle = 0; cycle < 3; cycle++) {
            List<Sample> samples =
                answer("a reading of points some of which are refused", way.read(plan));
            Map<String, Value> values = values(samples, points);
            for (Point refused : peer.refused()) {
              assertThat(samples)
                  .as("samples of the point " + refused.id() + ", which the device refuses: bad")
                  .filteredOn(sample -> sample != null && sample.point().equals(refused.id()))
                  .isNotEmpty()
                  .allMatch(sample -> sample.quality().bad());
              values.remove(refused.id());
            }
            assertThat(values)
                .as("what was read beside the points that are refused")
                .isEqualTo(named(peer.values()));
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> writesAndReadsBack() throws Exception {
    return when(
        can(Writable.class),
        "two values one after the other",
        () -> {
          Way way = open();
          for (Map.Entry<Point, List<Value>> write : peer.writes().entrySet()) {
            for (Value value : write.getValue()) {
              writes(way, write.getKey(), value);
            }
          }
        });
  }

  private void writes(Way way, Point point, Value value) {
    assertThat(answer("a write", way.write(point, value)))
        .as("verdict on the write of " + value + " to " + point.id())
        .isEqualTo(Quality.GOOD);
    if (way.connection instanceof Readable && point.access().readable()) {
      assertThat(values(answer("a reading", way.read(way.prepare(List.of(point)))), List.of(point)))
          .as("what is read after " + value + " was written")
          .isEqualTo(Map.of(point.id(), value));
    }
  }

  @TestFactory
  Stream<DynamicTest> figuresOnlyGrow() throws Exception {
    return when(
        can(Diagnosed.class),
        "over answers, silence and a cancelled exchange",
        () -> {
          Way way = open();
          Diagnosed diagnosed = (Diagnosed) way.connection;
          Map<String, Long> last = figures(diagnosed);
          for (int cycle = 0; cycle < 3; cycle++) {
            way.proves();
            Map<String, Long> now = grown(last, figures(diagnosed));
            for (String figure : List.of("requests", "answers")) {
              assertThat(now.get(figure))
                  .as("the figure %s, which grows with an exchange that is answered", figure)
                  .isGreaterThan(last.get(figure));
            }
            last = now;
          }
          peer.hold();
          CompletableFuture<?> silent = way.exchange();
          unanswered(silent);
          last = grown(last, figures(diagnosed));
          silent.cancel(true);
          peer.resume();
          way.proves();
          grown(last, figures(diagnosed));
        });
  }

  private Map<String, Long> figures(Diagnosed diagnosed) {
    Diagnosed.Facts facts = atOnce("facts()", diagnosed::facts);
    Diagnosed.LineFacts line = atOnce("line()", diagnosed::line);
    Map<String, Long> figures = new LinkedHashMap<>();
    figures.put("requests", facts.requests());
    figures.put("answers", facts.answers());
    figures.put("timeouts", facts.timeouts());
    figures.put("checksumErrors", facts.checksumErrors());
    figures.put("malformed", facts.malformed());
    figures.put("answerNanos", facts.answerNanos());
    facts.refusals().forEach((what, count) -> figures.put("refusals: " + what, count));
    figures.put("wrongUnit", line.wrongUnit());
    figures.put("late", line.late());
    figures.put("foreign", line.foreign());
    figures.put("collisions", line.collisions());
    figures.put("noise", line.noise());
    return figures;
  }

  private static Map<String, Long> grown(Map<String, Long> last, Map<String, Long> now) {
    last.forEach(
        (name, figure) ->
            assertThat(now.getOrDefault(name, 0L))
                .as("the figure %s, which only grows while the connection lives", name)
                .isGreaterThanOrEqualTo(figure));
    return now;
  }

  // Deadlines and ends.

  @Test
  void aCallReturnsAtOnceThoughNobodyAnswers() throws Exception {
    Way way = open();
    peer.hold();
    CompletableFuture<?> silent = way.exchange();
    unanswered(silent);
    cancelsOpening();
    silent.cancel(true);
    peer.resume();
  }

  @Test
  void aCancelledExchangeLeavesTheConnectionUsable() throws Exception {
    Way way = open();
    peer.hold();
    CompletableFuture<?> late = way.exchange();
    unanswered(late);
    late.cancel(true);
    peer.resume();
    way.proves();
  }

  @TestFactory
  Stream<DynamicTest> nothingOfACancelledExchangeAppearsInTheNext() throws Exception {
    return when(
        can(Readable.class) && peer.values().size() > 1,
        "though its answer comes late",
        () -> {
          Way way = open();
          List<Point> all = List.copyOf(peer.values().keySet());
          for (int i = 0; i < Math.min(4, all.size()); i++) {
            Point one = all.get(i);
            Point next = all.get((i + 1) % all.size());
            Readable.Plan cancelled = way.prepare(List.of(one));
            Readable.Plan following = way.prepare(List.of(next));
            peer.hold();
            CompletableFuture<?> late = way.read(cancelled);
            unanswered(late);
            late.cancel(true);
            // Before the late answer comes, and so that it comes first.
            CompletableFuture<List<Sample>> reading = way.read(following);
            peer.resume();
            assertThat(values(answer("the reading after a cancelled one", reading), all))
                .as("what was read of %s after a reading of %s was cancelled", next.id(), one.id())
                .isEqualTo(Map.of(next.id(), peer.values().get(next)));
          }
          for (Map.Entry<Point, List<Value>> write : peer.writes().entrySet()) {
            if (write.getKey().access().readable()) {
              Readable.Plan plan = way.prepare(List.of(write.getKey()));
              writes(way, write.getKey(), write.getValue().get(0));
              peer.hold();
              CompletableFuture<?> late = way.read(plan);
              unanswered(late);
              late.cancel(true);
              peer.resume();
              writes(way, write.getKey(), write.getValue().get(1));
            }
          }
        });
  }

  @Test
  void closingFromAnotherThreadEndsWhatIsPending() throws Exception {
    Way way = open();
    peer.hold();
    CompletableFuture<?> pending = way.exchange();
    unanswered(pending);
    atOnce("close(), called from another thread while an exchange is pending,", closing(way));
    fails("an exchange that was pending when the connection was closed", pending);
    peer.resume();
  }

  @Test
  void closingWithinACompletionIsHarmless() throws Exception {
    Way way = open();
    CompletableFuture<Void> closed = new CompletableFuture<>();
    opened.remove(way.connection);
    // Held, so that what follows runs in the driver's own thread.
    peer.hold();
    way.exchange()
        .whenComplete(
            (answer, failure) -> {
              try {
                way.connection.close();
                closed.complete(null);
              } catch (Throwable thrown) {
                closed.completeExceptionally(thrown);
              }
            });
    peer.resume();
    answer("close(), called by what follows the completion of an exchange,", closed);
    fails("an exchange after close()", way.exchange());
    open().proves();
  }

  @Test
  void closingFromSeveralThreadsAtOnceIsHarmless() throws Exception {
    for (int cycle = 0; cycle < 5; cycle++) {
      Way way = open();
      if (cycle % 2 == 0) {
        way.exchange();
      }
      opened.remove(way.connection);
      together("close() from several threads at once", way.connection::close);
    }
    open().proves();
  }

  @Test
  void closingTwiceIsHarmlessAndWhatComesAfterFails() throws Exception {
    Way way = open();
    atOnce("close()", closing(way));
    atOnce("close(), called a second time,", closing(way));
    fails("an exchange after close()", way.exchange());
    open().proves();
  }

  @Test
  void aLinkThatIsLostIsAnException() throws Exception {
    Way way = open();
    way.proves();
    peer.hold();
    CompletableFuture<?> pending = way.exchange();
    peer.stop();
    fails("an exchange that was pending when the device went away", pending);
    fails("an exchange after the device went away", way.exchange());
  }

  @Test
  void anAbsentDeviceFailsToOpenOrToAnswer() throws Exception {
    peer.stop();
    CompletableFuture<Connection> opening =
        ask("open()", () -> driver.open(peer.device(), new RecordingSink()));
    Connection connection;
    try {
      connection = get(opening, patience());
    } catch (ExecutionException refused) {
      assertThat(refused.getCause().getMessage())
          .as("message of the failure to open a device that is away; people read it")
          .isNotBlank()
          .doesNotContain("null");
      return;
    }
    opened.add(connection);
    fails(
        "an exchange with a device that is away",
        new Way(peer.device(), peer.values(), connection, new RecordingSink()).exchange());
  }

  @Test
  void aDeviceThatReturnsIsReached() throws Exception {
    Way way = open();
    way.proves();
    peer.stop();
    fails("an exchange after the device went away", way.exchange());
    close(way.connection);
    peer.start();
    open().proves();
  }

  @Test
  void deactivationEndsWhatIsOpen() throws Exception {
    Way way = open();
    peer.hold();
    CompletableFuture<?> pending = way.exchange();
    deactivate(driver);
    driver = null;
    fails("an exchange that was pending when the driver was deactivated", pending);
    fails("an exchange after the driver was deactivated", way.exchange());
    atOnce("close() after the driver was deactivated", closing(way));
    peer.resume();
  }

  // What is left behind.

  @Test
  void closingLeavesNoSocketBehind() throws Exception {
    Way first = open();
    first.proves();
    close(first.connection);
    // What the driver opens once and keeps until it is deactivated, such as a selector, is there
    // now.
    LeakDetector.Mark mark = LeakDetector.mark();
    for (int cycle = 0; cycle < 5; cycle++) {
      Way way = open();
      way.proves();
      if (cycle % 2 == 0) {
        peer.hold();
        way.exchange();
        cancelsOpening();
      }
      close(way.connection);
      peer.resume();
    }
    mark.none(false, patience());
  }

  /** What the core does when opening takes too long, or when a device is no longer wanted. */
  private void cancelsOpening() {
    CompletableFuture<Connection> opening =
        ask("open()", () -> driver.open(peer.device(), new RecordingSink()));
    if (!opening.cancel(true)) {
      close(opening.join());
    }
  }

  @Test
  void deactivationLeavesNothingBehind() throws Exception {
    isUsedAndDeactivated();
    before.none(true, patience());
  }

  private void isUsedAndDeactivated() throws Exception {
    Way idle = open();
    idle.proves();
    close(idle.connection);
    Way busy = open();
    peer.hold();
    CompletableFuture<?> pending = busy.exchange();
    deactivate(driver);
    driver = null;
    fails("an exchange that was pending when the driver was deactivated", pending);
    peer.resume();
    opened.clear();
  }

  // Several devices.

  @Test
  void aSilentDeviceHoldsUpNoneOfAnotherLane() throws Exception {
    Peer other = newPeer();
    assertThat(driver.lane(other.device()))
        .as("the lane of %s, which differs from that of another", other.device().endpoint())
        .isNotEqualTo(driver.lane(peer.device()));
    Way silent = open();
    Way answering = open(other.device(), other.values());
    peer.hold();
    CompletableFuture<?> pending = silent.exchange();
    answering.proves(other);
    assertThat(pending).as("the exchange with a device that is silent").isNotDone();
    peer.resume();
  }

  @TestFactory
  Stream<DynamicTest> devicesOfOneLaneTakeTurns() {
    return when(
        !peer.neighbours().isEmpty(),
        "in any order, and the others go on when one is closed",
        () -> {
          List<Way> ways = new ArrayList<>(List.of(open()));
          for (Map.Entry<Device, Map<Point, Value>> other : peer.neighbours().entrySet()) {
            assertThat(driver.lane(other.getKey()))
                .as("the lane of %s, the same as its neighbour's", other.getKey().endpoint())
                .isEqualTo(driver.lane(peer.device()));
            ways.add(open(other.getKey(), other.getValue()));
          }
          Random random = random();
          for (int turn = 0; turn < 20; turn++) {
            ways.get(random.nextInt(ways.size())).proves();
          }
          close(ways.remove(0).connection);
          for (Way way : ways) {
            way.proves();
          }
        });
  }

  // Looking around.

  @TestFactory
  Stream<DynamicTest> browsingKeepsItsBounds() throws Exception {
    return when(
        can(Browsable.class),
        "the limit, and where it begins",
        () -> {
          Way way = open();
          Browsable browsable = (Browsable) way.connection;
          List<Browsable.Found> found = answer("browse(\"\", 1)", browse(browsable, "", 1));
          assertThat(found)
              .as("what browse(\"\", 1) finds: one at most")
              .hasSizeLessThanOrEqualTo(1)
              .doesNotContainNull();
          for (Browsable.Found one : found) {
            assertThat(one.address()).as("address of what was found").isNotBlank();
            List<Browsable.Found> below =
                answer(
                    "browse() from " + one.address() + ", which an earlier one found,",
                    browse(browsable, one.address(), 1));
            assertThat(below)
                .as("what browse() finds from there: one at most")
                .hasSizeLessThanOrEqualTo(1)
                .doesNotContainNull();
          }
          CompletableFuture<List<Browsable.Found>> unknown =
              browse(browsable, "no such place ☃", 5);
          if (answered(unknown)) {
            assertThat(unknown.join())
                .as("what browse() finds from a place that it never told: nothing, or it fails")
                .isEmpty();
          }
          CompletableFuture<List<Browsable.Found>> all = browse(browsable, "", 1000);
          try {
            assertThat(all.get(1, TimeUnit.SECONDS))
                .as("what browse(\"\", 1000) finds, each place once")
                .hasSizeLessThanOrEqualTo(1000)
                .extracting(Browsable.Found::address)
                .doesNotHaveDuplicates();
          } catch (TimeoutException longer) {
            all.cancel(true);
          }
          provesSoon(way);
        });
  }

  /** At the latest the third time: a device may still be busy with many questions given up. */
  private void provesSoon(Way way) throws Exception {
    for (int attempt = 0; attempt < 2; attempt++) {
      try {
        way.proves();
        return;
      } catch (AssertionError busy) {
        // Once more.
      }
    }
    way.proves();
  }

  private CompletableFuture<List<Browsable.Found>> browse(
      Browsable browsable, String from, int limit) {
    return ask("browse()", () -> browsable.browse(from, limit));
  }

  /** Whether it is answered; if not, it has failed. */
  private boolean answered(CompletableFuture<?> stage) throws Exception {
    try {
      get(stage, patience());
      return true;
    } catch (ExecutionException failed) {
      return false;
    } catch (TimeoutException silent) {
      return fail(
          "An exchange was neither answered nor failed within " + patience().toSeconds() + " s");
    }
  }

  // What a device sends by itself.

  @TestFactory
  Stream<DynamicTest> whatADeviceTellsArrives() throws Exception {
    return whenSubscribable(
        "each point that was subscribed to",
        () -> {
          Way way = open();
          way.subscribes(points(way.shown));
          for (Map.Entry<Point, Value> told : way.shown.entrySet()) {
            peer.tell(told.getKey(), told.getValue());
            way.hears(told.getKey(), told.getValue());
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> aPointThatIsRefusedIsToldOnce() throws Exception {
    return when(
        can(Subscribable.class) && !peer.refused().isEmpty(),
        "as a sample of bad quality",
        () -> {
          Way way = open();
          List<Point> points = new ArrayList<>(peer.refused());
          points.addAll(way.shown.keySet());
          way.subscribes(points);
          for (Point refused : peer.refused()) {
            within(
                "a sample of bad quality of the point " + refused.id() + ", which is refused",
                () -> way.heard(refused).stream().anyMatch(sample -> sample.quality().bad()));
          }
          for (Map.Entry<Point, Value> told : way.shown.entrySet()) {
            peer.tell(told.getKey(), told.getValue());
            way.hears(told.getKey(), told.getValue());
          }
          for (Point refused : peer.refused()) {
            assertThat(way.heard(refused))
                .as("samples of the point %s, which is refused: one, and bad", refused.id())
                .hasSize(1)
                .allMatch(sample -> sample.quality().bad());
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> anotherSubscriptionTakesThePlaceOfTheFirst() throws Exception {
    return whenSubscribable(
        "points that are no longer wanted fall silent",
        () -> {
          Way way = open();
          List<Point> points = points(way.shown);
          Point first = points.get(0);
          Point second = points.get(1);
          way.subscribes(List.of(first));
          peer.tell(first, way.shown.get(first));
          way.hears(first, way.shown.get(first));
          way.subscribes(List.of(second));
          int before = way.heard(first).size();
          for (int i = 0; i < CHANCES; i++) {
            peer.tell(first, way.shown.get(first));
            way.hearsOnceMore(peer, second);
          }
          assertThat(way.heard(first))
              .as("samples of %s, which the second subscription doesn't name", first.id())
              .hasSize(before);
        });
  }

  @TestFactory
  Stream<DynamicTest> nothingIsHeardAfterClose() throws Exception {
    return whenSubscribable(
        "though the device tells more",
        () -> {
          Way closed = open();
          closed.subscribes(points(closed.shown));
          Point point = points(closed.shown).get(0);
          peer.tell(point, closed.shown.get(point));
          closed.hears(point, closed.shown.get(point));
          close(closed.connection);
          int before = closed.sink.samples().size();
          Way other = open();
          other.subscribes(points(other.shown));
          for (int i = 0; i < CHANCES; i++) {
            other.hearsOnceMore(peer, point);
          }
          assertThat(closed.sink.samples())
              .as("samples in the sink of a connection that was closed")
              .hasSize(before);
        });
  }

  @TestFactory
  Stream<DynamicTest> aSinkThatFailsOrIsSlowIsSurvived() throws Exception {
    return whenSubscribable(
        "and what comes after arrives",
        () -> {
          Way way = open();
          way.subscribes(points(way.shown));
          Point first = points(way.shown).get(0);
          Point second = points(way.shown).get(1);
          way.sink.answer(() -> CompletableFuture.failedFuture(new IllegalStateException("full")));
          peer.tell(first, way.shown.get(first));
          way.hears(first, way.shown.get(first));
          List<CompletableFuture<Void>> slow = new ArrayList<>();
          way.sink.answer(
              () -> {
                CompletableFuture<Void> stage = new CompletableFuture<>();
                synchronized (slow) {
                  slow.add(stage);
                }
                return stage;
              });
          for (int i = 0; i < 5; i++) {
            peer.tell(first, way.shown.get(first));
          }
          within("anything that the device told", () -> !copy(slow).isEmpty());
          way.sink.answer(() -> CompletableFuture.completedFuture(null));
          copy(slow).forEach(stage -> stage.complete(null));
          int before = way.heard(second).size();
          peer.tell(second, way.shown.get(second));
          within(
              "what the device told after its sink had failed and been slow",
              () -> {
                copy(slow).forEach(stage -> stage.complete(null));
                return way.heard(second).size() > before;
              });
        });
  }

  private static <T> List<T> copy(List<T> list) {
    synchronized (list) {
      return List.copyOf(list);
    }
  }

  @TestFactory
  Stream<DynamicTest> aLinkThatIsLostIsToldToTheSink() throws Exception {
    return whenSubscribable(
        "so that the core opens another",
        () -> {
          Way way = open();
          way.subscribes(points(way.shown));
          peer.stop();
          within("lost() of the sink", () -> !way.sink.lost().isEmpty());
          close(way.connection);
          peer.start();
          open().proves();
        });
  }

  // What a device remembers.

  @TestFactory
  Stream<DynamicTest> aSubscriptionIsCompleteSinceWhenItSays() throws Exception {
    return when(
        can(Continuous.class),
        peer.keeps() ? "what the device kept comes" : "the device has forgotten it",
        () -> {
          Instant begun = Instant.now();
          Way way = open();
          List<Point> points = points(way.shown);
          way.subscribes(points);
          assertThat(complete(way))
              .as("completeSince() after the first subscription: null, or not before that")
              .satisfiesAnyOf(
                  since -> assertThat(since).isNull(),
                  since -> assertThat(since).isAfterOrEqualTo(begun));
          peer.tell(points.get(0), way.shown.get(points.get(0)));
          way.hears(points.get(0), way.shown.get(points.get(0)));
          Instant away = Instant.now();
          peer.stop();
          within("lost() of the sink", () -> !way.sink.lost().isEmpty());
          // Until then the driver may have heard it.
          Instant gone = Instant.now();
          if (peer.keeps()) {
            for (Point point : points) {
              peer.tell(point, way.shown.get(point));
            }
          }
          close(way.connection);
          peer.start();
          Way again = open();
          again.subscribes(points);
          if (!peer.keeps()) {
            assertThat(complete(again))
                .as(
                    "completeSince() when the device has forgotten the subscription: null, or later")
                .satisfiesAnyOf(
                    since -> assertThat(since).isNull(), since -> assertThat(since).isAfter(away));
            return;
          }
          assertThat(complete(again))
              .as("completeSince() when the device has kept the subscription: before it was away")
              .isNotNull()
              .isBeforeOrEqualTo(gone);
          for (Point point : points) {
            again.hears(point, again.shown.get(point));
          }
        });
  }

  private Instant complete(Way way) {
    return atOnce("completeSince()", ((Continuous) way.connection)::completeSince);
  }

  @TestFactory
  Stream<DynamicTest> historyIsWholeAndWithinItsSpan() throws Exception {
    return whenHistorical(
        "page by page, both ends included",
        () -> {
          Way way = open();
          List<Instant> times =
              peer.history().values().stream()
                  .flatMap(List::stream)
                  .map(Sample::deviceTime)
                  .distinct()
                  .sorted()
                  .toList();
          int last = times.size() - 1;
          keptWithin(way, times.get(0), times.get(last));
          keptWithin(way, times.get(1), times.get(Math.max(1, last - 1)));
          keptWithin(way, times.get(0), times.get(0));
          keptWithin(way, times.get(last).plusSeconds(60), times.get(last).plusSeconds(120));
        });
  }

  private void keptWithin(Way way, Instant from, Instant to) {
    Map<String, List<Sample>> expected = new HashMap<>();
    peer.history()
        .forEach(
            (point, samples) ->
                expected.put(
                    point.id(),
                    samples.stream()
                        .filter(sample -> !sample.deviceTime().isBefore(from))
                        .filter(sample -> !sample.deviceTime().isAfter(to))
                        .toList()));
    Map<String, List<Sample>> kept = new HashMap<>();
    Set<String> without = new HashSet<>();
    String next = "";
    for (int page = 0; page == 0 || !next.isEmpty(); page++) {
      assertThat(page).as("pages of a history that has an end").isLessThan(MOST_PAGES);
      Historical.Page found =
          answer("page \"" + next + "\" of a history", history(way, from, to, next));
      assertThat(found).as("page of a history").isNotNull();
      for (Sample sample : found.samples()) {
        kept.computeIfAbsent(sample.point(), point -> new ArrayList<>()).add(sample);
      }
      without.addAll(found.without());
      next = found.next();
    }
    expected.forEach(
        (point, samples) ->
            assertThat(kept.getOrDefault(point, List.of()))
                .as("what the device kept of %s from %s to %s, both included", point, from, to)
                .isEqualTo(samples));
    assertThat(expected.keySet()).as("points of a history").containsAll(kept.keySet());
    assertThat(without)
        .as("points without a history: those of which the device keeps nothing")
        .containsExactlyInAnyOrderElementsOf(
            way.shown.keySet().stream()
                .map(Point::id)
                .filter(point -> !expected.containsKey(point))
                .toList());
  }

  @TestFactory
  Stream<DynamicTest> aPageOfHistoryMayBeAskedForAgain() throws Exception {
    return whenHistorical(
        "and is the same",
        () -> {
          Way way = open();
          Instant from = Instant.EPOCH;
          Instant to = Instant.now().plusSeconds(86_400);
          Historical.Page first = answer("the first page", history(way, from, to, ""));
          assertThat(answer("the first page again", history(way, from, to, "")).samples())
              .as("samples of the first page, asked for again")
              .isEqualTo(first.samples());
        });
  }

  @TestFactory
  Stream<DynamicTest> aHistoryThatIsPendingEndsWithItsConnection() throws Exception {
    return whenHistorical(
        "and doesn't block",
        () -> {
          Way way = open();
          peer.hold();
          CompletableFuture<?> pending = history(way, Instant.EPOCH, Instant.now(), "");
          unanswered(pending);
          close(way.connection);
          fails("a history that was pending when the connection was closed", pending);
          peer.resume();
          open().proves();
        });
  }

  /** Of all that the peer shows, and all that it keeps. */
  private CompletableFuture<Historical.Page> history(
      Way way, Instant from, Instant to, String next) {
    List<Point> points = new ArrayList<>(way.shown.keySet());
    peer.history().keySet().stream().filter(p -> !points.contains(p)).forEach(points::add);
    return ask("history()", () -> ((Historical) way.connection).history(points, from, to, next));
  }

  private Stream<DynamicTest> whenHistorical(String name, Case body) throws Exception {
    return when(!peer.history().isEmpty() && can(Historical.class), name, body);
  }

  private Stream<DynamicTest> whenSubscribable(String name, Case body) throws Exception {
    return when(can(Subscribable.class), name, body);
  }

  // Hostile answers.

  @TestFactory
  Stream<DynamicTest> aHostileAnswerHarmsNoMoreThanItsExchange() throws Exception {
    Relay offered = peer.relay();
    if (offered == null) {
      return Stream.empty();
    }
    boolean connects = offered.connects();
    offered.close();
    return Stream.of(Damage.values())
        .filter(damage -> connects || !damage.connects())
        .map(
            damage ->
                DynamicTest.dynamicTest(damage.toString(), () -> limited(() -> suffers(damage))));
  }

  private void suffers(Damage damage) throws Exception {
    long seed = seed();
    String story = damage + " (-D" + SEED + "=" + seed + " draws the same again)";
    try (Relay relay = peer.relay()) {
      Way way = open(relay.device(), peer.values());
      way.proves();
      long held = held();
      relay.treat(damage, new Random(seed));
      for (int round = 0; round < damage.rounds(); round++) {
        if (way == null) {
          way = reopened(relay, story);
        }
        if (way != null && !suffered(way, damage, relay, held, story)) {
          close(way.connection);
          way = null;
        }
      }
      relay.treat(null, new Random(seed));
      if (way != null) {
        close(way.connection);
      }
      recovers(relay, story);
    }
  }

  /** A connection made while answers are damaged, which may fail. */
  private Way reopened(Relay relay, String story) throws Exception {
    RecordingSink sink = new RecordingSink();
    CompletableFuture<Connection> opening =
        ask("open() with " + story, () -> driver.open(relay.device(), sink));
    opening.whenComplete((connection, failure) -> opened(connection));
    try {
      Connection connection = get(opening, moment());
      return new Way(relay.device(), peer.values(), connection, sink);
    } catch (ExecutionException failed) {
      return null;
    } catch (TimeoutException late) {
      opening.cancel(true);
      return null;
    }
  }

  private void opened(Connection connection) {
    if (connection != null) {
      opened.add(connection);
    }
  }

  /** One exchange with a damaged answer; returns whether the connection is as good as before. */
  private boolean suffered(Way way, Damage damage, Relay relay, long held, String story)
      throws Exception {
    CompletableFuture<?> exchange = way.exchange();
    if (damage.endless()) {
      floods(relay, held, story);
    }
    Duration patience = damage.harmless() ? patience() : deadline();
    Object answer = null;
    try {
      answer = get(exchange, patience);
    } catch (ExecutionException failed) {
      assertThat(damage.harmless())
          .as("an exchange after %s failed with %s; the answer is whole", story, failed.getCause())
          .isFalse();
      return false;
    } catch (TimeoutException silent) {
      assertThat(damage.harmless())
          .as("an exchange after %s wasn't answered; the answer is whole", story)
          .isFalse();
      exchange.cancel(true);
      return false;
    }
    if (way.plan == null && way.connection instanceof Subscribable) {
      tells(way);
    }
    List<Sample> samples = way.plan == null ? way.sink.samples() : samples(answer);
    if (damage.harmless() && way.plan != null) {
      assertThat(values(samples, peer.values().keySet()))
          .as("what was read after " + story)
          .isEqualTo(named(peer.values()));
    }
    if (peer.checksummed() && damage.shows()) {
      noneWrong(samples, story);
    }
    return true;
  }

  /** Lets the device tell something, damaged too, and waits a little for what becomes of it. */
  private void tells(Way way) throws Exception {
    int before = way.sink.samples().size();
    Map.Entry<Point, Value> told = way.shown.entrySet().iterator().next();
    peer.tell(told.getKey(), told.getValue());
    long start = System.nanoTime();
    while (way.sink.samples().size() == before
        && System.nanoTime() - start < deadline().toNanos()) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
  }

  @SuppressWarnings("unchecked")
  private static List<Sample> samples(Object answer) {
    return (List<Sample>) answer;
  }

  /** The protocol has a check sum: what it can't vouch for isn't good. */
  private void noneWrong(List<Sample> samples, String story) {
    Map<String, Value> right = named(peer.values());
    for (Sample sample : samples) {
      if (sample != null && sample.quality().good() && right.containsKey(sample.point())) {
        assertThat(sample.value())
            .as(
                "value of %s, given as good after %s; the check sum tells that it is damaged",
                sample.point(), story)
            .isEqualTo(right.get(sample.point()));
      }
    }
  }

  private void floods(Relay relay, long held, String story) {
    long passed = -1;
    int still = 0;
    // Ends when all is sent, when the driver has taken no more for a while, or after some time.
    for (long left = slices(FLOOD);
        left > 0 && relay.passed() < relay.endless() && still < slices(STILL);
        left--) {
      still = relay.passed() == passed ? still + 1 : 0;
      passed = relay.passed();
      LockSupport.parkNanos(SLICE.toNanos());
    }
    // What is held stays held; what the driver is just throwing away is gone at another look.
    long more = held() - held;
    for (int look = 1; look < LOOKS && more >= MOST_HELD; look++) {
      more = Math.min(more, held() - held);
    }
    assertThat(more)
        .as(
            "bytes held after %s: %d came; at most %d may be kept",
            story, relay.passed(), MOST_HELD)
        .isLessThan(MOST_HELD);
  }

  /** What the process holds, on the heap and beside it. */
  private static long held() {
    System.gc();
    long buffers =
        ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .filter(pool -> pool.getName().equals("direct"))
            .mapToLong(BufferPoolMXBean::getMemoryUsed)
            .sum();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() + buffers;
  }

  /**
   * A fresh connection is as good as new, sooner or later: the core tries on, too. At once it
   * needn't be: what a damaged answer said may hold for as long as the driver has to believe it.
   */
  private void recovers(Relay relay, String story) throws Exception {
    long end = System.nanoTime() + 4 * patience().toNanos();
    AssertionError last = null;
    do {
      Way way = reopened(relay, story);
      if (way != null) {
        try {
          way.proves();
          return;
        } catch (AssertionError unusable) {
          last = unusable;
        }
        close(way.connection);
      }
      LockSupport.parkNanos(patience().toNanos() / 100);
    } while (System.nanoTime() - end < 0);
    throw new AssertionError(
        "A fresh connection is not usable after " + story + (last == null ? "" : ": " + last),
        last);
  }

  private long seed() {
    return Long.getLong(SEED, System.nanoTime());
  }

  private Random random() {
    return new Random(seed());
  }

  // How it is done.

  private interface Case {
    void run() throws Exception;
  }

  /** A case that applies, or none. */
  private static Stream<DynamicTest> when(boolean applies, String name, Case body) {
    return applies ? Stream.of(DynamicTest.dynamicTest(name, () -> limited(body))) : Stream.empty();
  }

  private static void limited(Case body) {
    Assertions.assertTimeoutPreemptively(LIMIT, body::run);
  }

  /** A connection in use. */
  private final class Way {
    final Device device;
    final Map<Point, Value> shown;
    final Connection connection;
    final RecordingSink sink;
    final Readable.Plan plan;

    Way(Device device, Map<Point, Value> shown, Connection connection, RecordingSink sink) {
      this.device = device;
      this.shown = shown;
      this.connection = connection;
      this.sink = sink;
      this.plan =
          connection instanceof Readable && !shown.isEmpty() ? prepare(points(shown)) : null;
    }

    Readable.Plan prepare(List<Point> points) {
      Readable.Plan prepared =
          atOnce("prepare()", () -> ((Readable) connection).prepare(List.copyOf(points)));
      assertThat(prepared).as("what prepare() returns").isNotNull();
      return prepared;
    }

    CompletableFuture<List<Sample>> read(Readable.Plan plan) {
      return ask("read()", plan::read);
    }

    CompletableFuture<List<Sample>> read() {
      return read(plan);
    }

    CompletableFuture<Quality> write(Point point, Value value) {
      return ask("write()", () -> ((Writable) connection).write(point, value));
    }

    CompletableFuture<Void> subscribe(List<Point> points) {
      return ask("subscribe()", () -> ((Subscribable) connection).subscribe(points));
    }

    void subscribes(List<Point> points) {
      answer("a subscription", subscribe(points));
    }

    List<Sample> heard(Point point) {
      return sink.samples().stream()
          .filter(sample -> sample != null && sample.point().equals(point.id()))
          .toList();
    }

    void hears(Point point, Value value) {
      Sample expected = Sample.good(point.id(), value);
      within(
          "what the device told of " + point.id() + ", " + value + ",",
          () ->
              heard(point).stream()
                  .map(sample -> new Sample(sample.point(), sample.value(), sample.quality(), null))
                  .anyMatch(expected::equals));
    }

    /**
     * The device tells what it shows of a point, and that is heard, however often it was before.
     */
    void hearsOnceMore(Peer by, Point point) throws Exception {
      int before = heard(point).size();
      by.tell(point, shown.get(point));
      within("what the device told of " + point.id(), () -> heard(point).size() > before);
      hears(point, shown.get(point));
    }

    /** Starts whatever the connection can. */
    CompletableFuture<?> exchange() {
      if (plan != null) {
        return read();
      }
      if (connection instanceof Subscribable) {
        return subscribe(points(shown));
      }
      if (connection instanceof Writable && !peer.writes().isEmpty()) {
        Map.Entry<Point, List<Value>> write = peer.writes().entrySet().iterator().next();
        return write(write.getKey(), write.getValue().get(0));
      }
      return fail("The connection is neither Readable nor Subscribable nor Writable");
    }

    /** An exchange that is answered, and rightly. */
    void proves() throws Exception {
      proves(peer);
    }

    void proves(Peer by) throws Exception {
      Object answer = answer("an exchange with " + device.endpoint(), exchange());
      if (plan != null) {
        assertThat(values(samples(answer), shown.keySet()))
            .as("what was read")
            .isEqualTo(named(shown));
      } else if (connection instanceof Subscribable) {
        hearsOnceMore(by, shown.keySet().iterator().next());
      } else {
        assertThat(answer).as("verdict on a write").isEqualTo(Quality.GOOD);
      }
    }
  }

  private Way open() throws Exception {
    return open(peer.device(), peer.values());
  }

  private Way open(Device device, Map<Point, Value> shown) {
    RecordingSink sink = new RecordingSink();
    Connection connection =
        answer("open() of " + device.endpoint(), ask("open()", () -> driver.open(device, sink)));
    assertThat(connection).as("what open() gives").isNotNull();
    opened(connection);
    return new Way(device, shown, connection, sink);
  }

  /** Whether the connections of the driver can something. */
  private boolean can(Class<? extends Connection> what) {
    Connection connection = open(peer.device(), Map.of()).connection;
    close(connection);
    return what.isInstance(connection);
  }

  private Callable<Void> closing(Connection connection) {
    opened.remove(connection);
    return () -> {
      connection.close();
      return null;
    };
  }

  private Callable<Void> closing(Way way) {
    return closing(way.connection);
  }

  private void close(Connection connection) {
    if (connection != null) {
      atOnce("close()", closing(connection));
    }
  }

  private List<Point> points() {
    List<Point> points = new ArrayList<>(peer.values().keySet());
    points.addAll(peer.refused());
    peer.writes().keySet().stream().filter(point -> !points.contains(point)).forEach(points::add);
    return points;
  }

  private static List<Point> points(Map<Point, Value> shown) {
    return List.copyOf(shown.keySet());
  }

  private static Map<String, Value> named(Map<Point, Value> shown) {
    return shown.entrySet().stream()
        .collect(Collectors.toMap(entry -> entry.getKey().id(), Map.Entry::getValue));
  }

  /** Of the points named; what else may be wrong with the samples is another case's affair. */
  private static Map<String, Value> values(List<Sample> samples, Collection<Point> points) {
    Set<String> names = points.stream().map(Point::id).collect(Collectors.toSet());
    Map<String, Value> values = new HashMap<>();
    samples.stream()
        .filter(sample -> sample != null && names.contains(sample.point()))
        .forEach(sample -> values.put(sample.point(), sample.value()));
    return values;
  }

  /** Makes a call that must not block, in a thread of its own. */
  private <T> T atOnce(String what, Callable<T> call) {
    FutureTask<T> task = new FutureTask<>(call);
    Thread caller = new Thread(task, "junit-caller");
    caller.setDaemon(true);
    caller.start();
    try {
      return get(task, moment());
    } catch (ExecutionException thrown) {
      throw new AssertionError(
          what + " threw " + thrown.getCause() + "; a call must not throw, its stage may fail",
          thrown.getCause());
    } catch (TimeoutException blocked) {
      AssertionError error =
          new AssertionError(
              what
                  + " has not returned after "
                  + moment().toMillis()
                  + " ms; no call may block. It stands at");
      error.setStackTrace(caller.getStackTrace());
      throw error;
    } catch (InterruptedException limit) {
      Thread.currentThread().interrupt();
      throw new AssertionError(what + " was interrupted", limit);
    }
  }

  private <T> CompletableFuture<T> ask(String what, Callable<CompletionStage<T>> call) {
    CompletionStage<T> stage = atOnce(what, call);
    assertThat(stage).as("the stage that " + what + " returns").isNotNull();
    return stage.toCompletableFuture();
  }

  private <T> T answer(String what, CompletableFuture<T> stage) {
    try {
      return get(stage, patience());
    } catch (ExecutionException | CancellationException failed) {
      throw new AssertionError(what + " failed: " + failed.getCause(), failed);
    } catch (TimeoutException silent) {
      throw new AssertionError(what + " was not answered within " + patience().toSeconds() + " s");
    } catch (InterruptedException limit) {
      Thread.currentThread().interrupt();
      throw new AssertionError(what + " was interrupted", limit);
    }
  }

  private void fails(String what, CompletableFuture<?> stage) throws Exception {
    try {
      Object answer = get(stage, patience());
      fail(what + " must fail, and was answered with " + answer);
    } catch (ExecutionException | CancellationException failed) {
      // As it must.
    } catch (TimeoutException silent) {
      fail(what + " must fail, and was still pending after " + patience().toSeconds() + " s");
    }
  }

  /** Gives the exchange a little time, in which nobody answers. */
  private static void unanswered(CompletableFuture<?> stage) throws Exception {
    try {
      Object answer = stage.get(50, TimeUnit.MILLISECONDS);
      fail("A device that holds its answers back can't have answered with " + answer);
    } catch (ExecutionException failed) {
      fail("An exchange failed though the device is there and only slow: " + failed.getCause());
    } catch (TimeoutException pending) {
      // As it should be.
    }
  }

  private void within(String what, BooleanSupplier happens) {
    Duration step = Duration.ofMillis(2);
    for (long left = patience().dividedBy(step); !happens.getAsBoolean(); left--) {
      if (left == 0) {
        fail(what + " did not come within " + patience().toSeconds() + " s");
      }
      LockSupport.parkNanos(step.toNanos());
    }
  }

  private static long slices(Duration time) {
    return time.dividedBy(SLICE);
  }

  /** What comes of it within so many slices. */
  private static <T> T get(Future<T> asked, Duration limit)
      throws InterruptedException, ExecutionException, TimeoutException {
    for (long left = slices(limit); left > 1; left--) {
      try {
        return asked.get(SLICE.toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException notYet) {
        // There are more.
      }
    }
    return asked.get(SLICE.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Does the same in several threads at once. */
  private void together(String what, Case body) throws Exception {
    CountDownLatch start = new CountDownLatch(1);
    List<FutureTask<Void>> tasks = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      FutureTask<Void> task =
          new FutureTask<>(
              () -> {
                start.await();
                body.run();
                return null;
              });
      tasks.add(task);
      Thread thread = new Thread(task, "junit-caller-" + i);
      thread.setDaemon(true);
      thread.start();
    }
    start.countDown();
    for (FutureTask<Void> task : tasks) {
      try {
        get(task, patience());
      } catch (ExecutionException thrown) {
        throw new AssertionError(what + " failed: " + thrown.getCause(), thrown.getCause());
      } catch (TimeoutException blocked) {
        fail(what + " have not returned after " + patience().toSeconds() + " s");
      }
    }
  }

  private static String stack(Throwable death) {
    return death
        + Stream.of(death.getStackTrace())
            .limit(8)
            .map(frame -> System.lineSeparator() + "    at " + frame)
            .collect(Collectors.joining());
  }

  private static String shortened(String text) {
    return text.length() < 20 ? "\"" + text + "\"" : text.length() + " times \"a\"";
  }
}
