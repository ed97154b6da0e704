package io.culvert.device.opcua;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.southbound.Continuous;
import io.culvert.api.southbound.Sink;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** A way to a device that the server tells of by itself. */
final class SubscribedConnection extends OpcUaConnection implements Continuous {
  private final Sink sink;
  private volatile Instant since;
  private volatile List<Point> subscribed = List.of();

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
    subscribed = List.copyOf(points);
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
  void told(Address method, Calls.Outcome outcome) {
    List<Sample> samples = new ArrayList<>();
    for (Point point : subscribed) {
      Address address = Address.of(point);
      if (address.kind() == Address.Kind.RESULT && Called.by(address).equals(Called.by(method))) {
        samples.add(outcome.sample(point));
      }
    }
    if (!samples.isEmpty()) {
      session.tell(device, samples);
    }
  }

  @Override
  void leave() {
    session.leave(device, sink);
  }
}
