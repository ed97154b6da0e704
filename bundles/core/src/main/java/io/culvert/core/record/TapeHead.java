package io.culvert.core.record;

import io.culvert.api.service.Recorder.Closing;
import io.culvert.api.service.Recorder.Tape;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts what several threads have to tell into one order, with times that never go back, until the
 * recording has ended. A tape that fails is told nothing more and harms nobody. Any thread.
 */
public final class TapeHead {
  private static final Logger LOG = LoggerFactory.getLogger(TapeHead.class);

  private Tape tape;
  private long last = System.nanoTime();

  public TapeHead(Tape tape) {
    this.tape = tape;
  }

  private interface Call {
    void on(Tape tape, long nanos);
  }

  private synchronized void tell(long nanos, Call call) {
    if (tape == null) {
      return;
    }
    if (nanos - last > 0) {
      last = nanos;
    }
    try {
      call.on(tape, last);
    } catch (RuntimeException e) {
      LOG.warn("A recording goes wrong and gets nothing more", e);
      tape = null;
    }
  }

  /** As {@link Tape#opened}, now. */
  public void opened(int connection) {
    tell(System.nanoTime(), (to, at) -> to.opened(connection, at));
  }

  /** As {@link Tape#passed}. */
  public void passed(int connection, boolean toDevice, byte[] bytes, long nanos) {
    tell(nanos, (to, at) -> to.passed(connection, toDevice, bytes, at));
  }

  /** As {@link Tape#closed}, now. */
  public void closed(int connection, Closing how, boolean byDevice) {
    tell(System.nanoTime(), (to, at) -> to.closed(connection, how, byDevice, at));
  }

  /** As {@link Tape#ended}, now; once. */
  public synchronized void ended(String why) {
    tell(System.nanoTime(), (to, at) -> to.ended(why, at));
    tape = null;
  }
}
