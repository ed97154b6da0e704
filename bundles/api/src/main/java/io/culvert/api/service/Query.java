package io.culvert.api.service;

import io.culvert.api.Reading;
import io.culvert.api.northbound.Batch;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.osgi.annotation.versioning.ProviderType;

/** The query service: history held at the edge, read from the buffer's own log. */
@ProviderType
public interface Query {

  /**
   * Readings of one point by time of event, oldest first. Reads the disk, so may block.
   *
   * @param from inclusive
   * @param to exclusive
   * @param limit at most so many, 1 to 100,000
   */
  List<Batch.Entry> history(String device, String point, Instant from, Instant to, int limit);

  /**
   * The value of points that was stored last: of each the reading committed last whose quality
   * isn't bad. Searches from the newest back and ends when all are found. Reads the disk, so may
   * block, for little longer than {@code patience}.
   *
   * @param points ids of points by device
   * @param patience after which it ends with what it has found
   */
  Last last(Map<String, Set<String>> points, Duration patience);

  /**
   * @param readings at most one of each point
   * @param complete whether of a point that is not among them nothing is stored; otherwise there
   *     wasn't time to look everywhere
   */
  record Last(List<Reading> readings, boolean complete) {
    public Last {
      readings = List.copyOf(readings);
    }
  }
}
