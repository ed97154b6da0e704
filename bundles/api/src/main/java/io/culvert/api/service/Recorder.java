package io.culvert.api.service;

import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Records what a device and this gateway say to each other, byte for byte, while the device goes on
 * being read. Safe in any thread.
 *
 * <p>A device behind a TCP address is reached through a relay in this process for so long: its
 * connection is opened anew between two exchanges, once at the beginning and once at the end. On a
 * serial line is listened, without a relay; everything that is said there is recorded, by other
 * devices too.
 */
@ProviderType
public interface Recorder {

  /**
   * Begins a recording. May block for as long as it takes to bind a port.
   *
   * @param tape told what is said from the moment on when the stage completes, or a little before
   * @return fails with the reason, in words with what to do, if the device can't be recorded:
   *     unknown, not valid, being recorded already, encrypted, not over TCP or a serial line
   */
  CompletionStage<Recording> record(String device, Tape tape);

  /** A recording under way. It ends by itself when the device's configuration or driver changes. */
  @ProviderType
  interface Recording {

    /** What is recorded. */
    Subject subject();

    /**
     * Ends it, if it hasn't ended: the device is reached directly again, and {@link Tape#ended} is
     * told, soon.
     *
     * @param why in words, passed on to the tape
     */
    void end(String why);
  }

  /**
   * What a recording is of; stands at its head.
   *
   * @param gateway id of this gateway
   * @param endpoint of the device, without what may be secret in it
   * @param scheme of the endpoint, in lower case
   * @param carrier {@code tcp} or {@code serial}
   * @param matcher what the driver says of the frames of its protocol ({@link
   *     io.culvert.api.southbound.Driver#MATCHER}), {@code ""} if it says nothing
   */
  record Subject(
      String gateway,
      String device,
      String profile,
      String endpoint,
      String scheme,
      String carrier,
      String matcher) {}

  /**
   * Hears a recording, one call after the other, from threads that carry the bytes: must return at
   * once. Times are those of {@link System#nanoTime}.
   */
  @ConsumerType
  interface Tape {

    /**
     * A connection was opened; 1 is the first. A serial line is one connection.
     *
     * @param nanos when
     */
    void opened(int connection, long nanos);

    /**
     * Some bytes passed.
     *
     * @param toDevice whether to the device or from it
     * @param bytes the tape's to keep
     */
    void passed(int connection, boolean toDevice, byte[] bytes, long nanos);

    /**
     * A connection ended.
     *
     * @param how {@link Closing}
     * @param byDevice whether the device ended it or this gateway
     */
    void closed(int connection, Closing how, boolean byDevice, long nanos);

    /** Nothing more will be told. */
    void ended(String why, long nanos);
  }

  /** How a connection ended. */
  enum Closing {
    /** In order: nothing more was to be sent. */
    CLOSED,
    /** It broke: a reset, say. */
    RESET,
    /** It was never made: the device couldn't be reached. */
    UNREACHABLE
  }
}
