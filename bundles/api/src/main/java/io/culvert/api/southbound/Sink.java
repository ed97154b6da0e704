package io.culvert.api.southbound;

import io.culvert.api.Sample;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** Where a driver puts what a device sends by itself. Safe in any thread; never blocks. */
@ProviderType
public interface Sink {

  /**
   * Hands over samples of one moment.
   *
   * @return completed when their readings are on disk and synced, so that a device which waits for
   *     an answer can be answered; fails if they were not taken, which the driver should pass on to
   *     the device if it can. The sink is bounded: while stages are pending, a driver that can hold
   *     its device back does so
   */
  CompletionStage<Void> accept(List<Sample> samples);

  /**
   * Tells that readings are missing which the device had and can't give any more, such as those
   * that its queue was too short for. They go into the loss ledger.
   *
   * @param point id of the point
   * @param from start of the span in which they were, by the device's time or, if it tells none,
   *     the gateway's; inclusive
   * @param to end of the span, inclusive
   * @param readings how many, as far as that is known; 1 or more
   * @param why in words
   */
  void missing(String point, Instant from, Instant to, long readings, String why);

  /** Tells that the link is gone. The core closes the connection and opens another when due. */
  void lost(Throwable cause);
}
