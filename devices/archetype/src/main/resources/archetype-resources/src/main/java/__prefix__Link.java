package ${package};

import io.culvert.api.southbound.Sink;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousChannelGroup;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.channels.CompletionHandler;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;

/**
 * One TCP connection to a controller. It listens all the time, so that it hears at once when the
 * controller goes away, and hands each answer to the request with its number; an answer that nobody
 * waits for any more is thrown away.
 *
 * <p>Safe in any thread; nothing here blocks. Once the link is lost it stays so: the core opens
 * another.
 */
final class ${prefix}Link {
  private final AsynchronousSocketChannel channel;
  private final Sink sink;
  private final ByteBuffer arrived = ByteBuffer.allocate(${prefix}Frames.ROOM);

  /** The exchange that runs, or the last one; its number. Guarded by this, as all below. */
  private CompletableFuture<byte[]> pending = CompletableFuture.completedFuture(null);

  private int number;
  private Throwable lost;

  private ${prefix}Link(AsynchronousSocketChannel channel, Sink sink) {
    this.channel = channel;
    this.sink = sink;
  }

  /** Connects. Cancelled before it is done, it lets the connection be. */
  static CompletableFuture<${prefix}Link> open(
      AsynchronousChannelGroup group, SocketAddress address, Sink sink) {
    CompletableFuture<${prefix}Link> opening = new CompletableFuture<>();
    try {
      AsynchronousSocketChannel channel = AsynchronousSocketChannel.open(group);
      ${prefix}Link link = new ${prefix}Link(channel, sink);
      opening.whenComplete(
          (opened, failure) -> {
            if (failure != null) {
              link.close();
            }
          });
      channel.connect(
          address,
          null,
          handler(
              connected -> {
                if (opening.complete(link)) {
                  link.listen();
                }
              },
              opening::completeExceptionally));
    } catch (IOException | RuntimeException e) {
      // Runtime: the driver has just been deactivated, and its group of channels with it.
      opening.completeExceptionally(e);
    }
    return opening;
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @param request makes it, given its number
   * @return what the answer holds behind its number. Fails if the link is or gets lost. Cancelled,
   *     it waits no longer, and the next exchange may start
   */
  CompletableFuture<byte[]> exchange(IntFunction<ByteBuffer> request) {
    CompletableFuture<byte[]> answer = new CompletableFuture<>();
    ByteBuffer bytes;
    synchronized (this) {
      if (lost != null) {
        return CompletableFuture.failedFuture(lost);
      }
      number = (number + 1) % 256;
      pending = answer;
      bytes = request.apply(number);
    }
    send(bytes);
    return answer;
  }

  private void send(ByteBuffer bytes) {
    try {
      channel.write(
          bytes,
          null,
          handler(
              count -> {
                if (bytes.hasRemaining()) {
                  send(bytes);
                }
              },
              this::lose));
    } catch (RuntimeException e) {
      // The last request hasn't even left: nobody takes what is sent.
      lose(new IOException("The controller takes nothing any more", e));
    }
  }

  private void listen() {
    try {
      channel.read(
          arrived,
          null,
          handler(
              count -> {
                if (count < 0) {
                  lose(new EOFException("The controller closed the connection"));
                } else {
                  take();
                  listen();
                }
              },
              this::lose));
    } catch (RuntimeException e) {
      lose(e);
    }
  }

  private void take() {
    arrived.flip();
    try {
      for (${prefix}Frames.Body body = ${prefix}Frames.next(arrived);
          body != null;
          body = ${prefix}Frames.next(arrived)) {
        CompletableFuture<byte[]> waiting;
        synchronized (this) {
          waiting = body.number() == number ? pending : null;
        }
        if (waiting != null) {
          // Not while holding the lock: what hangs on the answer may start the next exchange.
          waiting.complete(body.data());
        }
      }
      arrived.compact();
    } catch (IOException e) {
      lose(e);
    }
  }

  /** Ends the link; whatever is pending fails. */
  void close() {
    end(new IOException("The connection was closed"));
  }

  private void lose(Throwable cause) {
    if (end(cause)) {
      sink.lost(cause);
    }
  }

  /** Whether it wasn't over before. */
  private boolean end(Throwable cause) {
    CompletableFuture<byte[]> waiting;
    synchronized (this) {
      if (lost != null) {
        return false;
      }
      lost = cause;
      waiting = pending;
    }
    try {
      channel.close();
    } catch (IOException e) {
      // It is of no more use, closed or not.
    }
    waiting.completeExceptionally(cause);
    return true;
  }

  private interface Done<T> {
    void with(T result);
  }

  private static <T> CompletionHandler<T, Void> handler(Done<T> done, Done<Throwable> failed) {
    return new CompletionHandler<>() {
      @Override
      public void completed(T result, Void nothing) {
        done.with(result);
      }

      @Override
      public void failed(Throwable cause, Void nothing) {
        failed.with(cause);
      }
    };
  }
}
