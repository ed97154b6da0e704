package io.culvert.simulator.platform;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.mqtt.MqttConnAckMessage;
import io.netty.handler.codec.mqtt.MqttConnectReturnCode;
import io.netty.handler.codec.mqtt.MqttDecoder;
import io.netty.handler.codec.mqtt.MqttEncoder;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.codec.mqtt.MqttVersion;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Subscribes with QoS 1 and keeps its session at the broker (MQTT 3.1.1, clause 3.1.2.4): what the
 * broker took while this was away comes when it is back. A message is acknowledged when the
 * consumer has returned, and the next one is read only then.
 */
final class Subscriber implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Subscriber.class);
  private static final int MOST_BYTES = 16 << 20;
  private static final int CONNECT_SECONDS = 5;
  private static final int KEEP_ALIVE_SECONDS = 60;

  private final String host;
  private final int port;
  private final String clientId;
  private final String filter;
  private final Broker.Consumer consumer;
  private final Runnable lost;
  private final EventLoopGroup thread =
      new NioEventLoopGroup(1, new DefaultThreadFactory("platform-mqtt", true));
  private Channel channel;

  /**
   * @param consumer called by one thread
   * @param lost called by the same thread when a connection ends that had been there
   */
  Subscriber(
      String host,
      int port,
      String clientId,
      String filter,
      Broker.Consumer consumer,
      Runnable lost) {
    this.host = host;
    this.port = port;
    this.clientId = clientId;
    this.filter = filter;
    this.consumer = consumer;
    this.lost = lost;
  }

  boolean connected() {
    return channel != null && channel.isActive();
  }

  /** Connects and subscribes. Blocks for five seconds at most; tells whether it succeeded. */
  boolean connect() {
    CompletableFuture<Boolean> subscribed = new CompletableFuture<>();
    ChannelFuture opened =
        new Bootstrap()
            .group(thread)
            .channel(NioSocketChannel.class)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_SECONDS * 1000)
            .option(ChannelOption.TCP_NODELAY, true)
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel fresh) {
                    fresh
                        .pipeline()
                        .addLast(new MqttDecoder(MOST_BYTES), MqttEncoder.INSTANCE)
                        .addLast(new IdleStateHandler(0, KEEP_ALIVE_SECONDS / 2, 0))
                        .addLast(new Session(subscribed));
                  }
                })
            .connect(host, port);
    opened.addListener(
        done -> {
          if (!done.isSuccess()) {
            subscribed.complete(false);
          }
        });
    try {
      if (subscribed.get(CONNECT_SECONDS, TimeUnit.SECONDS)) {
        channel = opened.channel();
        return true;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("The platform's consumer isn't connected: {}", e.toString());
    }
    opened.channel().close();
    return false;
  }

  @Override
  public void close() {
    thread.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2_000);
  }

  private final class Session extends ChannelInboundHandlerAdapter {
    private final CompletableFuture<Boolean> subscribed;

    Session(CompletableFuture<Boolean> subscribed) {
      this.subscribed = subscribed;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
      context.writeAndFlush(
          MqttMessageBuilders.connect()
              .protocolVersion(MqttVersion.MQTT_3_1_1)
              .clientId(clientId)
              .cleanSession(false)
              .keepAlive(KEEP_ALIVE_SECONDS)
              .build());
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object read) {
      try {
        MqttMessage message = (MqttMessage) read;
        if (message.decoderResult().isFailure()) {
          LOG.warn(
              "The broker sent what isn't MQTT: {}", message.decoderResult().cause().toString());
          context.close();
          return;
        }
        switch (message.fixedHeader().messageType()) {
          case CONNACK -> connected(context, (MqttConnAckMessage) message);
          case SUBACK -> subscribed.complete(true);
          case PUBLISH -> published(context, (MqttPublishMessage) message);
          default -> {
            // Answers to pings.
          }
        }
      } finally {
        ReferenceCountUtil.release(read);
      }
    }

    private void connected(ChannelHandlerContext context, MqttConnAckMessage message) {
      if (message.variableHeader().connectReturnCode()
          != MqttConnectReturnCode.CONNECTION_ACCEPTED) {
        context.close();
        return;
      }
      context.writeAndFlush(
          MqttMessageBuilders.subscribe()
              .messageId(1)
              .addSubscription(MqttQoS.AT_LEAST_ONCE, filter)
              .build());
    }

    private void published(ChannelHandlerContext context, MqttPublishMessage message) {
      ByteBuf payload = message.payload();
      byte[] bytes = new byte[payload.readableBytes()];
      payload.readBytes(bytes);
      consumer.message(message.variableHeader().topicName(), bytes);
      if (message.fixedHeader().qosLevel() == MqttQoS.AT_LEAST_ONCE) {
        context.write(
            MqttMessageBuilders.pubAck().packetId(message.variableHeader().packetId()).build());
      }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      context.flush();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof IdleStateEvent) {
        context.writeAndFlush(MqttMessage.PINGREQ);
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      if (!subscribed.complete(false) && subscribed.getNow(false)) {
        lost.run();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      LOG.debug("The platform's consumer lost its connection", cause);
      context.close();
    }
  }
}
