package io.culvert.api.service;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** What became of the jars in the plug-in inbox. Never blocks. */
@ProviderType
public interface Plugins {

  /** Every plug-in in force and every jar that was refused, by file name. */
  List<Status> plugins();

  /**
   * @param file name in the inbox
   * @param symbolicName {@code ""} if the jar doesn't tell
   * @param version {@code ""} if the jar doesn't tell
   * @param running whether the bundle is active
   * @param message what is wrong and how to mend it; {@code ""} if nothing
   */
  record Status(
      String file, String symbolicName, String version, boolean running, String message) {}
}
