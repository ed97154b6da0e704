package io.culvert.launcher;

import java.io.IOException;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/** Ends the gateway of a data directory and waits until it is gone. */
final class Stop {
  /** Longer than {@link Gateway#STOP_LIMIT}, so that the gateway's own word comes first. */
  private static final Duration LIMIT = Gateway.STOP_LIMIT.plusSeconds(10);

  private Stop() {}

  static Exit stop(Layout layout) throws Failure {
    OptionalLong owner;
    try {
      owner = DataLock.owner(layout);
    } catch (IOException e) {
      throw new Failure(
          Exit.ENVIRONMENT, "%s can't be opened (%s)".formatted(layout.lock(), Layout.reason(e)));
    }
    if (owner.isEmpty()) {
      System.out.println("No gateway runs on " + layout.data());
      return Exit.OK;
    }
    long pid = owner.getAsLong();
    ProcessHandle process =
        ProcessHandle.of(pid)
            .orElseThrow(
                () ->
                    new Failure(
                        Exit.FAILED,
                        "A gateway runs on %s, but %s doesn't tell its process; end it by hand"
                            .formatted(layout.data(), layout.pid())));
    if (!process.destroy() && process.isAlive()) {
      throw new Failure(
          Exit.FAILED, "Process %d belongs to another user; try with sudo".formatted(pid));
    }
    long deadline = System.nanoTime() + LIMIT.toNanos();
    // Not onExit(): for a process that isn't a child it looks only now and then.
    while (process.isAlive()) {
      if (System.nanoTime() > deadline) {
        throw new Failure(
            Exit.FAILED,
            "Process %d hasn't ended in %d s; accepted readings are safe, end it with: kill -9 %d"
                .formatted(pid, LIMIT.toSeconds(), pid));
      }
      try {
        TimeUnit.MILLISECONDS.sleep(20);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return Exit.FAILED;
      }
    }
    System.out.println("Culvert has stopped (process " + pid + ")");
    return Exit.OK;
  }
}
