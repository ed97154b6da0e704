package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.northbound.Forwarder;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.Query;
import io.culvert.api.service.Secrets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The buffer as a service, below {@code <culvert.data>/buffer}. */
@Component(
    name = BufferComponent.PID,
    configurationPid = BufferComponent.PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    service = {Buffer.class, Query.class})
@Designate(ocd = BufferConfig.class)
public final class BufferComponent implements Buffer, Query {
  static final String PID = "io.culvert.buffer";

  private static final Logger LOG = LoggerFactory.getLogger(BufferComponent.class);

  private final LateBuffer buffer;

  @Activate
  public BufferComponent(
      BundleContext context,
      BufferConfig config,
      Map<String, Object> properties,
      @Reference Secrets secrets)
      throws IOException {
    Path data = data(context);
    Machine machine = new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open);
    AesSeal key = key(context, config, secrets);
    buffer =
        new LateBuffer(
            data.resolve("buffer"),
            Settings.of(config),
            machine.with(config.encrypt() ? key : Seal.PLAIN, key));
    platforms(config, properties);
  }

  /** The key, also where nothing new is encrypted: what was is still to be read. */
  private static AesSeal key(BundleContext context, BufferConfig config, Secrets secrets)
      throws IOException {
    String home = context.getProperty("culvert.home");
    Path file = Path.of(home == null ? "." : home).resolve(config.keystore());
    String password = config.keystorePassword();
    String name =
        password.startsWith(Secrets.PREFIX) ? password.substring(Secrets.PREFIX.length()) : null;
    AesSeal key = null;
    if (Files.exists(file)) {
      Optional<String> known = name == null ? Optional.of(password) : secrets.get(name);
      if (known.isEmpty()) {
        throw new IOException(
            "There is no secret "
                + name
                + " for "
                + file
                + "; put its password into the file etc/secrets/"
                + name);
      }
      key = AesSeal.load(file, known.get().toCharArray());
    }
    if (key == null && config.encrypt()) {
      throw new IOException(
          "buffer.encrypt is true, but there is no keystore "
              + file
              + "; nothing is stored until there is one. Make it with: "
              + AesSeal.makeKey(file));
    }
    return key;
  }

  private static Path data(BundleContext context) {
    String data = context.getProperty("culvert.data");
    if (data != null) {
      return Path.of(data);
    }
    String home = context.getProperty("culvert.home");
    if (home == null) {
      throw new IllegalStateException("Neither culvert.data nor culvert.home is set");
    }
    return Path.of(home, "data");
  }

  @Modified
  void modified(BufferConfig config, Map<String, Object> properties) {
    buffer.configure(Settings.of(config));
    platforms(config, properties);
  }

  /** None is something else than not known, which an annotation doesn't tell apart. */
  private void platforms(BufferConfig config, Map<String, Object> properties) {
    if (properties.containsKey("platforms")) {
      buffer.platforms(Set.of(config.platforms()));
    }
  }

  @Deactivate
  void deactivate() {
    buffer.close();
  }

  @Reference(
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC,
      unbind = "removeForwarder")
  void addForwarder(Forwarder forwarder, Map<String, Object> properties) {
    if (properties.get(Forwarder.ID) instanceof String id) {
      buffer.add(
          id, forwarder, properties.get(Forwarder.BYTES_PER_DAY) instanceof Long bytes ? bytes : 0);
    } else {
      LOG.error(
          "{} has no service property {}; nothing is sent through it",
          forwarder.getClass().getName(),
          Forwarder.ID);
    }
  }

  void removeForwarder(Forwarder forwarder) {
    buffer.remove(forwarder);
  }

  @Override
  public CompletionStage<Void> accept(List<Reading> readings) {
    return buffer.accept(readings);
  }

  @Override
  public CompletionStage<Void> gap(LedgerEntry entry) {
    return buffer.gap(entry);
  }

  @Override
  public List<LedgerEntry> ledger(Instant from, Instant to, int limit) {
    return buffer.ledger(from, to, limit);
  }

  @Override
  public Status status() {
    return buffer.status();
  }

  @Override
  public Account account(String device, Instant from, Instant to) {
    return buffer.account(device, from, to);
  }

  @Override
  public Holdings holdings() {
    return buffer.holdings();
  }

  @Override
  public Verification verify() {
    return buffer.verify();
  }

  @Override
  public History history(
      String device, String point, Instant from, Instant to, int limit, Duration patience) {
    return buffer.history(device, point, from, to, limit, patience);
  }

  @Override
  public Windows windows(
      String device, String point, Instant from, Instant to, Duration window, Duration patience) {
    return buffer.windows(device, point, from, to, window, patience);
  }

  @Override
  public boolean each(String device, String point, Instant from, Instant to, Visitor visitor) {
    return buffer.each(device, point, from, to, visitor);
  }

  @Override
  public Last last(Map<String, Set<String>> points, Duration patience) {
    return buffer.last(points, patience);
  }
}
