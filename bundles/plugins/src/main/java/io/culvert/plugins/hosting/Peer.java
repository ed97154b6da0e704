package io.culvert.plugins.hosting;

import io.culvert.plugins.hosting.Cbor.Malformed;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One end of the wire: asks, tells, answers. The same on both sides; only the bounds differ.
 *
 * <p>A frame is its length (four bytes, big-endian) and so many bytes of CBOR: an integer that says
 * what kind it is, the number of the call, and what belongs to it. Everything is bounded: a frame,
 * its items, what waits to be sent, calls that wait for an answer, and calls of the other side that
 * are at work, by number and size. Who goes beyond has lost the wire.
 *
 * <p>Two threads of its own: one reads and hands over, one writes. No method blocks.
 */
final class Peer implements AutoCloseable {
  /** The longest frame, in bytes. */
  static final int FRAME = 1 << 20;

  /** Most items in one frame. */
  static final int ITEMS = 1 << 17;

  /** Most calls that may wait for an answer. */
  static final int PENDING = 4096;

  /** Most bytes that may wait to be sent. */
  static final int UNSENT = 8 << 20;

  private static final int CALL = 0;
  private static final int TELL = 1;
  private static final int ANSWER = 2;
  private static final int FAILURE = 3;
  private static final int CANCEL = 4;
  private static final Op[] OPS = Op.values();

  /** What the other side asks and tells. Called from the reading thread; must return at once. */
  interface Handler {
    /** Whatever it throws that isn't {@link Malformed} is the answer. */
    void asked(Op op, Cbor.Reader arguments, Reply reply) throws Malformed;

    void told(Op op, Cbor.Reader arguments) throws Malformed;

    /** The wire has come to its end; nothing is called after that. */
    void ended(IOException cause);
  }

  /**
   * What the other side may have at work at once.
   *
   * @param calls number
   * @param bytes of their frames
   * @param bytesPerSecond that are read; more waits in the socket
   */
  record Bounds(int calls, int bytes, long bytesPerSecond) {}

  interface Body {
    void write(Cbor.Writer out);
  }

  private record Pending(CompletableFuture<?> future, Codec.Get<?> get) {}

  private final SocketChannel channel;
  private final Bounds bounds;
  private final Executor completer;
  private final AtomicLong numbers = new AtomicLong();
  private final Map<Long, Pending> pending = new ConcurrentHashMap<>();
  private final Map<Long, Reply> atWork = new ConcurrentHashMap<>();
  private final ArrayDeque<byte[]> unsent = new ArrayDeque<>();
  private final Thread writer;
  private final Thread reader;
  private Handler handler;
  private int unsentBytes;
  private int atWorkBytes;
  private IOException ended;

  /**
   * @param name for the threads
   * @param completer runs what hangs on a call's answer
   */
  Peer(String name, SocketChannel channel, Bounds bounds, Executor completer) {
    this.channel = channel;
    this.bounds = bounds;
    this.completer = completer;
    writer = daemon(this::write, name + "-writes");
    reader = daemon(this::read, name + "-reads");
  }

  private static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  /** Begins. */
  void start(Handler handler) {
    this.handler = handler;
    writer.start();
    reader.start();
  }

  /**
   * Asks. Cancelling the future tells the other side.
   *
   * @param get reads the answer; it runs on the reading thread
   * @return fails with an {@link IOException} if the wire ends or is full, else as the other side
   *     says
   */
  <T> CompletableFuture<T> call(Op op, Body body, Codec.Get<T> get) {
    CompletableFuture<T> future = new CompletableFuture<>();
    long number = numbers.incrementAndGet();
    byte[] frame = frame(CALL, number, out -> body.write(out.integer(op.ordinal())));
    if (frame.length - 4 > FRAME) {
      future.completeExceptionally(
          new IOException((frame.length >> 10) + " KiB are too much for one call"));
      return future;
    }
    IOException refused = null;
    synchronized (unsent) {
      if (ended != null) {
        refused = new IOException(ended.getMessage());
      } else if (pending.size() >= PENDING) {
        refused = new IOException(PENDING + " calls wait for an answer already");
      } else if (unsentBytes + frame.length > UNSENT) {
        refused = new IOException((UNSENT >> 20) + " MiB wait to be sent already");
      } else {
        pending.put(number, new Pending(future, get));
        queue(frame);
      }
    }
    if (refused != null) {
      future.completeExceptionally(refused);
      return future;
    }
    future.whenComplete(
        (value, error) -> {
          if (pending.remove(number) != null) {
            send(frame(CANCEL, number, out -> {}));
          }
        });
    return future;
  }

  /** Tells; nothing comes back. */
  void tell(Op op, Body body) {
    send(frame(TELL, 0, out -> body.write(out.integer(op.ordinal()))));
  }

  /** One call of the other side. Safe in any thread; the first answer counts. */
  final class Reply {
    private final long number;
    private final int size;
    private Runnable whenCancelled;
    private boolean cancelled;

    private Reply(long number, int size) {
      this.number = number;
      this.size = size;
    }

    /** Answers as a stage does. Cancels it if the other side gives up. */
    <T> void with(CompletionStage<T> stage, Codec.Put<? super T> put) {
      onCancel(() -> stage.toCompletableFuture().cancel(true));
      stage.whenComplete(
          (value, error) -> {
            if (error == null) {
              answer(value, put);
            } else {
              fail(error);
            }
          });
    }

    /** A value that can't be written (because it is {@code null}, say) is a failure. */
    <T> void answer(T value, Codec.Put<? super T> put) {
      byte[] frame;
      try {
        frame = frame(ANSWER, number, out -> put.put(out, value));
      } catch (RuntimeException e) {
        fail(new IllegalStateException("an answer of no use: " + e.getMessage()));
        return;
      }
      if (frame.length - 4 > FRAME) {
        fail(new IOException("an answer of " + (frame.length >> 10) + " KiB is too much"));
      } else {
        end(frame);
      }
    }

    void fail(Throwable error) {
      end(frame(FAILURE, number, out -> failure(out, error)));
    }

    /** Says what to do when the other side gives the call up. */
    void onCancel(Runnable action) {
      boolean now;
      synchronized (this) {
        now = cancelled;
        whenCancelled = action;
      }
      if (now) {
        action.run();
      }
    }

    /** Whether nobody waits for an answer any more. */
    boolean isOver() {
      return !atWork.containsKey(number);
    }

    private void cancel() {
      Runnable action;
      synchronized (this) {
        cancelled = true;
        action = whenCancelled;
      }
      release();
      if (action != null) {
        completer.execute(action);
      }
    }

    private void end(byte[] frame) {
      if (release()) {
        send(frame);
      }
    }

    private boolean release() {
      if (!atWork.remove(number, this)) {
        return false;
      }
      synchronized (atWork) {
        atWorkBytes -= size;
      }
      return true;
    }
  }

  /** Ends the wire from this side. */
  @Override
  public void close() {
    end(new IOException("the connection to the process was closed"));
  }

  private static byte[] frame(int kind, long number, Body body) {
    Cbor.Writer out = new Cbor.Writer();
    out.integer(kind).integer(number);
    body.write(out);
    int length = out.length();
    byte[] frame = new byte[4 + length];
    ByteBuffer.wrap(frame).putInt(length).put(out.toBytes());
    return frame;
  }

  /** What can't be put in the queue hasn't a reader on the other side. */
  private void send(byte[] frame) {
    IOException full = null;
    synchronized (unsent) {
      if (ended != null) {
        return;
      }
      if (unsentBytes + frame.length > UNSENT + FRAME) {
        full = new IOException("it doesn't read what it is sent");
      } else {
        queue(frame);
      }
    }
    if (full != null) {
      end(full);
    }
  }

  private void queue(byte[] frame) {
    unsent.add(frame);
    unsentBytes += frame.length;
    unsent.notifyAll();
  }

  private void write() {
    try {
      while (true) {
        byte[] frame;
        synchronized (unsent) {
          while (unsent.isEmpty()) {
            if (ended != null) {
              return;
            }
            unsent.wait();
          }
          frame = unsent.remove();
          unsentBytes -= frame.length;
        }
        ByteBuffer buffer = ByteBuffer.wrap(frame);
        while (buffer.hasRemaining()) {
          channel.write(buffer);
        }
      }
    } catch (IOException e) {
      end(e);
    } catch (InterruptedException e) {
      end(new IOException("interrupted"));
    }
  }

  private void read() {
    IOException cause;
    try {
      Throttle throttle = new Throttle(bounds.bytesPerSecond());
      ByteBuffer head = ByteBuffer.allocate(4);
      while (true) {
        fill(head.clear());
        int length = head.getInt(0);
        if (length <= 0 || length > FRAME) {
          throw new Malformed("a frame of " + length + " bytes");
        }
        ByteBuffer body = ByteBuffer.allocate(length);
        fill(body);
        take(body.array());
        throttle.passed(length + 4);
      }
    } catch (IOException e) {
      cause = e;
    } catch (InterruptedException e) {
      cause = new IOException("interrupted");
    } catch (RuntimeException e) {
      cause = new IOException("unexpected: " + e, e);
    }
    end(cause);
    IOException first;
    synchronized (unsent) {
      first = ended;
    }
    handler.ended(first);
  }

  private void fill(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new EOFException("the other side has closed the connection");
      }
    }
  }

  private void take(byte[] body) throws Malformed {
    Cbor.Reader in = new Cbor.Reader(body, ITEMS);
    int kind = in.count(CANCEL);
    long number = in.integer();
    switch (kind) {
      case CALL -> asked(number, in, body.length);
      case TELL -> {
        handler.told(OPS[in.count(OPS.length - 1)], in);
        in.end();
      }
      case CANCEL -> {
        in.end();
        Reply reply = atWork.get(number);
        if (reply != null) {
          reply.cancel();
        }
      }
      default -> answered(number, kind == ANSWER, in);
    }
  }

  private void asked(long number, Cbor.Reader in, int size) throws Malformed {
    Reply reply = new Reply(number, size);
    synchronized (atWork) {
      if (atWork.size() >= bounds.calls() || atWorkBytes + size > bounds.bytes()) {
        throw new Malformed("more calls at once than are allowed");
      }
      if (atWork.putIfAbsent(number, reply) != null) {
        throw new Malformed("two calls of one number");
      }
      atWorkBytes += size;
    }
    Op op = OPS[in.count(OPS.length - 1)];
    try {
      handler.asked(op, in, reply);
    } catch (RuntimeException e) {
      reply.fail(e);
      return;
    }
    in.end();
  }

  private void answered(long number, boolean good, Cbor.Reader in) throws Malformed {
    Pending call = pending.remove(number);
    if (call != null) {
      complete(call.future(), call.get(), good, in);
    }
    // Else it was given up before the answer came.
  }

  @SuppressWarnings("unchecked") // the two were put in together
  private <T> void complete(
      CompletableFuture<?> future, Codec.Get<T> get, boolean good, Cbor.Reader in)
      throws Malformed {
    T value = null;
    Exception error = null;
    try {
      if (good) {
        value = get.get(in);
      } else {
        error = failure(in);
      }
      in.end();
    } catch (Malformed e) {
      future.completeExceptionally(e);
      throw e;
    }
    T answer = value;
    Exception failure = error;
    completer.execute(
        () -> {
          if (failure == null) {
            ((CompletableFuture<T>) future).complete(answer);
          } else {
            future.completeExceptionally(failure);
          }
        });
  }

  /** What went wrong on the other side: of an exception only words cross. */
  private static void failure(Cbor.Writer out, Throwable error) {
    out.bool(Words.root(error) instanceof IOException).text(Words.of(error));
  }

  private static Exception failure(Cbor.Reader in) throws Malformed {
    boolean io = in.bool();
    String words = Words.shortened(in.text());
    return io ? new IOException(words) : new HostedException(words);
  }

  private void end(IOException cause) {
    synchronized (unsent) {
      if (ended != null) {
        return;
      }
      ended = cause;
      unsent.clear();
      unsent.notifyAll();
    }
    try {
      channel.close();
    } catch (IOException e) {
      // It is gone either way.
    }
    for (Long number : pending.keySet()) {
      Pending call = pending.remove(number);
      if (call != null) {
        completer.execute(
            () -> call.future().completeExceptionally(new IOException(cause.getMessage())));
      }
    }
    for (Reply reply : atWork.values()) {
      reply.cancel();
    }
  }

  /** Lets so many bytes pass in a second, and ten times as many at once now and then. */
  private static final class Throttle {
    private static final int BURST_SECONDS = 10;
    private final long perSecond;
    private long left;
    private long since = System.nanoTime();

    Throttle(long perSecond) {
      this.perSecond = perSecond;
      this.left = BURST_SECONDS * perSecond;
    }

    void passed(int bytes) throws InterruptedException {
      left -= bytes;
      if (left >= 0) {
        return;
      }
      long now = System.nanoTime();
      long more = (long) ((now - since) / 1e9 * perSecond);
      since = now;
      left = Math.min(BURST_SECONDS * perSecond, left + more);
      if (left < 0) {
        Thread.sleep(Math.max(1, -left * 1000 / perSecond));
      }
    }
  }
}
