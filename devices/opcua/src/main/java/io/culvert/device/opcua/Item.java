package io.culvert.device.opcua;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import java.time.Instant;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.structured.MonitoredItemCreateResult;

/** A point that is watched: a monitored item of OPC 10000-4, 5.13. */
final class Item {
  final Feed feed;
  final Point point;
  final Address address;

  /** {@code null} while none, or while the server has refused it. */
  Subscription subscription;

  /** What the server calls it in messages. */
  UInteger handle;

  /** What the server calls it otherwise; {@code null} while the server doesn't know it. */
  UInteger id;

  /** How many values or events the server keeps, by its own word. */
  private long kept;

  /** The status that it was refused with last; 0 if it wasn't. */
  long refused;

  /** Reads its values; there before the first of them. */
  Values values;

  /** Reads what its notifier tells; {@code null} for a variable. */
  Events events;

  /** Time of the last value; {@code null} before the first. */
  Instant last;

  private long message;
  private int turn;

  Item(Feed feed, Point point, Address address) {
    this.feed = feed;
    this.point = point;
    this.address = address;
  }

  /** How many values or events the server is asked to keep. */
  int queue() {
    return address.queue() == 0 ? feed.settings.queue() : address.queue();
  }

  /** The server watches it now. */
  void created(MonitoredItemCreateResult answer) {
    id = answer.getMonitoredItemId();
    kept = answer.getRevisedQueueSize().longValue();
    refused = 0;
  }

  /**
   * Whether the server keeps the last value only: it then overwrites others without a word, since
   * the overflow bit is for longer queues (5.13.1.5).
   */
  boolean overwritten() {
    return id != null && kept <= 1;
  }

  /**
   * How many of its values a message had before this one.
   *
   * @param in which it stands
   */
  int turn(long in) {
    turn = in == message ? turn + 1 : 0;
    message = in;
    return turn;
  }

  Sample sample(DataValue value) {
    return values.sample(point, feed.settings.timed(value));
  }
}
