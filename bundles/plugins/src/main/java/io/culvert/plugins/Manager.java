package io.culvert.plugins;

import io.culvert.api.service.Generations;
import io.culvert.api.service.Generations.Plugin;
import io.culvert.api.service.Generations.TakenBack;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Monitor.State;
import io.culvert.api.service.Plugins;
import io.culvert.plugins.hosting.Pauses;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import org.osgi.framework.Version;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns what lies in the inbox into generations, and generations into running bundles.
 *
 * <p>The inbox says what shall run. A jar that is refused, whose bundle doesn't start, or whose
 * devices aren't as good as before leaves in force what was in force before. Plug-ins are installed
 * and upgraded one after the other, each in a generation on trial; while one is watched, the inbox
 * waits. One thread at a time, except for {@link #plugins} and {@link #configure}.
 */
final class Manager implements Plugins {
  private static final Logger LOG = LoggerFactory.getLogger(Manager.class);

  /** So long a file that isn't a whole jar may still be on its way. */
  static final Duration PATIENCE = Duration.ofSeconds(5);

  /** So often an installation is tried that the gateway doesn't survive. */
  static final int INSTALLATION_TRIES = 3;

  private static final String UNSIGNED =
      "unsigned plug-ins are allowed: whoever can write into plugins/ can run anything on this"
          + " gateway; for development only, set plugins.allowUnsigned to false in etc/site.json";

  private static final String UNTIL = "; it is tried again when its file changes";

  private final Inbox inbox;
  private final Store store;
  private final Bundles bundles;
  private final Generations generations;
  private final Monitor monitor;
  private final Examiner examiner;
  private final InstantSource clock;

  /** Counts on, whatever happens to the clock. */
  private final LongSupplier nanos;

  /** What is known of jars by their hash. */
  private final Map<String, Examiner.Verdict> verdicts = new HashMap<>();

  private final Map<String, Examined> examined = new TreeMap<>();

  /** Why a jar that could run doesn't, by file. */
  private Map<String, String> superseded = Map.of();

  /** Why a jar that could run would be a step back, by file. */
  private Map<String, String> stepsBack = Map.of();

  /** Whether unsigned jars were allowed at the last look. */
  private boolean allowedUnsigned;

  /** Jars that were taken back before this start and haven't been looked at since, by hash. */
  private final Map<String, TakenBack> barred = new HashMap<>();

  /** What is in force and doesn't start, by name. */
  private final Map<String, Failing> failing = new HashMap<>();

  /** What is being watched; {@code null} for nothing. */
  private Trial trial;

  private long started;
  private String held = "";
  private String trouble = "";
  private volatile Settings settings;
  private volatile List<Status> statuses = List.of();

  /** What is known of a file of the inbox in one content. */
  private sealed interface Examined {
    Inbox.Stamp stamp();

    record Fit(Inbox.Stamp stamp, String name, Version version, Plugin plugin)
        implements Examined {}

    /**
     * @param name of the plug-in in force that stays, or what the jar says; {@code ""} if unknown
     * @param stays {@code null} if nothing was in force before
     * @param refused {@code null} if it isn't the check that found fault
     * @param lacking schemes that it has no driver of, while devices use all of them; mostly none
     */
    record Unfit(
        Inbox.Stamp stamp,
        String name,
        Plugin stays,
        String reason,
        Refused refused,
        Set<String> lacking)
        implements Examined {

      Unfit(Inbox.Stamp stamp, String name, Plugin stays, String reason, Refused refused) {
        this(stamp, name, stays, reason, refused, Set.of());
      }
    }
  }

  /**
   * A plug-in that has started and isn't confirmed.
   *
   * @param old {@code null} if it is installed for the first time
   */
  private record Trial(String name, Plugin plugin, Plugin old, Probe probe, long deadline) {}

  /**
   * A plug-in in force that doesn't start.
   *
   * @param pauses go on with the next that says so of the same version
   * @param pause until it is tried again
   * @param until the end of the pause
   */
  private record Failing(Plugin plugin, String why, Pauses pauses, Duration pause, long until) {
    private static final Duration FIRST = Duration.ofSeconds(10);
    private static final Duration LONGEST = Duration.ofMinutes(10);

    static Failing after(Failing before, Plugin plugin, String why, long now) {
      Pauses pauses =
          before == null || differs(before.plugin(), plugin)
              ? new Pauses(FIRST, LONGEST, LONGEST)
              : before.pauses;
      Duration pause = pauses.after(Duration.ZERO);
      return new Failing(plugin, why, pauses, pause, now + pause.toNanos());
    }

    String next() {
      return "it is tried again by itself, after " + pause.toSeconds() + " s";
    }
  }

  /** The higher version; of equal ones the younger file. */
  private static final Comparator<Examined.Fit> PREFERENCE =
      Comparator.comparing(Examined.Fit::version).thenComparing(fit -> fit.stamp().modified());

  Manager(
      Inbox inbox,
      Store store,
      Bundles bundles,
      Generations generations,
      Monitor monitor,
      Examiner examiner,
      InstantSource clock,
      LongSupplier nanos,
      Settings settings) {
    this.inbox = inbox;
    this.store = store;
    this.bundles = bundles;
    this.generations = generations;
    this.monitor = monitor;
    this.examiner = examiner;
    this.clock = clock;
    this.nanos = nanos;
    this.settings = settings;
    bundles.choose(this::place);
  }

  /**
   * In a process of its own runs what the site names, itself or its signer, and what has native
   * code; of profiles alone there is nothing to run. Where the site sets signers apart, so is what
   * nobody vouches for: to withdraw trust from one must not bring it into the gateway.
   */
  private Place place(String name, Plugin plugin) {
    know(name, plugin);
    Examiner.Verdict verdict = verdicts.get(plugin.sha256());
    Settings now = settings;
    if (verdict == null) {
      // Of what can't be looked into any more nobody knows whether it has native code, or whose.
      return new Place(true, now.hostedMemory());
    }
    if (verdict.identity().schemes().isEmpty()) {
      return Place.GATEWAY;
    }
    boolean apart =
        !now.hostedSigners().isEmpty()
            && (verdict.signer().isEmpty() || now.hostedSigners().contains(verdict.signer()));
    return apart || now.hosted().contains(name) || verdict.identity().nativeCode()
        ? new Place(true, now.hostedMemory())
        : Place.GATEWAY;
  }

  /** What the site says from the next pass on. Any thread. */
  void configure(Settings now) {
    settings = now;
  }

  @Override
  public List<Status> plugins() {
    return statuses;
  }

  @Override
  public List<String> problems() {
    List<String> problems = new ArrayList<>(examiner.problems());
    if (settings.allowUnsigned()) {
      problems.add(UNSIGNED);
    }
    return problems;
  }

  /** Starts what the generation in force names, and sweeps the store. */
  void start() throws InterruptedException {
    started = nanos.getAsLong();
    if (generations.onTrial()) {
      // The gateway is the same, but nobody knows any more what was good before.
      generations.revert("It was taken back: nobody watched it to the end of its trial" + UNTIL);
    }
    barred.putAll(generations.takenBack());
    Map<String, Plugin> lock = generations.current().lock();
    Set<String> named = new HashSet<>();
    lock.values().forEach(p -> named.add(p.sha256()));
    try {
      store.keepOnly(named);
    } catch (IOException e) {
      LOG.warn("The plug-in store can't be swept: {}", e.toString());
    }
    allowedUnsigned = settings.allowUnsigned();
    if (allowedUnsigned) {
      LOG.warn("{}", UNSIGNED);
    }
    lock.forEach(this::know);
    bring(lock);
    tell(lock);
  }

  /** Learns whose a jar of the store is. */
  private void know(String name, Plugin plugin) {
    if (verdicts.containsKey(plugin.sha256()) || !store.has(plugin.sha256())) {
      return;
    }
    try {
      verdicts.put(
          plugin.sha256(),
          examiner.inForce(store.path(plugin.sha256()), bundles.api(), settings.allowUnsigned()));
    } catch (JarContent.Unreadable | Refused e) {
      LOG.error("Plug-in {} {} in force: {}", name, plugin.version(), e.getMessage());
      verdicts.put(plugin.sha256(), null);
    }
  }

  /** What was said of trust is said anew when the list, the site or the clock has changed. */
  private void reconsider() {
    boolean changed = examiner.refresh() | allowedUnsigned != settings.allowUnsigned();
    allowedUnsigned = settings.allowUnsigned();
    Instant now = clock.instant();
    if (changed) {
      verdicts.clear();
    }
    Set<String> used = schemesInUse();
    examined
        .values()
        .removeIf(
            each ->
                each instanceof Examined.Unfit unfit
                    ? unfit.refused() != null && unfit.refused().mayChange(changed, now)
                        || !used.containsAll(unfit.lacking())
                    : changed);
  }

  /** Looks at the inbox once and does what it asks for; or goes on with a trial. */
  void pass() throws InterruptedException {
    if (trial == null || judge()) {
      lookAtInbox();
    }
    tell(generations.current().lock());
  }

  private void lookAtInbox() throws InterruptedException {
    Map<String, Inbox.Seen> seen;
    try {
      seen = inbox.look();
    } catch (IOException e) {
      complain("The plug-in inbox can't be read: " + e + "; what runs goes on");
      return;
    }
    reconsider();
    Map<String, Plugin> inForce = generations.current().lock();
    boolean settled = true;
    for (Map.Entry<String, Inbox.Seen> entry : seen.entrySet()) {
      settled &= examine(entry.getKey(), entry.getValue(), inForce);
    }
    if (settled) {
      examined.keySet().retainAll(seen.keySet());
      // From here on a jar is there because someone put it there.
      barred.clear();
    }
    Map<String, Plugin> wanted = wanted(inForce);
    if (!settled) {
      // A jar on its way may be the successor of one that went: nothing stops until it is here.
      inForce.forEach(wanted::putIfAbsent);
    }
    try {
      keep(wanted, inForce);
      for (Map.Entry<String, Plugin> entry : wanted.entrySet()) {
        if (differs(generations.current().lock().get(entry.getKey()), entry.getValue())) {
          change(entry.getKey(), entry.getValue());
          if (trial != null) {
            break;
          }
        }
      }
      trouble = "";
    } catch (IOException e) {
      complain("No new generation can be made: " + e + "; what runs goes on");
    }
  }

  private static boolean differs(Plugin one, Plugin other) {
    return one == null || !one.sha256().equals(other.sha256());
  }

  /**
   * Of what is in force keeps what is wanted, and has it run: nothing new needs to prove itself.
   */
  private void keep(Map<String, Plugin> wanted, Map<String, Plugin> inForce)
      throws IOException, InterruptedException {
    Map<String, Plugin> kept = new TreeMap<>();
    inForce.forEach(
        (name, plugin) -> {
          Plugin now = wanted.get(name);
          if (now != null) {
            // The same content may lie there under another name.
            kept.put(name, differs(plugin, now) ? plugin : now);
          }
        });
    if (!kept.equals(inForce)) {
      generations.lock(kept);
    }
    if (!kept.keySet().equals(inForce.keySet())
        || !kept.entrySet().stream()
            .allMatch(
                e ->
                    bundles.runsInPlace(e.getKey(), e.getValue())
                        || !bundles.stuck(e.getKey()).isEmpty()
                        || !due(e.getKey(), e.getValue()))) {
      bring(kept);
    }
  }

  /** Puts a plug-in on trial that is new or of another version. */
  private void change(String name, Plugin plugin) throws IOException, InterruptedException {
    Map<String, Plugin> lock = new TreeMap<>(generations.current().lock());
    Plugin old = lock.get(name);
    Offer brought = offer(plugin);
    Offer taken = old == null ? Offer.NONE : offer(old);
    if (old != null && tooEarly(name, plugin, taken)) {
      return;
    }
    Set<String> unserved = unserved(name, brought, taken, lock);
    if (!unserved.isEmpty()) {
      String reason =
          "%s %s has no driver of %s, which %s has and devices use; put in a version that has it, or take these devices out of the site first"
              .formatted(name, plugin.version(), String.join(", ", unserved), old.version());
      LOG.error("Plug-in jar {} refused: {}", plugin.origin(), reason);
      examined.replaceAll(
          (file, each) ->
              each instanceof Examined.Fit fit && !differs(plugin, fit.plugin())
                  ? new Examined.Unfit(fit.stamp(), name, old, reason, null, unserved)
                  : each);
      return;
    }
    Duration window = settings.probe();
    Probe probe = new Probe(monitor, brought.and(taken), window, clock.instant());
    lock.put(name, plugin);
    generations.trial(lock);
    trial = new Trial(name, plugin, old, probe, nanos.getAsLong() + window.toNanos());
    bundles.stop(name);
    probe.changed();
    String failure = bundles.bring(lock, later(lock)).get(name);
    if (failure != null) {
      takeBack("doesn't start: " + failure);
    } else if (!judge()) {
      LOG.info(
          "Plug-in {} {} is on trial for up to {} s, until its devices are as good as before",
          name,
          plugin.version(),
          window.toSeconds());
    }
  }

  private Offer offer(Plugin plugin) {
    try {
      return Offer.of(store.path(plugin.sha256()));
    } catch (IOException e) {
      LOG.warn("{}: can't be looked into: {}", plugin.origin(), e.toString());
      return Offer.NONE;
    }
  }

  /**
   * Right after the start it isn't known yet which devices are good: an upgrade waits for that, as
   * long as it would wait for them afterwards.
   */
  private boolean tooEarly(String name, Plugin plugin, Offer taken) {
    boolean early =
        nanos.getAsLong() - started < settings.probe().toNanos()
            && (monitor.gateway().isEmpty()
                || monitor.devices().stream()
                    .anyMatch(
                        d ->
                            taken.serves(d)
                                && (d.state() == State.STARTING || d.state() == State.WAITING)));
    if (early && !held.equals(plugin.sha256())) {
      held = plugin.sha256();
      LOG.info(
          "Plug-in {} {} waits until the devices of the version before have been read",
          name,
          plugin.version());
    }
    return early;
  }

  private Set<String> schemesInUse() {
    Set<String> schemes = new HashSet<>();
    monitor.devices().forEach(device -> schemes.add(Offer.scheme(device)));
    return schemes;
  }

  /** Schemes of devices that nobody would serve any more. */
  private Set<String> unserved(String name, Offer brought, Offer taken, Map<String, Plugin> lock) {
    Set<String> lacking = new TreeSet<>(taken.schemes());
    lacking.removeAll(brought.schemes());
    lacking.retainAll(schemesInUse());
    if (!lacking.isEmpty()) {
      lock.forEach(
          (other, plugin) -> {
            if (!other.equals(name)) {
              lacking.removeAll(offer(plugin).schemes());
            }
          });
    }
    return lacking;
  }

  /**
   * Goes on with the trial.
   *
   * @return whether it has ended
   */
  private boolean judge() throws InterruptedException {
    if (trial.probe().allGoodAgain()) {
      return confirm();
    }
    if (nanos.getAsLong() - trial.deadline() < 0) {
      return false;
    }
    String verdict = trial.probe().verdict();
    if (verdict.isEmpty()) {
      return confirm();
    }
    takeBack("was taken back: " + verdict);
    return true;
  }

  private boolean confirm() {
    try {
      generations.confirm();
    } catch (IOException e) {
      complain("A generation can't be confirmed: " + e + "; it is tried again by itself");
      return false;
    }
    LOG.info("Plug-in {} {} is in force", trial.name(), trial.plugin().version());
    trial = null;
    return true;
  }

  private void takeBack(String why) throws InterruptedException {
    Trial ended = trial;
    trial = null;
    String reason =
        "%s %s %s; %s%s"
            .formatted(ended.name(), ended.plugin().version(), why, instead(ended.old()), UNTIL);
    LOG.error("{}", reason);
    examined.replaceAll(
        (file, each) -> giveUp(each, ended.name(), ended.plugin(), ended.old(), reason));
    bring(generations.revert(reason).lock());
  }

  private static String instead(Plugin old) {
    return old == null ? "it is left out" : "back to " + old.version();
  }

  /**
   * @return whether the file is known in its present content
   */
  private boolean examine(String file, Inbox.Seen seen, Map<String, Plugin> inForce) {
    Examined known = examined.get(file);
    if (known != null && known.stamp().equals(seen.stamp())) {
      return true;
    }
    if (!seen.settled()) {
      return false;
    }
    try {
      examined.put(file, fit(file, seen));
    } catch (JarContent.Unreadable e) {
      if (Duration.between(seen.since(), clock.instant()).compareTo(PATIENCE) < 0) {
        return false;
      }
      refuse(
          file,
          seen,
          inForce,
          "found no whole jar (" + e.getMessage() + "); expected a bundle",
          null);
    } catch (Refused e) {
      refuse(file, seen, inForce, e.getMessage(), e);
    } catch (IOException e) {
      refuse(
          file,
          seen,
          inForce,
          "can't be copied (" + e + "); mend that and put the jar in again",
          null);
    }
    return true;
  }

  private Examined fit(String file, Inbox.Seen seen)
      throws IOException, JarContent.Unreadable, Refused {
    Store.Staged staged = store.stage(seen.path());
    try {
      Examiner.Verdict verdict = verdicts.get(staged.sha256());
      if (verdict == null || !verdict.warning().isEmpty()) {
        boolean admitted =
            generations.current().lock().values().stream()
                .anyMatch(p -> p.sha256().equals(staged.sha256()));
        verdict =
            examiner.examine(staged.file(), bundles.api(), settings.allowUnsigned(), admitted);
      }
      Identity jar = verdict.identity();
      if (bundles.ofBase(jar.symbolicName())) {
        throw Refused.ofBase(jar.symbolicName());
      }
      Plugin plugin = new Plugin(jar.version().toString(), staged.sha256(), file);
      Plugin inForce = generations.current().lock().get(jar.symbolicName());
      TakenBack before = barred.get(staged.sha256());
      if (before != null && !again(before, inForce)) {
        return new Examined.Unfit(seen.stamp(), jar.symbolicName(), inForce, before.reason(), null);
      }
      store.commit(staged);
      // Put in anew: a reason to try it at once.
      failing.remove(jar.symbolicName());
      verdicts.put(staged.sha256(), verdict);
      if (!verdict.warning().isEmpty()) {
        LOG.warn("Plug-in jar {}: {}", seen.path(), verdict.warning());
      }
      return new Examined.Fit(seen.stamp(), jar.symbolicName(), jar.version(), plugin);
    } finally {
      store.discard(staged);
    }
  }

  /**
   * Whether a jar that was taken back before this start is tried once more. An installation that
   * only the end of the gateway cut off is: nobody may be there to see to it. An upgrade isn't, as
   * there is something that runs.
   */
  private static boolean again(TakenBack before, Plugin inForce) {
    return inForce == null
        && before.interruptions() > 0
        && before.interruptions() < INSTALLATION_TRIES;
  }

  private void refuse(
      String file, Inbox.Seen seen, Map<String, Plugin> inForce, String reason, Refused refused) {
    // The successor of one whose own file is gone leaves that in force, too.
    String name = refused == null ? "" : refused.plugin();
    Plugin stays = inForce.get(name);
    for (Map.Entry<String, Plugin> entry : inForce.entrySet()) {
      if (entry.getValue().origin().equals(file)) {
        name = entry.getKey();
        stays = entry.getValue();
      }
    }
    if (stays == null) {
      name = "";
    }
    String all =
        stays == null ? reason : reason + "; " + name + " " + stays.version() + " stays in force";
    LOG.error("Plug-in jar {} refused: {}", seen.path(), all);
    examined.put(file, new Examined.Unfit(seen.stamp(), name, stays, all, refused));
  }

  /**
   * What the files examined ask for: of jars with one symbolic name the highest version, and none
   * that is older than what is in force.
   */
  private Map<String, Plugin> wanted(Map<String, Plugin> inForce) {
    Map<String, Examined.Fit> best = new TreeMap<>();
    Map<String, String> beaten = new TreeMap<>();
    Map<String, String> back = new TreeMap<>();
    Map<String, Plugin> wanted = new TreeMap<>();
    Set<String> there = new HashSet<>();
    for (Examined each : examined.values()) {
      if (each instanceof Examined.Fit fit) {
        there.add(fit.plugin().sha256());
      }
    }
    examined.forEach(
        (file, each) -> {
          if (!(each instanceof Examined.Fit fit)) {
            return;
          }
          Plugin present = inForce.get(fit.name());
          String stepBack =
              StepBack.of(
                  fit.name(),
                  fit.version(),
                  fit.plugin().sha256(),
                  present,
                  settings.allowUnsigned());
          if (stepBack == null) {
            best.merge(fit.name(), fit, (a, b) -> PREFERENCE.compare(b, a) > 0 ? b : a);
          } else if (!there.contains(present.sha256())) {
            back.put(file, stepBack);
            wanted.put(fit.name(), present);
          }
        });
    best.forEach((name, fit) -> wanted.put(name, fit.plugin()));
    examined.forEach(
        (file, each) -> {
          if (each instanceof Examined.Fit fit
              && !back.containsKey(file)
              && best.get(fit.name()) != fit) {
            Plugin winner = wanted.get(fit.name());
            beaten.put(
                file,
                "%s %s of %s is in force; remove this jar or that one"
                    .formatted(fit.name(), winner.version(), winner.origin()));
          } else if (each instanceof Examined.Unfit unfit && unfit.stays() != null) {
            // By now that may be another one than stayed at that time.
            Plugin present = inForce.get(unfit.name());
            if (present != null) {
              wanted.putIfAbsent(unfit.name(), present);
            }
          }
        });
    if (!back.equals(stepsBack)) {
      back.forEach((file, why) -> LOG.error("Plug-in jar {} refused: {}", file, why));
      stepsBack = back;
    }
    if (!beaten.equals(superseded)) {
      beaten.forEach((file, why) -> LOG.warn("Plug-in jar {} isn't used: {}", file, why));
      superseded = beaten;
    }
    return wanted;
  }

  /**
   * Brings the bundles to what is in force. What doesn't start stays in force: the reason, such as
   * an adapter that comes late, may go away by itself.
   */
  private void bring(Map<String, Plugin> lock) throws InterruptedException {
    failing.keySet().retainAll(lock.keySet());
    Set<String> later = later(lock);
    Map<String, String> failures = bundles.bring(lock, later);
    lock.forEach(
        (name, plugin) -> {
          if (later.contains(name)) {
            return;
          }
          String why = failures.get(name);
          Failing before = failing.remove(name);
          // One that is stuck runs again with the gateway's next start at the earliest.
          if (why != null && bundles.stuck(name).isEmpty()) {
            Failing now = Failing.after(before, plugin, why, nanos.getAsLong());
            failing.put(name, now);
            LOG.error("{} {} doesn't start: {}; {}", name, plugin.version(), why, now.next());
          }
        });
  }

  /** Those that didn't start and aren't to be tried again yet. */
  private Set<String> later(Map<String, Plugin> lock) {
    Set<String> later = new HashSet<>(failing.keySet());
    later.removeIf(name -> due(name, lock.get(name)));
    return later;
  }

  private String whyNot(String name) {
    Failing since = failing.get(name);
    return since == null ? bundles.stuck(name) : since.why() + "; " + since.next();
  }

  /** Whether one that didn't start is to be tried again. */
  private boolean due(String name, Plugin plugin) {
    Failing since = failing.get(name);
    return since == null
        || differs(since.plugin(), plugin)
        || nanos.getAsLong() - since.until() >= 0;
  }

  private static Examined giveUp(
      Examined each, String name, Plugin bad, Plugin back, String reason) {
    if (each instanceof Examined.Fit fit && !differs(bad, fit.plugin())) {
      return new Examined.Unfit(fit.stamp(), name, back, reason, null);
    }
    if (each instanceof Examined.Unfit unfit && bad.equals(unfit.stays())) {
      return new Examined.Unfit(unfit.stamp(), name, back, unfit.reason(), unfit.refused());
    }
    return each;
  }

  private void tell(Map<String, Plugin> lock) {
    List<Status> list = new ArrayList<>();
    lock.forEach(
        (name, plugin) -> {
          know(name, plugin);
          boolean runs = bundles.runs(name, plugin);
          boolean refused =
              examined.get(plugin.origin()) instanceof Examined.Unfit unfit
                  && plugin.equals(unfit.stays());
          Examiner.Verdict verdict = verdicts.get(plugin.sha256());
          list.add(
              status(
                  plugin.origin(),
                  name,
                  plugin,
                  stage(name, runs),
                  bundles.hosted(name),
                  !runs
                      ? "doesn't run: " + whyNot(name)
                      : together(
                          bundles.trouble(name),
                          verdict == null || refused ? "" : verdict.warning())));
        });
    examined.forEach(
        (file, each) -> {
          if (each instanceof Examined.Unfit unfit) {
            list.add(
                new Status(file, unfit.name(), "", "", "", Stage.REFUSED, false, unfit.reason()));
          } else if (each instanceof Examined.Fit fit && stepsBack.containsKey(file)) {
            list.add(
                status(file, fit.name(), fit.plugin(), Stage.REFUSED, false, stepsBack.get(file)));
          } else if (each instanceof Examined.Fit fit && superseded.containsKey(file)) {
            list.add(
                status(
                    file, fit.name(), fit.plugin(), Stage.SUPERSEDED, false, superseded.get(file)));
          }
        });
    list.sort(Comparator.comparing(Status::file));
    statuses = List.copyOf(list);
  }

  private static String together(String one, String other) {
    return one.isEmpty() || other.isEmpty() ? one + other : one + "; " + other;
  }

  private Stage stage(String name, boolean runs) {
    if (!runs) {
      return Stage.STOPPED;
    }
    return trial != null && trial.name().equals(name) ? Stage.TRIAL : Stage.RUNNING;
  }

  private Status status(
      String file, String name, Plugin plugin, Stage stage, boolean hosted, String message) {
    Examiner.Verdict verdict = verdicts.get(plugin.sha256());
    return new Status(
        file,
        name,
        plugin.version(),
        verdict == null ? "" : verdict.identity().vendor(),
        verdict == null ? "" : verdict.signer(),
        stage,
        hosted,
        message);
  }

  private void complain(String what) {
    if (!what.equals(trouble)) {
      trouble = what;
      LOG.error(what);
    }
  }
}
