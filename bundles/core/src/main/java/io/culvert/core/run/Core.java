package io.culvert.core.run;

import io.culvert.api.Reading;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.Commands;
import io.culvert.api.service.Doctor;
import io.culvert.api.service.Drivers;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Plugins;
import io.culvert.api.service.Query;
import io.culvert.api.service.Recorder;
import io.culvert.api.service.Scan;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.SerialTaps;
import io.culvert.core.normalise.ClockSource;
import io.culvert.core.site.Home;
import io.culvert.core.site.SiteSource;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.Version;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The running part of the core as a component: follows site, drivers and buffer as they change. */
@Component(
    service = {
      Monitor.class,
      Commands.class,
      Scan.class,
      Doctor.class,
      Drivers.class,
      Recorder.class
    },
    immediate = true)
public final class Core implements Monitor, Commands, Scan, Doctor, Drivers, Recorder {
  private static final Logger LOG = LoggerFactory.getLogger(Core.class);

  private final Engine engine;
  private final SiteSource.Listening listening;
  private final ThreadPoolExecutor notices;
  private final ThreadPoolExecutor searches;
  private Buffer buffer;
  private Query query;
  private SerialTaps taps;

  @Activate
  public Core(BundleContext context, @Reference SiteSource site, @Reference ClockSource clock) {
    notices = thread("culvert-notices");
    searches = thread("culvert-search");
    Loop loop = new Loop(System::nanoTime, InstantSource.system());
    engine =
        new Engine(
            loop,
            clock,
            new SplittableRandom(),
            notices,
            searches,
            new Machine(Home.of(context).data()),
            () -> plugins(context),
            site::where);
    loop.start();
    listening = site.listen(engine::site);
  }

  @Deactivate
  void deactivate() throws InterruptedException {
    listening.close();
    engine.close();
    notices.shutdown();
    searches.shutdown();
    notices.awaitTermination(1, TimeUnit.SECONDS);
  }

  /** One thread that ends while it is idle. */
  private static ThreadPoolExecutor thread(String name) {
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            1,
            1,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, name);
              thread.setDaemon(true);
              return thread;
            },
            new ThreadPoolExecutor.DiscardPolicy());
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  /** The scheme is a string, an array or a collection of them (OSGi's {@code String+}). */
  @Reference(
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC,
      target = "(" + Driver.SCHEME + "=*)")
  void addDriver(ServiceReference<Driver> reference, Driver driver) {
    TreeSet<String> schemes = strings(reference.getProperty(Driver.SCHEME));
    for (String matcher : strings(reference.getProperty(Driver.MATCHER))) {
      String[] pair = matcher.split(":", 2);
      if (pair.length == 2) {
        engine.matcher(pair[0].strip().toLowerCase(Locale.ROOT), pair[1].strip());
      } else {
        LOG.warn("Driver of {}: found matcher {}; expected scheme: words", schemes, matcher);
      }
    }
    Object ranking = reference.getProperty(Constants.SERVICE_RANKING);
    PlugIn plugIn = plugIn(reference);
    LOG.info("Driver of {} has come, of {}", schemes, plugIn);
    engine.addDriver(
        reference,
        driver,
        schemes,
        ranking instanceof Integer number ? number : 0,
        plugIn,
        (Long) reference.getProperty(Constants.SERVICE_ID),
        new Caller(String.join("+", schemes), loader(reference, driver)));
  }

  /** One that stands in for a driver elsewhere comes from a bundle that isn't its own. */
  private static ClassLoader loader(ServiceReference<Driver> reference, Driver driver) {
    Class<?> type = driver.getClass();
    return Objects.equals(FrameworkUtil.getBundle(type), reference.getBundle())
        ? type.getClassLoader()
        : Core.class.getClassLoader();
  }

  private static PlugIn plugIn(ServiceReference<Driver> reference) {
    Bundle bundle = reference.getBundle();
    if (bundle == null) {
      return new PlugIn("unknown", Version.emptyVersion, 0, true);
    }
    String opens = bundle.getHeaders().get("Culvert-Opens");
    return new PlugIn(
        String.valueOf(bundle.getSymbolicName()),
        bundle.getVersion(),
        bundle.getLastModified(),
        opens == null || opens.matches("(?s).*\\btcp\\b.*"));
  }

  /**
   * Asked anew each time: a reference would have this component wait for that one, which may wait
   * for this.
   */
  private static List<Plugins.Status> plugins(BundleContext context) {
    ServiceReference<Plugins> reference = context.getServiceReference(Plugins.class);
    Plugins present = reference == null ? null : context.getService(reference);
    if (present == null) {
      return List.of();
    }
    try {
      return present.plugins();
    } finally {
      context.ungetService(reference);
    }
  }

  private static TreeSet<String> strings(Object property) {
    TreeSet<String> strings = new TreeSet<>();
    if (property instanceof Object[] array) {
      for (Object one : array) {
        strings.add(one.toString());
      }
    } else if (property instanceof Collection<?> collection) {
      collection.forEach(one -> strings.add(one.toString()));
    } else if (property != null) {
      strings.add(property.toString());
    }
    return strings;
  }

  void updatedDriver(ServiceReference<Driver> reference, Driver driver) {
    removeDriver(reference);
    addDriver(reference, driver);
  }

  /** Blocks until the driver's connections are closed: its bundle stops only then. */
  void removeDriver(ServiceReference<Driver> reference) {
    engine.removeDriver(reference);
  }

  @Reference(
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  synchronized void setBuffer(Buffer present) {
    buffer = present;
    engine.buffer(present);
  }

  /** A better one may have come before this one goes. */
  synchronized void unsetBuffer(Buffer gone) {
    if (buffer == gone) {
      buffer = null;
      engine.buffer(null);
    }
  }

  @Reference(
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  synchronized void setQuery(Query present) {
    query = present;
    engine.query(present);
  }

  synchronized void unsetQuery(Query gone) {
    if (query == gone) {
      query = null;
      engine.query(null);
    }
  }

  @Reference(
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  synchronized void setTaps(SerialTaps present) {
    taps = present;
    engine.taps(present);
  }

  synchronized void unsetTaps(SerialTaps gone) {
    if (taps == gone) {
      taps = null;
      engine.taps(null);
    }
  }

  @Override
  public List<DeviceStatus> devices() {
    return engine.devices();
  }

  @Override
  public List<Reading> latest(String device) {
    return engine.latest(device);
  }

  @Override
  public String gateway() {
    return engine.gateway();
  }

  @Override
  public Monitor.Figures figures() {
    return engine.figures();
  }

  @Override
  public Watch watch(Listener listener) {
    return engine.watch(listener);
  }

  @Override
  public CompletionStage<Result> submit(Command command) {
    return engine.commands().submit(command);
  }

  @Override
  public CompletionStage<List<Browsable.Found>> scan(String endpoint, String from, int limit) {
    return engine.scan().scan(endpoint, from, limit);
  }

  @Override
  public List<DriverStatus> drivers() {
    return engine.conduct().drivers();
  }

  @Override
  public CompletionStage<List<Lane>> examine() {
    return engine.doctor().examine();
  }

  @Override
  public CompletionStage<Recording> record(String device, Tape tape) {
    return engine.recorder().record(device, tape);
  }
}
