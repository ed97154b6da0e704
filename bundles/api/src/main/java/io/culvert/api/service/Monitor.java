package io.culvert.api.service;

import io.culvert.api.Reading;
import java.time.Instant;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** The monitor service: what is so at this moment. Never blocks. */
@ProviderType
public interface Monitor {

  /** The gateway's own id, {@code ""} while no site is in force. */
  String gateway();

  /** Every device of the site in force, in its order. */
  List<DeviceStatus> devices();

  /**
   * The last reading of each point of a device, also one that dead-band kept back; empty if there
   * is no such device.
   */
  List<Reading> latest(String device);

  /** Figures since the start. */
  Figures figures();

  /**
   * Calls the listener for each change of a device's state, in order, from a thread of the core: it
   * must return at once. Begins with the present state of every device.
   *
   * @return ends the calls
   */
  Watch watch(Listener listener);

  /** What a device is up to. */
  enum State {
    /** Not tried yet, or between attempts for the first time. */
    STARTING,
    /** Answers. */
    ONLINE,
    /** Doesn't answer; tried again with growing pauses. */
    OFFLINE,
    /** No driver serves its scheme, or its profile is missing: waits for a plug-in. */
    WAITING,
    /** Its configuration is wrong; {@link DeviceStatus#message} says how. */
    INVALID,
    /**
     * Kept from its driver, which misbehaved; {@link DeviceStatus#message} says how, and when the
     * driver is tried again.
     */
    QUARANTINED,
    /** Gone from the site. */
    REMOVED
  }

  /**
   * @param message why it isn't online, in words with what to do; {@code ""} if it is
   * @param lastAnswer when it last answered, {@code null} if never
   * @param polls attempts to read it
   * @param failures attempts that failed
   */
  record DeviceStatus(
      String id,
      String profile,
      String endpoint,
      String lane,
      State state,
      String message,
      Instant since,
      Instant lastAnswer,
      long polls,
      long failures) {}

  /**
   * @param read samples that drivers delivered
   * @param suppressed of these, kept back by dead-band
   * @param accepted of these, on disk and synced
   * @param missed polls that weren't made in their turn
   */
  record Figures(long read, long suppressed, long accepted, long missed) {}

  /** Hears of changes. */
  @FunctionalInterface
  interface Listener {
    void changed(DeviceStatus status);
  }

  /** A listener's registration. */
  @FunctionalInterface
  interface Watch extends AutoCloseable {
    @Override
    void close();
  }
}
