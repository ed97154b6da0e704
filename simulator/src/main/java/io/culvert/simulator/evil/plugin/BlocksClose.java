package io.culvert.simulator.evil.plugin;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Loses its link, and then close never returns. */
public final class BlocksClose extends EvilDriver {
  @Override
  CompletionStage<List<Sample>> poll(Polled connection, List<Point> points) {
    IOException lost = new IOException("the device hung up");
    if (connection.way() == 2) {
      connection.sink().lost(lost);
    }
    return CompletableFuture.failedFuture(lost);
  }

  @Override
  void closed(Polled connection) {
    never();
  }
}
