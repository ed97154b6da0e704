package io.culvert.mqtt;

import java.net.URI;
import java.util.Set;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.internal.NetworkModule;
import org.eclipse.paho.client.mqttv3.spi.NetworkModuleFactory;

/**
 * Gives the MQTT client a {@link Wire} for addresses of the scheme {@value #SCHEME}. Found by it
 * through {@code META-INF/services} in the class loader that it shares with us, so that nothing
 * depends on a thread's context class loader.
 */
public final class WireFactory implements NetworkModuleFactory {

  /** Any but those that the client knows itself. */
  static final String SCHEME = "culvert";

  @Override
  public Set<String> getSupportedUriSchemes() {
    return Set.of(SCHEME);
  }

  @Override
  public void validateURI(URI brokerUri) {}

  @Override
  public NetworkModule createNetworkModule(
      URI brokerUri, MqttConnectOptions options, String clientId) {
    return ((Options) options).wire;
  }

  /** Options that bring the wire along. */
  static final class Options extends MqttConnectOptions {
    private final Wire wire;

    Options(Wire wire) {
      this.wire = wire;
    }
  }
}
