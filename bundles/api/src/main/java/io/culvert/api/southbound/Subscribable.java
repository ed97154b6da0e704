package io.culvert.api.southbound;

import io.culvert.api.Point;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;

/** A connection whose device tells by itself. */
@ConsumerType
public interface Subscribable extends Connection {

  /**
   * Asks the device to send these points to the connection's {@link Sink} from now on, in place of
   * those of an earlier call.
   *
   * @return completed when the device has agreed; a point that it refuses is sent once as a sample
   *     of bad quality
   */
  CompletionStage<Void> subscribe(List<Point> points);
}
