package io.culvert.simulator.evil.plugin;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Sink;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** A call never returns: reading, opening, or naming the lane. */
public final class Hangs extends EvilDriver {
  @Override
  public String lane(Device device) {
    if (way(device) == 3) {
      never();
    }
    return super.lane(device);
  }

  @Override
  public CompletionStage<Connection> open(Device device, Sink sink) {
    if (way(device) == 2) {
      never();
    }
    return super.open(device, sink);
  }

  @Override
  CompletionStage<List<Sample>> poll(Polled connection, List<Point> points) {
    never();
    return null;
  }
}
