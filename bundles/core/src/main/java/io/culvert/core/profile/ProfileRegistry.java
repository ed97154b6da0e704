package io.culvert.core.profile;

import io.culvert.core.document.Fault;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The profiles that are there, from several sources. Of two with the same id, the one from {@code
 * etc/profiles} is taken, as the person at the site decides; else the one whose bundle was
 * installed first. Safe in any thread.
 */
public final class ProfileRegistry {
  private final ProfileReader reader = new ProfileReader();

  /** Profiles of {@code etc/profiles}, by file. */
  private List<LoadedProfile> site = List.of();

  /** By number of the bundle. */
  private final Map<Long, List<LoadedProfile>> bundles = new TreeMap<>();

  private Snapshot snapshot = new Snapshot(Map.of(), Map.of(), List.of());

  /**
   * What is there at one moment.
   *
   * @param byId each id once; one with faults has no profile
   * @param brought those of bundles, also where {@code etc/profiles} has another of the same id
   * @param problems one line each
   */
  public record Snapshot(
      Map<String, LoadedProfile> byId, Map<String, LoadedProfile> brought, List<String> problems) {
    public Snapshot {
      byId = Map.copyOf(byId);
      brought = Map.copyOf(brought);
      problems = List.copyOf(problems);
    }
  }

  /** Does ahead what the first profile would wait for: a few hundred milliseconds. */
  public void prepare() {
    reader.prepare();
  }

  public synchronized Snapshot snapshot() {
    return snapshot;
  }

  /**
   * Takes these files in place of the earlier ones of {@code etc/profiles}. Of a file that became
   * wrong, what it said before stays in force until the process ends.
   *
   * @param files by name as a person knows it, in the order to take them
   */
  public void site(Map<String, byte[]> files) {
    List<LoadedProfile> loaded = load(files);
    synchronized (this) {
      loaded.replaceAll(this::lastGood);
      site = loaded;
      resolve();
    }
  }

  private LoadedProfile lastGood(LoadedProfile now) {
    return site.stream()
        .filter(before -> now.profile() == null && before.file().equals(now.file()))
        .findFirst()
        .map(
            good ->
                new LoadedProfile(
                    now.file(), good.id(), good.profile(), good.places(), now.faults()))
        .orElse(now);
  }

  /** Takes the files of a bundle; empty if it is gone. */
  public void bundle(long number, Map<String, byte[]> files) {
    List<LoadedProfile> loaded = load(files);
    synchronized (this) {
      if (loaded.isEmpty()) {
        bundles.remove(number);
      } else {
        bundles.put(number, loaded);
      }
      resolve();
    }
  }

  private List<LoadedProfile> load(Map<String, byte[]> files) {
    List<LoadedProfile> loaded = new ArrayList<>();
    files.forEach((file, yaml) -> loaded.add(reader.read(file, yaml)));
    return loaded;
  }

  private void resolve() {
    Map<String, LoadedProfile> byId = new LinkedHashMap<>();
    List<String> problems = new ArrayList<>();
    site.forEach(profile -> take(profile, byId, problems));
    // Shadowing a bundle's profile is what etc/profiles is for; two bundles have no such say.
    Map<String, LoadedProfile> brought = new LinkedHashMap<>();
    bundles.values().forEach(list -> list.forEach(profile -> take(profile, brought, problems)));
    brought.forEach(byId::putIfAbsent);
    snapshot = new Snapshot(byId, brought, problems);
  }

  private static void take(
      LoadedProfile profile, Map<String, LoadedProfile> byId, List<String> problems) {
    problems.addAll(profile.faults());
    if (profile.id() == null) {
      return;
    }
    LoadedProfile first = byId.putIfAbsent(profile.id(), profile);
    if (first != null && first.profile() == null && profile.profile() != null) {
      byId.put(profile.id(), profile);
    } else if (first != null) {
      problems.add(
          new Fault(
                  profile.file(),
                  0,
                  0,
                  "id",
                  "\"" + profile.id() + "\"",
                  "an id of its own: " + first.file() + " has it and stays in force")
              .toString());
    }
  }
}
