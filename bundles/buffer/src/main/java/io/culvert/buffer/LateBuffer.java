package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.northbound.Forwarder;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.Query;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The buffer on disk, as soon as the disk lets it be opened: tried at once, then each 5 s. Until
 * then it says what is wrong, and refuses everything; who asks it to store something keeps account
 * of that. Thread-safe.
 */
final class LateBuffer implements Buffer, Query, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LateBuffer.class);
  private static final Duration AGAIN = Duration.ofSeconds(5);

  private final Path directory;
  private final Machine machine;
  private final Loop loop;

  private final Map<Forwarder, Link> forwarders = new LinkedHashMap<>();

  private record Link(String id, long bytesPerDay) {}

  private volatile Settings settings;
  private Set<String> platforms;
  private boolean closed;

  /** {@code null} until it is open. */
  private volatile DurableBuffer opened;

  private volatile DiskState.Finding found = DiskState.works();

  LateBuffer(Path directory, Settings settings, Machine machine) {
    this.directory = directory;
    this.settings = settings;
    this.machine = machine;
    loop = machine.loops().create("opening");
    open();
  }

  private synchronized void open() {
    if (closed) {
      return;
    }
    try {
      DurableBuffer buffer = new DurableBuffer(directory, settings, machine);
      if (platforms != null) {
        buffer.platforms(platforms);
      }
      forwarders.forEach((forwarder, link) -> buffer.add(link.id(), forwarder, link.bytesPerDay()));
      opened = buffer;
      LOG.info("Buffer in {}: {} bytes", directory, buffer.status().bytes());
    } catch (IOException e) {
      DiskState.Finding finding = new DiskState(directory, () -> 0).unopened(e);
      if (!finding.equals(found)) {
        LOG.error("{} Tried again each {} s", finding.problem(), AGAIN.toSeconds(), e);
      }
      found = finding;
      loop.schedule(this::open, AGAIN);
    }
  }

  private DurableBuffer opened() {
    DurableBuffer buffer = opened;
    if (buffer == null) {
      throw new UncheckedIOException(refusal());
    }
    return buffer;
  }

  private IOException refusal() {
    return new IOException(found.problem());
  }

  /** Puts other bounds in force. */
  synchronized void configure(Settings changed) {
    settings = changed;
    if (opened != null) {
      opened.configure(changed);
    }
  }

  /** As {@link DurableBuffer#platforms}. */
  synchronized void platforms(Set<String> ids) {
    platforms = Set.copyOf(ids);
    if (opened != null) {
      opened.platforms(ids);
    }
  }

  /** As {@link DurableBuffer#add}. */
  synchronized void add(String id, Forwarder forwarder, long bytesPerDay) {
    forwarders.put(forwarder, new Link(id, bytesPerDay));
    if (opened != null) {
      opened.add(id, forwarder, bytesPerDay);
    }
  }

  /** As {@link DurableBuffer#remove}. */
  synchronized void remove(Forwarder forwarder) {
    forwarders.remove(forwarder);
    if (opened != null) {
      opened.remove(forwarder);
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    loop.close();
    if (opened != null) {
      opened.close();
    }
  }

  @Override
  public CompletionStage<Void> accept(List<Reading> readings) {
    DurableBuffer buffer = opened;
    return buffer == null ? CompletableFuture.failedFuture(refusal()) : buffer.accept(readings);
  }

  @Override
  public CompletionStage<Void> gap(LedgerEntry entry) {
    DurableBuffer buffer = opened;
    return buffer == null ? CompletableFuture.failedFuture(refusal()) : buffer.gap(entry);
  }

  @Override
  public List<LedgerEntry> ledger(Instant from, Instant to, int limit) {
    return opened().ledger(from, to, limit);
  }

  @Override
  public Account account(String device, Instant from, Instant to) {
    return opened().account(device, from, to);
  }

  @Override
  public Holdings holdings() {
    return opened().holdings();
  }

  @Override
  public Verification verify() {
    return opened().verify();
  }

  @Override
  public Status status() {
    DurableBuffer buffer = opened;
    return buffer != null
        ? buffer.status()
        : new Status(0, 0, 0, 0, settings.maxBytes(), 0, found.state(), found.problem(), List.of());
  }

  @Override
  public History history(
      String device, String point, Instant from, Instant to, int limit, Duration patience) {
    return opened().history(device, point, from, to, limit, patience);
  }

  @Override
  public Windows windows(
      String device, String point, Instant from, Instant to, Duration window, Duration patience) {
    return opened().windows(device, point, from, to, window, patience);
  }

  @Override
  public boolean each(String device, String point, Instant from, Instant to, Visitor visitor) {
    return opened().each(device, point, from, to, visitor);
  }

  @Override
  public Last last(Map<String, Set<String>> points, Duration patience) {
    return opened().last(points, patience);
  }
}
