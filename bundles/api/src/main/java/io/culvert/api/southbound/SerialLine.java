package io.culvert.api.southbound;

import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** One user's place on a serial line. Safe in any thread; nothing here blocks. */
@ProviderType
public interface SerialLine extends AutoCloseable {

  /**
   * Opens the port, unless it is open.
   *
   * @return fails with an {@link java.io.IOException} that says what to do: no such file, no right
   *     to it, in use by another process
   */
  CompletionStage<Void> open();

  /**
   * Sends bytes as one unbroken row, when the line has been silent for the pause of the settings;
   * opens the port and puts the settings in force first, if need be. Cancelled before it is this
   * sending's turn, it is left out.
   *
   * @param bytes not changed by the caller afterwards
   * @return completed when the last bit has left, as nearly as can be known, with the time at which
   *     the first began to leave ({@link System#nanoTime}): what was received before that can't be
   *     an answer, though it may be told later. Fails with an {@link java.io.IOException} if the
   *     port is not to be had, the line is never silent, or many sendings wait already
   */
  CompletionStage<Long> send(byte[] bytes);

  /** Sendings whose echo differed from what was sent: two talked at once. Since it was joined. */
  long collisions();

  /** Leaves the line; the port is closed with its last user. */
  @Override
  void close();
}
