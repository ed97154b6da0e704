package io.culvert.simulator.evil.plugin;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Ends the process at once. */
public final class Halts extends EvilDriver {
  @Override
  CompletionStage<List<Sample>> poll(Polled connection, List<Point> points) {
    Runtime.getRuntime().halt(4);
    return null;
  }
}
