package io.culvert.mqtt;

import java.util.List;

/** The bundle's threads and those of the MQTT client in it. */
final class Threads {
  private Threads() {}

  static List<String> ours() {
    return names("culvert-mqtt-");
  }

  /** Of connections of the gateway; those of the platform's consumer have another client id. */
  static List<String> ofLinks() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(n -> n.startsWith("MQTT ") && n.endsWith(": " + Gateway.ID))
        .toList();
  }

  private static List<String> names(String start) {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(n -> n.startsWith(start))
        .toList();
  }
}
