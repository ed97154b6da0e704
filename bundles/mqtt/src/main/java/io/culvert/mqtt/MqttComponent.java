package io.culvert.mqtt;

import io.culvert.api.northbound.Batch;
import io.culvert.api.northbound.Forwarder;
import io.culvert.api.northbound.Receipt;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.Commands;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Secrets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.util.tracker.ServiceTracker;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings one configured platform to life and registers its forwarder.
 *
 * <p>By hand and not by Declarative Services, which would publish the whole configuration, password
 * and all, as properties of the service.
 */
@Component(
    service = {},
    immediate = true,
    configurationPid = Config.PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = Config.class, factory = true)
public final class MqttComponent {

  private static final Logger LOG = LoggerFactory.getLogger(MqttComponent.class);

  /** IoTDA takes a megabyte; smaller messages share a slow link better. */
  private static final int MAX_MESSAGE_BYTES = 256 * 1024;

  private final AutoCloseable forwarder;

  /** Opened by the first question: buffer and forwarders must not wait for each other to start. */
  private final ServiceTracker<Buffer, Buffer> buffer;

  private final ServiceRegistration<Forwarder> registration;

  @Activate
  public MqttComponent(
      BundleContext context,
      Config config,
      @Reference Commands commands,
      @Reference Monitor monitor,
      @Reference Secrets secrets) {
    buffer = new ServiceTracker<>(context, Buffer.class, null);
    Forwarder service = open(context, config, commands, monitor, secrets, this::buffer);
    this.forwarder = service instanceof AutoCloseable closeable ? closeable : () -> {};
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put(Forwarder.ID, config.id());
    properties.put(Forwarder.BYTES_PER_DAY, config.maxBytesPerDay());
    this.registration = context.registerService(Forwarder.class, service, properties);
  }

  private Buffer buffer() {
    buffer.open();
    return buffer.getService();
  }

  private static Forwarder open(
      BundleContext context,
      Config config,
      Commands commands,
      Monitor monitor,
      Secrets secrets,
      Supplier<Buffer> buffer) {
    String home = context.getProperty("culvert.home");
    Path etc = Path.of(home == null ? "." : home, "etc");
    try {
      return new MqttForwarder(
          Settings.of(config, etc),
          new IotDa(config.gateway(), MAX_MESSAGE_BYTES),
          commands,
          monitor,
          secrets,
          buffer,
          InstantSource.system(),
          RandomGenerator.getDefault());
    } catch (Settings.InvalidException e) {
      LOG.error(
          "{}: the platform stays unreachable until etc/site.json is mended: {}",
          config.id(),
          e.getMessage());
      return new Unreachable();
    }
  }

  @Deactivate
  public void close() throws Exception {
    registration.unregister();
    forwarder.close();
    buffer.close();
  }

  /** Stands for a platform that is configured wrongly, so that its readings are kept for it. */
  private static final class Unreachable implements Forwarder {
    @Override
    public boolean ready() {
      return false;
    }

    @Override
    public int window() {
      return 0;
    }

    @Override
    public CompletionStage<Receipt> send(Batch batch) {
      return CompletableFuture.completedFuture(Receipt.retry());
    }

    @Override
    public void onChange(Runnable wake) {}
  }
}
