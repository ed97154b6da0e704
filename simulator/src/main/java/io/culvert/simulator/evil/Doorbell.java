package io.culvert.simulator.evil;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Where the gallery's devices are said to be: takes connections, says nothing, and counts them. */
public final class Doorbell implements AutoCloseable {
  private final EventLoopGroup thread =
      new NioEventLoopGroup(1, new DefaultThreadFactory("doorbell", true));
  private final AtomicInteger open = new AtomicInteger();
  private final AtomicInteger most = new AtomicInteger();
  private final int port;

  /** Listens on a free port of the loopback interface. */
  public Doorbell() {
    Channel listening =
        new ServerBootstrap()
            .group(thread)
            .channel(NioServerSocketChannel.class)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel fresh) {
                    fresh.pipeline().addLast(new Counting());
                  }
                })
            .bind("127.0.0.1", 0)
            .syncUninterruptibly()
            .channel();
    port = ((java.net.InetSocketAddress) listening.localAddress()).getPort();
  }

  public int port() {
    return port;
  }

  /** The most connections that were open at once. */
  public int most() {
    return most.get();
  }

  @Override
  public void close() {
    thread.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2_000);
  }

  private final class Counting extends ChannelInboundHandlerAdapter {
    @Override
    public void channelActive(ChannelHandlerContext context) {
      most.accumulateAndGet(open.incrementAndGet(), Math::max);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      open.decrementAndGet();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object read) {
      ReferenceCountUtil.release(read);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }
}
