package io.culvert.device.modbus;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Sink;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/**
 * Modbus over TCP: {@code modbus-tcp://host:port?unit=N}.
 *
 * <p>Units behind one address share one connection and one lane. A connection is made when asked
 * for, and again by the next exchange after it was lost; nothing here tries by itself.
 *
 * <p>All threads are the component's own, at most {@value #LOOPS} for I/O and {@value #NAMES} that
 * look up host names and end when idle. All end with it.
 */
@Component(property = Driver.SCHEME + "=" + Endpoint.SCHEME)
public final class ModbusTcpDriver implements Driver {
  private static final int LOOPS = 2;
  private static final int NAMES = 4;

  /**
   * Look-ups that wait; further attempts fail. The core gives up on an attempt long before a name
   * server that hangs does, so they would gather for as long as it hangs.
   */
  private static final int MAX_LOOKUPS = 1000;

  private static final long STOP_SECONDS = 3;

  private final EventLoopGroup loops;
  private final ThreadPoolExecutor names;
  private final Map<String, Shared> links = new HashMap<>();
  private final Findings.Shelf findings = new Findings.Shelf(System::nanoTime);

  private static final class Shared {
    final Link link;
    int users;

    Shared(Link link) {
      this.link = link;
    }
  }

  @Activate
  public ModbusTcpDriver() {
    loops = new NioEventLoopGroup(LOOPS, new DefaultThreadFactory("modbus", true));
    names = names();
  }

  static ThreadPoolExecutor names() {
    ThreadPoolExecutor names =
        new ThreadPoolExecutor(
            NAMES,
            NAMES,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MAX_LOOKUPS),
            new DefaultThreadFactory("modbus-names", true));
    names.allowCoreThreadTimeOut(true);
    return names;
  }

  /** Ends every connection and thread; waits for them, at most a few seconds. */
  @Deactivate
  void deactivate() {
    synchronized (links) {
      links.values().forEach(shared -> shared.link.close());
      links.clear();
    }
    names.shutdownNow();
    loops
        .shutdownGracefully(0, STOP_SECONDS, TimeUnit.SECONDS)
        .awaitUninterruptibly(STOP_SECONDS, TimeUnit.SECONDS);
  }

  @Override
  public List<Problem> validate(Device device, List<Point> points) {
    List<Problem> problems = new ArrayList<>();
    Endpoint endpoint = Endpoint.parse(device.endpoint(), problems::add);
    Settings settings = Settings.parse(device.settings(), problems::add);
    if (endpoint != null) {
      settings.check(endpoint.unit(), false, points, problems::add);
    }
    points.forEach(point -> Address.parse(point, settings, problems::add));
    return List.copyOf(problems);
  }

  @Override
  public String lane(Device device) {
    return endpoint(device).lane();
  }

  @Override
  public CompletionStage<Connection> open(Device device, Sink sink) {
    Endpoint endpoint = endpoint(device);
    Settings settings = Settings.parse(device.settings(), ModbusTcpDriver::refuse);
    Link link = acquire(endpoint);
    ModbusConnection connection =
        new ModbusConnection(
            link, endpoint, settings, findings.of(endpoint.toString()), () -> release(link));
    CompletableFuture<Connection> opened = new CompletableFuture<>();
    opened.whenComplete(
        (up, failure) -> {
          if (failure != null) {
            connection.close();
          }
        });
    link.connect()
        .whenComplete(
            (up, failure) -> {
              if (failure == null) {
                opened.complete(connection);
              } else {
                opened.completeExceptionally(failure);
              }
            });
    return opened;
  }

  private static Endpoint endpoint(Device device) {
    return Endpoint.parse(device.endpoint(), ModbusTcpDriver::refuse);
  }

  static void refuse(Problem problem) {
    throw new IllegalArgumentException(problem.toString());
  }

  private Link acquire(Endpoint endpoint) {
    synchronized (links) {
      Shared shared =
          links.computeIfAbsent(
              endpoint.lane(), lane -> new Shared(new Link(endpoint, loops.next(), names)));
      shared.users++;
      return shared.link;
    }
  }

  private void release(Link link) {
    synchronized (links) {
      Shared shared = links.get(link.lane());
      if (shared != null && shared.link == link && --shared.users == 0) {
        links.remove(link.lane());
        link.close();
      }
    }
  }
}
