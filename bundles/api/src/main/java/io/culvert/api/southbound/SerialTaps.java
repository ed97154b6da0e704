package io.culvert.api.southbound;

import org.osgi.annotation.versioning.ConsumerType;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Listens to the serial lines of this gateway: for recordings. An OSGi service beside {@link
 * SerialLines}.
 */
@ProviderType
public interface SerialTaps {

  /**
   * Begins to listen. Does no I/O, disturbs nobody and doesn't keep the line open.
   *
   * @param device file of the line, as those name it that join it
   * @return ends the listening; what is on its way at that moment may still be told
   */
  Listening tap(String device, Tap tap);

  /**
   * Hears all that is said on a line, whoever sends, in order; must return at once. What an adapter
   * hears of its own sending is left out.
   */
  @ConsumerType
  interface Tap {

    /**
     * A frame leaves.
     *
     * @param bytes not to be changed
     * @param nanos when that began, by {@link System#nanoTime}
     */
    void sent(byte[] bytes, long nanos);

    /**
     * Some bytes came.
     *
     * @param bytes not to be changed
     * @param nanos when, by {@link System#nanoTime}
     */
    void received(byte[] bytes, long nanos);
  }

  /** A tap in place. */
  @FunctionalInterface
  interface Listening extends AutoCloseable {
    @Override
    void close();
  }
}
