package io.culvert.simulator;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ends in order whichever way the end comes: by itself, or by Ctrl-C, which lets the main thread
 * finish its work (drain, audit, stop what it started) before the process goes.
 */
final class Ending implements AutoCloseable {
  private static final long LONGEST_SECONDS = 90;

  private final CountDownLatch wanted = new CountDownLatch(1);
  private final CountDownLatch done = new CountDownLatch(1);
  private volatile int status = 130;
  private volatile boolean ordinary;

  Ending() {
    Runtime.getRuntime().addShutdownHook(new Thread(this::interrupted, "ending"));
  }

  private void interrupted() {
    if (ordinary) {
      return;
    }
    wanted.countDown();
    try {
      if (done.await(LONGEST_SECONDS, TimeUnit.SECONDS)) {
        // The signal's own status would hide what the audit says.
        Runtime.getRuntime().halt(status);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether someone asked for the end. */
  boolean wanted() {
    return wanted.getCount() == 0;
  }

  /** Waits a while, less if someone asks for the end. */
  void pause(long millis) {
    try {
      if (wanted.await(millis, TimeUnit.MILLISECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      wanted.countDown();
    }
  }

  /** Sets the status with which the process goes. */
  int finish(int exitStatus) {
    status = exitStatus;
    return exitStatus;
  }

  /** Whatever comes after this may end the process at once. */
  @Override
  public void close() {
    ordinary = true;
    done.countDown();
  }
}
