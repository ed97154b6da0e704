package io.culvert.simulator.evil.plugin;

import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Sink;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** What the drivers of the gallery have in common: they answer well at first. */
abstract class EvilDriver implements Driver {
  /** So many polls of each device are answered as they should be. */
  static final int GOOD_POLLS = 5;

  private final Map<String, AtomicInteger> polls = new ConcurrentHashMap<>();

  @Override
  public List<Problem> validate(Device device, List<Point> points) {
    return List.of();
  }

  /** Each device has a way of its own. */
  @Override
  public String lane(Device device) {
    return "evil:" + device.id();
  }

  @Override
  public CompletionStage<Connection> open(Device device, Sink sink) {
    return CompletableFuture.completedFuture(new Polled(device, sink));
  }

  /** What a poll does once the device has begun to be evil. */
  CompletionStage<List<Sample>> poll(Polled connection, List<Point> points) throws Throwable {
    return CompletableFuture.completedFuture(good(points, 0));
  }

  /** What closing does. */
  void closed(Polled connection) {}

  /** Whether a device has been polled so often that it may be evil. */
  boolean begun(Device device) {
    return polls.computeIfAbsent(device.id(), id -> new AtomicInteger()).get() >= GOOD_POLLS;
  }

  /** Which way a device shall fail: 1, 2 or 3. */
  static int way(Device device) {
    String query = String.valueOf(device.endpoint().getQuery());
    return query.startsWith("way=") ? query.charAt(4) - '0' : 1;
  }

  /** A sample of each point, as the profile wants it. */
  static List<Sample> good(List<Point> points, long number) {
    List<Sample> samples = new ArrayList<>();
    for (Point point : points) {
      samples.add(
          Sample.good(
              point.id(),
              point.type() == DataType.TEXT
                  ? Value.of("poll " + number)
                  : point.type() == DataType.FLOAT64 ? Value.of(number / 10.0) : Value.of(number)));
    }
    return samples;
  }

  /** Gives the thread back to nobody, whatever anybody does to it. */
  static void never() {
    while (true) {
      LockSupport.park();
      // Else parking would be over at once from now on.
      Thread.interrupted();
    }
  }

  /** Throws what a method doesn't declare. */
  @SuppressWarnings("unchecked")
  static <T extends Throwable> RuntimeException sneak(Throwable thrown) throws T {
    throw (T) thrown;
  }

  /** A connection that is polled. */
  final class Polled implements Readable {
    private final Device device;
    private final Sink sink;

    Polled(Device device, Sink sink) {
      this.device = device;
      this.sink = sink;
    }

    Device device() {
      return device;
    }

    Sink sink() {
      return sink;
    }

    int way() {
      return EvilDriver.way(device);
    }

    @Override
    public Plan prepare(List<Point> points) {
      return () -> {
        int number =
            polls.computeIfAbsent(device.id(), id -> new AtomicInteger()).incrementAndGet();
        if (number <= GOOD_POLLS) {
          return CompletableFuture.completedFuture(good(points, number));
        }
        try {
          return poll(this, points);
        } catch (Throwable t) {
          throw EvilDriver.<RuntimeException>sneak(t);
        }
      };
    }

    @Override
    public void close() {
      closed(this);
    }
  }
}
