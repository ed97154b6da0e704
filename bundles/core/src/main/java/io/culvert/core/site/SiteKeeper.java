package io.culvert.core.site;

import io.culvert.api.Device;
import io.culvert.api.service.Generations.Generation;
import io.culvert.core.document.Fault;
import io.culvert.core.document.Faults;
import io.culvert.core.document.JsonReader;
import io.culvert.core.document.Node;
import io.culvert.core.document.YamlReader;
import io.culvert.core.model.Profile;
import io.culvert.core.model.Site;
import io.culvert.core.profile.LoadedProfile;
import io.culvert.core.profile.ProfileRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the site in force in line with {@code etc/site.json}, {@code etc/profiles} and what bundles
 * bring. {@link #look} does the work, on one thread; everything else is safe in any thread.
 */
final class SiteKeeper implements SiteSource {
  private static final Logger LOG = LoggerFactory.getLogger(SiteKeeper.class);
  private static final String SITE_FILE = "etc/site.json";

  /** Id and scheme of the profile by which the gateway tells of itself. */
  private static final String OWN = "gateway";

  /** Takes what follows for Configuration Admin. */
  /** So many different troubles are told. */
  private static final int MOST_TROUBLES = 100;

  @FunctionalInterface
  interface Applier {
    void apply(Derivation derived) throws IOException;
  }

  private final Path siteFile;
  private final GenerationStore store;
  private final ProfileRegistry profiles;
  private final Metatypes metatypes;
  private final Applier configurations;
  private final FileWatch siteWatch;
  private final FileWatch profileWatch;
  private final List<Consumer<Site>> listeners = new CopyOnWriteArrayList<>();

  /** Held while listeners are called, so that each hears of whole sites in order. */
  private final Object telling = new Object();

  /** The document in force, {@code null} while there is none; only for the working thread. */
  private SiteDocument document;

  /** What is wrong in {@code etc/site.json} if it isn't the document in force. */
  private List<String> refused = List.of();

  /** What a look failed at, as far as it was told. */
  private final Set<String> troubles = new HashSet<>();

  /** Whether {@code etc/site.json} holds something that hasn't been dealt with. */
  private boolean unread;

  /** The document of the generation in force when {@code etc/site.json} was read last. */
  private byte[] standing;

  /** When what {@code etc/site.json} holds was taken back, how the file was; else {@code null}. */
  private Object takenBack;

  private Derivation derived;

  /** The failure told last, so that each is told once. */
  private String failure = "";

  private volatile State state =
      new State(SITE_FILE, new Site("", List.of()), Map.of(), Map.of(), List.of());

  /** What others see, in one piece. */
  private record State(
      String file,
      Site site,
      Map<String, SiteDocument.DeviceEntry> devices,
      Map<String, LoadedProfile> profiles,
      List<String> problems) {}

  SiteKeeper(
      Path etc,
      GenerationStore store,
      ProfileRegistry profiles,
      Metatypes metatypes,
      Applier configurations,
      InstantSource clock) {
    this.siteFile = etc.resolve("site.json");
    this.store = store;
    this.profiles = profiles;
    this.metatypes = metatypes;
    this.configurations = configurations;
    this.siteWatch = new FileWatch(() -> List.of(siteFile), JsonReader.MAX_BYTES, clock);
    this.profileWatch =
        new FileWatch(() -> profileFiles(etc.resolve("profiles")), YamlReader.MAX_BYTES, clock);
  }

  @Override
  public Site current() {
    return state.site;
  }

  @Override
  public Listening listen(Consumer<Site> listener) {
    // A wrapper of its own, so that a listener that comes twice goes once.
    Consumer<Site> own = listener::accept;
    synchronized (telling) {
      listeners.add(own);
      tell(own, state.site);
    }
    return () -> listeners.remove(own);
  }

  @Override
  public List<String> problems() {
    return state.problems;
  }

  @Override
  public String where(String device, String key) {
    State now = state;
    SiteDocument.DeviceEntry entry = now.devices.get(device);
    if (entry == null) {
      LoadedProfile own = device.equals(now.site.gateway()) ? now.profiles.get(OWN) : null;
      return own == null ? key : own.places().getOrDefault(key, key);
    }
    Node place = entry.node();
    for (String step : key.split("\\.")) {
      Node below = place instanceof Node.Obj object ? object.members().get(step) : null;
      if (below == null) {
        return elsewhere(now, entry, place, key);
      }
      place = below;
    }
    return new Fault(now.file, place.line(), 0, entry.path() + "." + key, "", "").place();
  }

  /** What the site says nothing of comes from the profile. */
  private static String elsewhere(
      State now, SiteDocument.DeviceEntry entry, Node nearest, String key) {
    LoadedProfile profile = now.profiles.get(entry.profile());
    if (profile != null) {
      String at = key;
      while (!profile.places().containsKey(at) && at.indexOf('.') >= 0) {
        at = at.substring(0, at.lastIndexOf('.'));
      }
      // A whole section is no place for a key that isn't in it, except for a point.
      if (at.equals(key) || at.startsWith("points.")) {
        return profile.places().get(at);
      }
    }
    return new Fault(now.file, nearest.line(), 0, entry.path() + "." + key, "", "").place();
  }

  /**
   * Looks what changed and puts it in force. Never throws: what fails is logged, and tried again at
   * the next look where that makes sense.
   */
  void look() {
    // Each by itself: profiles that can't be listed are no reason not to read the site.
    step(this::lookAtProfiles);
    step(this::lookAtSite);
    step(this::derive);
    step(this::publish);
  }

  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  private void step(Step step) {
    try {
      step.run();
    } catch (IOException | RuntimeException | Error e) {
      // Errors too: whatever one look meets, there is a next. Each is told once.
      if (troubles.size() < MOST_TROUBLES && troubles.add(e.toString())) {
        LOG.error("Looking at etc failed; what was in force stays", e);
      }
    }
  }

  private void lookAtProfiles() throws IOException {
    if (profileWatch.look()) {
      Map<String, byte[]> files = new LinkedHashMap<>();
      profileWatch
          .contents()
          .forEach((file, yaml) -> files.put("etc/profiles/" + file.getFileName(), yaml));
      profiles.site(files);
    }
  }

  private void lookAtSite() throws IOException {
    unread |= siteWatch.look() || !Arrays.equals(standing, store.site()) || savedAgain();
    if (unread) {
      unread = false;
      standing = read(siteWatch.contents().get(siteFile));
    }
  }

  /** Whether someone wants what was taken back once more. */
  private boolean savedAgain() {
    return takenBack != null && !takenBack.equals(siteWatch.stamp(siteFile));
  }

  /**
   * Takes what {@code etc/site.json} holds now.
   *
   * @return the document of the store that {@link #document} is; the store may go back meanwhile
   */
  private byte[] read(byte[] json) throws IOException {
    Faults faults = new Faults(SITE_FILE);
    SiteDocument written = null;
    if (json == null) {
      faults.file("nothing that can be read", "the site document");
    } else {
      written = SiteDocument.read(json, faults);
    }
    byte[] good = store.site();
    if (written != null && back(json, good)) {
      return good;
    }
    if (written != null && stored(json, faults)) {
      document = written;
      refused = List.of();
      takenBack = null;
      return json;
    }
    refused = new ArrayList<>(faults.lines());
    if (!Arrays.equals(standing, good)) {
      document = fromStore(good);
    }
    refused.add(
        SITE_FILE
            + ": not in force; "
            + (document == null
                ? "there is no earlier site to go on with"
                : "generation " + store.current().number() + " stays in force until it is mended"));
    return good;
  }

  /**
   * What was in force on trial and went back with a plug-in doesn't come again by itself.
   *
   * @return whether that is so of this document; then the one before is in force
   */
  private boolean back(byte[] json, byte[] good) {
    String why = savedAgain() ? null : store.takenBack(json);
    if (why == null || Arrays.equals(json, good)) {
      return false;
    }
    takenBack = siteWatch.stamp(siteFile);
    document = fromStore(good);
    refused =
        List.of(
            SITE_FILE
                + ": not in force; it was saved while a plug-in was on trial, and went back to"
                + " generation "
                + store.current().number()
                + " with it: "
                + why
                + "; save the file again to put it in force");
    return true;
  }

  /**
   * What isn't stored is not in force: the next start would bring another site.
   *
   * @return {@code false}, with a fault, if the disk didn't take it; then it is tried again
   */
  private boolean stored(byte[] json, Faults faults) {
    try {
      long before = store.current().number();
      Generation made = store.site(json);
      if (made.number() != before) {
        LOG.info("{} is in force as generation {}", SITE_FILE, made.number());
      }
      return true;
    } catch (IOException e) {
      unread = true;
      faults.file(
          "no way to store it (" + e + ")",
          "room and rights for data/generations; it is tried again by itself");
      return false;
    }
  }

  private SiteDocument fromStore(byte[] good) {
    return good == null ? null : SiteDocument.read(good, new Faults(inForce()));
  }

  private String inForce() {
    return "data/generations/" + store.current().number() + "/site.json";
  }

  private void derive() {
    if (document == null) {
      return;
    }
    Derivation now = Derivation.of(document, metatypes);
    if (same(now, derived)) {
      return;
    }
    try {
      configurations.apply(now);
      derived = now;
      failure = "";
    } catch (IOException | RuntimeException e) {
      if (!failure.equals(e.toString())) {
        failure = e.toString();
        LOG.error("Configuration Admin didn't take what {} says; trying again", SITE_FILE, e);
      }
    }
  }

  private static boolean same(Derivation a, Derivation b) {
    return b != null
        && a.bufferSound() == b.bufferSound()
        && java.util.Objects.equals(a.buffer(), b.buffer())
        && a.pluginsSound() == b.pluginsSound()
        && java.util.Objects.equals(a.plugins(), b.plugins())
        && a.platforms().equals(b.platforms())
        && java.util.Objects.equals(a.keep(), b.keep())
        && a.faults().lines().equals(b.faults().lines());
  }

  private void publish() {
    ProfileRegistry.Snapshot present = profiles.snapshot();
    List<String> problems = new ArrayList<>(refused);
    Map<String, SiteDocument.DeviceEntry> devices = new HashMap<>();
    List<Site.Entry> entries = List.of();
    Profile own = own(present, problems);
    if (document != null) {
      problems.addAll(document.faults().lines());
      if (derived != null) {
        problems.addAll(derived.faults().lines());
      }
      for (SiteDocument.DeviceEntry device : document.devices()) {
        devices.put(device.id(), device);
      }
      entries = entries(document, present, problems);
    }
    problems.addAll(present.problems());
    String file = document == null ? SITE_FILE : document.faults().file();
    String gateway = document == null ? "" : document.gateway();
    State before = state;
    State now =
        new State(
            file,
            new Site(gateway, document == null ? null : own, entries),
            devices,
            present.byId(),
            List.copyOf(problems));
    for (String problem : now.problems) {
      if (!before.problems.contains(problem)) {
        LOG.error("{}", problem);
      }
    }
    synchronized (telling) {
      state = now;
      if (!now.site.equals(before.site)) {
        listeners.forEach(listener -> tell(listener, now.site));
      }
    }
  }

  /**
   * The gateway's own profile. It goes on watching itself by what its bundle brings where {@code
   * etc/profiles} has one of that id that can't be used.
   *
   * @return {@code null} if there is none
   */
  static Profile own(ProfileRegistry.Snapshot present, List<String> problems) {
    LoadedProfile chosen = present.byId().get(OWN);
    if (chosen != null && chosen.profile() != null) {
      if (chosen.profile().scheme().equals(OWN)) {
        return chosen.profile();
      }
      problems.add(
          chosen.places().get("scheme")
              + ": found \""
              + chosen.profile().scheme()
              + "\"; expected \"gateway\": a profile of the id gateway is the gateway's own; give"
              + " that of a device another id");
    }
    LoadedProfile brought = present.brought().get(OWN);
    return brought == null || brought == chosen ? null : brought.profile();
  }

  /** The devices of a document with their profiles; adds what is wrong between the two. */
  static List<Site.Entry> entries(
      SiteDocument document, ProfileRegistry.Snapshot present, List<String> problems) {
    List<Site.Entry> entries = new ArrayList<>();
    for (SiteDocument.DeviceEntry device : document.devices()) {
      entries.add(entry(document.faults().file(), device, present, problems));
    }
    return entries;
  }

  private static Site.Entry entry(
      String file,
      SiteDocument.DeviceEntry device,
      ProfileRegistry.Snapshot present,
      List<String> problems) {
    LoadedProfile loaded = present.byId().get(device.profile());
    Profile profile = loaded == null ? null : loaded.profile();
    String problem = device.problem();
    if (problem.isEmpty() && loaded != null && profile == null) {
      problem = String.join("; ", loaded.faults());
    } else if (problem.isEmpty()
        && profile != null
        && !profile.fits(device.endpoint().getScheme())) {
      problem =
          new Fault(
                  file,
                  device.node().members().get("endpoint").line(),
                  0,
                  device.path() + ".endpoint",
                  '"' + Node.shorten(device.endpoint().toString()) + '"',
                  "a URL whose scheme is "
                      + profile.scheme()
                      + " or begins with "
                      + profile.scheme()
                      + "-, as the profile "
                      + device.profile()
                      + " is for it")
              .toString();
      problems.add(problem);
    }
    Map<String, String> settings = new HashMap<>();
    if (profile != null) {
      settings.putAll(profile.settings());
    }
    settings.putAll(device.settings());
    return new Site.Entry(
        new Device(device.id(), device.profile(), device.endpoint(), settings),
        profile,
        device.interval() != null
            ? device.interval()
            : profile != null ? profile.interval() : SiteDocument.DEFAULT_INTERVAL,
        device.timeout(),
        problem);
  }

  private static void tell(Consumer<Site> listener, Site site) {
    try {
      listener.accept(site);
    } catch (RuntimeException e) {
      LOG.error("A listener failed at a new site", e);
    }
  }

  private static List<Path> profileFiles(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .filter(file -> file.getFileName().toString().endsWith(".yaml"))
          .sorted()
          .toList();
    }
  }
}
