package io.culvert.device.opcua;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import java.time.Instant;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;

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

  /** Time of the last value; {@code null} before the first. */
  Instant last;

  Item(Feed feed, Point point, Address address) {
    this.feed = feed;
    this.point = point;
    this.address = address;
  }

  Sample sample(DataValue value) {
    return Values.sample(point, feed.settings.timed(value));
  }
}
