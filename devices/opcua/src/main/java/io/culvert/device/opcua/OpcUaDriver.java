package io.culvert.device.opcua;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.service.Secrets;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Sink;
import java.nio.file.Path;
import java.time.Clock;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/**
 * OPC UA over TCP: {@code opc.tcp://host:port/path}.
 *
 * <p>Devices of one server, security and user share a session and, since a server carries many
 * requests at once, have lanes of their own. All threads are the component's own and end with it.
 */
@Component(service = Driver.class, property = Driver.SCHEME + "=" + Endpoint.SCHEME)
public final class OpcUaDriver implements Driver {
  private final Security security;
  private final Threads threads;
  private final Sessions sessions;

  /** Whether certificates are looked at every minute; not before there is a device. */
  private final AtomicBoolean reminding = new AtomicBoolean();

  private final Set<OpcUaConnection> connections = ConcurrentHashMap.newKeySet();

  /**
   * @param secrets {@code null} where there are none
   */
  @Activate
  public OpcUaDriver(
      BundleContext context,
      @Reference(
              cardinality = ReferenceCardinality.OPTIONAL,
              policyOption = ReferencePolicyOption.GREEDY)
          Secrets secrets) {
    this(
        new Security(
            folder(context),
            secrets == null ? name -> Optional.empty() : secrets,
            Clock.systemUTC()),
        InstantSource.system(),
        System::nanoTime);
  }

  /** In the present folder as if it were an installation's, without secrets. */
  OpcUaDriver() {
    this(
        new Security(Path.of("etc/opcua"), name -> Optional.empty(), Clock.systemUTC()),
        InstantSource.system(),
        System::nanoTime);
  }

  /**
   * @param nanos a clock as {@link System#nanoTime}
   */
  OpcUaDriver(Security security, InstantSource clock, LongSupplier nanos) {
    this.security = security;
    threads = new Threads();
    sessions = new Sessions(threads, security, clock, nanos);
  }

  /** Where certificates are; only in tests there is no installation. */
  private static Path folder(BundleContext context) {
    String home = context.getProperty("culvert.home");
    return home == null
        ? context.getDataFile("opcua").toPath()
        : Path.of(home).resolve("etc/opcua");
  }

  @Deactivate
  void deactivate() {
    connections.forEach(OpcUaConnection::close);
    sessions.end();
    security.close();
  }

  @Override
  public List<Problem> validate(Device device, List<Point> points) {
    List<Problem> problems = new ArrayList<>();
    Endpoint.parse(device.endpoint(), "endpoint", problems::add);
    Settings settings = Settings.parse(device.settings(), problems::add);
    for (Point point : points) {
      Address address = Address.parse(point, problems::add);
      if (address != null
          && address.kind() == Address.Kind.EVENTS
          && settings.mode() == Settings.Mode.POLL) {
        problems.add(
            new Problem(
                "points." + point.id() + ".address",
                "events: with the setting mode=poll",
                "mode=subscribe: events can't be asked for"));
      }
    }
    return List.copyOf(problems);
  }

  @Override
  public String lane(Device device) {
    return endpoint(device).url() + "#" + device.id();
  }

  @Override
  public CompletionStage<Connection> open(Device device, Sink sink) {
    Settings settings = Settings.parse(device.settings(), OpcUaDriver::refuse);
    Session session = sessions.acquire(Session.Key.of(endpoint(device), settings));
    OpcUaConnection connection =
        settings.mode() == Settings.Mode.POLL
            ? new OpcUaConnection(session, device.id(), settings, connections::remove)
            : new SubscribedConnection(session, device.id(), settings, connections::remove, sink);
    connections.add(connection);
    if (reminding.compareAndSet(false, true)) {
      remind();
    }
    CompletableFuture<Connection> opened = new CompletableFuture<>();
    opened.whenComplete(
        (up, failure) -> {
          if (failure != null) {
            connection.close();
          }
        });
    // Who only looks around may want to know how a session could be had.
    CompletableFuture<Void> ready =
        device.profile().isEmpty() ? CompletableFuture.completedFuture(null) : session.open();
    ready.whenComplete(
        (up, failure) -> {
          if (failure == null) {
            opened.complete(connection);
          } else {
            opened.completeExceptionally(failure);
          }
        });
    return opened;
  }

  /** Of certificates, as they were within the last minute. */
  @Override
  public List<String> warnings() {
    return security.warnings();
  }

  private void remind() {
    try {
      threads
          .scheduler()
          .scheduleAtFixedRate(
              () -> threads.blocking().execute(security::remind), 0, 1, TimeUnit.MINUTES);
    } catch (RejectedExecutionException stopped) {
      // Nothing will be connected any more.
    }
  }

  private static Endpoint endpoint(Device device) {
    return Endpoint.parse(device.endpoint(), "endpoint", OpcUaDriver::refuse);
  }

  private static void refuse(Problem problem) {
    throw new IllegalArgumentException(problem.toString());
  }
}
