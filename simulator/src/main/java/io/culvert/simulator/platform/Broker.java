package io.culvert.simulator.platform;

import io.culvert.simulator.street.StreetException;

/** An MQTT broker that hands on everything that is published below {@code $oc/}. */
public interface Broker extends AutoCloseable {

  /** Takes messages, one after the other, in the order in which the broker had them. */
  @FunctionalInterface
  interface Consumer {
    /** Must return soon. */
    void message(String topic, byte[] payload);
  }

  int port();

  /** What it is, for people. */
  String name();

  /** Starts it, or starts it again. Blocks until it listens. */
  void start() throws StreetException;

  /** Stops it, with every connection; what it acknowledged has been or will be handed on. */
  void stop();

  @Override
  void close();
}
