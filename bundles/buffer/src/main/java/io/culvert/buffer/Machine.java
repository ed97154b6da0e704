package io.culvert.buffer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.UUID;

/**
 * What the buffer stands on. Tests put their own clock, threads and disk below it.
 *
 * @param clock of the machine, which people and time servers set
 * @param loops threads, and time that only runs forward
 * @param opener of SQLite files
 * @param boot id of this run of the machine: monotonic times of one boot compare
 * @param seal of what goes to disk
 * @param key opens what an earlier run encrypted; {@code null} if there is no key
 */
record Machine(
    InstantSource clock, Loop.Factory loops, Sqlite.Opener opener, UUID boot, Seal seal, Seal key) {

  Machine(InstantSource clock, Loop.Factory loops, Sqlite.Opener opener) {
    this(clock, loops, opener, bootId(), Seal.PLAIN, null);
  }

  /** The boot's id as one number. */
  long bootNumber() {
    return boot.getMostSignificantBits() ^ boot.getLeastSignificantBits();
  }

  /** The same with a key. */
  Machine with(Seal present, Seal key) {
    return new Machine(clock, loops, opener, boot, present, key);
  }

  /** The kernel's (proc(5)); where there is none, one of this process alone. */
  private static UUID bootId() {
    try {
      return UUID.fromString(Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip());
    } catch (IOException | IllegalArgumentException e) {
      return UUID.randomUUID();
    }
  }
}
