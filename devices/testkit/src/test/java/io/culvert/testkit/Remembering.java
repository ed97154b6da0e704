package io.culvert.testkit;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A peer that remembers: what it has to tell while it is away, and what it measured of one point.
 * It hands that to the {@link TallyDriver} in the same process, as the text of its protocol knows
 * no such thing.
 */
final class Remembering implements Peer {
  private static final Instant MEASURED = Instant.parse("2026-11-29T08:00:00Z");
  private static volatile Remembering last;

  private final Peer peer;
  private final Point kept;
  private final boolean keeps;
  private final List<Sample> untold = new ArrayList<>();
  private boolean away;

  /**
   * @param kept what it measured
   * @param keeps whether it keeps subscriptions
   */
  Remembering(Peer peer, Point kept, boolean keeps) {
    this.peer = peer;
    this.kept = kept;
    this.keeps = keeps;
    last = this;
  }

  /** What it had to tell while it was away, once. */
  static List<Sample> untold() {
    Remembering peer = last;
    synchronized (peer) {
      List<Sample> all = List.copyOf(peer.untold);
      peer.untold.clear();
      return all;
    }
  }

  static List<Sample> measured(String point) {
    Remembering peer = last;
    return point.equals(peer.kept.id()) ? peer.history().get(peer.kept) : null;
  }

  @Override
  public boolean keeps() {
    return keeps;
  }

  @Override
  public Map<Point, List<Sample>> history() {
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      samples.add(
          new Sample(kept.id(), Value.of(i * i), Quality.GOOD, MEASURED.plusMillis(100 * i)));
    }
    return Map.of(kept, samples);
  }

  @Override
  public synchronized void tell(Point point, Value value) throws Exception {
    if (away) {
      untold.add(Sample.good(point.id(), value));
    } else {
      peer.tell(point, value);
    }
  }

  @Override
  public void stop() throws Exception {
    synchronized (this) {
      away = true;
    }
    peer.stop();
  }

  @Override
  public void start() throws Exception {
    peer.start();
    synchronized (this) {
      away = false;
    }
  }

  @Override
  public Device device() {
    return peer.device();
  }

  @Override
  public Map<Point, Value> values() {
    return peer.values();
  }

  @Override
  public List<Point> refused() {
    return peer.refused();
  }

  @Override
  public Map<Point, List<Value>> writes() {
    return peer.writes();
  }

  @Override
  public Map<Device, Map<Point, Value>> neighbours() {
    return peer.neighbours();
  }

  @Override
  public boolean tells() {
    return peer.tells();
  }

  @Override
  public boolean checksummed() {
    return peer.checksummed();
  }

  @Override
  public Relay relay() throws Exception {
    return peer.relay();
  }

  @Override
  public void hold() throws Exception {
    peer.hold();
  }

  @Override
  public void resume() throws Exception {
    peer.resume();
  }

  @Override
  public void close() throws Exception {
    peer.close();
  }
}
