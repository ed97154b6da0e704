package io.culvert.plugins.hosting;

import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.service.Secrets;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.SerialLines;
import io.culvert.api.southbound.Sink;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.felix.framework.FrameworkFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import org.slf4j.LoggerFactory;

/** A framework as the gateway's, that hosts plug-ins in real processes. */
final class House implements AutoCloseable {
  static final String PACKAGES =
      "io.culvert.api;version=1.0.0,io.culvert.api.service;version=1.0.0,"
          + "io.culvert.api.southbound;version=1.0.0,"
          + "org.slf4j;version=2.0.17,sun.misc";

  /**
   * Impatient, so that what takes a minute in a street takes seconds here; but a machine that
   * stands still for some seconds ends nobody.
   */
  static final Limits LIMITS =
      new Limits(
          Duration.ofSeconds(120),
          Duration.ofMillis(100),
          Duration.ofSeconds(20),
          Duration.ofSeconds(10),
          Duration.ofSeconds(20),
          Duration.ofMillis(50),
          Duration.ofMillis(400),
          Duration.ofMinutes(10),
          Duration.ofSeconds(20));

  final Framework framework;
  final Hosts hosts;
  final Path folder;
  final Collection<String> log = new ConcurrentLinkedQueue<>();
  private final AppenderBase<ILoggingEvent> appender;
  SerialLines lines;
  Secrets secrets;

  House(Path folder) throws Exception {
    this(folder, LIMITS, kit());
  }

  House(Path folder, Limits limits, Kit kit) throws Exception {
    this.folder = folder;
    framework =
        new FrameworkFactory()
            .newFramework(
                Map.of(
                    Constants.FRAMEWORK_STORAGE,
                    folder.resolve("framework").toString(),
                    Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA,
                    PACKAGES));
    framework.start();
    hosts = new Hosts(() -> kit, limits, folder.resolve("data"), () -> lines, () -> secrets);
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    appender =
        new AppenderBase<>() {
          @Override
          protected void append(ILoggingEvent event) {
            log.add(event.getLevel() + " " + event.getFormattedMessage());
          }
        };
    appender.setContext(context);
    appender.start();
    Logger logger = context.getLogger("io.culvert.plugins.hosting");
    logger.addAppender(appender);
    logger.setLevel(Level.INFO);
    logger.setAdditive(false);
  }

  /** The processes run on what the test runs on. */
  static Kit kit() throws Exception {
    return new Kit(
        Path.of(System.getProperty("java.home"), "bin", "java"),
        Stream.of(Kit.class, Driver.class, FrameworkFactory.class, org.slf4j.Logger.class)
            .map(
                type -> {
                  try {
                    return Kit.source(type);
                  } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                  }
                })
            .toList(),
        List.of(),
        PACKAGES,
        Path.of("home"));
  }

  /** Installs the shadow of a plug-in and starts its process. */
  Bundle host(Path jar) throws Exception {
    return host(jar, 64);
  }

  Bundle host(Path jar, int memory) throws Exception {
    Bundle shadow = framework.getBundleContext().installBundle("shadow:" + jar, Hosts.shadow(jar));
    shadow.start();
    try {
      hosts.start(shadow, () -> jar, memory);
    } catch (BundleException e) {
      shadow.uninstall();
      throw e;
    }
    return shadow;
  }

  /** The driver of a scheme, or {@code null}. */
  Driver driver(String scheme) throws Exception {
    Collection<ServiceReference<Driver>> found =
        framework
            .getBundleContext()
            .getServiceReferences(Driver.class, "(" + Driver.SCHEME + "=" + scheme + ")");
    return found.isEmpty()
        ? null
        : framework.getBundleContext().getService(found.iterator().next());
  }

  static Device device(String authority) {
    return new Device("d-1", "p", URI.create("odd://" + authority), Map.of("a", "b"));
  }

  static Point point(String address) {
    return new Point("p", address, DataType.TEXT, Access.READ_WRITE);
  }

  Connection open(String authority, Sink sink) throws Exception {
    return get(driver("odd").open(device(authority), sink));
  }

  /** Reads one point over a new connection. */
  List<Sample> read(String address) throws Exception {
    try (Connection connection = open("reader", new Heard())) {
      return get(((Readable) connection).prepare(List.of(point(address))).read());
    }
  }

  static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  void awaitLog(String part) {
    await("log says: " + part)
        .atMost(Duration.ofSeconds(90))
        .until(() -> log.stream().anyMatch(line -> line.contains(part)));
  }

  /** Waits until the plug-in answers again. */
  void awaitAnswer() {
    await("it runs again")
        .atMost(Duration.ofSeconds(90))
        .ignoreExceptions()
        .until(() -> !read("hello").isEmpty());
  }

  long pid() throws Exception {
    return (long) read("pid").get(0).value().number();
  }

  @Override
  public void close() throws Exception {
    hosts.close();
    ((LoggerContext) LoggerFactory.getILoggerFactory())
        .getLogger("io.culvert.plugins.hosting")
        .detachAppender(appender);
    framework.stop();
    framework.waitForStop(10_000);
  }
}
