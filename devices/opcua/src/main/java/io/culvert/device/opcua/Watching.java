package io.culvert.device.opcua;

import io.culvert.api.Quality;
import io.culvert.api.Sample;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.UaStructuredType;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UByte;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned;
import org.eclipse.milo.opcua.stack.core.types.enumerated.DataChangeTrigger;
import org.eclipse.milo.opcua.stack.core.types.enumerated.DeadbandType;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MonitoringMode;
import org.eclipse.milo.opcua.stack.core.types.enumerated.TimestampsToReturn;
import org.eclipse.milo.opcua.stack.core.types.structured.CreateMonitoredItemsResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.CreateSubscriptionResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.DataChangeFilter;
import org.eclipse.milo.opcua.stack.core.types.structured.MonitoredItemCreateRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.MonitoredItemCreateResult;
import org.eclipse.milo.opcua.stack.core.types.structured.MonitoringParameters;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadValueId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the server watch what it doesn't watch yet of a device: finds the nodes, spreads the items
 * over subscriptions with room, and creates them in as many calls as the server's limits take. What
 * the server refuses becomes one bad sample.
 *
 * <p>Used in the session's order of tasks.
 */
final class Watching {
  private static final Logger LOG = LoggerFactory.getLogger(Watching.class);

  /** Until the server is asked again for what it has refused: it may have it by then. */
  static final Duration AGAIN = Duration.ofMinutes(1);

  /** Points in one sentence of the log. */
  private static final int MOST_NAMED = 20;

  private final Session session;
  private final Feed feed;
  private final Figures figures;
  private final boolean again;
  private final List<Sample> refused = new ArrayList<>();

  /** What was found on one server, holds on no other. */
  private final Endpoint server;

  /** Where the nodes of the items to create are. */
  private final Map<Item, NodeId> nodes = new LinkedHashMap<>();

  /**
   * @param again whether the device knows what was refused before; it is told what changes
   */
  Watching(Session session, Feed feed, Figures figures, boolean again) {
    this.session = session;
    this.feed = feed;
    this.figures = figures;
    this.server = session.server();
    this.again = again;
  }

  /** A filter that the server may not know. */
  private enum Filter {
    WHOLE,
    WITHOUT_DEADBAND,
    NONE;

    Filter next() {
      return this == WHOLE ? WITHOUT_DEADBAND : NONE;
    }
  }

  private record Found(Map<Address, Nodes.Place> places, Map<NodeId, String> eventTypes) {}

  /** Items to create in one subscription. */
  private record Group(Subscription subscription, List<Item> items, Filter filter) {}

  /** Fails if the link is lost, or the server takes no subscription at all. */
  CompletableFuture<Void> run() {
    List<Item> missing =
        feed.items.values().stream()
            .filter(item -> item.id == null && item.address.kind() != Address.Kind.RESULT)
            .toList();
    feed.againAt = missing.isEmpty() ? null : session.nanos() + AGAIN.toNanos();
    if (missing.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    List<Address> addresses = missing.stream().map(item -> item.address).distinct().toList();
    boolean events = missing.stream().anyMatch(item -> item.address.kind() == Address.Kind.EVENTS);
    return then(
            Nodes.resolve(session, addresses, feed.settings.root())
                .thenCombine(
                    events
                        ? session.nodes().thenCompose(Nodes::eventTypes)
                        : CompletableFuture.completedFuture(Map.<NodeId, String>of()),
                    Found::new),
            found -> {
              for (Item item : missing) {
                Nodes.Place place = found.places.get(item.address);
                if (place.node() == null) {
                  refuse(item, place.status().value());
                } else {
                  item.values = place.values();
                  item.events =
                      item.address.kind() == Address.Kind.EVENTS
                          ? new Events(place.values(), found.eventTypes, session.conditions())
                          : null;
                  nodes.put(item, place.node());
                }
              }
              return subscribe(new ArrayDeque<>(spread(List.copyOf(nodes.keySet()))));
            })
        .thenRun(
            () -> {
              if (missing.stream().allMatch(item -> item.id != null)) {
                feed.againAt = null;
              }
              if (!refused.isEmpty()) {
                feed.take(refused, () -> {});
              }
              nodes.keySet().stream()
                  .filter(item -> item.events != null && item.id != null)
                  .map(item -> item.subscription)
                  .distinct()
                  .forEach(session::refresh);
            });
  }

  /** Goes on in the session's order. */
  private <A, B> CompletableFuture<B> then(
      CompletionStage<A> stage, Function<A, CompletableFuture<B>> next) {
    CompletableFuture<B> result = new CompletableFuture<>();
    stage.whenComplete(
        (answer, failure) ->
            session.run(
                () -> {
                  if (failure != null) {
                    result.completeExceptionally(failure);
                    return;
                  }
                  if (!server.equals(session.server())) {
                    result.completeExceptionally(
                        new IOException(session + ": another server took over meanwhile"));
                    return;
                  }
                  try {
                    next.apply(answer)
                        .whenComplete(
                            (value, later) -> {
                              if (later == null) {
                                result.complete(value);
                              } else {
                                result.completeExceptionally(later);
                              }
                            });
                  } catch (RuntimeException e) {
                    result.completeExceptionally(e);
                  }
                }));
    return result;
  }

  private void refuse(Item item, long status) {
    if (item.subscription != null) {
      item.subscription.remove(item);
    }
    if (again && item.refused == status) {
      return;
    }
    figures.refusal(status);
    item.refused = status;
    refused.add(Sample.bad(item.point.id(), new Quality((int) status)));
  }

  /** Gives each item a subscription with room for it. */
  private List<Group> spread(List<Item> items) {
    Map<Subscription, List<Item>> groups = new LinkedHashMap<>();
    for (Item item : items) {
      Subscription subscription =
          item.subscription == null ? session.room(feed.settings.publishing()) : item.subscription;
      if (item.subscription == null) {
        subscription.add(item);
      }
      groups.computeIfAbsent(subscription, s -> new ArrayList<>()).add(item);
    }
    return groups.entrySet().stream()
        .map(e -> new Group(e.getKey(), e.getValue(), Filter.WHOLE))
        .toList();
  }

  private CompletableFuture<Void> subscribe(Deque<Group> groups) {
    Group group = groups.poll();
    if (group == null) {
      return CompletableFuture.completedFuture(null);
    }
    if (group.subscription.id != null) {
      return create(group, groups);
    }
    Duration publishing = group.subscription.publishing;
    return then(
        session.request(figures, client -> create(client, publishing)).handle(Answer::new),
        answer -> {
          if (answer.failure == null) {
            group.subscription.created(server, answer.value);
            return create(group, groups);
          }
          long status = Failures.status(answer.failure);
          if (status != StatusCodes.Bad_TooManySubscriptions) {
            return CompletableFuture.failedFuture(answer.failure);
          }
          // Perhaps there are others, though they may send at another interval.
          List.copyOf(group.items).forEach(group.subscription::remove);
          if (!session.without(group.subscription)) {
            return CompletableFuture.failedFuture(answer.failure);
          }
          groups.addAll(spread(group.items));
          return subscribe(groups);
        });
  }

  /** A value or a failure. */
  private record Answer<T>(T value, Throwable failure) {}

  private CompletableFuture<CreateSubscriptionResponse> create(
      OpcUaClient client, Duration publishing) {
    double interval = publishing.toNanos() / 1e6;
    long keepAlives = Math.max(1, Math.round(session.settings().keepAlive().toMillis() / interval));
    long lifetime =
        Math.max(3 * keepAlives, (long) Math.ceil(Session.LIFETIME.toMillis() / interval));
    return client.createSubscriptionAsync(
        interval,
        Unsigned.uint(lifetime),
        Unsigned.uint(keepAlives),
        Unsigned.uint(Session.MOST_A_MESSAGE),
        true,
        UByte.valueOf(0));
  }

  private CompletableFuture<Void> create(Group group, Deque<Group> groups) {
    int most = session.limits().create().most();
    if (group.items.size() > most) {
      groups.addFirst(
          new Group(
              group.subscription, group.items.subList(most, group.items.size()), group.filter));
    }
    List<Item> items = group.items.subList(0, Math.min(most, group.items.size()));
    Subscription subscription = group.subscription;
    UInteger id = subscription.id;
    List<MonitoredItemCreateRequest> requests =
        items.stream().map(item -> request(item, group.filter)).toList();
    return then(
        session.limits().create().ask(requests, some -> create(id, some)).handle(Answer::new),
        reply -> {
          if (reply.failure != null) {
            // They may be there nevertheless; under another handle next time, nothing comes twice.
            items.forEach(subscription::remove);
            return CompletableFuture.failedFuture(reply.failure);
          }
          if (!id.equals(subscription.id)) {
            return CompletableFuture.failedFuture(
                new IllegalStateException("the subscription was lost meanwhile"));
          }
          created(items, reply.value, group, groups);
          return subscribe(groups);
        });
  }

  /** As many results as were asked for; {@code null} where the server has forgotten one. */
  private CompletableFuture<MonitoredItemCreateResult[]> create(
      UInteger subscription, List<MonitoredItemCreateRequest> requests) {
    return session
        .request(
            figures,
            client ->
                client.createMonitoredItemsAsync(subscription, TimestampsToReturn.Both, requests))
        .thenApply(CreateMonitoredItemsResponse::getResults)
        .thenApply(
            results -> Batch.filled(results, new MonitoredItemCreateResult[0], requests.size()));
  }

  /** Takes the server's answer; what is to be tried another way becomes a group of its own. */
  private void created(
      List<Item> items, List<MonitoredItemCreateResult> results, Group group, Deque<Group> groups) {
    List<Item> otherwise = new ArrayList<>();
    List<Item> elsewhere = new ArrayList<>();
    for (int i = 0; i < items.size(); i++) {
      Item item = items.get(i);
      MonitoredItemCreateResult result = results.get(i);
      if (result == null) {
        refuse(item, StatusCodes.Bad_UnexpectedError);
        continue;
      }
      long status = result.getStatusCode().value();
      if (result.getStatusCode().isGood()) {
        item.created(result);
        if (item.events != null) {
          session.narrow(group.subscription, item, result.getFilterResult());
        }
        if (item.subscription != group.subscription) {
          session.giveUp(group.subscription, item);
        }
      } else if (status == StatusCodes.Bad_TooManyMonitoredItems && group.subscription.watches()) {
        elsewhere.add(item);
      } else if (aboutFilter(status) && narrower(item, group.filter)) {
        otherwise.add(item);
      } else {
        refuse(item, status);
      }
    }
    if (!otherwise.isEmpty()) {
      Filter next = group.filter.next();
      tellLeftOut(next, otherwise);
      groups.addFirst(new Group(group.subscription, otherwise, next));
    }
    if (!elsewhere.isEmpty()) {
      group.subscription.full = true;
      elsewhere.forEach(group.subscription::remove);
      groups.addAll(spread(elsewhere));
    }
  }

  /** Says once of each point what the server can't do for it. */
  private void tellLeftOut(Filter next, List<Item> items) {
    String what = next == Filter.NONE ? "trigger" : "dead-band";
    List<String> points =
        items.stream()
            .filter(item -> item.events == null)
            .filter(
                item ->
                    next == Filter.NONE ? trigger(item) != Trigger.VALUE : deadband(item) != null)
            .map(item -> item.point.id())
            .filter(point -> feed.leftOut.add(what + " of " + point))
            .toList();
    if (!points.isEmpty()) {
      LOG.info(
          "{}: the server can't do the {} of {} of {}; it is left out",
          session,
          what,
          String.join(", ", points.subList(0, Math.min(MOST_NAMED, points.size())))
              + (points.size() > MOST_NAMED
                  ? " and " + (points.size() - MOST_NAMED) + " more"
                  : ""),
          feed.device);
    }
  }

  private boolean narrower(Item item, Filter filter) {
    return item.events == null ? filter(item, filter) != null : item.events.narrow();
  }

  private static boolean aboutFilter(long status) {
    return status == StatusCodes.Bad_FilterNotAllowed
        || status == StatusCodes.Bad_MonitoredItemFilterInvalid
        || status == StatusCodes.Bad_MonitoredItemFilterUnsupported
        || status == StatusCodes.Bad_DeadbandFilterInvalid
        || status == StatusCodes.Bad_EventFilterInvalid;
  }

  private MonitoredItemCreateRequest request(Item item, Filter filter) {
    Settings settings = feed.settings;
    Address address = item.address;
    Duration sampling = address.sampling() == null ? settings.sampling() : address.sampling();
    boolean events = item.events != null;
    UaStructuredType what = events ? item.events.filter() : filter(item, filter);
    AttributeId attribute = events ? AttributeId.EventNotifier : AttributeId.Value;
    return new MonitoredItemCreateRequest(
        new ReadValueId(
            nodes.get(item), attribute.uid(), item.address.range(), QualifiedName.NULL_VALUE),
        MonitoringMode.Reporting,
        new MonitoringParameters(
            item.handle,
            events ? 0.0 : sampling.toNanos() / 1e6,
            what == null ? null : ExtensionObject.encode(session.encoding(), what),
            Unsigned.uint(item.queue()),
            true));
  }

  /** {@code null} for the server's own, which is the trigger {@code value} (7.22.2). */
  private DataChangeFilter filter(Item item, Filter filter) {
    Trigger trigger = trigger(item);
    Deadband deadband = deadband(item);
    if (deadband == null || filter != Filter.WHOLE) {
      return trigger == Trigger.VALUE || filter == Filter.NONE
          ? null
          : new DataChangeFilter(kind(trigger), Unsigned.uint(DeadbandType.None.getValue()), 0.0);
    }
    DeadbandType type = deadband.percent() ? DeadbandType.Percent : DeadbandType.Absolute;
    return new DataChangeFilter(kind(trigger), Unsigned.uint(type.getValue()), deadband.value());
  }

  private Trigger trigger(Item item) {
    return item.address.trigger() == null ? feed.settings.trigger() : item.address.trigger();
  }

  /** {@code null} for none. */
  private Deadband deadband(Item item) {
    if (!item.point.type().numeric()) {
      return null;
    }
    return item.address.deadband() == null ? feed.settings.deadband() : item.address.deadband();
  }

  private static DataChangeTrigger kind(Trigger trigger) {
    return switch (trigger) {
      case STATUS -> DataChangeTrigger.Status;
      case VALUE -> DataChangeTrigger.StatusValue;
      case TIMESTAMP -> DataChangeTrigger.StatusValueTimestamp;
    };
  }
}
