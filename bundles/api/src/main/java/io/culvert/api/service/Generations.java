package io.culvert.api.service;

import java.util.List;
import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Generations of what this gateway runs: the site document with the lock of plug-in hashes, always
 * switched together by one synced rename.
 */
@ProviderType
public interface Generations {

  /** The one in force. */
  Generation current();

  /**
   * Makes a new generation with this lock and the site document in force. Any thread; blocks for
   * the disk's sync; nothing has changed if it throws.
   *
   * @param lock by symbolic name
   */
  Generation lock(Map<String, Plugin> lock) throws java.io.IOException;

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
}
