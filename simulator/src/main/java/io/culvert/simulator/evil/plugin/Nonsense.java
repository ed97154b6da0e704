package io.culvert.simulator.evil.plugin;

import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.time.Instant;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Answers with samples that mean nothing. One device has wrong ones, one far too many or too large
 * ones, one lists that lie about their size, throw, or block when they are read.
 */
public final class Nonsense extends EvilDriver {
  private final AtomicInteger next = new AtomicInteger();

  @Override
  CompletionStage<List<Sample>> poll(Polled connection, List<Point> points) {
    int turn = next.getAndIncrement();
    return switch (connection.way()) {
      case 1 -> turn % 2 == 0 ? null : CompletableFuture.completedFuture(wrong(points, turn / 2));
      case 2 -> CompletableFuture.completedFuture(large(points, turn));
      default -> CompletableFuture.completedFuture(lying(points, turn));
    };
  }

  private static List<Sample> wrong(List<Point> points, int turn) {
    String id = points.get(0).id();
    return switch (turn % 7) {
      case 0 -> null;
      case 1 -> Arrays.asList(null, null);
      case 2 -> List.of(Sample.good("nobody_s_point", Value.of(1)));
      case 3 -> List.of(Sample.good(id, new Value.Struct(Map.of("a", Value.of("text")))));
      case 4 -> List.of(Sample.good(id, Value.of(1)), Sample.bad(id, Quality.BAD_TIMEOUT));
      case 5 -> List.of(new Sample(id, Value.of(Double.NaN), Quality.GOOD, Instant.MAX));
      default -> List.of(new Sample(id, Value.of(-1e308), Quality.GOOD, Instant.MIN));
    };
  }

  private static List<Sample> large(List<Point> points, int turn) {
    String id = points.get(0).id();
    return switch (turn % 3) {
      case 0 -> Collections.nCopies(1_000_000, Sample.good(id, Value.of(1.5)));
      case 1 -> List.of(Sample.good(id, Value.of("x".repeat(8 << 20))));
      default -> {
        List<Value> values = new ArrayList<>();
        for (int i = 0; i < 500_000; i++) {
          values.add(Value.of(i));
        }
        yield List.of(Sample.good(id, new Value.Array(values)));
      }
    };
  }

  private static List<Sample> lying(List<Point> points, int turn) {
    return new AbstractList<>() {
      @Override
      public Sample get(int index) {
        if (turn % 3 == 0) {
          never();
        } else if (turn % 3 == 1) {
          throw new IllegalStateException("nothing here after all");
        }
        return Sample.good(points.get(0).id(), Value.of(index));
      }

      @Override
      public int size() {
        return turn % 3 == 2 ? Integer.MAX_VALUE : points.size();
      }
    };
  }
}
