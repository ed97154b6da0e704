package io.culvert.device.opcua;

import io.culvert.api.Point;
import io.culvert.api.southbound.Continuous;
import io.culvert.api.southbound.Sink;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** A way to a device that the server tells of by itself. */
final class SubscribedConnection extends OpcUaConnection implements Continuous {
  private final Sink sink;
  private volatile Instant since;

  SubscribedConnection(
      Session session,
      String device,
      Settings settings,
      Consumer<OpcUaConnection> ended,
      Sink sink) {
    super(session, device, settings, ended);
    this.sink = sink;
  }

  @Override
  public CompletionStage<Void> subscribe(List<Point> points) {
    return begin(
        session
            .watch(device, settings, figures, points, sink)
            .thenAccept(complete -> since = complete));
  }

  @Override
  public Instant completeSince() {
    return since;
  }

  @Override
  void leave() {
    session.leave(device, sink);
  }
}
