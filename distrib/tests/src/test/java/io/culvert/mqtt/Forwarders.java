package io.culvert.mqtt;

import io.culvert.api.Reading;
import io.culvert.api.northbound.Forwarder;
import io.culvert.api.service.Monitor;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;

/** The product's forwarder over MQTT without the rest of a gateway. */
public final class Forwarders {
  private static final int MAX_MESSAGE_BYTES = 256 * 1024;

  private Forwarders() {}

  /**
   * Opens one, which looks for its broker again after a second at most; to be closed as {@link
   * AutoCloseable}.
   */
  public static Forwarder open(String gateway, String host, int port, InstantSource clock) {
    Settings settings =
        new Settings(
            "city",
            gateway,
            host,
            port,
            false,
            gateway,
            "",
            "",
            64,
            Duration.ofSeconds(30),
            Duration.ofSeconds(10),
            null,
            "",
            Duration.ofMillis(100),
            Duration.ofSeconds(1));
    return new MqttForwarder(
        settings,
        new IotDa(gateway, MAX_MESSAGE_BYTES),
        command -> CompletableFuture.failedFuture(new UnsupportedOperationException()),
        new NoDevices(),
        name -> Optional.empty(),
        clock,
        RandomGenerator.getDefault());
  }

  private static final class NoDevices implements Monitor {
    @Override
    public Watch watch(Listener listener) {
      return () -> {};
    }

    @Override
    public List<DeviceStatus> devices() {
      return List.of();
    }

    @Override
    public List<Reading> latest(String id) {
      return List.of();
    }

    @Override
    public String gateway() {
      return "";
    }

    @Override
    public Figures figures() {
      throw new UnsupportedOperationException();
    }
  }
}
