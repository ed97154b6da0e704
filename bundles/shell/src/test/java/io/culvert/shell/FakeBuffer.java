package io.culvert.shell;

import io.culvert.api.Reading;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.Query;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** A buffer that answers as it was told, and keeps what it was asked. */
final class FakeBuffer implements Buffer, Query {
  Status status = new Status(0, 0, 0, 0, 1, 0, Disk.WORKING, "", List.of());
  Holdings holdings = new Holdings(List.of(), List.of(), 0, 0, 0, 0);
  Account account = new Account(Map.of(), List.of(), List.of(), Map.of(), true);
  Verification verification = new Verification(0, 0, 0, List.of());
  List<LedgerEntry> entries = List.of();
  Iterable<Batch.Entry> readings = List.of();
  boolean complete = true;
  String asked = "";

  @Override
  public CompletionStage<Void> accept(List<Reading> readings) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Void> gap(LedgerEntry entry) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<LedgerEntry> ledger(Instant from, Instant to, int limit) {
    asked = from + " " + to;
    return entries;
  }

  @Override
  public Account account(String device, Instant from, Instant to) {
    asked = device + " " + from + " " + to;
    return account;
  }

  @Override
  public Holdings holdings() {
    return holdings;
  }

  @Override
  public Verification verify() {
    return verification;
  }

  @Override
  public Status status() {
    return status;
  }

  @Override
  public boolean each(String device, String point, Instant from, Instant to, Visitor visitor) {
    asked = device + "/" + point + " " + from + " " + to;
    for (Batch.Entry entry : readings) {
      if (!visitor.take(entry)) {
        return false;
      }
    }
    return complete;
  }

  @Override
  public History history(
      String device, String point, Instant from, Instant to, int limit, Duration patience) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Windows windows(
      String device, String point, Instant from, Instant to, Duration window, Duration patience) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Last last(Map<String, Set<String>> points, Duration patience) {
    throw new UnsupportedOperationException();
  }
}
