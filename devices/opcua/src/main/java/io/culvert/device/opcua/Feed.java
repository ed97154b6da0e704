package io.culvert.device.opcua;

import io.culvert.api.Sample;
import io.culvert.api.southbound.Sink;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;

/**
 * What one device is told by the server, on its way to the device's sink. It outlives the
 * connection: what comes while there is none waits, and is handed to the next one's sink first. The
 * wait is bounded; what is left out is told as missing.
 *
 * <p>Used on the session's own order of tasks only.
 */
final class Feed {
  /** Samples handed over at once, at most; less than what the core takes for a flood. */
  static final int AT_ONCE = 5_000;

  /** Hand-overs that may wait to be accepted; half of what the core lets one device have. */
  static final int HAND_OVERS = 16;

  /** Samples that wait for a sink, at most. */
  static final int MOST_WAITING = 50_000;

  private static final String TOO_LONG =
      "more came than could be kept while the link was being restored";

  /**
   * Samples of one message.
   *
   * @param taken run when they are accepted, or refused for good
   */
  private record Parcel(List<Sample> samples, Runnable taken) {}

  /** Readings that the server had and couldn't keep. */
  private record Gap(Instant from, Instant to, long readings, String why) {
    Gap and(Gap later) {
      return new Gap(from, later.to, readings + later.readings, later.why);
    }
  }

  /** The sink of a connection, and what it has not answered yet. */
  private static final class Outlet {
    final Sink sink;
    int handOvers;
    int samples;

    Outlet(Sink sink) {
      this.sink = sink;
    }
  }

  final String device;
  final Settings settings;

  /** What is watched for it, by the id of the point. */
  final Map<String, Item> items = new LinkedHashMap<>();

  /** What of the filters of its points the server can't do, as it was said. */
  final Set<String> leftOut = new HashSet<>();

  /**
   * When the server is asked again for points that it has refused, by the session's clock; {@code
   * null} if it has refused none.
   */
  Long againAt;

  private final Executor order;
  private final InstantSource clock;
  private final Deque<Parcel> parcels = new ArrayDeque<>();
  private final Map<String, Gap> gaps = new LinkedHashMap<>();
  private final Map<String, Gap> overflows = new LinkedHashMap<>();

  /** Whether a connection is about to be told since when nothing is missing. */
  private boolean opening;

  private Outlet outlet;
  private int waiting;
  private int creating;

  /**
   * Since when there was no break that the server couldn't bridge; {@code null} if it is broken.
   */
  private Instant unbroken;

  /**
   * The last complete message before the link was lost; {@code null} if it wasn't. It holds until a
   * connection has told something: one that is lost before may never have been in use.
   */
  private Instant heard;

  /** When it is given up if nobody takes it over, by the session's clock. */
  private long expires;

  /**
   * @param order in which all is done that this is used for
   */
  Feed(Executor order, InstantSource clock, String device, Settings settings) {
    this.order = order;
    this.clock = clock;
    this.device = device;
    this.settings = settings;
  }

  boolean attached() {
    return outlet != null;
  }

  /** Samples that wait, or that the sink hasn't accepted yet. */
  int waiting() {
    return waiting;
  }

  /** Whether nobody has taken it over in time. */
  boolean expired(long now) {
    return outlet == null && creating == 0 && now - expires >= 0;
  }

  /**
   * The server begins, or has ended, to be told what to watch.
   *
   * @param until when it is kept at least, though nobody waits for it any more
   */
  void creating(boolean begins, long until) {
    creating += begins ? 1 : -1;
    if (!begins && outlet == null && until - expires > 0) {
      expires = until;
    }
  }

  /** Goes to this sink from now on, first with what waits. */
  void attach(Sink to) {
    let();
    opening = true;
    outlet = new Outlet(to);
    gaps.forEach((point, gap) -> tell(to, point, gap));
    gaps.clear();
    handOver();
  }

  /**
   * Goes nowhere from now on.
   *
   * @param from the sink of the connection that ends; does nothing if another took its place
   * @param until when it is kept, by the session's clock
   */
  void detach(Sink from, long until) {
    if (outlet != null && outlet.sink == from) {
      let();
      expires = until;
    }
  }

  /** What the sink hasn't answered is its own affair from now on. */
  private void let() {
    if (outlet != null) {
      waiting -= outlet.samples;
      outlet = null;
    }
  }

  /**
   * Tells the sink that the link is gone, which so takes no more. What the server overwrites
   * meanwhile, nobody hears of.
   *
   * @param lastHeard when the last message came
   * @param until when it is kept, by the session's clock
   */
  void lost(Exception why, Instant lastHeard, long until) {
    if (items.values().stream().anyMatch(Item::overwritten)) {
      broken();
    } else if (heard == null) {
      heard = lastHeard;
    }
    if (outlet != null) {
      Sink told = outlet.sink;
      detach(told, until);
      told.lost(why);
    }
  }

  /** The server can't tell what was since the last message. */
  void broken() {
    unbroken = null;
    heard = null;
  }

  /** All points are watched, since this moment at the latest. */
  void watched(Instant now) {
    if (unbroken == null) {
      unbroken = now;
    }
  }

  /** Whether the next {@link #opened} tells what there is to tell. */
  boolean opening() {
    return opening;
  }

  /**
   * The connection is there: what {@link io.culvert.api.southbound.Continuous#completeSince} is for
   * it.
   */
  Instant opened() {
    opening = false;
    return unbroken != null && heard != null && heard.isAfter(unbroken) ? heard : unbroken;
  }

  /** Takes samples of one message; they go on in the order they came. */
  void take(List<Sample> samples, Runnable taken) {
    parcels.add(new Parcel(samples, taken));
    waiting += samples.size();
    handOver();
    while (outlet == null && waiting > MOST_WAITING && !parcels.isEmpty()) {
      Parcel oldest = parcels.remove();
      waiting -= oldest.samples.size();
      for (Sample sample : oldest.samples) {
        Instant at = sample.deviceTime() == null ? clock.instant() : sample.deviceTime();
        gap(sample.point(), new Gap(at, at, 1, TOO_LONG));
      }
      oldest.taken.run();
    }
  }

  /** A value tells that there were others before it, which the server couldn't keep. */
  void overflown(String point, Instant from, Instant to) {
    overflows.merge(
        point, new Gap(from, to, 1, "the server's queue for the point was too short"), Gap::and);
  }

  /** Tells what {@link #overflown} gathered of one message. */
  void tellOverflown() {
    if (outlet == null) {
      overflows.forEach(this::gap);
    } else {
      overflows.forEach((point, gap) -> tell(outlet.sink, point, gap));
    }
    overflows.clear();
  }

  private void gap(String point, Gap gap) {
    gaps.merge(point, gap, Gap::and);
  }

  private static void tell(Sink sink, String point, Gap gap) {
    sink.missing(point, gap.from, gap.to, gap.readings, gap.why);
  }

  private void handOver() {
    Outlet to = outlet;
    while (to != null && to.handOvers < HAND_OVERS && !parcels.isEmpty()) {
      List<Sample> samples = parcels.peek().samples;
      List<Runnable> taken = new ArrayList<>();
      taken.add(parcels.remove().taken);
      if (!parcels.isEmpty() && samples.size() + parcels.peek().samples.size() <= AT_ONCE) {
        samples = new ArrayList<>(samples);
        while (!parcels.isEmpty() && samples.size() + parcels.peek().samples.size() <= AT_ONCE) {
          samples.addAll(parcels.peek().samples);
          taken.add(parcels.remove().taken);
        }
      }
      int size = samples.size();
      boolean inUse = !opening;
      to.handOvers++;
      to.samples += size;
      // Refused ones are in the core's ledger; handed over again they would be there twice.
      to.sink
          .accept(samples)
          .whenComplete(
              (accepted, refused) ->
                  order.execute(
                      () -> {
                        if (inUse && refused == null && to == outlet) {
                          heard = null;
                        }
                        taken(to, size, taken);
                      }));
    }
  }

  private void taken(Outlet by, int size, List<Runnable> taken) {
    by.handOvers--;
    by.samples -= size;
    if (by == outlet) {
      waiting -= size;
    }
    taken.forEach(Runnable::run);
    handOver();
  }
}
