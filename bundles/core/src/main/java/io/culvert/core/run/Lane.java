package io.culvert.core.run;

import io.culvert.api.southbound.Diagnosed.LineFacts;
import io.culvert.core.doctor.LaneVitals;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What carries one exchange at a time: a serial line, a connection. Gives turns, commands before
 * polls and polls before what can wait, and among each of these one device after the other in the
 * order in which they came.
 *
 * <p>Devices that are known not to answer take at most one part in {@value #SILENT_PART} of a lane
 * that they share: after a turn that one of them let pass, none of them has another for three times
 * as long as that took, unless nobody at all has answered for a minute.
 *
 * <p>The deadline of an exchange begins with its turn, so waiting doesn't count. Used on the loop
 * only.
 */
final class Lane {
  /** After so many commands in a row a poll that waits has its turn: no flood may starve it. */
  private static final int COMMANDS_IN_A_ROW = 4;

  /** After so many other turns one that can wait has its own: a lane that is never idle. */
  private static final int TURNS_IN_A_ROW = 16;

  /** One part in so many of the lane's time is the most that silent devices may take. */
  static final int SILENT_PART = 4;

  /** So long after the last sign of life a lane counts as dead as a whole. */
  private static final long LIVELY = Duration.ofMinutes(1).toNanos();

  private final String name;
  private final Loop loop;
  private final LaneVitals vitals;
  private final Turns commands = new Turns();
  private final Turns polls = new Turns();
  private final Turns patient = new Turns();
  private final Map<String, Ear> ears = new HashMap<>();
  private int users;
  private Queued current;
  private long began;
  private int commandsInARow;
  private int turnsInARow;
  private boolean giving;

  /** Until then no silent device has a turn. */
  private long quietUntil;

  private Loop.Timer quietEnd;

  /** When a turn last ended that was none of a silent device. */
  private long lively;

  Lane(String name, Loop loop) {
    this.name = name;
    this.loop = loop;
    this.vitals = new LaneVitals(loop.nanos());
    this.quietUntil = loop.nanos();
    this.lively = loop.nanos();
  }

  /** Somebody's exchange; when it has its turn, it ends that with {@link #end}. */
  interface Turn {
    /** Who: turns go round among these. */
    Object owner();

    void begin();

    /** Whether its device is known not to answer; asked whenever the lane is free. */
    default boolean silent() {
      return false;
    }

    /**
     * Told what the turn cost, once it has ended.
     *
     * @param waited for it, in nanoseconds
     * @param took in nanoseconds
     */
    default void cost(long waited, long took) {}
  }

  private record Queued(Turn turn, long since) {}

  String name() {
    return name;
  }

  /** Figures of the turns that it gave. */
  LaneVitals vitals() {
    return vitals;
  }

  /** Somebody will take turns from now on, until {@link #leave}. */
  void join() {
    users++;
  }

  /** Whether anybody still takes turns. */
  boolean leave() {
    return --users > 0;
  }

  void poll(Turn turn) {
    polls.add(new Queued(turn, loop.nanos()));
    next();
  }

  void command(Turn turn) {
    commands.add(new Queued(turn, loop.nanos()));
    next();
  }

  /** Asks for a turn that can wait: taken when nobody else asks, or has had many. */
  void spare(Turn turn) {
    patient.add(new Queued(turn, loop.nanos()));
    next();
  }

  /** Takes back a turn that hasn't begun, or ends it if it has. */
  void withdraw(Turn turn) {
    commands.remove(turn);
    polls.remove(turn);
    patient.remove(turn);
    end(turn, false);
  }

  /** Ends a turn; one that isn't the present one is of no account. */
  void end(Turn turn, boolean timeout) {
    if (current == null || turn != current.turn) {
      return;
    }
    long now = loop.nanos();
    long took = now - began;
    long waited = began - current.since;
    boolean silent = turn.silent();
    current = null;
    if (silent) {
      quietUntil = now + (SILENT_PART - 1) * took;
    } else {
      lively = now;
    }
    vitals.turn(now, waited, took, timeout || silent);
    turn.cost(waited, took);
    next();
  }

  /**
   * Adds what a driver has counted on the line. Connections that share the line tell the same, so
   * only one of each driver's is listened to, until it is closed.
   *
   * @param link whose connection it is
   * @param opened when that was opened, by the loop's clock
   * @param more counted since its last look
   * @param last whether it is closed now
   */
  void heard(String scheme, Link link, long opened, LineFacts more, boolean last) {
    Ear ear = ears.computeIfAbsent(scheme, s -> new Ear());
    boolean first = ear.link == null;
    if (first) {
      ear.link = link;
    }
    if (ear.link != link) {
      return;
    }
    // What this one counted beside another that was listened to is known already.
    if (!(first && ear.freed != null && opened - ear.freed < 0)) {
      vitals.heard(loop.nanos(), more);
    }
    if (last) {
      ear.link = null;
      ear.freed = loop.nanos();
    }
  }

  /** Which connection speaks for the line. */
  private static final class Ear {
    private Link link;
    private Long freed;
  }

  private void next() {
    // A turn may end while it begins; a loop here keeps a long row of those off the stack.
    if (giving) {
      return;
    }
    giving = true;
    try {
      while (current == null && !(commands.isEmpty() && polls.isEmpty() && patient.isEmpty())) {
        long now = loop.nanos();
        // Where nobody answers, nobody is to be spared: the first sign of life is found sooner.
        boolean quiet = users > 1 && now - quietUntil < 0 && now - lively < LIVELY;
        Queued next = choose(quiet);
        if (next == null) {
          wakeAfterQuiet();
          return;
        }
        current = next;
        began = now;
        next.turn.begin();
      }
    } finally {
      giving = false;
    }
  }

  private Queued choose(boolean quiet) {
    Queued spare = turnsInARow < TURNS_IN_A_ROW ? null : patient.take(quiet);
    Queued next = spare == null ? chooseUrgent(quiet) : spare;
    if (next == null) {
      spare = patient.take(quiet);
      next = spare;
    }
    turnsInARow = spare != null || patient.isEmpty() ? 0 : turnsInARow + 1;
    return next;
  }

  private Queued chooseUrgent(boolean quiet) {
    Queued poll = commandsInARow < COMMANDS_IN_A_ROW ? null : polls.take(quiet);
    if (poll == null) {
      Queued command = commands.take(quiet);
      if (command != null) {
        commandsInARow++;
        return command;
      }
      poll = polls.take(quiet);
    }
    commandsInARow = 0;
    return poll;
  }

  private void wakeAfterQuiet() {
    if (quietEnd == null) {
      quietEnd =
          loop.at(
              quietUntil,
              () -> {
                quietEnd = null;
                next();
              });
    }
  }

  /** Turns that wait: first come, first served, but one an owner before any has a second. */
  private static final class Turns {
    private final Map<Object, Deque<Queued>> byOwner = new LinkedHashMap<>();

    void add(Queued queued) {
      byOwner.computeIfAbsent(queued.turn.owner(), owner -> new ArrayDeque<>(1)).add(queued);
    }

    void remove(Turn turn) {
      Deque<Queued> turns = byOwner.get(turn.owner());
      if (turns != null && turns.removeIf(queued -> queued.turn == turn) && turns.isEmpty()) {
        byOwner.remove(turn.owner());
      }
    }

    boolean isEmpty() {
      return byOwner.isEmpty();
    }

    /**
     * @param quiet whether to pass over those of silent devices, which keep their place
     * @return {@code null} if there is none
     */
    Queued take(boolean quiet) {
      Iterator<Map.Entry<Object, Deque<Queued>>> owners = byOwner.entrySet().iterator();
      while (owners.hasNext()) {
        Map.Entry<Object, Deque<Queued>> next = owners.next();
        Deque<Queued> turns = next.getValue();
        if (quiet && turns.peek().turn.silent()) {
          continue;
        }
        Queued first = turns.remove();
        owners.remove();
        if (!turns.isEmpty()) {
          byOwner.put(first.turn.owner(), turns);
        }
        return first;
      }
      return null;
    }
  }
}
