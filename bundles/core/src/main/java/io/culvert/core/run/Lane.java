package io.culvert.core.run;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What carries one exchange at a time: a serial line, a connection. Gives turns, commands before
 * polls, and among each of these one device after the other in the order in which they came.
 *
 * <p>The deadline of an exchange begins with its turn, so waiting doesn't count. Used on the loop
 * only.
 */
final class Lane {
  /** After so many commands in a row a poll that waits has its turn: no flood may starve it. */
  private static final int COMMANDS_IN_A_ROW = 4;

  private final String name;
  private final Loop loop;
  private final Turns commands = new Turns();
  private final Turns polls = new Turns();
  private Turn current;
  private long began;
  private int commandsInARow;
  private boolean giving;

  private long exchanges;
  private long timeouts;
  private long busyNanos;

  Lane(String name, Loop loop) {
    this.name = name;
    this.loop = loop;
  }

  /** Somebody's exchange; when it has its turn, it ends that with {@link #end}. */
  interface Turn {
    /** Who: turns go round among these. */
    Object owner();

    void begin();
  }

  /**
   * @param exchanges turns that were taken
   * @param timeouts of these, ended by their deadline
   * @param busyNanos time that the turns took
   */
  record Figures(long exchanges, long timeouts, long busyNanos) {}

  String name() {
    return name;
  }

  Figures figures() {
    return new Figures(exchanges, timeouts, busyNanos);
  }

  void poll(Turn turn) {
    polls.add(turn);
    next();
  }

  void command(Turn turn) {
    commands.add(turn);
    next();
  }

  /** Takes back a turn that hasn't begun, or ends it if it has. */
  void withdraw(Turn turn) {
    commands.remove(turn);
    polls.remove(turn);
    end(turn, false);
  }

  /** Ends a turn; one that isn't the present one is of no account. */
  void end(Turn turn, boolean timeout) {
    if (turn != current) {
      return;
    }
    current = null;
    exchanges++;
    busyNanos += loop.nanos() - began;
    if (timeout) {
      timeouts++;
    }
    next();
  }

  private void next() {
    // A turn may end while it begins; a loop here keeps a long row of those off the stack.
    if (giving) {
      return;
    }
    giving = true;
    try {
      while (current == null && !(commands.isEmpty() && polls.isEmpty())) {
        boolean command =
            !commands.isEmpty() && (polls.isEmpty() || commandsInARow < COMMANDS_IN_A_ROW);
        commandsInARow = command ? commandsInARow + 1 : 0;
        current = command ? commands.take() : polls.take();
        began = loop.nanos();
        current.begin();
      }
    } finally {
      giving = false;
    }
  }

  /** Turns that wait: first come, first served, but one an owner before any has a second. */
  private static final class Turns {
    private final Map<Object, Deque<Turn>> byOwner = new LinkedHashMap<>();

    void add(Turn turn) {
      byOwner.computeIfAbsent(turn.owner(), owner -> new ArrayDeque<>(1)).add(turn);
    }

    void remove(Turn turn) {
      Deque<Turn> turns = byOwner.get(turn.owner());
      if (turns != null && turns.remove(turn) && turns.isEmpty()) {
        byOwner.remove(turn.owner());
      }
    }

    boolean isEmpty() {
      return byOwner.isEmpty();
    }

    Turn take() {
      Map.Entry<Object, Deque<Turn>> first = byOwner.entrySet().iterator().next();
      Object owner = first.getKey();
      Deque<Turn> turns = first.getValue();
      byOwner.remove(owner);
      Turn turn = turns.remove();
      if (!turns.isEmpty()) {
        byOwner.put(owner, turns);
      }
      return turn;
    }
  }
}
