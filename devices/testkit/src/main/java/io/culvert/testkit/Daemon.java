package io.culvert.testkit;

import java.io.IOException;

/** A thread whose work ends when a socket does. */
final class Daemon {
  private Daemon() {}

  /** The work. */
  interface Work {
    void run() throws IOException;
  }

  /** Not started yet. */
  static Thread of(String name, Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (IOException closed) {
                // So it ends.
              }
            },
            name);
    thread.setDaemon(true);
    return thread;
  }
}
