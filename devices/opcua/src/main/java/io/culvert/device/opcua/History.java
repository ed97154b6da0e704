package io.culvert.device.opcua;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.southbound.Historical.Page;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned;
import org.eclipse.milo.opcua.stack.core.types.enumerated.TimestampsToReturn;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryData;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryReadResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryReadResult;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryReadValueId;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadRawModifiedDetails;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadValueId;

/**
 * Reads what a server kept of a connection's points (OPC 10000-4, 5.10.3; OPC 10000-11, 6.5.3),
 * with its continuation points. Of these a server gives each once only: a page whose answer was
 * lost is read anew from where the page before ended.
 *
 * <p>Safe in any thread.
 */
final class History {
  /** Samples of one page, at most. */
  static final int PAGE = 2_000;

  /** Nodes in one call, at most, so that each has a fair part of the page. */
  private static final int NODES = 100;

  /** The bit of an access level that says that there is a history to read (OPC 10000-3, 8.57). */
  private static final int HISTORY_READ = 0x04;

  private final OpcUaConnection connection;
  private long names;

  /** The page that was asked for last, and the one after it; {@code null} if there is none. */
  private Cursor last;

  private Cursor next;

  History(OpcUaConnection connection) {
    this.connection = connection;
  }

  /**
   * What is still to be read of one point.
   *
   * @param place where it is, and how its values are read
   * @param range part of each value; {@code null} for all of it
   * @param from time of the last value that was given, or the start of the span
   * @param skip how many values of exactly that time were given
   * @param more the server's continuation point; {@code null} if there is none
   */
  private record Rest(
      Point point, Nodes.Place place, String range, Instant from, int skip, ByteString more) {
    Rest anew() {
      return new Rest(point, place, range, from, skip, null);
    }
  }

  /**
   * Where a page begins.
   *
   * @param rests what is still to be read; the page is of the first of them
   * @param nodes in one call
   * @param without points that have no history, of which nobody was told yet
   */
  private record Cursor(String name, List<Rest> rests, int nodes, Set<String> without) {}

  /** One page; see {@link io.culvert.api.southbound.Historical#history}. */
  CompletableFuture<Page> read(List<Point> points, Instant from, Instant to, String name) {
    if (name.isEmpty()) {
      release();
      return begin(points, from).toCompletableFuture().thenCompose(first -> page(first, to, false));
    }
    Cursor wanted;
    boolean again;
    synchronized (this) {
      again = last != null && last.name.equals(name);
      wanted = again ? last : next;
    }
    if (wanted == null || !wanted.name.equals(name)) {
      return CompletableFuture.failedFuture(
          new IllegalArgumentException("There is no page " + name + " of the history"));
    }
    return page(wanted, to, again);
  }

  /** Gives up what the server keeps for pages that nobody asks for any more. */
  void release() {
    Cursor open;
    synchronized (this) {
      open = next;
      last = null;
      next = null;
    }
    if (open == null) {
      return;
    }
    List<HistoryReadValueId> nodes =
        open.rests.stream().filter(rest -> rest.more != null).map(History::node).toList();
    if (!nodes.isEmpty()) {
      ask(details(Instant.EPOCH, Instant.EPOCH, 1), true, nodes);
    }
  }

  private static HistoryReadValueId node(Rest rest) {
    return new HistoryReadValueId(
        rest.place.node(), rest.range, QualifiedName.NULL_VALUE, rest.more);
  }

  private static ReadRawModifiedDetails details(Instant from, Instant to, int values) {
    return new ReadRawModifiedDetails(
        false, new DateTime(from), new DateTime(to), Unsigned.uint(values), false);
  }

  /** Finds the nodes, and which of them have a history. */
  private CompletionStage<Cursor> begin(List<Point> points, Instant from) {
    Map<Point, Address> addresses = new LinkedHashMap<>();
    points.forEach(point -> addresses.put(point, Address.parse(point, problem -> {})));
    return Nodes.resolve(
            connection.session,
            addresses.values().stream().distinct().toList(),
            connection.settings.root())
        .thenCompose(
            places -> {
              List<Rest> rests = new ArrayList<>();
              Set<String> without = new HashSet<>();
              addresses.forEach(
                  (point, address) -> {
                    Nodes.Place place = places.get(address);
                    if (place.node() == null || address.kind() != Address.Kind.VARIABLE) {
                      without.add(point.id());
                    } else {
                      rests.add(new Rest(point, place, address.range(), from, 0, null));
                    }
                  });
              return kept(rests)
                  .thenApply(
                      kept -> {
                        rests.stream()
                            .filter(rest -> !kept.contains(rest))
                            .forEach(rest -> without.add(rest.point.id()));
                        int nodes = Math.min(NODES, connection.session.limits().history().most());
                        return new Cursor("", kept, nodes, without);
                      });
            });
  }

  /** Those whose access level has the bit for it. */
  private CompletableFuture<List<Rest>> kept(List<Rest> rests) {
    List<ReadValueId> levels =
        rests.stream()
            .map(
                rest ->
                    new ReadValueId(
                        rest.place.node(),
                        AttributeId.UserAccessLevel.uid(),
                        null,
                        QualifiedName.NULL_VALUE))
            .toList();
    return connection
        .read(TimestampsToReturn.Neither, levels)
        .thenApply(
            values -> {
              List<Rest> kept = new ArrayList<>();
              for (int i = 0; i < rests.size(); i++) {
                if (values.get(i) != null
                    && values.get(i).getValue().getValue() instanceof Number level
                    && (level.intValue() & HISTORY_READ) != 0) {
                  kept.add(rests.get(i));
                }
              }
              return kept;
            });
  }

  /**
   * Reads a page.
   *
   * @param again whether its continuation points may be used up
   */
  private CompletableFuture<Page> page(Cursor cursor, Instant to, boolean again) {
    if (cursor.rests.isEmpty()) {
      return CompletableFuture.completedFuture(
          turn(cursor, List.of(), List.of(), to, cursor.nodes));
    }
    Rest first = again ? cursor.rests.get(0).anew() : cursor.rests.get(0);
    // The details hold for all nodes of a call, except those with a continuation point.
    List<Rest> asked =
        cursor.rests.stream()
            .map(rest -> again ? rest.anew() : rest)
            .limit(cursor.nodes)
            .takeWhile(
                rest ->
                    first.more == null
                        ? rest.more == null && rest.from.equals(first.from)
                        : rest.more != null)
            .toList();
    int values = Math.max(1, PAGE / asked.size()) + first.skip;
    // The end of a span is exclusive there.
    ReadRawModifiedDetails details = details(first.from, to.plus(Duration.ofMillis(1)), values);
    List<HistoryReadValueId> nodes = asked.stream().map(History::node).toList();
    synchronized (this) {
      last = cursor;
      next = null;
    }
    return ask(details, false, nodes)
        .thenApply(results -> turn(cursor, asked, results, to, cursor.nodes));
  }

  /** As many results as nodes; {@code null} where the server has forgotten one. */
  private CompletableFuture<List<HistoryReadResult>> ask(
      ReadRawModifiedDetails details, boolean release, List<HistoryReadValueId> nodes) {
    return connection
        .session
        .limits()
        .history()
        .ask(
            nodes,
            some ->
                connection
                    .session
                    .request(
                        connection.figures,
                        client ->
                            client.historyReadAsync(
                                details, TimestampsToReturn.Both, release, some))
                    .thenApply(HistoryReadResponse::getResults)
                    .thenApply(
                        results -> Batch.filled(results, new HistoryReadResult[0], some.size())));
  }

  private Page turn(
      Cursor cursor, List<Rest> asked, List<HistoryReadResult> results, Instant to, int nodes) {
    List<Sample> samples = new ArrayList<>();
    Set<String> without = new HashSet<>(cursor.without);
    List<Rest> rests = new ArrayList<>();
    int fewer = nodes;
    for (int i = 0; i < asked.size(); i++) {
      Rest rest = asked.get(i);
      HistoryReadResult result = results.get(i);
      if (result == null) {
        connection.figures.malformed();
        without.add(rest.point.id());
        continue;
      }
      long status = result.getStatusCode().value();
      if (result.getStatusCode().isBad()) {
        connection.figures.refusal(status);
      }
      if (status == StatusCodes.Bad_ContinuationPointInvalid && rest.more != null) {
        rests.add(rest.anew());
      } else if (status == StatusCodes.Bad_NoContinuationPoints && nodes > 1) {
        fewer = Math.max(1, nodes / 2);
        rests.add(rest.anew());
      } else if (result.getStatusCode().isBad() && status != StatusCodes.Bad_NoData) {
        without.add(rest.point.id());
      } else {
        Rest left = take(rest, result, to, samples);
        if (left != null) {
          rests.add(left);
        }
      }
    }
    rests.addAll(cursor.rests.subList(asked.size(), cursor.rests.size()));
    synchronized (this) {
      next = rests.isEmpty() ? null : new Cursor(Long.toString(++names), rests, fewer, Set.of());
      return new Page(samples, without, next == null ? "" : next.name);
    }
  }

  /**
   * Takes the values of one result.
   *
   * @return what is left; {@code null} if nothing is
   */
  private Rest take(Rest rest, HistoryReadResult result, Instant to, List<Sample> samples) {
    Object data =
        result.getHistoryData() == null
            ? null
            : result.getHistoryData().decode(connection.session.encoding());
    DataValue[] values = data instanceof HistoryData raw ? raw.getDataValues() : null;
    Instant from = rest.from;
    int skip = rest.skip;
    int toSkip = rest.more == null ? rest.skip : 0;
    for (DataValue value : values == null ? new DataValue[0] : values) {
      Sample sample = rest.place.values().sample(rest.point, connection.settings.timed(value));
      Instant at = sample.deviceTime();
      if (at == null || at.isBefore(rest.from) || at.isAfter(to)) {
        continue;
      }
      if (toSkip > 0 && at.equals(rest.from)) {
        toSkip--;
        continue;
      }
      skip = at.equals(from) ? skip + 1 : 1;
      from = at;
      samples.add(sample);
    }
    ByteString more = result.getContinuationPoint();
    return more == null || more.isNullOrEmpty()
        ? null
        : new Rest(rest.point, rest.place, rest.range, from, skip, more);
  }
}
