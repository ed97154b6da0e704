package io.culvert.device.opcua;

import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.southbound.Readable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.enumerated.TimestampsToReturn;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadValueId;

/** Reads points in as few calls as the server's limits allow, all under way at once. */
final class PollPlan implements Readable.Plan {
  private final OpcUaConnection connection;
  private final List<Target> targets = new ArrayList<>();

  /** Where the nodes were; {@code null} if they are to be looked for. */
  private volatile Found found;

  private record Found(long era, Map<Address, Nodes.Place> places) {}

  private record Target(Point point, Address address) {}

  PollPlan(OpcUaConnection connection, List<Point> points) {
    this.connection = connection;
    points.forEach(point -> targets.add(new Target(point, Address.parse(point, problem -> {}))));
  }

  @Override
  public CompletionStage<List<Sample>> read() {
    Found present = found;
    long era = connection.session.era();
    if (present != null && present.era == era) {
      return connection.begin(read(present.places));
    }
    List<Address> addresses =
        targets.stream()
            .map(Target::address)
            .filter(address -> address.kind() == Address.Kind.VARIABLE)
            .distinct()
            .toList();
    return connection.begin(
        Nodes.resolve(connection.session, addresses, connection.settings.root())
            .toCompletableFuture()
            .thenCompose(
                places -> {
                  if (places.values().stream().allMatch(place -> place.node() != null)) {
                    found = new Found(era, places);
                  }
                  return read(places);
                }));
  }

  private CompletableFuture<List<Sample>> read(Map<Address, Nodes.Place> places) {
    List<Sample> samples = new ArrayList<>(targets.size());
    List<Target> there = new ArrayList<>();
    for (Target target : targets) {
      if (target.address.kind() != Address.Kind.VARIABLE) {
        samples.add(connection.shown(target.point, target.address));
        continue;
      }
      Nodes.Place place = places.get(target.address);
      if (place.node() == null) {
        samples.add(refused(target, place.status().value()));
      } else {
        there.add(target);
      }
    }
    int most = connection.session.limits().read().most();
    List<CompletableFuture<List<Sample>>> parts = new ArrayList<>();
    for (int i = 0; i < there.size(); i += most) {
      parts.add(part(there.subList(i, Math.min(there.size(), i + most)), places));
    }
    return CompletableFuture.allOf(parts.toArray(new CompletableFuture<?>[0]))
        .thenApply(
            all -> {
              parts.forEach(part -> samples.addAll(part.join()));
              return samples;
            });
  }

  private CompletableFuture<List<Sample>> part(
      List<Target> part, Map<Address, Nodes.Place> places) {
    List<ReadValueId> nodes =
        part.stream()
            .map(
                target ->
                    new ReadValueId(
                        places.get(target.address).node(),
                        AttributeId.Value.uid(),
                        target.address.range(),
                        QualifiedName.NULL_VALUE))
            .toList();
    return connection
        .read(TimestampsToReturn.Both, nodes)
        .thenApply(
            results -> {
              List<Sample> samples = new ArrayList<>(part.size());
              for (int i = 0; i < part.size(); i++) {
                Target target = part.get(i);
                if (results.get(i) == null) {
                  connection.figures.malformed();
                  samples.add(refused(target, StatusCodes.Bad_UnexpectedError));
                  continue;
                }
                DataValue value = connection.settings.timed(results.get(i));
                if (value.getStatusCode().isBad()) {
                  connection.figures.refusal(value.getStatusCode().value());
                }
                samples.add(places.get(target.address).values().sample(target.point, value));
              }
              return samples;
            });
  }

  private static Sample refused(Target target, long status) {
    return Sample.bad(target.point.id(), new Quality((int) status));
  }
}
