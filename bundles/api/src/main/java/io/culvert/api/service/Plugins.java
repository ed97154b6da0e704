package io.culvert.api.service;

import java.time.Duration;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** What became of the jars in the plug-in inbox. Never blocks. */
@ProviderType
public interface Plugins {

  /** Every plug-in in force and every jar that was refused, by file name. */
  List<Status> plugins();

  /**
   * What is wrong with the trust list or with what the site says of plug-ins, and how to mend it;
   * one sentence each.
   */
  default List<String> problems() {
    return List.of();
  }

  /** The processes that hosted plug-ins run in at this moment. */
  default List<Process> processes() {
    return List.of();
  }

  /** How far a jar has come. */
  enum Stage {
    /** In force. */
    RUNNING,
    /** Started, and watched: not in force for good until its devices are as good as before. */
    TRIAL,
    /** In force, and doesn't run. */
    STOPPED,
    /** Not taken. */
    REFUSED,
    /** It could run, and another jar of its name does. */
    SUPERSEDED
  }

  /**
   * @param file name in the inbox
   * @param symbolicName {@code ""} if the jar doesn't tell
   * @param version {@code ""} if the jar doesn't tell
   * @param vendor as the manifest says; {@code ""} if it doesn't tell
   * @param signer whom of the trust list its signature leads to; {@code ""} if it isn't signed by
   *     one
   * @param hosted whether it runs in a process of its own
   * @param message what is wrong and how to mend it; {@code ""} if nothing
   */
  record Status(
      String file,
      String symbolicName,
      String version,
      String vendor,
      String signer,
      Stage stage,
      boolean hosted,
      String message) {

    /** Whether its bundle is active. */
    public boolean running() {
      return stage == Stage.RUNNING || stage == Stage.TRIAL;
    }
  }

  /**
   * What a hosted plug-in's process costs.
   *
   * @param symbolicName of the plug-in
   * @param pid of the operating system
   * @param memory resident, in bytes; -1 if it isn't known
   * @param cpu time since its start
   * @param ends how often one ended since it last ran for a good while
   */
  record Process(String symbolicName, long pid, long memory, Duration cpu, int ends) {}
}
