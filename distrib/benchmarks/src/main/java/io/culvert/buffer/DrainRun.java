package io.culvert.buffer;

import io.culvert.mqtt.Uplink;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/**
 * Sends what a filled buffer owes, while live readings go on beside; then live ones alone, to
 * compare their delay with.
 */
public final class DrainRun {
  private static final int STALLED_SECONDS = 60;

  /**
   * @param folder of a buffer that {@link FillRun} filled
   * @param owed readings in it
   * @param wanted how many of them are to be sent; the first, if not all
   * @param historyPerSecond the bound on the rate of history; 0 for the buffer's default
   * @param brokerPort on loopback; 0 for a platform in this process that confirms at once
   * @param liveSince a time after those of the readings in the buffer, in milliseconds since 1970
   * @param aloneSeconds for which live readings go on alone
   * @param aloneMark a file that is made when they are alone
   */
  public record Order(
      String folder,
      int owed,
      int wanted,
      int historyPerSecond,
      int brokerPort,
      long liveSince,
      int aloneSeconds,
      String aloneMark) {}

  /**
   * Memory is in bytes, delays in milliseconds.
   *
   * @param drained confirmed readings of the backlog
   * @param seconds from the forwarder's beginning until that many were confirmed
   * @param slowest readings a second in the slowest second, but for the first and last
   * @param live readings that went on beside and were made durable
   * @param liveFailed that were not
   * @param unconfirmed sent in vain
   * @param rssBegin before the drain, with live readings and after a collection
   * @param rssQuarter after the first quarter of the drain's time
   * @param rssMost at any second
   * @param rssEnd at the end of the drain
   * @param heapBegin in use after a collection
   * @param heapEnd likewise
   * @param received what the platform in this process saw; {@code null} if it was elsewhere
   */
  public record Result(
      long drained,
      double seconds,
      double slowest,
      long live,
      long liveFailed,
      long unconfirmed,
      long rssBegin,
      long rssQuarter,
      long rssMost,
      long rssEnd,
      long heapBegin,
      long heapEnd,
      Received received) {}

  /**
   * What a platform saw. Delays are −1 where no live reading came.
   *
   * @param delays of live readings beside the drain
   * @param alone of live readings alone
   */
  public record Received(
      long backlog,
      long live,
      long twice,
      long disordered,
      long missing,
      Delays delays,
      Delays alone) {
    /** What a receiver has seen by now. */
    public static Received of(Receiver receiver, Delays delays) {
      return new Received(
          receiver.backlog(),
          receiver.live(),
          receiver.twice(),
          receiver.disordered(),
          receiver.missing(),
          delays,
          Delays.of(receiver));
    }
  }

  /** How old live readings were on arrival. */
  public record Delays(long median, long tail) {
    /** Of what a receiver has seen since its ages were cleared. */
    public static Delays of(Receiver receiver) {
      return new Delays(receiver.ages().quantile(0.5), receiver.ages().quantile(0.99));
    }
  }

  private final Order order;
  private final List<Long> resident = new ArrayList<>();
  private final List<Double> rates = new ArrayList<>();

  private DrainRun(Order order) {
    this.order = order;
  }

  /** Drains; blocks until that is done. */
  public static Result run(Order order) throws Exception {
    return new DrainRun(order).run();
  }

  private Result run() throws Exception {
    Settings settings =
        BufferRun.settings(
            order.historyPerSecond() == 0
                ? Map.of()
                : Map.of("historyPerSecond", order.historyPerSecond()));
    boolean here = order.brokerPort() == 0;
    Receiver receiver = null;
    if (here) {
      // With room for those that go on beside.
      int each = (order.owed() + 600 * Traffic.PER_SECOND) / Traffic.DEVICES;
      receiver = new Receiver(each, order.liveSince(), BufferRun.GATEWAY);
    }
    try (Uplink uplink = here ? null : new Uplink(BufferRun.GATEWAY, order.brokerPort());
        DurableBuffer buffer = BufferRun.open(Path.of(order.folder()), settings)) {
      Drained forwarder =
          new Drained(
              here ? null : uplink.forwarder(), receiver, order.liveSince(), order.wanted());
      buffer.platforms(Set.of(BufferRun.PLATFORM));
      try (Live live = new Live(buffer)) {
        long heapBegin = heap();
        long rssBegin = BufferRun.resident();
        long start = System.nanoTime();
        buffer.add(BufferRun.PLATFORM, forwarder);
        await(forwarder, buffer);
        double seconds = (System.nanoTime() - start) / 1e9;
        long rssEnd = BufferRun.resident();
        resident.add(rssEnd);
        long drained = forwarder.backlog();
        Delays delays = receiver == null ? null : Delays.of(receiver);
        alone(buffer, receiver);
        long heapEnd = heap();
        live.close();
        settle(receiver, live);
        return new Result(
            drained,
            seconds,
            slowest(drained / seconds),
            live.accepted(),
            live.failed(),
            forwarder.unconfirmed(),
            rssBegin,
            resident.get(resident.size() / 4),
            Collections.max(resident),
            rssEnd,
            heapBegin,
            heapEnd,
            receiver == null ? null : Received.of(receiver, delays));
      } finally {
        buffer.remove(forwarder);
      }
    }
  }

  private void await(Drained forwarder, DurableBuffer buffer)
      throws IOException, InterruptedException, ExecutionException {
    long last = 0;
    long at = System.nanoTime();
    int still = 0;
    while (true) {
      try {
        forwarder.done().get(1, TimeUnit.SECONDS);
        return;
      } catch (TimeoutException e) {
        long now = System.nanoTime();
        long count = forwarder.backlog();
        rates.add((count - last) / ((now - at) / 1e9));
        resident.add(BufferRun.resident());
        still = count == last ? still + 1 : 0;
        if (still == STALLED_SECONDS) {
          throw new IOException(
              "Nothing was confirmed for "
                  + STALLED_SECONDS
                  + " s; "
                  + count
                  + " readings before; "
                  + buffer.status());
        }
        last = count;
        at = now;
      }
    }
  }

  /** The first second has the connection in it. */
  private double slowest(double mean) {
    return rates.stream().skip(1).min(Double::compare).orElse(mean);
  }

  /** Live readings alone: what is owed still hardly goes on. */
  private void alone(DurableBuffer buffer, Receiver receiver) throws IOException {
    buffer.configure(BufferRun.settings(Map.of("historyPerSecond", 1)));
    LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(1));
    if (receiver != null) {
      receiver.ages().clear();
    }
    Files.createFile(Path.of(order.aloneMark()));
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(order.aloneSeconds());
    for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  /** Waits until the platform has the last live readings too. */
  private static void settle(Receiver receiver, Live live) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (receiver != null && receiver.live() < live.accepted() && System.nanoTime() < end) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
    }
  }

  private static long heap() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }
}
