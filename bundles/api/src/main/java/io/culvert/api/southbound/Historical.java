package io.culvert.api.southbound;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A connection whose device keeps what it measured. The core asks it for what was missed while the
 * link was lost or the gateway away.
 */
@ConsumerType
public interface Historical extends Connection {

  /**
   * Reads a page of what the device kept; one exchange.
   *
   * @param points readable; the same for all pages
   * @param from start of the span in the device's time, inclusive
   * @param to end of the span, inclusive
   * @param next {@code ""} for the first page, then what the page before said
   * @return fails if the link is lost or nothing answers; a page may be asked for again
   */
  CompletionStage<Page> history(List<Point> points, Instant from, Instant to, String next);

  /**
   * A part of a history.
   *
   * @param samples with their device time, which lies in the span; of each point oldest first
   * @param without points of which the device has no history to give, by id
   * @param next names the next page; {@code ""} after the last
   */
  record Page(List<Sample> samples, Set<String> without, String next) {
    public Page {
      samples = List.copyOf(samples);
      without = Set.copyOf(without);
      Objects.requireNonNull(next, "next");
    }
  }
}
