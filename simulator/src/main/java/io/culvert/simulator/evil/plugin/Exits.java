package io.culvert.simulator.evil.plugin;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Ends the process in order, as a program of its own might. */
public final class Exits extends EvilDriver {
  @Override
  CompletionStage<List<Sample>> poll(Polled connection, List<Point> points) {
    System.exit(3);
    return null;
  }
}
