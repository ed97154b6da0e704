package io.culvert.mqtt;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts what an operator of a mobile network would charge for: the bytes that TCP carries in both
 * directions, with TLS and MQTT in them, and an estimate of what TCP and IP add. Any thread.
 */
final class Traffic {
  /** A full packet's share of what is written at once. */
  private static final int PACKET = 1400;

  /** TCP and IPv4 headers with their usual options, and as much again for the acknowledgement. */
  private static final int ADDED = 2 * 52;

  /** The packets with which a connection begins and ends. */
  private static final int CONNECTION = 7 * 52;

  private final AtomicLong bytes = new AtomicLong();

  void connecting() {
    bytes.addAndGet(CONNECTION);
  }

  /** So many bytes go out together. */
  void written(int count) {
    bytes.addAndGet(count + (count + PACKET - 1L) / PACKET * ADDED);
  }

  /** They mostly come in packets that acknowledge what was written, which was counted there. */
  void read(int count) {
    bytes.addAndGet(Math.max(0, count));
  }

  long bytes() {
    return bytes.get();
  }
}
