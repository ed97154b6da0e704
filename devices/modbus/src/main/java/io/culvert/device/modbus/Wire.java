package io.culvert.device.modbus;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * What carries bytes: a TCP connection or a serial line. Opened when asked, and never by itself.
 *
 * <p>Belongs to one event loop: all methods are called there and all listeners, unless it says
 * otherwise. Nothing blocks.
 */
interface Wire {

  /** Hears what comes in. */
  interface Listener {
    /** A new connection; nothing of an earlier one comes any more. */
    void opened();

    /**
     * @param bytes valid during the call
     */
    void received(ByteBuffer bytes);

    /** The connection is gone, by whatever side; not for want of one to begin with. */
    void lost(String why);
  }

  /** Hears of one sending; one of both is called, perhaps before {@link #send} returns. */
  interface Sending {
    /**
     * It has left, as far as can be known. What is received afterwards came after it began.
     *
     * @param began to leave, by {@link System#nanoTime}
     */
    void sent(long began);

    void failed(IOException why);
  }

  /** Connects, unless connected; fails with an {@link IOException}. */
  CompletableFuture<Void> open();

  /** In any thread. */
  boolean isOpen();

  /** Sends a frame by itself; one at a time, after {@link #open}. */
  void send(byte[] frame, Sending sending);

  /** Gives this connection up; the next opening makes another. A line that is shared stays. */
  void drop(String why);

  /** Ends it for good. */
  void close();

  /** How long so many characters take at the least. */
  Duration time(int characters);

  /** After how long without a byte a frame is over that doesn't tell its end. */
  Duration silence();

  /** Sendings that met another's, so far. In any thread. */
  long collisions();
}
