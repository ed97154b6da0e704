package io.culvert.api.southbound;

import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Value;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;

/** A connection to a device that can be commanded. */
@ConsumerType
public interface Writable extends Connection {

  /**
   * Writes one point. Nothing is repeated: whether a write whose answer was lost may be sent again
   * is not the driver's to decide.
   *
   * @param point writable
   * @param value raw, of the point's type and within what the type can hold; a list of such for a
   *     point that has shown one, or that can't be read
   * @return the device's verdict: good, or why it refused; uncertain if it was sent and the
   *     protocol knows no answer to it, as to a broadcast. Fails if the link is lost or nothing
   *     answers; then the write may or may not have happened
   */
  CompletionStage<Quality> write(Point point, Value value);
}
