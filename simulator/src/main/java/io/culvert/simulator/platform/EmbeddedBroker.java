package io.culvert.simulator.platform;

import io.culvert.simulator.street.StreetException;
import io.moquette.BrokerConstants;
import io.moquette.broker.Server;
import io.moquette.broker.config.IConfig;
import io.moquette.broker.config.MemoryConfig;
import io.moquette.interception.AbstractInterceptHandler;
import io.moquette.interception.messages.InterceptPublishMessage;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Properties;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moquette in this process. The consumer sits inside the broker, where each publication passes on
 * its way to subscribers: no second connection, no queue that could overflow.
 */
public final class EmbeddedBroker implements Broker {
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedBroker.class);
  private static final String MEBIBYTE = Integer.toString(1024 * 1024);

  private final int port;
  private final Consumer consumer;
  private Server server;

  public EmbeddedBroker(int port, Consumer consumer) {
    this.port = port;
    this.consumer = consumer;
  }

  @Override
  public int port() {
    return port;
  }

  @Override
  public String name() {
    return "Moquette, in this process";
  }

  @Override
  public synchronized void start() throws StreetException {
    requireFree(port);
    Properties settings = new Properties();
    settings.setProperty(IConfig.HOST_PROPERTY_NAME, "127.0.0.1");
    settings.setProperty(IConfig.PORT_PROPERTY_NAME, Integer.toString(port));
    settings.setProperty(IConfig.WEB_SOCKET_PORT_PROPERTY_NAME, BrokerConstants.DISABLED_PORT_BIND);
    settings.setProperty(IConfig.ALLOW_ANONYMOUS_PROPERTY_NAME, "true");
    settings.setProperty(IConfig.PERSISTENCE_ENABLED_PROPERTY_NAME, "false");
    settings.setProperty(IConfig.ENABLE_TELEMETRY_NAME, "false");
    // Its own bound of 8 KB would cut a gateway off in the middle of a batch.
    settings.setProperty(IConfig.NETTY_MAX_BYTES_PROPERTY_NAME, MEBIBYTE);
    settings.setProperty(IConfig.SESSION_QUEUE_SIZE, "65536");
    settings.setProperty(IConfig.BUFFER_FLUSH_MS_PROPERTY_NAME, "0");
    // One thread, so that the order of messages is kept.
    settings.setProperty(BrokerConstants.BROKER_INTERCEPTOR_THREAD_POOL_SIZE, "1");
    Server next = new Server();
    try {
      next.startServer(new MemoryConfig(settings), List.of(new Interceptor()));
    } catch (IOException | RuntimeException e) {
      throw new StreetException("The embedded broker didn't start: " + e.getMessage());
    }
    server = next;
  }

  /** One clear line instead of whatever a broker says about a port that is taken. */
  static void requireFree(int port) throws StreetException {
    try (ServerSocket probe = new ServerSocket()) {
      probe.setReuseAddress(true);
      probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    } catch (IOException e) {
      throw new StreetException(
          "Port "
              + port
              + " is taken, and the platform's broker needs it; free it or choose another with"
              + " --mqtt-port");
    }
  }

  @Override
  public synchronized void stop() {
    if (server != null) {
      server.stopServer();
      server = null;
    }
  }

  @Override
  public void close() {
    stop();
  }

  private final class Interceptor extends AbstractInterceptHandler {
    @Override
    public String getID() {
      return "platform";
    }

    @Override
    public void onPublish(InterceptPublishMessage message) {
      try {
        ByteBuf payload = message.getPayload();
        byte[] bytes = new byte[payload.readableBytes()];
        payload.getBytes(payload.readerIndex(), bytes);
        consumer.message(message.getTopicName(), bytes);
      } finally {
        super.onPublish(message);
      }
    }

    @Override
    public void onSessionLoopError(Throwable error) {
      LOG.error("The embedded broker failed", error);
    }
  }
}
