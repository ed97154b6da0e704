package io.culvert.api.service;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Generations of what this gateway runs: the site document with the lock of plug-in hashes, always
 * switched together by one synced rename. Any thread; what changes the generation blocks for the
 * disk's sync.
 *
 * <p>A generation on trial is in force and not confirmed: {@link #revert} brings back the one that
 * was in force before, lock and site document, and so does the next start of the gateway, however
 * this one ends. A site document that comes into force meanwhile is on the same trial.
 */
@ProviderType
public interface Generations {

  /** The one in force. */
  Generation current();

  /** Whether the one in force is on trial. */
  boolean onTrial();

  /**
   * Puts a new generation in force, with this lock and the site document in force. Nothing has
   * changed if it throws.
   *
   * @param lock by symbolic name
   * @throws IllegalStateException during a trial
   */
  Generation lock(Map<String, Plugin> lock) throws IOException;

  /** As {@link #lock}, but on trial. */
  Generation trial(Map<String, Plugin> lock) throws IOException;

  /**
   * Ends the trial: what is in force stays.
   *
   * @throws IOException if the disk refuses; the trial goes on
   * @throws IllegalStateException if nothing is on trial
   */
  void confirm() throws IOException;

  /**
   * Ends the trial: what was in force before it is again. Also if the disk refuses, as the next
   * start would do the same.
   *
   * @param reason a sentence that names the plug-in
   * @throws IllegalStateException if nothing is on trial
   */
  Generation revert(String reason);

  /** Jars that a trial ended badly for and none well since, by the hash of their content. */
  Map<String, TakenBack> takenBack();

  /**
   * What is wrong in the site document and the profiles, one line each with file and line; empty if
   * nothing.
   */
  List<String> problems();

  /**
   * @param number from 1, growing; 0 while there is none yet
   * @param lock plug-ins by symbolic name
   */
  record Generation(long number, Map<String, Plugin> lock) {
    public Generation {
      lock = Map.copyOf(lock);
    }
  }

  /**
   * @param version as in the bundle's manifest
   * @param sha256 hexadecimal, lower case; names the file in the store
   * @param origin file name under which it was put into the inbox
   */
  record Plugin(String version, String sha256, String origin) {}

  /**
   * A jar that was on trial and isn't in force any more.
   *
   * @param name symbolic name
   * @param reason a sentence that names the plug-in
   * @param interruptions how many trials in a row ended because the gateway did; 0 if the last was
   *     ended by {@link Generations#revert}
   */
  record TakenBack(String name, Plugin plugin, String reason, int interruptions) {}
}
