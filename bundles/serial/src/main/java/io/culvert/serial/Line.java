package io.culvert.serial;

import io.culvert.api.southbound.SerialLine;
import io.culvert.api.southbound.SerialLines.Listener;
import io.culvert.api.southbound.SerialLines.Settings;
import io.culvert.api.southbound.SerialTaps.Listening;
import io.culvert.api.southbound.SerialTaps.Tap;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One serial line and those who share it. Sendings are done one after the other by a thread of the
 * line's own, so that nothing blocks its users; what comes in goes to the one that sent last.
 */
final class Line implements Port.Input {
  /** Sendings that wait; the core gives turns, so more than a few users' is a fault of theirs. */
  private static final int MAX_WAITING = 32;

  /** How long to wait for a line to fall silent beyond the pause: a slow, long frame of others. */
  private static final long MAX_BUSY_NANOS = TimeUnit.SECONDS.toNanos(3);

  private static final long STOP_SECONDS = 3;

  private static final Logger log = LoggerFactory.getLogger(Line.class);

  private final String device;
  private final ThreadPoolExecutor worker;
  private final Set<Seat> users = new HashSet<>();
  private final List<Tap> taps = new CopyOnWriteArrayList<>();

  /** Open, or {@code null}. Set by the worker; cleared by whoever finds it gone. */
  private Port port;

  private Seat speaker;

  /** What the speaker sent last and will hear itself, and how much of it has come. */
  private byte[] echo = {};

  private int echoed;

  /** Whether anything but an echo has come since the last sending. */
  private boolean heard;

  /** Of the last byte either way. */
  private long last;

  Line(String device) {
    this.device = device;
    this.worker =
        new ThreadPoolExecutor(
            1,
            1,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MAX_WAITING),
            task -> Port.thread("serial-send " + device, task));
    worker.allowCoreThreadTimeOut(true);
  }

  synchronized SerialLine join(Settings settings, Listener listener) {
    Seat seat = new Seat(settings, listener);
    users.add(seat);
    return seat;
  }

  Listening tap(Tap tap) {
    taps.add(tap);
    return () -> taps.remove(tap);
  }

  /** One user's place. */
  private final class Seat implements SerialLine {
    private final Settings settings;
    private final Listener listener;
    private volatile long collisions;
    private volatile boolean left;

    Seat(Settings settings, Listener listener) {
      this.settings = settings;
      this.listener = listener;
    }

    @Override
    public CompletionStage<Void> open() {
      CompletableFuture<Void> opened = new CompletableFuture<>();
      hand(
          opened,
          () -> {
            ready(this);
            opened.complete(null);
          });
      return opened;
    }

    @Override
    public CompletionStage<Long> send(byte[] bytes) {
      CompletableFuture<Long> sent = new CompletableFuture<>();
      hand(sent, () -> sent.complete(transmit(this, bytes)));
      return sent;
    }

    private void hand(CompletableFuture<?> result, Work work) {
      try {
        worker.execute(() -> run(this, result, work));
      } catch (RejectedExecutionException full) {
        result.completeExceptionally(
            new IOException(
                worker.isShutdown() ? gone() : device + ": " + MAX_WAITING + " sendings wait"));
      }
    }

    private String gone() {
      return "The serial line " + device + " has been closed";
    }

    @Override
    public long collisions() {
      return collisions;
    }

    @Override
    public void close() {
      left = true;
      leave(this);
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  /** On the worker. */
  private void run(Seat seat, CompletableFuture<?> result, Work work) {
    try {
      if (result.isDone()) {
        return;
      }
      if (seat.left) {
        throw new IOException(seat.gone());
      }
      work.run();
    } catch (IOException failure) {
      result.completeExceptionally(failure);
    } catch (RuntimeException | Error failure) {
      result.completeExceptionally(new IOException(device + ": " + failure, failure));
    } finally {
      closeIfUnused();
    }
  }

  /** The port, open and with this user's settings in force. */
  private Port ready(Seat seat) throws IOException {
    Port now;
    synchronized (this) {
      now = port;
    }
    if (now == null) {
      now = Port.open(device, seat.settings, this);
      synchronized (this) {
        port = now;
        // Whether it was silent until now can't be known.
        last = System.nanoTime();
      }
      now.listen();
    }
    now.configure(seat.settings);
    return now;
  }

  private long transmit(Seat seat, byte[] bytes) throws IOException {
    Port open = ready(seat);
    long began;
    synchronized (this) {
      awaitSilence(seat.settings.pause().toNanos());
      speaker = seat;
      echo = seat.settings.echo() ? bytes : new byte[0];
      echoed = 0;
      heard = false;
      began = System.nanoTime();
    }
    taps.forEach(tap -> tap.sent(bytes, began));
    open.write(bytes);
    long end = began + bytes.length * seat.settings.character().toNanos();
    synchronized (this) {
      // An adapter may say that all has left when it has merely taken it over. An answer proves it.
      long left = end - System.nanoTime();
      while (left > 0 && !heard && port == open) {
        nap(left);
        left = end - System.nanoTime();
      }
      last = later(last, System.nanoTime());
    }
    return began;
  }

  private void awaitSilence(long pause) throws IOException {
    long patience = System.nanoTime() + pause + MAX_BUSY_NANOS;
    while (true) {
      long now = System.nanoTime();
      long left = last + pause - now;
      if (left <= 0) {
        return;
      }
      if (now - patience > 0) {
        throw new IOException(
            device
                + " is never silent: something sends all the time. Disconnect devices one by one to"
                + " find it, or check the wiring (A and B, termination)");
      }
      nap(left);
    }
  }

  /** Waits on this; a little longer rather than shorter. */
  private void nap(long nanos) throws IOException {
    try {
      TimeUnit.NANOSECONDS.timedWait(this, nanos);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new IOException("The serial line " + device + " is being closed");
    }
  }

  private static long later(long one, long other) {
    return one - other > 0 ? one : other;
  }

  @Override
  public void received(Port from, byte[] bytes, long nanos) {
    Seat hearer;
    byte[] rest = bytes;
    synchronized (this) {
      if (port != from) {
        return;
      }
      last = later(last, nanos);
      hearer = speaker;
      int own = Math.min(echo.length - echoed, bytes.length);
      if (own > 0) {
        if (Arrays.mismatch(echo, echoed, echoed + own, bytes, 0, own) >= 0) {
          hearer.collisions++;
          // One collision a sending; the rest of it is taken off unseen.
          echo = Arrays.copyOf(bytes, echo.length);
          Arrays.fill(echo, (byte) 0);
        }
        echoed += own;
        rest = Arrays.copyOfRange(bytes, own, bytes.length);
      }
      if (rest.length > 0) {
        heard = true;
        notifyAll();
      }
    }
    if (rest.length == 0) {
      return;
    }
    for (Tap tap : taps) {
      tap.received(rest, nanos);
    }
    if (hearer != null) {
      hearer.listener.received(rest, nanos);
    }
  }

  @Override
  public void lost(Port from, IOException cause) {
    List<Seat> all;
    synchronized (this) {
      if (port != from) {
        return;
      }
      port = null;
      hush();
      notifyAll();
      all = List.copyOf(users);
    }
    log.info("{}", cause.getMessage());
    from.close();
    all.forEach(seat -> seat.listener.lost(cause));
  }

  /** Nobody listens until somebody sends. */
  private void hush() {
    speaker = null;
    echo = new byte[0];
  }

  private void leave(Seat seat) {
    synchronized (this) {
      users.remove(seat);
      if (speaker == seat) {
        hush();
      }
      if (!users.isEmpty()) {
        return;
      }
    }
    try {
      worker.execute(this::closeIfUnused);
    } catch (RejectedExecutionException full) {
      // What waits there sees to it, or the worker has ended with the component.
    }
  }

  private void closeIfUnused() {
    Port unused;
    synchronized (this) {
      if (port == null || !users.isEmpty()) {
        return;
      }
      unused = port;
      port = null;
    }
    unused.close();
  }

  /** Ends the line for good; its port is closed soon after. */
  void end() {
    synchronized (this) {
      users.forEach(seat -> seat.left = true);
      users.clear();
      hush();
    }
    try {
      worker.execute(this::closeIfUnused);
    } catch (RejectedExecutionException full) {
      // As in leave().
    }
    worker.shutdown();
  }

  void awaitEnd() {
    try {
      if (!worker.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
        worker.shutdownNow();
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      worker.shutdownNow();
    }
  }
}
