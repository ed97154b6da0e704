package io.culvert.core.run;

import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.service.Drivers.DriverStatus;
import io.culvert.api.service.Drivers.Quarantine;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the drivers of one plug-in behave: what they cost, and what they do that a driver may not.
 * What a single call may do wrong harms its own device only, as {@link Call} ends it in time; here
 * is noticed what adds up to harm for others, or to a driver that is of no use.
 *
 * <p>It only notices. What follows is the {@link Warden}'s.
 */
final class Conduct {
  /**
   * Faults that count when nothing redeems them. A fault is the driver's own: it throws where it
   * should answer with a stage, answers {@code null} or what nobody asked for, or fails with an
   * {@link Error}. A device that is away is none. A single device that is tried ever more rarely
   * brings it to so many within about ten seconds, and one that can't be served among many that can
   * never does, by {@link #REDEEMS}.
   */
  static final int FAULTS = 5;

  /**
   * So many good exchanges redeem one fault: who fails in one of five by its own doing is of little
   * use, and likely to get worse.
   */
  static final int REDEEMS = 4;

  /**
   * A call that has been over for so long, and still holds its thread, will hardly give it back. A
   * driver that blocks with a timeout of its own, wrongly, mostly has a shorter one.
   */
  static final Duration STUCK = Duration.ofSeconds(10);

  /** What has been over for less is on its way back, and of no interest to people. */
  static final Duration LATE = Duration.ofSeconds(1);

  /**
   * Most threads that are given up to a driver's calls: four times what it is called on. Then it
   * isn't called again until some of them return. At 1 MiB of stack each, a small board bears them.
   */
  static final int LOST = 4 * Caller.MOST;

  /**
   * Threads that a plug-in may have beside two for each of its devices: what it is called on, a
   * pool or two as large as a library finds right for a machine of many cores, and some spare.
   */
  static final int THREADS = 64;

  /** How long there must be too many: those of a closed connection take a moment to end. */
  static final Duration TOO_LONG = Duration.ofSeconds(10);

  /**
   * TCP connections to one endpoint beside two for each of its devices: one is in use, a few may be
   * on their way out.
   */
  static final int SOCKETS = 8;

  /**
   * Threads and sockets that it doesn't give back are borne at the next try, so that it may go on
   * without them, up to so many times the bound; beyond it waits until they are fewer.
   */
  static final int GROWTH = 4;

  /** Samples in one hand-over or answer; a register map or a day of minutes has fewer. */
  static final int AT_ONCE = 10_000;

  /** Bytes of values in one hand-over or answer. Pictures don't go through the buffer. */
  static final long BYTES_AT_ONCE = 4L << 20;

  /** Samples of one device in a second: a day of minutes of 30 points that comes all at once. */
  static final int A_SECOND = 50_000;

  /** Bytes of values of one device in a second. */
  static final long BYTES_A_SECOND = 32L << 20;

  /** Hand-overs of one device in a second, after the sink was full: it doesn't hold back at all. */
  static final int PUSHED_BACK = 1_000;

  /** Answers from a thread that isn't the driver's; a few may be an accident of its library. */
  static final int ASTRAY = 3;

  /** Threads of the gateway that are never lent to a driver; those of serial lines are. */
  private static final List<String> GATEWAYS =
      List.of(
          "culvert-buffer", "culvert-mqtt", "culvert-notices", "culvert-search", "culvert-site");

  private static final Logger LOG = LoggerFactory.getLogger(Conduct.class);

  private final PlugIn plugIn;
  private final Loop loop;
  private final BiConsumer<Conduct, String> judge;
  private final long came;
  private final List<Served> served = new CopyOnWriteArrayList<>();

  private final LongAdder calls = new LongAdder();
  private final LongAdder nanos = new LongAdder();
  private final LongAdder samples = new LongAdder();
  private final LongAdder bytes = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final LongAdder errors = new LongAdder();
  private final LongAdder astray = new LongAdder();

  /** What should have given its thread back, and hasn't. */
  private final Set<Hold> held = ConcurrentHashMap.newKeySet();

  /** Of these, those whose threads were given up. */
  private final Set<Hold> lost = ConcurrentHashMap.newKeySet();

  private final AtomicBoolean accused = new AtomicBoolean();
  private volatile Quarantine quarantine;
  private volatile int devices;
  private volatile Map<Served, List<String>> warnings = Map.of();

  /** In parts of a fault; one good exchange takes one part off. */
  private int faults;

  private int threadsBorne;
  private int socketsBorne;

  /** Since when there are too many threads; {@code null} if there aren't. */
  private Long crowdedSince;

  /**
   * @param judge told on the loop, once until {@link #acquit}, what the driver did that it may not
   */
  Conduct(PlugIn plugIn, Loop loop, BiConsumer<Conduct, String> judge) {
    this.plugIn = plugIn;
    this.loop = loop;
    this.judge = judge;
    this.came = loop.nanos();
  }

  /** What holds a thread of the driver, or waits for one. Any thread. */
  interface Hold {
    String device();

    /** Whether it has its thread. */
    boolean holdsThread();

    /** Since when it has, by the loop's clock; only if it has. */
    long heldSince();

    /** When it should have given it back, by the loop's clock. */
    long overSince();
  }

  /** Something that is done on the driver's threads and takes no time, unless it takes it. */
  private record Errand(String what, String device, long heldSince) implements Hold {
    @Override
    public boolean holdsThread() {
      return true;
    }

    @Override
    public long overSince() {
      return heldSince;
    }

    @Override
    public String toString() {
      return what + " of " + device;
    }
  }

  PlugIn plugIn() {
    return plugIn;
  }

  void add(Served driver) {
    served.add(driver);
  }

  /** On the loop. */
  void remove(Served driver) {
    served.remove(driver);
    // Else it stays, and with it the class loader of a plug-in that has gone.
    warns(driver, List.of());
  }

  /** Its drivers. Any thread. */
  List<Served> served() {
    return served;
  }

  /** Takes what a driver wants a person to see to. On the loop. */
  void warns(Served driver, List<String> sentences) {
    Map<Served, List<String>> all = new HashMap<>(warnings);
    all.put(driver, sentences);
    all.keySet().retainAll(served);
    warnings = all;
  }

  /** Each once, though a driver that serves two schemes says it twice. */
  private List<String> warnings() {
    return warnings.values().stream().flatMap(List::stream).distinct().sorted().toList();
  }

  /** Whether it has no driver any more. */
  boolean gone() {
    return served.isEmpty();
  }

  /** {@code null} if it isn't in quarantine. Any thread. */
  Quarantine quarantine() {
    return quarantine;
  }

  /** On the loop. */
  void confine(Quarantine present) {
    quarantine = present;
  }

  /** One more device uses it, or one fewer. On the loop. */
  void uses(int more) {
    devices = devices + more;
  }

  // What it costs. Any thread.

  /**
   * A call gave its thread back.
   *
   * @param took in nanoseconds
   */
  void called(long took) {
    calls.increment();
    nanos.add(took);
  }

  void failed() {
    errors.increment();
  }

  void refused(long count) {
    refused.add(count);
  }

  /**
   * Counts samples that it handed over.
   *
   * @return size of their values, in bytes
   */
  long handed(List<Sample> some) {
    long size = 0;
    for (int i = 0; i < some.size(); i++) {
      size += size(some.get(i).value());
    }
    samples.add(some.size());
    bytes.add(size);
    return size;
  }

  private static long size(Value value) {
    if (value == null) {
      return 0;
    } else if (value instanceof Value.Bool) {
      return 1;
    } else if (value instanceof Value.Text text) {
      return text.value().length();
    } else if (value instanceof Value.Bytes some) {
      return some.length();
    } else if (value instanceof Value.Array array) {
      long size = 0;
      for (int i = 0; i < array.values().size(); i++) {
        size += size(array.values().get(i));
      }
      return size;
    } else if (value instanceof Value.Struct struct) {
      long size = 0;
      for (Value field : struct.fields().values()) {
        size += size(field);
      }
      return size;
    }
    return Long.BYTES;
  }

  /**
   * Has something done that runs code of the driver without being a call: what it hung on a stage,
   * say. Any thread.
   *
   * @param what for messages
   */
  void errand(Caller caller, String what, String device, Runnable action) {
    caller.execute(
        () -> {
          Errand errand = new Errand(what, device, loop.nanos());
          held.add(errand);
          try {
            action.run();
          } catch (Throwable t) {
            LOG.debug("{}: the driver threw {}", errand, Call.words(t));
          } finally {
            nanos.add(loop.nanos() - errand.heldSince());
            held.remove(errand);
            lost.remove(errand);
          }
        });
  }

  // What it may not do.

  /** Says what it did that it may not, even once. Any thread. */
  void accuse(String what) {
    if (accused.compareAndSet(false, true)) {
      loop.execute(() -> judge.accept(this, what));
    }
  }

  /**
   * Takes note of the thread that the driver answers from: one of its own, or one of a library.
   *
   * @param what is answered, for messages: put in words only if there is something to say
   * @return whether it is the loop's, where nothing of a driver may run
   */
  boolean heard(Object what) {
    Thread thread = Thread.currentThread();
    if (loop.isThread(thread)) {
      accuse(what + " was answered from the core's own thread");
      return true;
    }
    Caller caller = Caller.of(thread);
    if (caller == null ? isGateways(thread.getName()) : !isMine(caller)) {
      astray.increment();
      if (astray.sum() >= ASTRAY) {
        accuse(
            what
                + " was answered from the thread "
                + thread.getName()
                + ", which isn't the driver's");
      }
    }
    return false;
  }

  private boolean isMine(Caller caller) {
    for (Served driver : served) {
      if (driver.caller() == caller) {
        return true;
      }
    }
    return false;
  }

  private static boolean isGateways(String thread) {
    for (String part : GATEWAYS) {
      if (thread.startsWith(part)) {
        return true;
      }
    }
    return false;
  }

  /** A fault as {@link #FAULTS} has them. On the loop. */
  void fault(String what) {
    faults += REDEEMS;
    if (faults >= FAULTS * REDEEMS) {
      accuse(
          "it fails by its own doing again and again, and does little else; the last time, "
              + what);
    }
  }

  /** An exchange went well. On the loop. */
  void good() {
    faults = Math.max(0, faults - 1);
  }

  /** A call is over and hasn't given its thread back. On the loop. */
  void over(Call<?, ?> call) {
    held.add(call);
  }

  /** It has now. On the loop. */
  void returned(Call<?, ?> call) {
    if (held.remove(call)) {
      lost.remove(call);
    }
  }

  /**
   * Looks for what only shows in time. On the loop, once a second or so.
   *
   * @param threads alive that are its own
   */
  void look(int threads) {
    long now = loop.nanos();
    lookAtCalls(now);
    int most = Math.max(THREADS, threadsBorne) + 2 * devices;
    if (threads <= most) {
      crowdedSince = null;
      return;
    }
    crowdedSince = crowdedSince == null ? Long.valueOf(now) : crowdedSince;
    if (now - crowdedSince >= TOO_LONG.toNanos() || threads > GROWTH * most) {
      accuse(
          "it has "
              + threads
              + " threads, with "
              + devices
              + " devices in use; expected at most "
              + most);
    }
  }

  private void lookAtCalls(long now) {
    Hold first = null;
    int count = 0;
    Set<String> whose = new HashSet<>();
    for (Hold hold : held) {
      if (hold.holdsThread() && !lost.contains(hold) && now - hold.overSince() >= STUCK.toNanos()) {
        count++;
        whose.add(hold.device());
        first = first == null || hold.overSince() - first.overSince() < 0 ? hold : first;
      }
    }
    // While it can do for most of its devices, these are not to suffer for the others.
    if (count > 0 && (count >= Caller.MOST || 2 * whose.size() >= devices)) {
      long late = Duration.ofNanos(now - first.overSince()).toSeconds();
      accuse(
          first
              + " hasn't returned "
              + Words.of(Duration.ofSeconds(late))
              + " after it should have"
              + (count > 1 ? ", and " + (count - 1) + " more" : ""));
    }
  }

  /**
   * TCP connections to an endpoint that can only be this plug-in's. On the loop.
   *
   * @param users devices of this endpoint
   */
  void sockets(String endpoint, int count, int users) {
    int most = Math.max(SOCKETS, socketsBorne) + 2 * users;
    if (count > most) {
      accuse(
          "it has "
              + count
              + " TCP connections to "
              + endpoint
              + ", with "
              + users
              + " devices there; expected at most "
              + most);
    }
  }

  /** Gives up the threads of calls that don't return, for new ones. On the loop. */
  void abandon() {
    boolean stuck = false;
    for (Hold hold : held) {
      stuck |= hold.holdsThread() && lost.add(hold);
    }
    if (stuck) {
      served.stream().map(Served::caller).distinct().forEach(Caller::renew);
    }
  }

  /**
   * Why it can't be tried again now. On the loop.
   *
   * @param threads alive that are its own
   * @param sockets the most that it has to one endpoint
   * @return {@code null} if it can
   */
  String hoards(int threads, int sockets) {
    if (lost.size() >= LOST) {
      return lost.size() + " of its calls still hold a thread";
    }
    if (threads > GROWTH * THREADS) {
      return "it still has " + threads + " threads";
    }
    if (sockets > GROWTH * SOCKETS) {
      return "it still has " + sockets + " TCP connections to one endpoint";
    }
    return null;
  }

  /** Begins anew; what it doesn't give back is borne. On the loop. */
  void acquit(int threads, int sockets) {
    quarantine = null;
    faults = 0;
    astray.reset();
    crowdedSince = null;
    threadsBorne = Math.min(threads + THREADS / 2, GROWTH * THREADS);
    socketsBorne = Math.min(sockets + SOCKETS / 2, GROWTH * SOCKETS);
    accused.set(false);
  }

  /** Of some threads those that are its own: called on, or started from those. Any thread. */
  int own(Thread[] alive, int count) {
    int own = 0;
    for (int i = 0; i < count; i++) {
      Caller caller = Caller.of(alive[i]);
      ClassLoader context = caller == null ? alive[i].getContextClassLoader() : null;
      for (Served driver : served) {
        Caller mine = driver.caller();
        // A loader that isn't the driver's own tells nothing.
        if (caller == mine && mine != null
            || context != null
                && context == mine.loader()
                && context != Conduct.class.getClassLoader()) {
          own++;
          break;
        }
      }
    }
    return own;
  }

  /**
   * Any thread.
   *
   * @param threads alive that are its own
   */
  DriverStatus status(int threads) {
    long now = loop.nanos();
    long inCalls = nanos.sum();
    int stuck = 0;
    for (Hold hold : held) {
      if (hold.holdsThread()) {
        stuck += now - hold.overSince() >= LATE.toNanos() ? 1 : 0;
        inCalls += now - hold.heldSince();
      }
    }
    Set<String> schemes = new TreeSet<>();
    served.forEach(driver -> schemes.add(driver.scheme()));
    return new DriverStatus(
        plugIn.name(),
        plugIn.version().toString(),
        List.copyOf(schemes),
        devices,
        threads,
        stuck,
        calls.sum(),
        Duration.ofNanos(inCalls),
        Duration.ofNanos(now - came),
        samples.sum(),
        bytes.sum(),
        refused.sum(),
        errors.sum(),
        warnings(),
        quarantine);
  }
}
