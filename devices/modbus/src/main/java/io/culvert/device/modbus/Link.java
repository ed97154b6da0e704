package io.culvert.device.modbus;

import com.digitalpetri.modbus.ModbusTcpFrame;
import com.digitalpetri.modbus.TimeoutScheduler;
import com.digitalpetri.modbus.client.ModbusTcpClient;
import com.digitalpetri.modbus.client.ModbusTcpClientTransport;
import com.digitalpetri.modbus.pdu.ModbusRequestPdu;
import com.digitalpetri.modbus.pdu.ModbusResponsePdu;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
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
 * <p>The library's client numbers transactions and codes PDUs; this is the transport beneath it.
 * The library waits for an answer until its own time-out even if the connection is long gone, and
 * takes any answer of the right number and function, from whatever unit and of whatever length. So
 * here each request is {@linkplain Pending kept} until an answer that fits it, the loss of the
 * connection, its time-out or its cancellation, and the library is told of each at once by the
 * stage that {@link #send} returned. It needs no timers of its own.
 *
 * <p>Threads: methods may be called from any thread, don't block, and complete their stages on the
 * link's event loop; so does all state belong to that loop.
 */
final class Link implements ModbusTcpClientTransport {
  /** Requests in turn without any answer after which the peer is taken for gone. */
  private static final int SILENT_REQUESTS = 3;

  /** Answers in turn to nothing that was asked, after which the peer is taken for mad. */
  private static final int STRAY_ANSWERS = 64;

  private static final String CLOSED = "it was closed";

  private static final Logger log = LoggerFactory.getLogger(Link.class);

  private final Endpoint endpoint;
  private final EventLoop loop;
  private final Dialer dialer;
  private final ModbusTcpClient client;
  private final Map<Integer, Pending> pending = new HashMap<>();

  private Consumer<ModbusTcpFrame> receiver;
  private volatile CompletableFuture<Channel> channel;
  private Pending sent;
  private boolean closed;
  private int silent;
  private int strays;
  private String stray = "";
  private String ending = "";

  /**
   * A request on its way.
   *
   * @param over told to the library: fails as soon as no answer can come any more
   */
  private record Pending(
      int transaction, int unit, ByteBuffer request, CompletableFuture<Void> over) {}

  /** Something came that is not an answer to the request of its number. */
  static final class GarbledException extends IOException {
    GarbledException(String message) {
      super(message);
    }
  }

  /**
   * @param endpoint of any unit behind the address
   * @param names looks up host names, which may block
   */
  Link(Endpoint endpoint, EventLoop loop, Executor names) {
    this.endpoint = endpoint;
    this.loop = loop;
    this.dialer =
        new Dialer(
            endpoint, loop, names, () -> new ChannelHandler[] {new StrictCodec(), new Inbound()});
    TimeoutScheduler none = (task, delay, unit) -> new NoTimeout();
    this.client = ModbusTcpClient.create(this, config -> config.setTimeoutScheduler(none));
  }

  String lane() {
    return endpoint.lane();
  }

  /** Runs something where the link's state lives, after what was handed over before. */
  void execute(Runnable task) {
    loop.execute(task);
  }

  /** Connects, unless connected; fails with an {@link IOException}. */
  @Override
  public CompletionStage<Void> connect() {
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
   * @param timeout from when it is sent
   * @param expected whether the unit should be there, so that silence makes the connection suspect
   * @return cancelled, it lets go of the request, and what still comes of it is thrown away. Fails
   *     with a {@code ModbusResponseException} if the device refuses, a {@link GarbledException} if
   *     the answer doesn't fit, a {@link TimeoutException}, or an {@link IOException} if there is
   *     no link
   */
  CompletableFuture<ModbusResponsePdu> exchange(
      int unit, ModbusRequestPdu request, Duration timeout, boolean expected) {
    CompletableFuture<ModbusResponsePdu> result = new CompletableFuture<>();
    onLoop(
        result,
        () ->
            channel()
                .whenComplete(
                    (up, failure) -> {
                      if (failure != null) {
                        result.completeExceptionally(failure);
                      } else if (!result.isDone()) {
                        ask(unit, request, timeout, expected, result);
                      }
                    }));
    return result;
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

  private void ask(
      int unit,
      ModbusRequestPdu request,
      Duration timeout,
      boolean expected,
      CompletableFuture<ModbusResponsePdu> result) {
    // Sends before it returns, through this class; nothing else runs on the loop meanwhile.
    CompletionStage<ModbusResponsePdu> answer = client.sendAsync(unit, request);
    Pending own = sent;
    ScheduledFuture<?> timer =
        loop.schedule(
            () -> giveUp(own, expected, new TimeoutException(silence(unit, timeout))),
            timeout.toMillis(),
            TimeUnit.MILLISECONDS);
    result.whenComplete(
        (value, failure) -> {
          if (result.isCancelled()) {
            onLoop(result, () -> giveUp(own, expected, new CancellationException()));
          }
        });
    answer.whenComplete(
        (value, failure) -> {
          timer.cancel(false);
          if (failure == null) {
            result.complete(value);
          } else {
            result.completeExceptionally(
                failure instanceof CompletionException && failure.getCause() != null
                    ? failure.getCause()
                    : failure);
          }
        });
  }

  private String silence(int unit, Duration timeout) {
    return String.format(
        "Unit %d at %s did not answer within %d ms%s",
        unit, endpoint.address(), timeout.toMillis(), stray.isEmpty() ? "" : "; " + stray);
  }

  /** Nobody waits for the answer any more. */
  private void giveUp(Pending request, boolean expected, Exception why) {
    if (!pending.remove(request.transaction, request)) {
      return;
    }
    silent += expected ? 1 : 0;
    if (silent >= SILENT_REQUESTS) {
      drop(silent + " requests in turn stayed unanswered");
    } else if (isConnected() && channel.join().pipeline().get(StrictCodec.class).midFrame()) {
      // The rest of this frame, should it come, would be taken for the beginning of the next.
      drop("an answer broke off");
    }
    // Last, since the next request of its exchange follows at once.
    request.over.completeExceptionally(why);
  }

  /** Called by the library's client, on the loop, when {@link #ask} has made it send. */
  @Override
  public CompletionStage<Void> send(ModbusTcpFrame frame) {
    Pending request =
        new Pending(
            frame.header().transactionId(),
            frame.header().unitId(),
            frame.pdu().duplicate(),
            new CompletableFuture<>());
    pending.put(request.transaction, request);
    sent = request;
    channel
        .join()
        .writeAndFlush(frame)
        .addListener(
            (ChannelFutureListener)
                written -> {
                  if (!written.isSuccess() && pending.remove(request.transaction, request)) {
                    request.over.completeExceptionally(lost(written.cause().getMessage()));
                  }
                });
    return request.over;
  }

  @Override
  public void receive(Consumer<ModbusTcpFrame> receiver) {
    this.receiver = receiver;
  }

  private void received(ModbusTcpFrame frame) {
    int transaction = frame.header().transactionId();
    int unit = frame.header().unitId();
    silent = 0;
    Pending request = pending.remove(transaction);
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
    String wrong =
        unit != request.unit
            ? "unit " + unit + " instead of " + request.unit
            : AnswerCheck.wrong(request.request, frame.pdu());
    if (wrong != null) {
      request.over.completeExceptionally(
          new GarbledException(endpoint.address() + " answered with " + wrong));
      return;
    }
    strays = 0;
    stray = "";
    request.over.complete(null);
    receiver.accept(frame);
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
    List<Pending> unanswered = List.copyOf(pending.values());
    pending.clear();
    unanswered.forEach(request -> request.over.completeExceptionally(lost(ending)));
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

  @Override
  public CompletionStage<Void> disconnect() {
    close();
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public boolean isConnected() {
    CompletableFuture<Channel> now = channel;
    return now != null && now.isDone() && !now.isCompletedExceptionally();
  }

  /** Hands frames over, and ends a connection whose stream is no longer aligned with frames. */
  private final class Inbound extends SimpleChannelInboundHandler<ModbusTcpFrame> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, ModbusTcpFrame frame) {
      received(frame);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      if (cause instanceof IOException) {
        ending = cause.getMessage();
        context.close();
      } else if (context.channel().isActive()) {
        drop("what came is not Modbus: " + cause.getMessage());
      }
    }
  }

  /** Stands in for the library's timers; the link ends every request itself. */
  private static final class NoTimeout implements TimeoutScheduler.TimeoutHandle {
    @Override
    public void cancel() {}

    @Override
    public boolean isCancelled() {
      return false;
    }
  }
}
