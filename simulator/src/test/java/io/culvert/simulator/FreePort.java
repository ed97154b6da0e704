package io.culvert.simulator;

import java.io.IOException;
import java.net.BindException;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** A port to listen at. */
public final class FreePort {
  private FreePort() {}

  /**
   * None of those that outgoing connections are given, so that none of them takes it before it is
   * listened at, or while it isn't.
   */
  public static int find() throws IOException {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(10_000, 32_000);
      try (ServerSocket free = new ServerSocket(port)) {
        return free.getLocalPort();
      } catch (BindException taken) {
        // Another, then.
      }
    }
  }
}
