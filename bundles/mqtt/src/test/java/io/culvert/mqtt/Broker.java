package io.culvert.mqtt;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** A real broker on loopback that can be stopped and started again on the same port. */
interface Broker extends AutoCloseable {

  void start() throws Exception;

  /** Ends it as if it had crashed: nobody says goodbye. */
  void stop() throws Exception;

  int port();

  @Override
  default void close() throws Exception {
    stop();
  }

  /**
   * None of those that outgoing connections are given, so that none of them takes it while the
   * broker is away.
   */
  static int freePort() throws IOException {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(10_000, 32_000);
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (BindException taken) {
        // Another, then.
      }
    }
  }

  /** Those that every test of the session runs against. */
  enum Kind {
    MOQUETTE {
      @Override
      Broker on(int port) {
        return new Moquette(port);
      }
    },
    MOSQUITTO {
      @Override
      Broker on(int port) {
        return new Mosquitto(port, "allow_anonymous true");
      }
    };

    abstract Broker on(int port);
  }
}
