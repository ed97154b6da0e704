package io.culvert.plugins;

import io.culvert.api.service.Generations;
import io.culvert.api.service.Generations.Plugin;
import io.culvert.api.service.Plugins;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.osgi.framework.Version;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns what lies in the inbox into generations, and generations into running bundles.
 *
 * <p>The inbox says what shall run. A jar that is refused, or whose bundle doesn't start, leaves in
 * force what was in force before under that file name. One thread at a time, except for {@link
 * #plugins}.
 */
final class Manager implements Plugins {
  private static final Logger LOG = LoggerFactory.getLogger(Manager.class);

  /** So long a file that isn't a whole jar may still be on its way. */
  static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Inbox inbox;
  private final Store store;
  private final Bundles bundles;
  private final Generations generations;
  private final InstantSource clock;

  private final Map<String, Examined> examined = new TreeMap<>();

  /** Why a jar that could run doesn't, by file. */
  private Map<String, String> superseded = Map.of();

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
     */
    record Unfit(Inbox.Stamp stamp, String name, Plugin stays, String reason) implements Examined {}
  }

  /** The higher version; of equal ones the younger file. */
  private static final Comparator<Examined.Fit> PREFERENCE =
      Comparator.comparing(Examined.Fit::version).thenComparing(fit -> fit.stamp().modified());

  Manager(
      Inbox inbox,
      Store store,
      Bundles bundles,
      Generations generations,
      InstantSource clock,
      Settings settings) {
    this.inbox = inbox;
    this.store = store;
    this.bundles = bundles;
    this.generations = generations;
    this.clock = clock;
    this.settings = settings;
  }

  /** What the site says from the next pass on. Any thread. */
  void configure(Settings now) {
    settings = now;
  }

  @Override
  public List<Status> plugins() {
    return statuses;
  }

  /** Starts what the generation in force names, and sweeps the store. */
  void start() throws InterruptedException {
    Map<String, Plugin> lock = generations.current().lock();
    Set<String> named = new HashSet<>();
    lock.values().forEach(p -> named.add(p.sha256()));
    try {
      store.keepOnly(named);
    } catch (IOException e) {
      LOG.warn("The plug-in store can't be swept: {}", e.toString());
    }
    bundles.bring(lock).forEach((name, why) -> LOG.error("Plug-in {}: {}", name, why));
    tell(lock);
  }

  /** Looks at the inbox once and does what it asks for. */
  void pass() throws InterruptedException {
    Map<String, Inbox.Seen> seen;
    try {
      seen = inbox.look();
    } catch (IOException e) {
      complain("The plug-in inbox can't be read: " + e + "; what runs goes on");
      return;
    }
    Map<String, Plugin> inForce = generations.current().lock();
    boolean settled = true;
    for (Map.Entry<String, Inbox.Seen> entry : seen.entrySet()) {
      settled &= examine(entry.getKey(), entry.getValue(), inForce);
    }
    if (settled) {
      examined.keySet().retainAll(seen.keySet());
    }
    Map<String, Plugin> wanted = wanted();
    if (!settled) {
      // A jar on its way may be the successor of one that went: nothing stops until it is here.
      inForce.forEach(wanted::putIfAbsent);
    }
    try {
      if (!wanted.equals(inForce)) {
        generations.lock(wanted);
      }
      if (!wanted.entrySet().stream().allMatch(e -> bundles.runs(e.getKey(), e.getValue()))
          || !wanted.keySet().containsAll(inForce.keySet())) {
        bring(wanted, inForce);
      }
      trouble = "";
    } catch (IOException e) {
      complain("No new generation can be made: " + e + "; what runs goes on");
    }
    tell(generations.current().lock());
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
    } catch (JarCheck.Unreadable e) {
      if (Duration.between(seen.since(), clock.instant()).compareTo(PATIENCE) < 0) {
        return false;
      }
      refuse(file, seen, inForce, "found no whole jar (" + e.getMessage() + "); expected a bundle");
    } catch (Refused e) {
      refuse(file, seen, inForce, e.getMessage());
    } catch (IOException e) {
      refuse(
          file, seen, inForce, "can't be copied (" + e + "); mend that and put the jar in again");
    }
    return true;
  }

  private Examined.Fit fit(String file, Inbox.Seen seen)
      throws IOException, JarCheck.Unreadable, Refused {
    Store.Staged staged = store.stage(seen.path());
    try {
      Identity jar = JarCheck.check(staged.file());
      if (bundles.ofBase(jar.symbolicName())) {
        throw new Refused(
            "Bundle-SymbolicName: " + jar.symbolicName(), "a name that no bundle of the base has");
      }
      store.commit(staged);
      Plugin plugin = new Plugin(jar.version().toString(), staged.sha256(), file);
      return new Examined.Fit(seen.stamp(), jar.symbolicName(), jar.version(), plugin);
    } finally {
      store.discard(staged);
    }
  }

  private void refuse(String file, Inbox.Seen seen, Map<String, Plugin> inForce, String reason) {
    String name = "";
    Plugin stays = null;
    for (Map.Entry<String, Plugin> entry : inForce.entrySet()) {
      if (entry.getValue().origin().equals(file)) {
        name = entry.getKey();
        stays = entry.getValue();
      }
    }
    LOG.error(
        "Plug-in jar {} refused: {}{}",
        seen.path(),
        reason,
        stays == null ? "" : "; " + name + " " + stays.version() + " stays in force");
    examined.put(file, new Examined.Unfit(seen.stamp(), name, stays, reason));
  }

  /** What the files examined ask for: of jars with one symbolic name the highest version. */
  private Map<String, Plugin> wanted() {
    Map<String, Examined.Fit> best = new TreeMap<>();
    Map<String, String> beaten = new TreeMap<>();
    for (Examined each : examined.values()) {
      if (each instanceof Examined.Fit fit) {
        Examined.Fit other = best.get(fit.name());
        if (other == null || PREFERENCE.compare(fit, other) > 0) {
          best.put(fit.name(), fit);
        }
      }
    }
    Map<String, Plugin> wanted = new TreeMap<>();
    best.forEach((name, fit) -> wanted.put(name, fit.plugin()));
    examined.forEach(
        (file, each) -> {
          if (each instanceof Examined.Fit fit && best.get(fit.name()) != fit) {
            Plugin winner = wanted.get(fit.name());
            beaten.put(
                file,
                "%s %s of %s is in force; remove this jar or that one"
                    .formatted(fit.name(), winner.version(), winner.origin()));
          } else if (each instanceof Examined.Unfit unfit && unfit.stays() != null) {
            wanted.putIfAbsent(unfit.name(), unfit.stays());
          }
        });
    if (!beaten.equals(superseded)) {
      beaten.forEach((file, why) -> LOG.warn("Plug-in jar {} isn't used: {}", file, why));
      superseded = beaten;
    }
    return wanted;
  }

  /** Brings the bundles to a lock; what doesn't start goes back to what was before. */
  private void bring(Map<String, Plugin> lock, Map<String, Plugin> before)
      throws IOException, InterruptedException {
    Map<String, String> failures = bundles.bring(lock);
    if (failures.isEmpty()) {
      return;
    }
    Map<String, Plugin> without = new TreeMap<>(lock);
    failures.forEach(
        (name, why) -> {
          Plugin bad = lock.get(name);
          Plugin old = before.get(name);
          Plugin back =
              old != null && !old.sha256().equals(bad.sha256()) && store.has(old.sha256())
                  ? old
                  : null;
          LOG.error(
              "Plug-in {} {} ({}) doesn't start: {}; {}",
              name,
              bad.version(),
              bad.origin(),
              why,
              back == null ? "it is left out" : "back to " + back.version());
          if (back == null) {
            without.remove(name);
          } else {
            without.put(name, back);
          }
          examined.replaceAll((file, each) -> giveUp(each, name, bad, back, why));
        });
    generations.lock(without);
    bundles
        .bring(without)
        .forEach((name, why) -> LOG.error("Plug-in {} doesn't start again: {}", name, why));
  }

  private static Examined giveUp(Examined each, String name, Plugin bad, Plugin back, String why) {
    if (each instanceof Examined.Fit fit && fit.plugin().equals(bad)) {
      return new Examined.Unfit(
          fit.stamp(), name, back, name + " " + bad.version() + " doesn't start: " + why);
    }
    if (each instanceof Examined.Unfit unfit && bad.equals(unfit.stays())) {
      return new Examined.Unfit(unfit.stamp(), name, null, unfit.reason());
    }
    return each;
  }

  private void tell(Map<String, Plugin> lock) {
    List<Status> list = new ArrayList<>();
    lock.forEach(
        (name, plugin) -> {
          boolean runs = bundles.runs(name, plugin);
          list.add(
              new Status(
                  plugin.origin(),
                  name,
                  plugin.version(),
                  "",
                  "",
                  runs ? Stage.RUNNING : Stage.STOPPED,
                  false,
                  runs ? "" : "doesn't run; put its jar into the inbox again"));
        });
    examined.forEach(
        (file, each) -> {
          if (each instanceof Examined.Unfit unfit) {
            list.add(
                new Status(file, unfit.name(), "", "", "", Stage.REFUSED, false, unfit.reason()));
          } else if (each instanceof Examined.Fit fit && superseded.containsKey(file)) {
            list.add(
                new Status(
                    file,
                    fit.name(),
                    fit.plugin().version(),
                    "",
                    "",
                    Stage.SUPERSEDED,
                    false,
                    superseded.get(file)));
          }
        });
    list.sort(Comparator.comparing(Status::file));
    statuses = List.copyOf(list);
  }

  private void complain(String what) {
    if (!what.equals(trouble)) {
      trouble = what;
      LOG.error(what);
    }
  }
}
