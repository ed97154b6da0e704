package io.culvert.simulator.evil.plugin;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** Throws whatever can be thrown, one after the other, or fails its stage with it. */
public final class Throws extends EvilDriver {
  private final AtomicInteger next = new AtomicInteger();

  @Override
  CompletionStage<List<Sample>> poll(Polled connection, List<Point> points) throws Throwable {
    Throwable thrown =
        switch (next.getAndIncrement() % 6) {
          case 0 -> new AssertionError("not even this");
          case 1 -> new IOException("checked, and not declared");
          case 2 -> new ThreadDeath();
          case 3 -> new Unspeakable();
          case 4 -> new NoClassDefFoundError("com/example/Forgotten");
          default -> null;
        };
    if (thrown == null) {
      deeper(0);
    }
    if (connection.way() == 1) {
      return CompletableFuture.failedFuture(thrown);
    }
    throw thrown;
  }

  private static int deeper(int depth) {
    return deeper(depth + 1) + 1;
  }

  /** Throws again when it is asked what it says, and is its own cause's cause. */
  private static final class Unspeakable extends Error {
    private static final long serialVersionUID = 1;

    Unspeakable() {
      IllegalStateException cause = new IllegalStateException();
      initCause(cause);
      cause.initCause(this);
    }

    @Override
    public String getMessage() {
      throw new Unspeakable();
    }

    @Override
    public String toString() {
      throw new Unspeakable();
    }
  }
}
