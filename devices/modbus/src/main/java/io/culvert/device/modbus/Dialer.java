package io.culvert.device.modbus;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/** Makes TCP connections to one address. On its event loop, where its stages complete too. */
final class Dialer {
  /** Bounds an attempt that nobody cancels; the core's deadline is shorter as a rule. */
  private static final int CONNECT_TIMEOUT_MILLIS = 3000;

  private final Endpoint.Tcp endpoint;
  private final EventLoop loop;
  private final Executor names;
  private final Supplier<ChannelHandler[]> handlers;

  /**
   * @param names looks up host names, which may block
   * @param handlers of a new connection, made on the loop
   */
  Dialer(
      Endpoint.Tcp endpoint, EventLoop loop, Executor names, Supplier<ChannelHandler[]> handlers) {
    this.endpoint = endpoint;
    this.loop = loop;
    this.names = names;
    this.handlers = handlers;
  }

  /** Tries once; fails with an {@link IOException}. */
  CompletableFuture<Channel> dial() {
    CompletableFuture<Channel> opening = new CompletableFuture<>();
    resolve()
        .whenCompleteAsync(
            (address, failure) -> {
              if (failure == null) {
                connect(address, opening);
              } else {
                fail(opening, "the host name can't be resolved");
              }
            },
            loop);
    return opening;
  }

  private CompletableFuture<InetAddress> resolve() {
    CompletableFuture<InetAddress> result = new CompletableFuture<>();
    if (NetUtil.createByteArrayFromIpAddressString(endpoint.host()) != null) {
      // An address is no name: it doesn't wait behind look-ups that hang.
      look(result);
      return result;
    }
    try {
      names.execute(() -> look(result));
    } catch (RejectedExecutionException stopped) {
      result.completeExceptionally(stopped);
    }
    return result;
  }

  private void look(CompletableFuture<InetAddress> result) {
    try {
      result.complete(InetAddress.getByName(endpoint.host()));
    } catch (UnknownHostException unknown) {
      result.completeExceptionally(unknown);
    }
  }

  private void connect(InetAddress address, CompletableFuture<Channel> opening) {
    new Bootstrap()
        .group(loop)
        .channel(NioSocketChannel.class)
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
        .option(ChannelOption.TCP_NODELAY, true)
        .option(ChannelOption.SO_KEEPALIVE, true)
        .handler(
            new ChannelInitializer<>() {
              @Override
              protected void initChannel(Channel channel) {
                channel.pipeline().addLast(handlers.get());
              }
            })
        .connect(new InetSocketAddress(address, endpoint.port()))
        .addListener(
            (ChannelFutureListener)
                done -> {
                  if (done.isSuccess()) {
                    opening.complete(done.channel());
                  } else {
                    fail(opening, done.cause().getMessage());
                  }
                });
  }

  private void fail(CompletableFuture<Channel> opening, String why) {
    opening.completeExceptionally(
        new IOException("No connection to " + endpoint.address() + ": " + why));
  }
}
