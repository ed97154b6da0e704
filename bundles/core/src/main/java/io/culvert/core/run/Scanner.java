package io.culvert.core.run;

import io.culvert.api.Device;
import io.culvert.api.service.Scan;
import io.culvert.api.southbound.Browsable;
import io.culvert.core.doctor.Vitals;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** Looks around behind an endpoint, in turn with whoever else uses its lane. */
final class Scanner implements Scan {
  /** Scans at once; each holds its lane for at most {@link #PATIENCE}. */
  private static final int MOST = 4;

  private static final int MOST_FOUND = 10_000;

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Kit kit;
  private final Lanes lanes;
  private final Function<String, Served> drivers;
  private final Function<String, Runner> devices;
  private final Set<Look> looks = new LinkedHashSet<>();
  private boolean closed;

  /**
   * @param drivers the best by scheme, {@code null} for none
   * @param devices of the site by id, {@code null} for none; asked in any thread
   */
  Scanner(
      Kit kit, Lanes lanes, Function<String, Served> drivers, Function<String, Runner> devices) {
    this.kit = kit;
    this.lanes = lanes;
    this.drivers = drivers;
    this.devices = devices;
  }

  @Override
  public CompletionStage<List<Browsable.Found>> scan(String endpoint, String from, int limit) {
    Device device;
    Runner known = devices.apply(endpoint);
    if (known == null) {
      try {
        device = new Device("scan", "", new URI(endpoint), Map.of());
      } catch (URISyntaxException e) {
        return failed(endpoint + " is no URL: " + e.getReason());
      }
      if (device.endpoint().getScheme() == null) {
        return failed(
            endpoint
                + " is no URL of a device, nor the id of one of the site; expected scheme://place");
      }
    } else if (!known.entry().problem().isEmpty()) {
      return failed(endpoint + ": " + known.entry().problem());
    } else {
      device = known.entry().device();
    }
    if (limit < 1) {
      return failed("A scan for " + limit + " finds nothing; expected a limit of 1 or more");
    }
    CompletableFuture<List<Browsable.Found>> answer = new CompletableFuture<>();
    if (!kit.loop().open()) {
      return failed("The gateway is stopping");
    }
    kit.loop().execute(() -> new Look(device, from, Math.min(limit, MOST_FOUND), answer).receive());
    return answer;
  }

  private static CompletionStage<List<Browsable.Found>> failed(String message) {
    return CompletableFuture.failedFuture(new IOException(message));
  }

  /** Ends scans that use a driver which goes, or all. On the loop. */
  void drop(Served served, String why) {
    for (Look look : List.copyOf(looks)) {
      if (served == null || look.served == served) {
        look.finish(null, why);
      }
    }
  }

  void close() {
    closed = true;
    drop(null, "The gateway is stopping");
  }

  /** One scan on its way. */
  private final class Look implements Lane.Turn {
    private final Device device;
    private final String from;
    private final int limit;
    private final CompletableFuture<List<Browsable.Found>> answer;
    private Served served;
    private Link link;
    private Lane lane;
    private Loop.Timer patience;
    private boolean ended;

    Look(Device device, String from, int limit, CompletableFuture<List<Browsable.Found>> answer) {
      this.device = device;
      this.from = from;
      this.limit = limit;
      this.answer = answer;
    }

    void receive() {
      String scheme = device.endpoint().getScheme().toLowerCase(Locale.ROOT);
      served = drivers.apply(scheme);
      if (closed) {
        finish(null, "The gateway is stopping");
      } else if (served == null) {
        finish(null, "No driver serves " + scheme + "; put its jar into plugins/");
      } else if (served.conduct().quarantine() != null) {
        finish(null, Warden.words(served.conduct()));
      } else if (looks.size() >= MOST) {
        finish(null, MOST + " scans are under way already; try again when one has ended");
      } else {
        looks.add(this);
        patience = kit.loop().after(PATIENCE.multipliedBy(2), () -> finish(null, "no turn"));
        Vitals unread = new Vitals(Duration.ZERO, kit.loop().nanos());
        link = new Link(kit.loop(), served, device, PATIENCE, List.of(), unread);
        link.check(List.of(), this::checked);
      }
    }

    private void checked(Outcome<Link.Verdict> outcome) {
      if (ended) {
        return;
      }
      if (!outcome.ok()) {
        finish(null, outcome.failure().message());
      } else if (!outcome.value().problems().isEmpty()) {
        finish(null, device.endpoint() + ": " + outcome.value().problems());
      } else {
        lane = lanes.use(outcome.value().lane());
        lane.poll(this);
      }
    }

    @Override
    public Object owner() {
      return this;
    }

    @Override
    public void begin() {
      link.open(
          null,
          words -> finish(null, words),
          failure -> {
            if (failure != null) {
              finish(null, failure.message());
            } else if (!ended) {
              link.browse(
                  from,
                  limit,
                  PATIENCE,
                  found -> finish(found.value(), found.ok() ? null : found.failure().message()));
            }
          });
    }

    private void finish(List<Browsable.Found> found, String problem) {
      if (ended) {
        return;
      }
      ended = true;
      looks.remove(this);
      if (patience != null) {
        patience.cancel();
      }
      if (link != null) {
        link.dispose("the scan has ended");
      }
      if (lane != null) {
        lane.withdraw(this);
        lanes.leave(lane);
      }
      kit.notices()
          .execute(
              () -> {
                if (problem == null) {
                  answer.complete(found);
                } else {
                  answer.completeExceptionally(
                      new IOException("Scan of " + device.endpoint() + ": " + problem));
                }
              });
    }
  }
}
