package io.culvert.device.modbus;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A TCP connection to one address. */
final class TcpWire implements Wire {
  /**
   * For a frame of RTU that doesn't tell its end. Segments may come apart by a round trip and more.
   */
  private static final Duration SILENCE = Duration.ofMillis(250);

  private static final String CLOSED = "it was closed";

  private static final Logger log = LoggerFactory.getLogger(TcpWire.class);

  private final Endpoint endpoint;
  private final Dialer dialer;
  private final Listener listener;

  private CompletableFuture<Void> opening;
  private volatile Channel channel;
  private boolean closed;
  private String ending = "";

  /**
   * @param names looks up host names, which may block
   */
  TcpWire(Endpoint.Tcp endpoint, EventLoop loop, Executor names, Listener listener) {
    this.endpoint = endpoint;
    this.listener = listener;
    this.dialer = new Dialer(endpoint, loop, names, () -> new ChannelHandler[] {new Inbound()});
  }

  @Override
  public CompletableFuture<Void> open() {
    if (closed) {
      return CompletableFuture.failedFuture(lost(CLOSED));
    }
    if (opening == null) {
      CompletableFuture<Void> now = new CompletableFuture<>();
      opening = now;
      dialer.dial().whenComplete((up, failure) -> dialled(now, up, failure));
    }
    return opening;
  }

  private void dialled(CompletableFuture<Void> now, Channel up, Throwable failure) {
    if (failure != null) {
      opening = null;
      now.completeExceptionally(failure);
      return;
    }
    if (closed) {
      up.close();
      return;
    }
    ending = "the other side closed it";
    channel = up;
    up.closeFuture().addListener(end -> down());
    log.debug("Connected to {}", endpoint.address());
    listener.opened();
    now.complete(null);
  }

  private void down() {
    channel = null;
    opening = null;
    log.debug("Connection to {} ended: {}", endpoint.address(), ending);
    listener.lost(ending);
  }

  private IOException lost(String why) {
    return new IOException("Connection to " + endpoint.address() + " is lost: " + why);
  }

  @Override
  public boolean isOpen() {
    return channel != null;
  }

  @Override
  public void send(byte[] frame, Sending sending) {
    Channel up = channel;
    if (up == null) {
      sending.failed(lost(ending));
      return;
    }
    // If writing fails, the connection is closed, and the listener hears of it.
    up.writeAndFlush(up.alloc().ioBuffer(frame.length).writeBytes(frame), up.voidPromise());
    sending.sent(System.nanoTime());
  }

  @Override
  public void drop(String why) {
    if (channel != null) {
      log.info("Closing the connection to {}: {}", endpoint.address(), why);
      ending = why;
      channel.close();
    }
  }

  @Override
  public void close() {
    closed = true;
    ending = CLOSED;
    if (channel != null) {
      channel.close();
    } else if (opening != null) {
      opening.completeExceptionally(lost(CLOSED));
    }
  }

  @Override
  public Duration time(int characters) {
    return Duration.ZERO;
  }

  @Override
  public Duration silence() {
    return SILENCE;
  }

  @Override
  public long collisions() {
    return 0;
  }

  private final class Inbound extends SimpleChannelInboundHandler<ByteBuf> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, ByteBuf in) {
      if (context.channel() == channel) {
        listener.received(in.nioBuffer());
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      ending = String.valueOf(cause.getMessage());
      context.close();
    }
  }
}
