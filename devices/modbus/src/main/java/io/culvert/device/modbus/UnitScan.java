package io.culvert.device.modbus;

import io.culvert.api.southbound.Browsable.Found;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One look for the units that answer behind an address, whoever they are, and for what they say of
 * themselves. On the link's loop throughout.
 *
 * <p>One holding register is asked of each. A refusal is an answer too, but not that of a gateway
 * which can't reach the unit (Application Protocol V1.1b3, 7: 0A and 0B).
 */
final class UnitScan {
  /** Unit identifiers of devices on a serial line (Serial Line V1.02, 2.2). */
  private static final int LAST_UNIT = 247;

  /** Serial devices at 9600 baud and less take this long. */
  private static final Duration LEAST = Duration.ofMillis(200);

  /** Units asked at once: a gateway to a serial line asks them one by one. */
  private static final int MOST_AT_ONCE = 4;

  private static final Comparator<Found> BY_UNIT =
      Comparator.comparing(found -> Integer.valueOf(found.facts().get("unit")));

  private final Link link;
  private final Endpoint endpoint;
  private final Duration timeout;
  private final Duration budget;
  private final int limit;
  private final CompletableFuture<List<Found>> result;
  private final long start = System.nanoTime();
  private final Set<CompletableFuture<?>> running = new HashSet<>();
  private final List<Found> found = new ArrayList<>();
  private int asked;

  /**
   * @param timeout for each unit, at most
   * @param budget after which the scan ends with what was found
   * @param limit ends the scan when so many were found
   */
  UnitScan(
      Link link,
      Endpoint endpoint,
      Duration timeout,
      Duration budget,
      int limit,
      CompletableFuture<List<Found>> result) {
    this.link = link;
    this.endpoint = endpoint;
    this.timeout = timeout;
    this.budget = budget;
    this.limit = limit;
    this.result = result;
  }

  void start() {
    next();
  }

  /** Lets go of what is under way. */
  void end() {
    List.copyOf(running).forEach(exchange -> exchange.cancel(false));
  }

  private void next() {
    int window = Math.min(MOST_AT_ONCE, link.capacity());
    while (!result.isDone()
        && running.size() < window
        && asked < LAST_UNIT
        && found.size() + running.size() < limit
        && remaining() > 0) {
      look((Math.max(1, endpoint.unit()) - 1 + asked++) % LAST_UNIT + 1);
    }
    if (running.isEmpty()) {
      found.sort(BY_UNIT);
      result.complete(List.copyOf(found));
    }
  }

  private long remaining() {
    return budget.toMillis() - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
  }

  /** What is left, shared among the units that are left; fast answers leave more to the slow. */
  private Duration patience() {
    long window = Math.min(MOST_AT_ONCE, link.capacity());
    long share = remaining() * window / Math.max(1, LAST_UNIT - asked);
    long most = Math.min(timeout.toMillis(), Math.max(share, LEAST.toMillis()));
    return Duration.ofMillis(Math.max(1, Math.min(most, remaining())));
  }

  private void look(int unit) {
    CompletableFuture<byte[]> exchange =
        link.exchange(unit, Pdu.read(Table.HOLDING, 0, 0, 1), patience(), false);
    CompletableFuture<Void> whole = new CompletableFuture<>();
    running.add(whole);
    whole.whenComplete(
        (nothing, failure) -> {
          running.remove(whole);
          if (failure != null) {
            exchange.cancel(false);
          } else {
            next();
          }
        });
    exchange.whenComplete(
        (answer, failure) -> {
          if (failure == null) {
            identify(unit, "value", whole);
          } else if (failure instanceof RefusedException refused
              && !refused.refusal().unitUnreachable()) {
            identify(unit, refused.refusal().toString(), whole);
          } else if (failure instanceof RefusedException
              || failure instanceof TimeoutException
              || failure instanceof GarbledException) {
            whole.complete(null);
          } else if (found.isEmpty()) {
            result.completeExceptionally(ModbusConnection.outward(failure));
          } else {
            // The link has gone, but not what was found before.
            asked = LAST_UNIT;
            whole.complete(null);
          }
        });
  }

  private void identify(int unit, String answer, CompletableFuture<Void> whole) {
    Identification.of(request -> ask(unit, request, whole))
        .thenAccept(
            facts -> {
              found.add(found(unit, answer, facts));
              whole.complete(null);
            });
  }

  private CompletableFuture<byte[]> ask(int unit, byte[] request, CompletableFuture<Void> whole) {
    long most = Math.max(LEAST.toMillis(), Math.min(timeout.toMillis(), remaining()));
    if (whole.isDone()) {
      return CompletableFuture.failedFuture(new TimeoutException("the scan has ended"));
    }
    CompletableFuture<byte[]> exchange =
        link.exchange(unit, request, Duration.ofMillis(most), false);
    whole.whenComplete(
        (nothing, failure) -> {
          if (failure != null) {
            exchange.cancel(false);
          }
        });
    return exchange;
  }

  private Found found(int unit, String answer, Map<String, String> facts) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("unit", Integer.toString(unit));
    all.put("answer", answer);
    all.putAll(facts);
    return new Found(endpoint.withUnit(unit).toString(), title(unit, facts), all);
  }

  private static String title(int unit, Map<String, String> facts) {
    String vendor = facts.get("vendor");
    for (String key : new String[] {"name", "model", "product"}) {
      String name = facts.get(key);
      if (name != null) {
        return vendor == null || name.startsWith(vendor) ? name : vendor + " " + name;
      }
    }
    return vendor != null ? vendor : facts.getOrDefault("server", "Unit " + unit);
  }
}
