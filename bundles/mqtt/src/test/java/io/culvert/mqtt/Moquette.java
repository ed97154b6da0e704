package io.culvert.mqtt;

import io.moquette.broker.Server;
import io.moquette.broker.config.IConfig;
import io.moquette.broker.config.MemoryConfig;
import io.moquette.broker.security.IAuthorizatorPolicy;
import io.moquette.broker.subscriptions.Topic;
import java.io.IOException;
import java.util.List;
import java.util.Properties;

/** Moquette in this process, all in memory. */
final class Moquette implements Broker {
  private final int port;
  private final boolean mayRead;
  private Server server;

  Moquette(int port) {
    this(port, true);
  }

  /**
   * @param mayRead whether anyone is let subscribe
   */
  Moquette(int port, boolean mayRead) {
    this.port = port;
    this.mayRead = mayRead;
  }

  @Override
  public void start() throws IOException {
    Properties properties = new Properties();
    properties.setProperty(IConfig.HOST_PROPERTY_NAME, "127.0.0.1");
    properties.setProperty(IConfig.PORT_PROPERTY_NAME, Integer.toString(port));
    properties.setProperty(IConfig.ALLOW_ANONYMOUS_PROPERTY_NAME, "true");
    properties.setProperty(IConfig.PERSISTENCE_ENABLED_PROPERTY_NAME, "false");
    properties.setProperty(IConfig.ENABLE_TELEMETRY_NAME, "false");
    properties.setProperty(IConfig.NETTY_MAX_BYTES_PROPERTY_NAME, Integer.toString(1 << 20));
    server = new Server();
    server.startServer(
        new MemoryConfig(properties),
        List.of(),
        null,
        null,
        new IAuthorizatorPolicy() {
          @Override
          public boolean canWrite(Topic topic, String user, String client) {
            return true;
          }

          @Override
          public boolean canRead(Topic topic, String user, String client) {
            return mayRead;
          }
        });
  }

  @Override
  public void stop() {
    if (server != null) {
      server.stopServer();
      server = null;
    }
  }

  @Override
  public int port() {
    return port;
  }
}
