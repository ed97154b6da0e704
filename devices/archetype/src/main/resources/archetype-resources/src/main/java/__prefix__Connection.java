package ${package};

import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Writable;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Turns points into requests, and answers into samples. */
final class ${prefix}Connection implements Readable, Writable {
  private final ${prefix}Link link;

  ${prefix}Connection(${prefix}Link link) {
    this.link = link;
  }

  @Override
  public Plan prepare(List<Point> points) {
    // A protocol that can read several points at once would merge them here, once for all cycles.
    List<Point> all = List.copyOf(points);
    return () -> {
      CompletableFuture<List<Sample>> samples = new CompletableFuture<>();
      read(all, new ArrayList<>(), samples);
      return samples;
    };
  }

  /** Reads the point that comes next, and when its answer is there, the one after. */
  private void read(
      List<Point> points, List<Sample> read, CompletableFuture<List<Sample>> samples) {
    if (samples.isDone()) {
      // The core's deadline passed and it cancelled the stage: the exchange is over.
      return;
    }
    if (read.size() == points.size()) {
      samples.complete(read);
      return;
    }
    Point point = points.get(read.size());
    link.exchange(number -> ${prefix}Frames.read(number, ${prefix}Driver.address(point)))
        .whenComplete(
            (answer, failure) -> {
              if (failure != null) {
                // A lost link is an exception.
                samples.completeExceptionally(failure);
              } else {
                read.add(sample(point, answer));
                read(points, read, samples);
              }
            });
  }

  /** A bad point is data. */
  private static Sample sample(Point point, byte[] answer) {
    Quality quality = quality(${prefix}Frames.READ, answer);
    if (quality.bad()) {
      return Sample.bad(point.id(), quality);
    }
    if (answer.length != 4) {
      return Sample.bad(point.id(), Quality.BAD_COMMUNICATION);
    }
    int raw = Byte.toUnsignedInt(answer[2]) << 8 | Byte.toUnsignedInt(answer[3]);
    // Scale and unit are the profile's: a driver hands over what the device holds.
    Value value =
        switch (point.type()) {
          case BOOL -> Value.of(raw != 0);
          case INT16 -> Value.of((long) (short) raw);
          default -> Value.of((long) raw);
        };
    return Sample.good(point.id(), value);
  }

  @Override
  public CompletionStage<Quality> write(Point point, Value value) {
    if (!(value instanceof Value.Bool || value instanceof Value.Int)) {
      return CompletableFuture.completedFuture(Quality.BAD_TYPE_MISMATCH);
    }
    int raw = (int) value.number();
    return link.exchange(number -> ${prefix}Frames.write(number, ${prefix}Driver.address(point), raw))
        .thenApply(answer -> quality(${prefix}Frames.WRITE, answer));
  }

  /** What the device says to a request: function, status. */
  private static Quality quality(int function, byte[] answer) {
    if (answer[0] != function) {
      return Quality.BAD_COMMUNICATION;
    }
    return switch (answer[1]) {
      case 0 -> Quality.GOOD;
      case 1 -> Quality.BAD_NOT_FOUND;
      case 2 -> Quality.BAD_NOT_WRITABLE;
      case 3 -> Quality.BAD_OUT_OF_RANGE;
      default -> Quality.BAD_DEVICE_FAILURE;
    };
  }

  @Override
  public void close() {
    link.close();
  }
}
