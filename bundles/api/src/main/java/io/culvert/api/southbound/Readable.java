package io.culvert.api.southbound;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;

/** A connection that answers when asked. */
@ConsumerType
public interface Readable extends Connection {

  /**
   * Plans the reading of points, once for many cycles: merging neighbours into few requests, say.
   * Does no I/O.
   *
   * @param points valid by {@link Driver#validate}, each readable
   */
  Plan prepare(List<Point> points);

  /** A prepared set of points. */
  @ConsumerType
  interface Plan {

    /**
     * Reads every point of the plan once.
     *
     * @return one sample for each point, in any order; those that the device refuses are of bad
     *     quality. Fails if the link is lost or nothing answers
     */
    CompletionStage<List<Sample>> read();
  }
}
