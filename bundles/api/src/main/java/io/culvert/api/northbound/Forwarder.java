package io.culvert.api.northbound;

import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A way to one platform. Published as an OSGi service with the property {@value #ID}.
 *
 * <p>Makes one attempt a batch and repeats nothing. Methods are called from the buffer's threads
 * and don't block.
 */
@ConsumerType
public interface Forwarder {

  /** Service property: the platform's id in the site document; delivery state is kept under it. */
  String ID = "forwarder.id";

  /**
   * Service property, a {@code Long}: bytes that may be sent in 24 hours, as {@link #sentBytes}
   * counts them. Absent or 0: no bound.
   */
  String BYTES_PER_DAY = "forwarder.bytes.per.day";

  /** Whether the platform can be reached at this moment. */
  boolean ready();

  /** How many more batches {@link #send} takes now; 0 or more. */
  int window();

  /**
   * Tries to deliver. Batches may be confirmed in any order, but leave in the order of the calls.
   *
   * @return what became of each reading; exceptionally, or as {@link Receipt#retry}, if the link
   *     was lost before that is known
   */
  CompletionStage<Receipt> send(Batch batch);

  /**
   * Bytes sent to the platform since this object was made, with what the protocol adds, as far as
   * that is known: what an operator of a mobile network would charge for. Any thread.
   */
  default long sentBytes() {
    return 0;
  }

  /**
   * Says whom to wake when {@link #ready} or {@link #window} has changed; replaces an earlier one.
   * The call may come from any thread and returns at once.
   */
  void onChange(Runnable wake);
}
