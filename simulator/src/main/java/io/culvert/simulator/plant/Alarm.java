package io.culvert.simulator.plant;

import java.util.UUID;

/**
 * A condition (OPC 10000-9): active or not, acknowledged or not. Guarded by the monitor of its
 * device's truth.
 */
final class Alarm {
  private final Works.Warning warning;
  private boolean active;
  private boolean acknowledged = true;
  private String comment = "";
  private String message = "";
  private UUID event = new UUID(0, 0);
  private long at;
  private int row = -1;
  private int count;

  Alarm(Works.Warning warning) {
    this.warning = warning;
  }

  Works.Warning warning() {
    return warning;
  }

  boolean active() {
    return active;
  }

  boolean acknowledged() {
    return acknowledged;
  }

  /** Whether it is of interest to somebody who comes now. */
  boolean retained() {
    return active || !acknowledged;
  }

  String comment() {
    return comment;
  }

  /** What its last event says. No two say the same. */
  String message() {
    return message;
  }

  /** Id of its last event. */
  UUID event() {
    return event;
  }

  /** Time of its last event, in epoch milliseconds; 0 for none. */
  long at() {
    return at;
  }

  /** The last event's row of the truth, −1 for none. */
  int row() {
    return row;
  }

  void inRow(int number) {
    row = number;
  }

  /**
   * Looks whether it is wrong now.
   *
   * @return whether that is news
   */
  boolean look(long now, String words) {
    boolean next = warning.now().active();
    if (next == active) {
      return false;
    }
    active = next;
    if (active) {
      acknowledged = false;
      comment = "";
    }
    event(now, words + (active ? "" : ", gone"));
    return true;
  }

  boolean acknowledge(long now, String words, String why) {
    if (acknowledged) {
      return false;
    }
    acknowledged = true;
    comment = why;
    event(now, words + ", acknowledged");
    return true;
  }

  private void event(long now, String words) {
    at = now;
    event = UUID.randomUUID();
    message = words + " (" + ++count + ")";
  }
}
