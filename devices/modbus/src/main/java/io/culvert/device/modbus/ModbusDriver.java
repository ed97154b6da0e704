package io.culvert.device.modbus;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Sink;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Modbus over whatever carries it. Units behind one address or on one line share a {@link Link},
 * which connects when asked, and again by the next exchange after the connection was lost; nothing
 * here tries by itself.
 */
abstract class ModbusDriver implements Driver {
  private static final long STOP_SECONDS = 3;

  private final EventLoopGroup loops;
  private final Map<String, Shared> links = new HashMap<>();

  /** By the name of the link; kept for good, as few as the site has addresses. */
  private final Map<String, Place> places = new HashMap<>();

  private final Findings.Shelf findings;

  /**
   * What links to an address have in common, one after the other: a loop, so that the next begins
   * when the last one has ended.
   */
  private record Place(EventLoop loop, GivenUp givenUp) {}

  private static final class Shared {
    final Link link;
    int users;

    Shared(Link link) {
      this.link = link;
    }
  }

  /**
   * @param threads for I/O and whatever follows an answer; each starts when it is needed
   * @param nanos a clock as {@link System#nanoTime}, for what is remembered of devices
   */
  ModbusDriver(int threads, String name, LongSupplier nanos) {
    findings = new Findings.Shelf(nanos);
    loops = new NioEventLoopGroup(threads, new DefaultThreadFactory(name, true));
  }

  /** What carries a link to this endpoint; does no I/O. */
  abstract Wire wire(Endpoint endpoint, EventLoop loop, Wire.Listener listener);

  /** Ends every connection and thread; waits for them, at most a few seconds. */
  void end() {
    synchronized (links) {
      links.values().forEach(shared -> shared.link.close());
      links.clear();
    }
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
      boolean serial = endpoint.transport() != Transport.TCP;
      settings.check(endpoint.unit(), serial, points, problems::add);
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
    Settings settings = Settings.parse(device.settings(), ModbusDriver::refuse);
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
    return Endpoint.parse(device.endpoint(), ModbusDriver::refuse);
  }

  static void refuse(Problem problem) {
    throw new IllegalArgumentException(problem.toString());
  }

  private Link acquire(Endpoint endpoint) {
    synchronized (links) {
      Shared shared =
          links.computeIfAbsent(
              endpoint.link(),
              name -> {
                Place place =
                    places.computeIfAbsent(name, n -> new Place(loops.next(), new GivenUp()));
                return new Shared(
                    new Link(
                        endpoint,
                        place.loop,
                        place.givenUp,
                        listener -> wire(endpoint, place.loop, listener)));
              });
      shared.users++;
      return shared.link;
    }
  }

  private void release(Link link) {
    synchronized (links) {
      Shared shared = links.get(link.name());
      if (shared != null && shared.link == link && --shared.users == 0) {
        links.remove(link.name());
        link.close();
      }
    }
  }
}
