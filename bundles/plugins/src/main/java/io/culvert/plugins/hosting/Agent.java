package io.culvert.plugins.hosting;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.service.Secrets;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.SerialLines;
import io.culvert.plugins.Reason;
import io.culvert.plugins.hosting.Cbor.Malformed;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The plug-in's process: a framework with the plug-in in it, and the wire to the gateway. Ends when
 * the gateway says so, or isn't there any more.
 */
public final class Agent implements Peer.Handler, ServiceTrackerCustomizer<Driver, Long> {
  private static final Logger LOG = LoggerFactory.getLogger(Agent.class);

  /** The gateway's calls are bounded by what it asks; it is not read more slowly than it writes. */
  private static final Peer.Bounds BOUNDS =
      new Peer.Bounds(Peer.PENDING, Integer.MAX_VALUE, 1L << 40);

  /** Of the framework's properties: where the installation is. */
  private static final String HOME = "culvert.home";

  /** How long the plug-in may take to stop. */
  private static final long FAREWELL_MILLIS = 2000;

  private static volatile boolean debug;

  private final Start start;
  private final Framework framework;
  private final Calls calls = new Calls();
  private final Peer peer;
  private final AgentLines lines;
  private final Map<Long, AgentConnection> connections = new ConcurrentHashMap<>();
  private final Map<Long, Driver> drivers = new TreeMap<>();
  private final Map<Long, Announced> offers = new HashMap<>();
  private boolean started;

  private Agent(Start start, Peer peer, ExecutorService events) {
    this.start = start;
    this.peer = peer;
    lines = new AgentLines(peer, events);
    framework =
        ServiceLoader.load(FrameworkFactory.class)
            .findFirst()
            .orElseThrow()
            .newFramework(
                Map.of(
                    Constants.FRAMEWORK_STORAGE,
                    start.storage().resolve("framework").toString(),
                    Constants.FRAMEWORK_STORAGE_CLEAN,
                    Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT,
                    Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA,
                    start.packages(),
                    // As in the gateway: what wasn't imported is missing.
                    "felix.bootdelegation.implicit",
                    "false",
                    // Errors only: what is wrong comes as an exception too.
                    "felix.log.level",
                    "1",
                    HOME,
                    start.home()));
  }

  /** Called by the gateway, which writes a {@link Start} and keeps standard input open. */
  public static void main(String[] arguments) throws IOException {
    Start start = Start.read(System.in);
    debug = start.debug();
    Thread watch =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {
                  // Nothing is said there any more.
                }
              } catch (IOException e) {
                // As the end.
              }
              end();
            },
            "culvert-gateway-watch");
    watch.setDaemon(true);
    watch.setPriority(Thread.MAX_PRIORITY);
    watch.start();
    SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(start.socket()));
    // What hangs on answers and serial bytes is the plug-in's, and may take its time; one thread,
    // so that it stays in order.
    ExecutorService events =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task, "culvert-events");
              thread.setDaemon(true);
              return thread;
            });
    Peer peer = new Peer("culvert-gateway", channel, BOUNDS, events);
    Agent agent = new Agent(start, peer, events);
    peer.start(agent);
    peer.tell(Op.HELLO, out -> out.text(start.word()));
    agent.run();
  }

  static boolean debug() {
    return debug;
  }

  /** Without hooks and finalisers, which may hang. */
  private static void end() {
    Runtime.getRuntime().halt(0);
  }

  private void run() {
    try {
      framework.init();
      BundleContext context = framework.getBundleContext();
      context.registerService(SerialLines.class, lines, null);
      context.registerService(Secrets.class, new AgentSecrets(peer), null);
      List<Bundle> base = new ArrayList<>();
      for (var jar : start.bundles()) {
        base.add(context.installBundle("reference:" + jar.toUri()));
      }
      Bundle plugin = context.installBundle("reference:" + start.plugin().toUri());
      framework.start();
      new ServiceTracker<>(
              context,
              context.createFilter(
                  "(&(objectClass=%s)(%s=*))".formatted(Driver.class.getName(), Driver.SCHEME)),
              this)
          .open();
      for (Bundle bundle : base) {
        if (bundle.getHeaders("").get(Constants.BUNDLE_ACTIVATOR) != null) {
          bundle.start();
        }
      }
      plugin.start(Bundle.START_ACTIVATION_POLICY);
      synchronized (drivers) {
        started = true;
        tellDrivers();
      }
    } catch (BundleException | RuntimeException | LinkageError e) {
      LOG.debug("The plug-in doesn't start", e);
      String why = e instanceof Exception x ? Reason.of(x) : e.toString();
      peer.tell(Op.FAILED, out -> out.text(why));
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public Long addingService(ServiceReference<Driver> reference) {
    Driver driver = reference.getBundle().getBundleContext() == null ? null : service(reference);
    if (driver == null) {
      return null;
    }
    Long number = (Long) reference.getProperty(Constants.SERVICE_ID);
    synchronized (drivers) {
      drivers.put(number, driver);
      offers.put(number, Announced.of(reference));
      tellDrivers();
    }
    return number;
  }

  private Driver service(ServiceReference<Driver> reference) {
    return framework.getBundleContext().getService(reference);
  }

  @Override
  public void modifiedService(ServiceReference<Driver> reference, Long number) {}

  @Override
  public void removedService(ServiceReference<Driver> reference, Long number) {
    synchronized (drivers) {
      drivers.remove(number);
      offers.remove(number);
      tellDrivers();
    }
    // The plug-in waits for this: its driver isn't used any more.
    connections.values().stream().filter(c -> c.of(number)).forEach(AgentConnection::close);
  }

  private void tellDrivers() {
    if (started) {
      peer.tell(
          Op.DRIVERS,
          out -> {
            out.array(drivers.size());
            drivers
                .keySet()
                .forEach(
                    number -> {
                      out.integer(number);
                      offers.get(number).write(out);
                    });
          });
    }
  }

  private Driver driver(long number) {
    synchronized (drivers) {
      Driver driver = drivers.get(number);
      if (driver == null) {
        throw new IllegalStateException("the driver has gone");
      }
      return driver;
    }
  }

  @Override
  public void asked(Op op, Cbor.Reader in, Peer.Reply reply) throws Malformed {
    switch (op) {
      case PING -> {
        Calls.Longest longest = calls.longest();
        reply.answer(longest, (out, l) -> out.integer(l.millis()).text(l.what()));
        connections.values().forEach(AgentConnection::tellFigures);
      }
      case VALIDATE -> {
        long number = in.integer();
        Device device = Codec.device(in);
        List<Point> points = Codec.list(in, Codec::point);
        calls.run(
            "validate of " + device.id(),
            reply,
            () -> {
              List<Problem> problems = driver(number).validate(device, points);
              reply.answer(problems, (out, list) -> Codec.list(out, list, Codec::problem));
            });
      }
      case LANE -> {
        long number = in.integer();
        Device device = Codec.device(in);
        calls.run(
            "lane of " + device.id(),
            reply,
            () -> reply.answer(driver(number).lane(device), Cbor.Writer::text));
      }
      case WARNINGS -> {
        long number = in.integer();
        calls.run(
            "warnings",
            reply,
            () ->
                reply.answer(
                    driver(number).warnings(),
                    (out, list) -> Codec.list(out, list, Cbor.Writer::text)));
      }
      case OPEN -> {
        long driver = in.integer();
        long number = in.integer();
        Device device = Codec.device(in);
        AgentConnection connection =
            new AgentConnection(
                number, driver, device, peer, calls, () -> connections.remove(number));
        connections.put(number, connection);
        connection.open(() -> driver(driver), reply);
      }
      default -> {
        AgentConnection connection = connections.get(in.integer());
        if (connection == null) {
          in.skip();
          reply.fail(new IOException("the connection is closed"));
        } else {
          connection.asked(op, in, reply);
        }
      }
    }
  }

  @Override
  public void told(Op op, Cbor.Reader in) throws Malformed {
    switch (op) {
      case STOP -> {
        Thread stopper = new Thread(this::stop, "culvert-stop");
        stopper.setDaemon(true);
        stopper.start();
      }
      case RECEIVED -> lines.received(in);
      case LINE_LOST -> lines.lost(in);
      case CLOSE -> {
        AgentConnection connection = connections.get(in.integer());
        if (connection != null) {
          connection.close();
        }
      }
      default -> {
        AgentConnection connection = connections.get(in.integer());
        if (connection == null) {
          in.skip();
        } else {
          connection.told(op, in);
        }
      }
    }
  }

  private void stop() {
    Thread limit =
        new Thread(
            () -> {
              try {
                TimeUnit.MILLISECONDS.sleep(FAREWELL_MILLIS);
              } catch (InterruptedException e) {
                // The end comes the sooner.
              }
              end();
            },
            "culvert-stop-limit");
    limit.setDaemon(true);
    limit.start();
    try {
      framework.stop();
      framework.waitForStop(FAREWELL_MILLIS);
    } catch (BundleException | InterruptedException e) {
      LOG.debug("The framework doesn't stop", e);
    }
    end();
  }

  @Override
  public void ended(IOException cause) {
    end();
  }
}
