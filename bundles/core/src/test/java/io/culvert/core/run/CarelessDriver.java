package io.culvert.core.run;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Sink;
import io.culvert.api.southbound.Writable;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Leaves behind all that a careless driver may: stages, thread locals, exceptions. */
public final class CarelessDriver implements Driver {
  private static final ThreadLocal<Object> LOCAL = new ThreadLocal<>();

  /** Thrown by what it answers; a class of the driver's own loader. */
  public static final class Trouble extends RuntimeException {
    private static final long serialVersionUID = 1;

    Trouble() {
      super("trouble");
    }
  }

  @Override
  public List<Problem> validate(Device device, List<Point> points) {
    return new ArrayList<>() {};
  }

  @Override
  public List<String> warnings() {
    return new ArrayList<>(List.of("careless")) {};
  }

  @Override
  public String lane(Device device) {
    return device.id();
  }

  @Override
  public CompletionStage<Connection> open(Device device, Sink sink) {
    LOCAL.set(this);
    return new CompletableFuture<Connection>() {}.completeAsync(() -> connection(device.id()));
  }

  private static Connection connection(String id) {
    return new Line(id);
  }

  private record Line(String id) implements Readable, Writable {
    @Override
    public Plan prepare(List<Point> points) {
      return () ->
          switch (id) {
            case "never" -> new CompletableFuture<>() {};
            case "fails" -> CompletableFuture.failedFuture(new Trouble());
            case "throws" -> throw new Trouble();
            default ->
                CompletableFuture.completedFuture(
                    new ArrayList<>(
                        points.stream().map(p -> Sample.good(p.id(), Value.of(1))).toList()) {});
          };
    }

    @Override
    public CompletionStage<Quality> write(Point point, Value value) {
      return new CompletableFuture<>() {};
    }

    @Override
    public void close() {
      throw new Trouble();
    }
  }
}
