package io.culvert.api.southbound;

import java.util.Map;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A connection that counts what only its driver can see: single requests within an exchange, and
 * what else is heard on the wire. The doctor reads it; figures only grow while the connection
 * lives. Safe in any thread; never blocks.
 */
@ConsumerType
public interface Diagnosed extends Connection {

  /** Figures of this device alone. */
  Facts facts();

  /** Figures of what carries its exchanges, the same for all devices that share it. */
  LineFacts line();

  /**
   * @param requests sent
   * @param answers that fit, refusals among them
   * @param timeouts requests that stayed unanswered
   * @param checksumErrors answers with a wrong check sum, or that broke off
   * @param malformed answers of the right form that don't fit what was asked
   * @param answerNanos time from request to answer, in all
   * @param refusals by what the device said, in the protocol's own words, such as {@code exception
   *     02 (illegal data address)}
   */
  record Facts(
      long requests,
      long answers,
      long timeouts,
      long checksumErrors,
      long malformed,
      long answerNanos,
      Map<String, Long> refusals) {
    public Facts {
      refusals = Map.copyOf(refusals);
    }
  }

  /**
   * @param wrongUnit answers that came from another unit than the one asked
   * @param late answers to requests that had been given up
   * @param foreign requests heard that this gateway didn't send: a second master
   * @param collisions sendings that met another's
   * @param noise bytes that belong to no frame
   */
  record LineFacts(long wrongUnit, long late, long foreign, long collisions, long noise) {}
}
