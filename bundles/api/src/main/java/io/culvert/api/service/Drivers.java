package io.culvert.api.service;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** How the drivers behave: what each costs, and which of them are kept from their devices. */
@ProviderType
public interface Drivers {

  /** Every plug-in that has drivers, by name. Any thread; never blocks. */
  List<DriverStatus> drivers();

  /**
   * What the drivers of a plug-in have cost since they came.
   *
   * @param plugin symbolic name of its bundle
   * @param version of its bundle
   * @param schemes that it serves
   * @param devices that use it
   * @param threads alive that it was called on or started itself
   * @param stuck calls that have been over for a second, by their deadline or because nobody waits
   *     any longer, and still hold a thread
   * @param calls into it
   * @param inCalls time spent in them, until they gave the thread back
   * @param present since it came
   * @param samples that it handed over
   * @param bytes size of these samples' values
   * @param refused of these samples, those that weren't taken
   * @param errors calls that failed, passed their deadline or answered something of no use
   * @param warnings what its drivers want a person to see to, whole sentences
   * @param quarantine {@code null} if it isn't in quarantine
   */
  record DriverStatus(
      String plugin,
      String version,
      List<String> schemes,
      int devices,
      int threads,
      int stuck,
      long calls,
      Duration inCalls,
      Duration present,
      long samples,
      long bytes,
      long refused,
      long errors,
      List<String> warnings,
      Quarantine quarantine) {
    public DriverStatus {
      schemes = List.copyOf(schemes);
      warnings = List.copyOf(warnings);
    }
  }

  /**
   * Why a driver is kept from its devices.
   *
   * @param reason what it did
   * @param times how often it has been in quarantine since it came, 1 or more
   * @param since when it was taken off its devices
   * @param until when it gets its devices back
   */
  record Quarantine(String reason, int times, Instant since, Instant until) {}
}
