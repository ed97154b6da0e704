package io.culvert.mqtt;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

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

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
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
