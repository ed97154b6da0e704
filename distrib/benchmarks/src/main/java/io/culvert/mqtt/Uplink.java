package io.culvert.mqtt;

import io.culvert.api.Reading;
import io.culvert.api.northbound.Forwarder;
import io.culvert.api.service.Commands;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Secrets;
import io.culvert.benchmarks.Defaults;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;

/** The gateway's own way to a platform, without the rest of the gateway: for a buffer alone. */
public final class Uplink implements AutoCloseable {
  private static final int MAX_MESSAGE_BYTES = 256 << 10;
  private static final Secrets NO_SECRETS = name -> Optional.empty();
  private static final Commands NO_COMMANDS =
      command -> CompletableFuture.failedFuture(new IllegalStateException("there is no device"));

  private final MqttForwarder forwarder;

  /**
   * Connects with the dialect of IoTDA and the defaults of a site document.
   *
   * @param port of the broker on loopback
   */
  public Uplink(String gateway, int port) {
    Config config =
        Defaults.of(
            Config.class,
            Map.of("id", "city", "gateway", gateway, "url", "mqtt://127.0.0.1:" + port));
    try {
      forwarder =
          new MqttForwarder(
              Settings.of(config, Path.of(".")),
              new IotDa(gateway, MAX_MESSAGE_BYTES),
              NO_COMMANDS,
              new NoDevices(gateway),
              NO_SECRETS,
              () -> null,
              InstantSource.system(),
              RandomGenerator.getDefault());
    } catch (Settings.InvalidException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** Takes batches as soon as it is connected. */
  public Forwarder forwarder() {
    return forwarder;
  }

  @Override
  public void close() {
    forwarder.close();
  }

  /** Nothing has a state that the platform would be told. */
  private record NoDevices(String gateway) implements Monitor {
    @Override
    public List<DeviceStatus> devices() {
      return List.of();
    }

    @Override
    public List<Reading> latest(String device) {
      return List.of();
    }

    @Override
    public Figures figures() {
      return new Figures(0, 0, 0, 0);
    }

    @Override
    public Watch watch(Listener listener) {
      return () -> {};
    }
  }
}
