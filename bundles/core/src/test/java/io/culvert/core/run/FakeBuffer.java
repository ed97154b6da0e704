package io.culvert.core.run;

import io.culvert.api.Reading;
import io.culvert.api.Value;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.LedgerEntry;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** Keeps what it is given; takes it at once, refuses it, or lets it wait. */
public final class FakeBuffer implements Buffer {
  final List<Reading> accepted = new ArrayList<>();
  final List<LedgerEntry> ledger = new ArrayList<>();
  final List<CompletableFuture<Void>> waiting = new ArrayList<>();
  Throwable refusal;
  Throwable ledgerRefusal;
  boolean hold;
  Disk disk = Disk.WORKING;
  boolean ready = true;
  Supplier<Holdings> holdings = () -> new Holdings(List.of(), List.of(), 0, 0, 0, 0);

  @Override
  public synchronized CompletionStage<Void> accept(List<Reading> readings) {
    if (refusal != null) {
      return CompletableFuture.failedFuture(refusal);
    }
    if (hold) {
      CompletableFuture<Void> later = new CompletableFuture<>();
      waiting.add(later);
      later.thenRun(() -> accepted.addAll(readings));
      return later;
    }
    accepted.addAll(readings);
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public synchronized CompletionStage<Void> gap(LedgerEntry entry) {
    if (ledgerRefusal != null) {
      return CompletableFuture.failedFuture(ledgerRefusal);
    }
    ledger.add(entry);
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public List<LedgerEntry> ledger(Instant from, Instant to, int limit) {
    return ledger;
  }

  @Override
  public Account account(String device, Instant from, Instant to) {
    throw new AssertionError("not asked for");
  }

  @Override
  public Holdings holdings() {
    return holdings.get();
  }

  @Override
  public Verification verify() {
    throw new AssertionError("not asked for");
  }

  @Override
  public Status status() {
    return new Status(
        accepted.size(),
        3,
        4,
        5,
        6,
        7,
        disk,
        "",
        List.of(
            new Forwarding("a", true, 10, 0, 1, 0, 0),
            new Forwarding("b", ready, 20, 5, 2, 800, 1000)));
  }

  synchronized List<Reading> of(String device) {
    return accepted.stream().filter(r -> r.device().equals(device)).toList();
  }

  /** The good ones of a device's points. */
  List<Reading> good(String device) {
    return of(device).stream().filter(r -> r.quality().good()).toList();
  }

  /** Audit records of a device. */
  List<Map<String, Value>> audit(String device) {
    return of(device).stream()
        .filter(r -> r.point().equals("command"))
        .map(r -> ((Value.Struct) r.value()).fields())
        .toList();
  }
}
