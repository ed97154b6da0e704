package io.culvert.core.run;

import io.culvert.api.Sample;
import io.culvert.api.StreamClass;
import io.culvert.api.southbound.Sink;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * What the driver gets as its sink: leads nowhere once the connection is shut, and lets no flood
 * through to the loop, which carries all other devices too.
 */
final class SinkGate implements Sink {
  private static final long SECOND = 1_000_000_000L;

  private final Loop loop;
  private final Caller caller;
  private final Conduct conduct;
  private final String device;
  private final AtomicBoolean told = new AtomicBoolean();

  /** Samples that were refused here, without asking the loop. */
  private final LongAdder turnedAway = new LongAdder();

  /** What is missing at the source, on its way to the loop; one entry a class, so bounded. */
  private final Map<StreamClass, Absent> absent = new EnumMap<>(StreamClass.class);

  private volatile Intake intake;
  private volatile Consumer<String> lost;

  /** Whether the driver is in quarantine, where nothing of it is called. */
  private volatile boolean cut;

  /** When the second began whose hand-overs are counted; 0 before the first. */
  private long second;

  private long offered;
  private long offeredBytes;
  private int pushedBack;

  /** The last one; {@code null} before any. */
  private volatile Flood flood;

  /**
   * A second in which there was too much.
   *
   * @param end of it: until then all is turned away, without being looked at
   * @param answer to all of it
   */
  private record Flood(long end, CompletionStage<Void> answer) {}

  /**
   * @param lost told on the loop, once, that the link is gone
   */
  SinkGate(Loop loop, Served served, String device, Intake intake, Consumer<String> lost) {
    this.loop = loop;
    this.caller = served.caller();
    this.conduct = served.conduct();
    this.device = device;
    this.intake = intake;
    this.lost = lost;
  }

  @Override
  public CompletionStage<Void> accept(List<Sample> samples) {
    Intake present = intake;
    if (present == null) {
      return refused("The connection is closed");
    }
    if (conduct.heard(this)) {
      return refused("Nothing is taken from the core's own thread");
    }
    int size = samples.size();
    Flood over = flood;
    if (over != null && loop.nanos() - over.end() < 0) {
      turnAway(Math.min(size, Conduct.AT_ONCE));
      return over.answer();
    }
    if (size > Conduct.AT_ONCE) {
      return flood(Conduct.AT_ONCE, size + " samples at once", Conduct.AT_ONCE);
    }
    List<Sample> copy = List.copyOf(samples);
    long bytes = conduct.handed(copy);
    if (bytes > Conduct.BYTES_AT_ONCE) {
      return flood(copy.size(), bytes + " bytes at once", Conduct.BYTES_AT_ONCE);
    }
    CompletionStage<Void> tooMuch = count(copy.size(), bytes, present.full());
    if (tooMuch != null) {
      return tooMuch;
    }
    // The driver's continuations run on its own threads, not on ours.
    CompletableFuture<Void> accepted = new CompletableFuture<>();
    present.push(
        copy,
        loop.now(),
        problem -> {
          if (problem == null) {
            conduct.good();
          } else {
            conduct.refused(copy.size());
          }
          conduct.errand(
              caller,
              "what follows on a hand-over",
              device,
              () -> {
                if (cut) {
                  return;
                }
                if (problem == null) {
                  accepted.complete(null);
                } else {
                  accepted.completeExceptionally(new RejectedExecutionException(problem));
                }
              });
        });
    return accepted;
  }

  /**
   * Counts what comes within a second.
   *
   * @return {@code null} if it isn't too much
   */
  private synchronized CompletionStage<Void> count(int samples, long bytes, boolean full) {
    long now = loop.nanos();
    if (second == 0 || now - second >= SECOND) {
      second = now;
      offered = 0;
      offeredBytes = 0;
      pushedBack = 0;
    }
    offered += samples;
    offeredBytes += bytes;
    pushedBack += full ? 1 : 0;
    CompletionStage<Void> answer = null;
    if (offered > Conduct.A_SECOND) {
      answer = flood(samples, offered + " samples in a second", Conduct.A_SECOND);
    } else if (offeredBytes > Conduct.BYTES_A_SECOND) {
      answer = flood(samples, offeredBytes + " bytes in a second", Conduct.BYTES_A_SECOND);
    } else if (pushedBack > Conduct.PUSHED_BACK) {
      answer =
          flood(
              samples,
              pushedBack + " hand-overs in a second although the sink is full",
              Conduct.PUSHED_BACK);
    }
    if (answer != null) {
      flood = new Flood(second + SECOND, answer);
    }
    return answer;
  }

  private CompletionStage<Void> flood(int samples, String what, long most) {
    turnAway(samples);
    conduct.accuse("it floods: " + what + " for " + device + "; expected at most " + most);
    return refused("Too much: " + what + "; expected at most " + most);
  }

  private void turnAway(int samples) {
    turnedAway.add(samples);
    conduct.refused(samples);
  }

  private static CompletionStage<Void> refused(String why) {
    return CompletableFuture.failedStage(new Refusal(why));
  }

  /** Without a stack, which would cost a flood's victim more than the flood. */
  private static final class Refusal extends RejectedExecutionException {
    private static final long serialVersionUID = 1;

    Refusal(String why) {
      super(why);
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
      return this;
    }
  }

  @Override
  public void missing(String point, Instant from, Instant to, long readings, String why) {
    Intake present = intake;
    if (present == null || conduct.heard(this)) {
      return;
    }
    StreamClass streamClass = present.classOf(point);
    if (streamClass == null) {
      conduct.refused(1);
      return;
    }
    count(1, why.length(), false);
    Instant start = Absent.within(from);
    Instant end = Absent.within(to);
    Absent one =
        new Absent(
            start,
            end.isBefore(start) ? start : end,
            Math.max(1, Math.min(readings, Absent.MOST)),
            point,
            false,
            why.length() > Absent.LONGEST_WHY ? why.substring(0, Absent.LONGEST_WHY) + "…" : why);
    boolean first;
    synchronized (absent) {
      first = absent.isEmpty();
      absent.merge(streamClass, one, Absent::and);
    }
    if (first) {
      loop.execute(() -> tellAbsent(present));
    }
  }

  private void tellAbsent(Intake present) {
    Map<StreamClass, Absent> all;
    synchronized (absent) {
      all = new EnumMap<>(absent);
      absent.clear();
    }
    all.forEach(
        (streamClass, a) ->
            present.missing(streamClass, a.from(), a.to(), a.readings(), a.words()));
  }

  /**
   * Readings of one class that the device had and can't give any more.
   *
   * @param point the first of them
   * @param others whether there are more points
   */
  private record Absent(
      Instant from, Instant to, long readings, String point, boolean others, String why) {
    /** More than any queue holds; so that sums of them stay numbers. */
    static final long MOST = 1L << 40;

    static final int LONGEST_WHY = 300;
    private static final Instant LAST = Instant.parse("9999-12-31T23:59:59Z");

    static Instant within(Instant time) {
      return time.isBefore(Instant.EPOCH) ? Instant.EPOCH : time.isAfter(LAST) ? LAST : time;
    }

    Absent and(Absent other) {
      return new Absent(
          from.isBefore(other.from) ? from : other.from,
          to.isAfter(other.to) ? to : other.to,
          Math.min(MOST, readings + other.readings),
          point,
          others || !point.equals(other.point),
          other.why);
    }

    /** The audit tells by the beginning that it is not of all points. */
    String words() {
      return Intake.ONLY + point + (others ? " and others: " : ": ") + why;
    }
  }

  @Override
  public void lost(Throwable cause) {
    // Once, however often the driver says so.
    if (!told.compareAndSet(false, true)) {
      return;
    }
    conduct.heard(this);
    String words = cause == null ? "the link is lost" : "the link is lost: " + Call.words(cause);
    loop.execute(
        () -> {
          Consumer<String> tell = lost;
          lost = null;
          if (tell != null) {
            tell.accept(words);
          }
        });
  }

  @Override
  public String toString() {
    return "the sink of " + device;
  }

  /** On the loop. */
  void shut() {
    Intake present = intake;
    intake = null;
    lost = null;
    cut = conduct.quarantine() != null;
    long away = turnedAway.sumThenReset();
    if (away > 0 && present != null) {
      present.turnedAway(away);
    }
  }
}
