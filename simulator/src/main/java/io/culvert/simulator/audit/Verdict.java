package io.culvert.simulator.audit;

import io.culvert.simulator.audit.Audit.ToldBad;
import io.culvert.simulator.street.PointTruth;
import io.culvert.simulator.truth.BlockTruth;
import io.culvert.simulator.truth.DeviceTruth;
import io.culvert.simulator.truth.Truth;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** One pass over everything that was shown: what is missing, and whether that is explained. */
final class Verdict {
  private static final String TOLD_BAD = "told as bad";

  private final Truth truth;
  private final Map<String, Stream> streams;
  private final List<Claim> claims = new ArrayList<>();

  /** What came after all of what claims say is missing. */
  private final List<LedgerClaim> recovered;

  private final Map<String, List<ToldBad>> toldBad;
  private final Findings findings;
  private final Rules rules;
  private final boolean timesIgnored;
  private final Map<String, Long> explained = new TreeMap<>();
  private final Map<String, long[]> byClass = new TreeMap<>();
  private final Map<String, Long> lostByStream = new TreeMap<>();
  private long answers;

  /** How far a read of a point with its own interval may lie from where it is due. */
  private static final long LATE = 10_000;

  /** The gateway's commit interval, as it is by default. */
  private static final long COMMIT = 250;

  /** What a commit may take beside it: its sync on a busy disk, and its turn on a busy machine. */
  private static final long COMMITS = 1_000;

  private static final int SHOWN = 0;
  private static final int CONFIRMED = 1;
  private static final int SUPPRESSED = 2;
  private static final int EXPLAINED = 3;
  private static final int LOST = 4;

  /** A claim with how much of it is still to be used up. */
  private static final class Claim {
    final LedgerClaim entry;
    long left;
    boolean contradicted;

    Claim(LedgerClaim entry) {
      this.entry = entry;
      this.left = entry.count();
    }
  }

  Verdict(
      Truth truth,
      Map<String, Stream> streams,
      List<LedgerClaim> ledger,
      Map<String, List<ToldBad>> toldBad,
      Findings findings,
      Rules rules,
      boolean timesIgnored) {
    this.truth = truth;
    this.streams = streams;
    this.toldBad = toldBad;
    this.findings = findings;
    this.rules = rules;
    this.timesIgnored = timesIgnored;
    // Exact entries first: they name what they explain most closely.
    ledger.stream().filter(LedgerClaim::exact).forEach(entry -> claims.add(new Claim(entry)));
    ledger.stream().filter(entry -> !entry.exact()).forEach(e -> claims.add(new Claim(e)));
    recovered = claims.stream().map(claim -> claim.entry).filter(LedgerClaim::recovers).toList();
    recovered.forEach(this::takeBack);
  }

  /** What was recovered isn't there to explain a loss. The device's own entries go first. */
  private void takeBack(LedgerClaim recovery) {
    long count = recovery.count();
    boolean any = false;
    for (boolean own : new boolean[] {true, false}) {
      for (Claim claim : claims) {
        if (claim.entry.ofSpan()
            && claim.entry.device().equals(recovery.device()) == own
            && recovery.touches(claim.entry)) {
          any = true;
          long taken = Math.max(0, Math.min(claim.left, count));
          claim.left -= taken;
          count -= taken;
        }
      }
    }
    if (!any && !timesIgnored) {
      findings.add(
          Violation.LEDGER, () -> recovery + ": but no entry says that anything was missing");
    }
  }

  private boolean recovered(DeviceTruth device, String streamClass, long from, long to) {
    return recovered.stream()
        .anyMatch(r -> r.concerns(device.id(), streamClass) && r.overlaps(from, to));
  }

  Report report(Report.Received received) {
    toldBad.values().forEach(list -> list.forEach(told -> told.used()[0] = false));
    for (DeviceTruth device : truth.devices()) {
      synchronized (device) {
        List<Claim> own =
            claims.stream()
                .filter(c -> c.entry.device().equals("*") || c.entry.device().equals(device.id()))
                .toList();
        List<BlockTruth> blocks = device.blocks().stream().filter(BlockTruth::ticked).toList();
        blocks.forEach(block -> contradict(device, block, own));
        // First what must be accounted for one by one, so that an exact count serves it before what
        // might have been suppressed anyway.
        blocks.forEach(block -> judge(device, block, false, own));
        blocks.forEach(block -> judge(device, block, true, own));
      }
    }
    judgeClaims();
    judgeInterruptions();
    judgeSequences();
    if (received.duplicates() > rules.duplicates()) {
      findings.add(
          Violation.DUPLICATED,
          received.duplicates(),
          () ->
              "expected at most "
                  + rules.duplicates()
                  + " readings twice, found "
                  + received.duplicates());
    }
    Map<String, Report.Tally> tallies = new TreeMap<>();
    long[] sum = new long[5];
    byClass.forEach(
        (name, n) -> {
          tallies.put(
              name, new Report.Tally(n[SHOWN], n[CONFIRMED], n[SUPPRESSED], n[EXPLAINED], n[LOST]));
          Arrays.setAll(sum, i -> sum[i] + n[i]);
        });
    return new Report(
        answers,
        sum[SHOWN],
        sum[CONFIRMED],
        sum[SUPPRESSED],
        Map.copyOf(explained),
        rules.duplicates(),
        received,
        tallies,
        claims.stream().map(claim -> claim.entry).toList(),
        findings.counts(),
        findings.examples());
  }

  private void contradict(DeviceTruth device, BlockTruth block, List<Claim> own) {
    for (int row = 0; row < block.rows(); row++) {
      if (block.state(row, 0) > BlockTruth.NOT_SHOWN) {
        answers++;
        if (!block.timed()) {
          contradict(block, row, device, own);
        }
      }
    }
    if (block.timed() && !timesIgnored) {
      own.forEach(claim -> contradict(device, block, claim));
    }
  }

  /**
   * What a device told may be older than the moment from which it told again, so that a span may
   * hold some of it; all of it is too much. What it had last, when it was asked, says nothing.
   */
  private void contradict(DeviceTruth device, BlockTruth block, Claim claim) {
    long from = claim.entry.from() + rules.slackMillis();
    long to = claim.entry.to() - rules.slackMillis();
    if (!claim.entry.ofSpan() || claim.entry.ofSomePoints() || from >= to) {
      return;
    }
    long arrived = 0;
    for (int row = block.rowAt(from) + 1; row <= block.rowAt(to); row++) {
      long at = block.shownAt(row);
      for (int point = 0; point < block.points(); point++) {
        String streamClass = block.point(point).streamClass();
        int state = block.state(row, point);
        if (state == BlockTruth.NOT_SHOWN || !claim.entry.concerns(device.id(), streamClass)) {
          continue;
        }
        if (state < 0 || recovered(device, streamClass, at, at)) {
          return;
        }
        arrived += block.asked(row, point) ? 0 : 1;
      }
    }
    if (arrived > 0) {
      long all = arrived;
      findings.add(
          Violation.LEDGER,
          () -> claim.entry + ": but all " + all + " readings of that time arrived");
    }
  }

  /** Judges the points of a block that may, or may not, be kept back. */
  private void judge(DeviceTruth device, BlockTruth block, boolean suppressible, List<Claim> own) {
    int[] inForce = new int[block.points()];
    Arrays.fill(inForce, -1);
    for (int row = 0; row < block.rows(); row++) {
      for (int point = 0; point < block.points(); point++) {
        if (block.point(point).suppressible() == suppressible) {
          judge(device, block, row, point, inForce, own);
        }
      }
    }
  }

  private void judge(
      DeviceTruth device, BlockTruth block, int row, int point, int[] inForce, List<Claim> own) {
    int state = block.state(row, point);
    if (state <= BlockTruth.NOT_SHOWN) {
      return;
    }
    PointTruth truthOf = block.point(point);
    long[] tally = byClass.computeIfAbsent(truthOf.streamClass(), name -> new long[5]);
    tally[SHOWN]++;
    if (state >= 0) {
      tally[CONFIRMED]++;
      inForce[point] = row;
      return;
    }
    boolean arrived = block.eventAt(row) != 0;
    if (arrived && truthOf.suppressible() && rightlySuppressed(block, row, point, inForce[point])) {
      tally[SUPPRESSED]++;
      return;
    }
    if (truthOf.intervalMillis() > 0 && notYetDue(block, row, point, inForce[point])) {
      // Shown beside others, and not asked for.
      tally[SHOWN]--;
      return;
    }
    String reason = explain(device, block, row, point, arrived, own);
    if (reason == null && arrived && truthOf.suppressible()) {
      reason = baseless(device, block, row, point, inForce[point], own);
    }
    if (reason != null) {
      tally[EXPLAINED]++;
      explained.merge(reason, 1L, Long::sum);
      return;
    }
    tally[LOST]++;
    String stream = device.id() + "/" + truthOf.streamClass();
    if (arrived && truthOf.suppressible() && !numberMissing(block, row, stream)) {
      findings.add(
          Violation.SUPPRESSED_WRONGLY,
          () ->
              describe(device, block, row, point)
                  + ": expected within "
                  + truthOf.deadband()
                  + " of "
                  + (inForce[point] < 0 ? "nothing" : block.value(inForce[point], point))
                  + " in force and younger than "
                  + truthOf.heartbeatMillis() / 1000
                  + " s, found "
                  + block.value(row, point));
    } else {
      lostByStream.merge(stream, 1L, Long::sum);
      findings.add(
          Violation.LOST,
          () ->
              describe(device, block, row, point)
                  + ": expected "
                  + Audit.expectation(block, row, point)
                  + ", found nothing");
    }
  }

  /** Whether the point's own interval hadn't passed since it was read last. */
  private static boolean notYetDue(BlockTruth block, int row, int point, int before) {
    long since = block.shownAt(Math.max(0, before));
    return block.shownAt(row) - since
        <= (before < 0 ? 0 : block.point(point).intervalMillis()) + LATE;
  }

  private boolean rightlySuppressed(BlockTruth block, int row, int point, int before) {
    if (before < 0) {
      return false;
    }
    PointTruth truthOf = block.point(point);
    double value = block.value(row, point);
    double inForce = block.value(before, point);
    double room = truthOf.tolerance(value) + truthOf.tolerance(inForce);
    boolean byShowing = timesIgnored || block.eventAt(before) == 0;
    long since = byShowing ? block.shownAt(before) : block.eventAt(before);
    long at = timesIgnored ? block.shownAt(row) : block.eventAt(row);
    boolean sameQuality =
        truthOf.inRange(value) == truthOf.inRange(inForce) || Math.abs(value - inForce) <= room;
    return Math.abs(value - inForce) <= truthOf.deadband() + (truthOf.bool() ? 0 : room)
        && at - since
            <= truthOf.heartbeatMillis() + (timesIgnored ? rules.slackMillis() : Audit.ROUNDING)
        && sameQuality;
  }

  private String explain(
      DeviceTruth device, BlockTruth block, int row, int point, boolean arrived, List<Claim> own) {
    PointTruth truthOf = block.point(point);
    long asked = block.askedAt(row);
    long shown = block.shownAt(row);
    for (Claim claim : own) {
      if (claim.entry.recovers() || !claim.entry.concerns(device.id(), truthOf.streamClass())) {
        continue;
      }
      boolean interruption = claim.entry.reason().equals("INTERRUPTION");
      boolean covers =
          timesIgnored
              || (arrived
                  ? claim.entry.overlaps(block.eventAt(row), block.eventAt(row))
                  : interruption
                      ? claim.entry.overlaps(shown, shown + rules.slackMillis())
                      : claim.entry.overlaps(
                          asked - rules.slackMillis(), shown + rules.slackMillis()));
      // Of what a device tells by itself nobody knows how much there would have been.
      boolean byItself = block.timed() && !claim.entry.exact();
      boolean uncounted =
          (interruption || byItself || (truthOf.suppressible() && !arrived))
              && !recovered(device, truthOf.streamClass(), shown, shown);
      if (covers && (claim.left > 0 || (uncounted && !timesIgnored))) {
        claim.left--;
        return claim.entry.reasonInWords();
      }
    }
    for (ToldBad told : toldBad.getOrDefault(device.id(), List.of())) {
      if (!told.used()[0]
          && told.point().equals(truthOf.id())
          && told.eventMillis() >= asked - rules.slackMillis()
          && told.eventMillis() <= shown + rules.slackMillis()) {
        told.used()[0] = true;
        return TOLD_BAD;
      }
    }
    return null;
  }

  /**
   * Why a value that was kept back may have been: the reading that it was measured against stands
   * in the ledger, so that the platform has an older one. {@code null} if none can.
   */
  private String baseless(
      DeviceTruth device, BlockTruth block, int row, int point, int before, List<Claim> own) {
    long since =
        before < 0 ? 0 : block.eventAt(before) == 0 ? block.shownAt(before) : block.eventAt(before);
    for (Claim claim : own) {
      if (claim.entry.ofReadings()
          && claim.entry.concerns(device.id(), block.point(point).streamClass())
          && claim.entry.overlaps(since, block.eventAt(row))) {
        return claim.entry.reasonInWords();
      }
    }
    return null;
  }

  /**
   * A span in which nothing was read can't hold a reading that arrived, unless it came later out of
   * the device's memory.
   */
  private void contradict(BlockTruth block, int row, DeviceTruth device, List<Claim> own) {
    long event = block.eventAt(row);
    if (event == 0 || own.isEmpty() || timesIgnored) {
      return;
    }
    for (Claim claim : own) {
      if (claim.entry.ofSpan()
          && !claim.entry.ofSomePoints()
          && !claim.contradicted
          && claim.entry.concerns(device.id(), block.point(0).streamClass())
          && event > claim.entry.from() + rules.slackMillis()
          && event < claim.entry.to() - rules.slackMillis()
          && !recovered(
              device,
              block.point(0).streamClass(),
              event - rules.slackMillis(),
              event + rules.slackMillis())) {
        claim.contradicted = true;
        findings.add(
            Violation.LEDGER,
            () ->
                claim.entry
                    + ": but "
                    + describe(device, block, row, 0)
                    + " arrived, read at "
                    + Times.clock(event));
      }
    }
  }

  /** What a counted entry says is gone must be gone. */
  private void judgeClaims() {
    for (Claim claim : claims) {
      boolean ofStreet = truth.device(claim.entry.device()) != null;
      if (claim.entry.exact() && ofStreet && claim.left > 0) {
        findings.add(
            Violation.LEDGER,
            () -> claim.entry + ": but " + claim.left + " of these arrived or were never shown");
      }
      if (claim.entry.to() < claim.entry.from()) {
        findings.add(Violation.LEDGER, () -> claim.entry + ": ends before it begins");
      }
    }
  }

  /**
   * Each kill of the gateway must stand in the ledger, and no interruption may begin earlier than
   * the last commit before its kill or end later than the first reading after it.
   */
  private void judgeInterruptions() {
    if (rules.kills().isEmpty() || timesIgnored) {
      return;
    }
    List<LedgerClaim> entries =
        claims.stream()
            .map(claim -> claim.entry)
            .filter(entry -> entry.reason().equals("INTERRUPTION"))
            .toList();
    long[] readAgain = readAgain();
    boolean[] told = new boolean[readAgain.length];
    for (LedgerClaim entry : entries) {
      boolean within = false;
      for (int k = 0; k < readAgain.length; k++) {
        Kill kill = rules.kills().get(k);
        told[k] |=
            // It lives a moment longer than it is told to.
            entry.from() <= kill.startedAgain()
                && entry.to() >= kill.startedAgain() - Audit.ROUNDING;
        within |=
            entry.from() >= kill.at() - COMMIT - COMMITS
                && entry.to() <= readAgain[k] + rules.slackMillis();
      }
      if (!within) {
        findings.add(
            Violation.LEDGER,
            () ->
                entry
                    + ": expected to begin "
                    + (COMMIT + COMMITS)
                    + " ms before a kill at most, and to end with the first reading after it");
      }
    }
    for (int k = 0; k < readAgain.length; k++) {
      long at = rules.kills().get(k).at();
      if (!told[k]) {
        findings.add(
            Violation.LEDGER,
            () -> "The gateway was killed at " + Times.clock(at) + ": but no entry says so");
      }
    }
  }

  /** By kill, the time of the first reading after it that arrived; the end of time for none. */
  private long[] readAgain() {
    List<Kill> kills = rules.kills();
    TreeMap<Long, Integer> starts = new TreeMap<>();
    for (int k = 0; k < kills.size(); k++) {
      starts.put(kills.get(k).startedAgain(), k);
    }
    long[] first = new long[kills.size()];
    Arrays.fill(first, Long.MAX_VALUE - rules.slackMillis());
    for (DeviceTruth device : truth.devices()) {
      synchronized (device) {
        for (BlockTruth block : device.blocks()) {
          for (int row = 0; row < block.rows(); row++) {
            // What a device tells may be older than the reading of it.
            long event = block.timed() ? 0 : block.eventAt(row);
            Map.Entry<Long, Integer> start = event == 0 ? null : starts.floorEntry(event);
            if (start != null) {
              first[start.getValue()] = Math.min(first[start.getValue()], event);
            }
          }
        }
      }
    }
    // Killed again before anything was read, the gap goes on.
    for (int k = first.length - 2; k >= 0; k--) {
      first[k] = Math.min(first[k], first[k + 1]);
    }
    return first;
  }

  private void judgeSequences() {
    streams.forEach(
        (name, stream) -> {
          int slash = name.lastIndexOf('/');
          long counted =
              claims.stream()
                  .map(claim -> claim.entry)
                  .filter(e -> e.exact())
                  .filter(e -> e.concerns(name.substring(0, slash), name.substring(slash + 1)))
                  .mapToLong(LedgerClaim::count)
                  .sum();
          long unexplained = stream.missing() - counted - lostByStream.getOrDefault(name, 0L);
          if (unexplained > 0) {
            findings.add(
                Violation.SEQUENCE,
                unexplained,
                () ->
                    name
                        + ": "
                        + stream.missing()
                        + " numbers are missing from #"
                        + stream.firstMissing()
                        + " on, "
                        + counted
                        + " stand in the ledger");
          }
        });
  }

  private boolean numberMissing(BlockTruth block, int row, String streamName) {
    Stream stream = streams.get(streamName);
    if (stream == null) {
      return true;
    }
    String streamClass = streamName.substring(streamName.lastIndexOf('/') + 1);
    int low = -1;
    int high = -1;
    for (int point = 0; point < block.points(); point++) {
      if (block.point(point).streamClass().equals(streamClass)) {
        if (row > 0) {
          low = Math.max(low, block.state(row - 1, point));
        }
        int next = row + 1 < block.rows() ? block.state(row + 1, point) : -1;
        high = next >= 0 && (high < 0 || next > high) ? next : high;
      }
    }
    if (high < 0) {
      for (int point = 0; point < block.points(); point++) {
        if (block.point(point).streamClass().equals(streamClass)) {
          high = Math.max(high, block.state(row, point));
        }
      }
    }
    return stream.missingBetween(low, high);
  }

  private static String describe(DeviceTruth device, BlockTruth block, int row, int point) {
    return device.id()
        + "/"
        + block.point(point).id()
        + " tick "
        + block.tickOf(row)
        + " shown "
        + Times.clock(block.shownAt(row));
  }
}
