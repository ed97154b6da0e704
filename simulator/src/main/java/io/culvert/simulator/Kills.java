package io.culvert.simulator;

import io.culvert.simulator.audit.Kill;
import io.culvert.simulator.audit.LedgerClaim;
import io.culvert.simulator.platform.Entry;
import io.culvert.simulator.view.Text;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Kills the gateway again and again, and starts it again at once: one time in three while it still
 * starts, else a while after its first reading has arrived. One thread plays; another may tell what
 * arrives.
 */
final class Kills {
  private static final int LATEST_WHILE_STARTING = 2_000;
  private static final int SOONEST = 200;
  private static final int LATEST = 4_000;

  /** So that the last one is followed by readings too. */
  private static final int AFTERWARDS = 2_000;

  private final Gateway gateway;
  private final int wanted;
  private final long seed;
  private final Random random;
  private final List<Kill> done = new ArrayList<>();
  private int whileStarting;
  private long slowest;
  private long due = -1;
  private volatile long startedAt = Long.MAX_VALUE;
  private volatile long readAt;

  Kills(Gateway gateway, int wanted, long seed) {
    this.gateway = gateway;
    this.wanted = wanted;
    this.seed = seed;
    this.random = new Random(seed);
  }

  /** Kills that were played, in order. */
  List<Kill> done() {
    return done;
  }

  long seed() {
    return seed;
  }

  /** Whether nothing has arrived since the last start after a kill. */
  boolean waiting() {
    return !done.isEmpty() && readAt == 0;
  }

  int wanted() {
    return wanted;
  }

  /** Notes when the first reading arrives that was read after the last start. */
  void arrived(List<Entry> entries, long now) {
    if (readAt == 0) {
      long start = startedAt;
      for (Entry entry : entries) {
        if (!entry.ofGateway() && entry.eventMillis() >= start) {
          readAt = now;
        }
      }
    }
  }

  /**
   * Kills if it is time. To be called often.
   *
   * @return whether there is more to come
   */
  boolean play(long now) throws IOException {
    if (readAt != 0) {
      slowest = Math.max(slowest, readAt - startedAt);
    }
    if (done.size() == wanted) {
      return wanted > 0 && (readAt == 0 || now - readAt < AFTERWARDS);
    }
    if (due < 0) {
      choose(now);
    } else if (due == 0 && readAt != 0) {
      due = readAt + SOONEST + random.nextInt(LATEST - SOONEST);
    }
    if (due > 0 && now >= due) {
      whileStarting += readAt == 0 ? 1 : 0;
      kill();
    }
    return true;
  }

  /** The moment of the next kill: 0 if it waits for the first reading. */
  private void choose(long now) {
    // The first finds the gateway at work.
    if (done.isEmpty()) {
      due = now;
    } else {
      due = random.nextInt(3) == 0 ? startedAt + random.nextInt(LATEST_WHILE_STARTING) : 0;
    }
  }

  private void kill() throws IOException {
    long at = System.currentTimeMillis();
    gateway.kill();
    // Until then whatever arrives is from before.
    startedAt = Long.MAX_VALUE;
    readAt = 0;
    gateway.start();
    startedAt = gateway.startedAt();
    done.add(new Kill(at, startedAt));
    due = -1;
  }

  /** What happens, for people; {@code ""} if nothing does. */
  String note() {
    return done.isEmpty() || wanted == 1
        ? ""
        : "killed " + done.size() + " of " + wanted + " times";
  }

  /** What came of them, for programs. */
  Map<String, Long> figures(List<LedgerClaim> ledger) {
    Map<String, Long> figures = new LinkedHashMap<>();
    if (wanted > 0) {
      figures.put("kills", (long) done.size());
      figures.put("seed", seed);
      figures.put("killsWhileStarting", (long) whileStarting);
      figures.put("slowestReadyMillis", slowest);
      figures.put(
          "interruptions", ledger.stream().filter(e -> e.reason().equals("INTERRUPTION")).count());
      figures.put("longestBeforeKillMillis", longestBefore(ledger));
    }
    return figures;
  }

  /** The same for people. */
  void tell(List<LedgerClaim> ledger, PrintStream out) {
    Map<String, Long> figures = figures(ledger);
    if (!figures.isEmpty()) {
      out.printf(
          "  killed                                  %d times, %d of them while it was starting%n",
          figures.get("kills"), figures.get("killsWhileStarting"));
      out.printf(
          "  slowest of these starts                 %s ms to the first reading at the platform%n",
          Text.count(figures.get("slowestReadyMillis")));
      out.printf(
          "  interruptions in the ledger             %d, from %s ms before the kill on at most%n",
          figures.get("interruptions"), Text.count(figures.get("longestBeforeKillMillis")));
    }
  }

  /** The longest time from the begin of an interruption to its kill. */
  private long longestBefore(List<LedgerClaim> ledger) {
    long longest = 0;
    for (LedgerClaim entry : ledger) {
      if (entry.reason().equals("INTERRUPTION")) {
        long before =
            done.stream()
                .filter(kill -> kill.startedAgain() >= entry.from())
                .mapToLong(kill -> kill.at() - entry.from())
                .findFirst()
                .orElse(0);
        longest = Math.max(longest, before);
      }
    }
    return longest;
  }
}
