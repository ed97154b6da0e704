package io.culvert.device.modbus;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.collection.IntObjectMap;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One TCP connection to one address, shared by the units behind it, and the exchanges on it.
 *
 * <p>Connects when an exchange needs it and never by itself, so that pauses between attempts are
 * the core's; a device that closes an idle connection costs nobody a reading.
 *
 * <p>Each request is {@linkplain Pending kept} until an answer that fits it, the loss of the
 * connection, its time-out or its cancellation; its stage is told of each at once.
 *
 * <p>Threads: methods may be called from any thread, don't block, and complete their stages on the
 * link's event loop; so does all state belong to that loop.
 */
final class Link {
  /** Requests in turn without any answer after which the peer is taken for gone. */
  private static final int SILENT_REQUESTS = 3;

  /** Answers in turn to nothing that was asked, after which the peer is taken for mad. */
  private static final int STRAY_ANSWERS = 64;

  /** All units on a serial line, none of which answers (Serial Line V1.02, 2.1 and 2.2). */
  private static final int BROADCAST = 0;

  /** For the units to do what they were told, before they can be asked (V1.02, 2.4.1). */
  private static final Duration TURNAROUND = Duration.ofMillis(200);

  private static final String CLOSED = "it was closed";

  private static final Logger log = LoggerFactory.getLogger(Link.class);

  private final Endpoint endpoint;
  private final EventLoop loop;
  private final Dialer dialer;
  private final IntObjectMap<Pending> pending = new IntObjectHashMap<>();

  private volatile CompletableFuture<Channel> channel;
  private boolean closed;
  private int transaction;
  private int silent;
  private int strays;
  private String stray = "";
  private String ending = "";

  /** A request on its way, and the stage that waits for its answer. */
  private final class Pending extends CompletableFuture<byte[]> {
    final int unit;
    final byte[] request;
    final Duration timeout;
    final boolean expected;
    int transaction;
    ScheduledFuture<?> timer;

    Pending(int unit, byte[] request, Duration timeout, boolean expected) {
      this.unit = unit;
      this.request = request;
      this.timeout = timeout;
      this.expected = expected;
    }

    @Override
    public boolean cancel(boolean mayInterrupt) {
      boolean cancelled = super.cancel(mayInterrupt);
      if (cancelled) {
        onLoop(this, () -> giveUp(this, null));
      }
      return cancelled;
    }

    void timedOut() {
      giveUp(this, new TimeoutException(silence(unit, timeout)));
    }
  }

  /**
   * @param endpoint of any unit behind the address
   * @param names looks up host names, which may block
   */
  Link(Endpoint endpoint, EventLoop loop, Executor names) {
    this.endpoint = endpoint;
    this.loop = loop;
    this.dialer = new Dialer(endpoint, loop, names, () -> new ChannelHandler[] {new Inbound()});
  }

  String lane() {
    return endpoint.lane();
  }

  /** Runs something where the link's state lives, after what was handed over before. */
  void execute(Runnable task) {
    loop.execute(task);
  }

  /** Connects, unless connected; fails with an {@link IOException}. */
  CompletionStage<Void> connect() {
    CompletableFuture<Void> result = new CompletableFuture<>();
    onLoop(
        result,
        () ->
            channel()
                .whenComplete(
                    (up, failure) -> {
                      if (failure == null) {
                        result.complete(null);
                      } else {
                        result.completeExceptionally(failure);
                      }
                    }));
    return result;
  }

  /**
   * One request and its answer, connecting first if need be.
   *
   * @param unit 0 to 255
   * @param request PDU (V1.1b3, 4.1), 1 to 253 bytes, not changed afterwards
   * @param timeout from when it is sent
   * @param expected whether the unit should be there, so that silence makes the connection suspect
   * @return the answer's PDU, which fits the request. Cancelled, it lets go of the request, and
   *     what still comes of it is thrown away. Fails with a {@link RefusedException} if the device
   *     refuses, a {@link GarbledException} if the answer doesn't fit, a {@link TimeoutException},
   *     or another {@link IOException} if there is no link
   */
  CompletableFuture<byte[]> exchange(int unit, byte[] request, Duration timeout, boolean expected) {
    Pending result = new Pending(unit, request, timeout, expected);
    onLoop(result, () -> whenUp(result, up -> ask(up, result)));
    return result;
  }

  /**
   * Tells all units behind the link, none of which answers: unit 0 (Serial Line V1.02, 2.1).
   *
   * @param request PDU of a function that writes, not changed afterwards
   * @return completed when it is sent and the units have had time to do it (V1.02, 2.4.1: the
   *     turnaround delay); fails with an {@link IOException} if there is no link
   */
  CompletableFuture<Void> broadcast(byte[] request) {
    CompletableFuture<Void> result = new CompletableFuture<>();
    onLoop(result, () -> whenUp(result, up -> tell(up, request, result)));
    return result;
  }

  private void tell(Channel up, byte[] request, CompletableFuture<Void> result) {
    up.writeAndFlush(frame(up, nextTransaction(), BROADCAST, request))
        .addListener(
            written -> {
              if (written.isSuccess()) {
                loop.schedule(
                    () -> result.complete(null), TURNAROUND.toMillis(), TimeUnit.MILLISECONDS);
              } else {
                result.completeExceptionally(lost(written.cause().getMessage()));
              }
            });
  }

  /** Does something on the connection, made if need be, unless the result is settled by then. */
  private void whenUp(CompletableFuture<?> result, Consumer<Channel> task) {
    Channel now = up();
    if (now != null) {
      task.accept(now);
      return;
    }
    channel()
        .whenComplete(
            (up, failure) -> {
              if (failure != null) {
                result.completeExceptionally(failure);
              } else if (!result.isDone()) {
                task.accept(up);
              }
            });
  }

  private void onLoop(CompletableFuture<?> result, Runnable task) {
    if (loop.inEventLoop()) {
      task.run();
      return;
    }
    try {
      loop.execute(task);
    } catch (RejectedExecutionException ended) {
      result.completeExceptionally(new IOException("The Modbus driver has been stopped"));
    }
  }

  private void ask(Channel up, Pending request) {
    request.transaction = nextTransaction();
    pending.put(request.transaction, request);
    request.timer =
        loop.schedule(request::timedOut, request.timeout.toMillis(), TimeUnit.MILLISECONDS);
    // If writing fails, the connection is closed, and down() tells this request as all others.
    up.writeAndFlush(
        frame(up, request.transaction, request.unit, request.request), up.voidPromise());
  }

  /** A number that no pending request has. */
  private int nextTransaction() {
    do {
      transaction = (transaction + 1) & 0xFFFF;
    } while (pending.containsKey(transaction));
    return transaction;
  }

  private static ByteBuf frame(Channel up, int transaction, int unit, byte[] request) {
    ByteBuf frame = up.alloc().buffer(MbapDecoder.HEADER + request.length);
    frame.writeShort(transaction).writeShort(0).writeShort(1 + request.length);
    return frame.writeByte(unit).writeBytes(request);
  }

  /** Returns whether the request was pending; it isn't any more. */
  private boolean settle(Pending request) {
    if (pending.get(request.transaction) != request) {
      return false;
    }
    pending.remove(request.transaction);
    request.timer.cancel(false);
    return true;
  }

  private String silence(int unit, Duration timeout) {
    return String.format(
        "Unit %d at %s did not answer within %d ms%s",
        unit, endpoint.address(), timeout.toMillis(), stray.isEmpty() ? "" : "; " + stray);
  }

  /**
   * Nobody waits for the answer any more.
   *
   * @param why {@code null} if the request was cancelled
   */
  private void giveUp(Pending request, TimeoutException why) {
    if (!settle(request)) {
      return;
    }
    silent += request.expected ? 1 : 0;
    if (silent >= SILENT_REQUESTS) {
      drop(silent + " requests in turn stayed unanswered");
    } else if (isConnected() && up().pipeline().get(Inbound.class).decoder.midFrame()) {
      // The rest of this frame, should it come, would be taken for the beginning of the next.
      drop("an answer broke off");
    }
    if (why != null) {
      // Last, since the next request of its exchange follows at once.
      request.completeExceptionally(why);
    }
  }

  private void received(int transaction, int unit, byte[] answer) {
    silent = 0;
    Pending request = pending.get(transaction);
    if (request == null) {
      stray =
          "last came an answer of unit "
              + unit
              + " to transaction "
              + transaction
              + ", which is not pending";
      log.debug("{}: {}", endpoint.address(), stray);
      if (++strays >= STRAY_ANSWERS) {
        drop(strays + " answers in turn were to nothing that was asked");
      }
      return;
    }
    settle(request);
    String wrong =
        unit != request.unit
            ? "unit " + unit + " instead of " + request.unit
            : AnswerCheck.wrong(request.request, answer);
    if (wrong != null) {
      request.completeExceptionally(
          new GarbledException(endpoint.address() + " answered with " + wrong));
      return;
    }
    strays = 0;
    stray = "";
    if (answer[0] == request.request[0]) {
      request.complete(answer);
    } else {
      request.completeExceptionally(
          new RefusedException(new Refusal(Byte.toUnsignedInt(answer[1]))));
    }
  }

  /** The connection, made if there is none. On the loop. */
  private CompletableFuture<Channel> channel() {
    if (closed) {
      return CompletableFuture.failedFuture(lost(CLOSED));
    }
    if (channel == null) {
      CompletableFuture<Channel> opening = new CompletableFuture<>();
      channel = opening;
      dialer.dial().whenComplete((up, failure) -> dialled(opening, up, failure));
    }
    return channel;
  }

  private void dialled(CompletableFuture<Channel> opening, Channel up, Throwable failure) {
    if (failure != null) {
      channel = null;
      opening.completeExceptionally(failure);
      return;
    }
    if (closed) {
      up.close();
      return;
    }
    silent = 0;
    strays = 0;
    stray = "";
    ending = "the other side closed it";
    up.closeFuture().addListener(end -> down());
    log.debug("Connected to {}", endpoint.address());
    opening.complete(up);
  }

  /** The connection is gone, by whatever side. */
  private void down() {
    channel = null;
    log.debug("Connection to {} ended: {}", endpoint.address(), ending);
    for (Pending request : List.copyOf(pending.values())) {
      settle(request);
      request.completeExceptionally(lost(ending));
    }
  }

  private IOException lost(String why) {
    return new IOException("Connection to " + endpoint.address() + " is lost: " + why);
  }

  /** Ends the connection; the next exchange makes another. */
  private void drop(String why) {
    if (isConnected()) {
      log.info("Closing the connection to {}: {}", endpoint.address(), why);
      ending = why;
      channel.join().close();
    }
  }

  /** Ends the link for good, with whatever is pending on it. */
  void close() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    onLoop(
        done,
        () -> {
          closed = true;
          ending = CLOSED;
          if (channel != null && channel.isDone()) {
            channel.join().close();
          } else if (channel != null) {
            channel.completeExceptionally(lost(CLOSED));
          }
        });
  }

  /** How many exchanges may be under way at once. */
  int capacity() {
    return 16;
  }

  boolean isConnected() {
    return up() != null;
  }

  private Channel up() {
    CompletableFuture<Channel> now = channel;
    return now != null && now.isDone() && !now.isCompletedExceptionally() ? now.join() : null;
  }

  /** Hands frames over, and ends a connection whose stream is no longer aligned with frames. */
  private final class Inbound extends SimpleChannelInboundHandler<ByteBuf> {
    final MbapDecoder decoder = new MbapDecoder(Link.this::received);

    @Override
    protected void channelRead0(ChannelHandlerContext context, ByteBuf in) {
      if (!context.channel().isActive()) {
        return;
      }
      try {
        decoder.decode(in.nioBuffer());
      } catch (GarbledException garbled) {
        drop("what came is not Modbus: " + garbled.getMessage());
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      ending = String.valueOf(cause.getMessage());
      context.close();
    }
  }
}
