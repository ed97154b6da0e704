package io.culvert.api.southbound;

import java.time.Instant;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A subscription that the device keeps while nobody is connected: what it had to tell meanwhile
 * comes when the points are subscribed to again.
 */
@ConsumerType
public interface Continuous extends Subscribable {

  /**
   * Since when, by the gateway's clock, nothing is missing: all that the device had to tell of the
   * subscribed points since then was handed to a sink, or will be. Asked after {@link #subscribe}
   * has completed. Safe in any thread; never blocks.
   *
   * @return {@code null} if that holds from the last call of {@link #subscribe} on only
   */
  Instant completeSince();
}
