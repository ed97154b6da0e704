package io.culvert.mqtt;

import io.culvert.api.service.Monitor;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * Tells the platform which devices can be reached: all after each connect, then each change.
 * Nothing is kept for later, because what counts at the next connect is the state then. In the
 * session's thread only.
 */
final class StateBoard {

  private final Dialect dialect;
  private final String gateway;
  private final InstantSource clock;
  private final Executor executor;
  private final Map<String, Boolean> online = new LinkedHashMap<>();
  private final Map<String, Boolean> changes = new LinkedHashMap<>();

  /** Devices that were taken from the site, until the platform has heard that they are offline. */
  private final Set<String> departed = new HashSet<>();

  StateBoard(Dialect dialect, String gateway, InstantSource clock, Executor executor) {
    this.dialect = dialect;
    this.gateway = gateway;
    this.clock = clock;
    this.executor = executor;
  }

  /** Takes note of a device's state; {@link #tellChanges} tells it. */
  void note(Monitor.DeviceStatus status) {
    String device = status.id();
    if (device.equals(gateway)) {
      return;
    }
    boolean now = status.state() == Monitor.State.ONLINE;
    if (status.state() == Monitor.State.REMOVED) {
      if (!online.containsKey(device)) {
        return;
      }
      departed.add(device);
    } else {
      departed.remove(device);
    }
    Boolean before = online.put(device, now);
    if (before == null || before != now) {
      changes.put(device, now);
    }
  }

  /** Whether there is anything to tell. */
  boolean changed() {
    return !changes.isEmpty();
  }

  /** Tells every state on a new link. */
  void tellAll(Link link) {
    changes.clear();
    tell(link, online);
  }

  /** Tells what has changed since the last call. */
  void tellChanges(Link link) {
    Map<String, Boolean> told = new LinkedHashMap<>(changes);
    changes.clear();
    tell(link, told);
  }

  private void tell(Link link, Map<String, Boolean> states) {
    if (states.isEmpty()) {
      return;
    }
    Set<String> gone = new HashSet<>(departed);
    gone.retainAll(states.keySet());
    List<CompletableFuture<Boolean>> acks =
        dialect.states(states, clock.instant()).stream().map(link::publish).toList();
    if (!gone.isEmpty()) {
      CompletableFuture.allOf(acks.toArray(CompletableFuture[]::new))
          .thenRunAsync(
              () -> {
                if (acks.stream().allMatch(CompletableFuture::join)) {
                  forget(gone);
                }
              },
              executor);
    }
  }

  private void forget(Set<String> devices) {
    for (String device : devices) {
      if (departed.remove(device)) {
        online.remove(device);
      }
    }
  }
}
