package io.culvert.api.service;

import io.culvert.api.northbound.Batch;
import java.time.Instant;
import java.util.List;
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
}
