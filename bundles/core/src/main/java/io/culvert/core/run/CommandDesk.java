package io.culvert.core.run;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.service.Commands;
import io.culvert.core.model.PointModel;
import io.culvert.core.normalise.Normaliser;
import io.culvert.core.run.Outcome.Failure;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The one door to writing. Each command is recorded before the driver hears of it and once more
 * with its outcome, and is answered whatever happens.
 */
final class CommandDesk implements Commands {
  /** Commands that may wait at once, for all devices and for one. */
  private static final int MOST = 1000;

  private static final int MOST_A_DEVICE = 16;

  /** How long a command may wait for its record and its turn. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Kit kit;
  private final Supplier<String> gateway;
  private final Function<String, Runner> runners;
  private final Set<Order> orders = new LinkedHashSet<>();
  private boolean closed;

  /**
   * @param gateway its id
   * @param runners by id of the device, {@code null} for none
   */
  CommandDesk(Kit kit, Supplier<String> gateway, Function<String, Runner> runners) {
    this.kit = kit;
    this.gateway = gateway;
    this.runners = runners;
  }

  @Override
  public CompletionStage<Result> submit(Command command) {
    Objects.requireNonNull(command, "command");
    CompletableFuture<Result> answer = new CompletableFuture<>();
    if (!kit.loop().open()) {
      answer.complete(stopping(command));
      return answer;
    }
    kit.loop().execute(() -> new Order(command, answer).receive());
    return answer;
  }

  private static Result stopping(Command command) {
    return new Result(
        command.id(), false, Quality.BAD_OUT_OF_SERVICE, null, "The gateway is stopping");
  }

  /** Answers everything that is under way. On the loop. */
  void close() {
    closed = true;
    // Those that wait first: ending one that has its turn would begin the next.
    for (Order order : List.copyOf(orders)) {
      if (!order.begun) {
        order.stop();
      }
    }
    for (Order order : List.copyOf(orders)) {
      order.stop();
    }
  }

  /** One command on its way. */
  private final class Order implements Lane.Turn {
    private final Command command;
    private final CompletableFuture<Result> answer;
    private Runner runner;
    private Poller poller;
    private Link link;
    private Lane lane;
    private Point point;
    private Value raw;
    private Loop.Timer patience;
    private boolean begun;
    private boolean writing;
    private boolean ended;

    Order(Command command, CompletableFuture<Result> answer) {
      this.command = command;
      this.answer = answer;
    }

    void receive() {
      if (closed) {
        answer(stopping(command));
        return;
      }
      Refusal refusal = check();
      if (refusal != null) {
        finish("refused", false, refusal.quality(), null, refusal.message());
        return;
      }
      orders.add(this);
      patience = kit.loop().after(PATIENCE, this::giveUp);
      record(
          "asked",
          Quality.GOOD,
          "",
          problem -> {
            if (ended) {
              return;
            }
            if (problem != null) {
              finish(
                  "refused",
                  false,
                  Quality.BAD_OUT_OF_SERVICE,
                  null,
                  "Nothing was written, because the command can't be recorded: " + problem);
              return;
            }
            queue();
          });
    }

    private record Refusal(Quality quality, String message) {}

    private Refusal check() {
      runner = command.device() == null ? null : runners.apply(command.device());
      if (runner == null && gateway.get().equals(command.device())) {
        return new Refusal(
            Quality.BAD_NOT_WRITABLE,
            command.device() + " is the gateway itself, of which nothing can be written");
      }
      if (runner == null) {
        return new Refusal(
            Quality.BAD_NOT_FOUND,
            "There is no device " + command.device() + "; expected the id of a device of the site");
      }
      if (command.point() == null || command.value() == null) {
        return new Refusal(Quality.BAD_TYPE_MISMATCH, "A command needs a point and a value");
      }
      if (runner.intake() == null) {
        return unfit();
      }
      Normaliser.Write write = runner.intake().write(command.point(), command.value());
      if (write.raw() == null) {
        return new Refusal(write.quality(), write.message());
      }
      raw = write.raw();
      if (runner.poller() == null) {
        return unfit();
      }
      if (runner.link().blocked()) {
        return new Refusal(
            Quality.BAD_BUSY,
            command.device() + " is stuck: an earlier call into its driver hasn't returned");
      }
      long waiting = orders.stream().filter(o -> o.runner == runner).count();
      if (orders.size() >= MOST || waiting >= MOST_A_DEVICE) {
        return new Refusal(
            Quality.BAD_BUSY, waiting + " commands wait for " + command.device() + " already");
      }
      for (PointModel model : runner.entry().profile().points()) {
        if (model.point().id().equals(command.point())) {
          point = model.point();
        }
      }
      return null;
    }

    private Refusal unfit() {
      return new Refusal(
          Quality.BAD_NOT_CONNECTED,
          command.device() + " can't be commanded now: " + runner.status().message());
    }

    private void queue() {
      poller = runner.poller();
      link = runner.link();
      lane = runner.lane();
      if (poller == null) {
        Refusal refusal = unfit();
        finish("refused", false, refusal.quality(), null, refusal.message());
        return;
      }
      lane.command(this);
    }

    @Override
    public Object owner() {
      return runner;
    }

    @Override
    public boolean silent() {
      return poller.silent();
    }

    @Override
    public void begin() {
      begun = true;
      patience.cancel();
      poller.ensureOpen(
          failure -> {
            if (failure != null) {
              finish("refused", false, Quality.BAD_NOT_CONNECTED, null, failure.message());
              return;
            }
            writing = true;
            link.write(point, raw, this::written);
          });
    }

    private void written(Outcome<Quality> outcome) {
      if (!outcome.ok()) {
        unknown(outcome.failure());
      } else if (!outcome.value().good() && !outcome.value().bad()) {
        finish(
            "unknown",
            false,
            outcome.value(),
            null,
            "It was sent, but the device tells nothing of what became of it");
      } else if (!outcome.value().good()) {
        finish(
            "refused",
            false,
            outcome.value(),
            null,
            outcome.value().equals(Quality.BAD_NOT_SUPPORTED)
                ? "The driver or the device can't write it"
                : "The device refuses it: " + outcome.value());
      } else if (!point.access().readable() || !link.canReadBack()) {
        finish("done", true, outcome.value(), null, "");
      } else {
        link.readBack(point, back -> compare(outcome.value(), back));
      }
    }

    /** A write without an answer: nobody knows. */
    private void unknown(Failure failure) {
      finish(
          "unknown",
          false,
          failure.timeout() ? Quality.BAD_TIMEOUT : Quality.BAD_COMMUNICATION,
          null,
          failure.message() + "; it may or may not have been carried out: read the point");
    }

    private void compare(Quality verdict, Outcome<Sample> back) {
      if (!back.ok()) {
        finish(
            "unknown",
            false,
            back.failure().timeout() ? Quality.BAD_TIMEOUT : Quality.BAD_COMMUNICATION,
            null,
            "The device took it, but couldn't be read afterwards: " + back.failure().message());
        return;
      }
      Sample sample = back.value();
      Value value = runner.intake().value(sample.point(), sample.value());
      if (sample.quality().bad()) {
        finish(
            "unknown",
            false,
            sample.quality(),
            null,
            "The device took it, but doesn't show it afterwards: " + sample.quality());
      } else if (!same(raw, sample.value())) {
        finish(
            "unknown",
            false,
            Quality.UNCERTAIN,
            value,
            "The device took " + command.value() + ", but shows " + value + " afterwards");
      } else {
        finish("done", true, verdict, value, "");
      }
    }

    /** Equal as the device holds them; 0.0 and -0.0 are. */
    private static boolean same(Value written, Value shown) {
      if (written instanceof Value.Array a && shown instanceof Value.Array b) {
        boolean same = a.values().size() == b.values().size();
        for (int i = 0; same && i < a.values().size(); i++) {
          same = same(a.values().get(i), b.values().get(i));
        }
        return same;
      }
      return written.equals(shown)
          || (written instanceof Value.Decimal && written.number() == shown.number());
    }

    private void giveUp() {
      if (!ended) {
        finish(
            "refused",
            false,
            Quality.BAD_BUSY,
            null,
            "Nothing was written: no turn within " + Words.of(PATIENCE) + "; try again");
      }
    }

    void stop() {
      Result result = stopping(command);
      finish(writing ? "unknown" : "refused", false, result.quality(), null, result.message());
    }

    private void finish(
        String phase, boolean done, Quality quality, Value readBack, String message) {
      if (ended) {
        return;
      }
      ended = true;
      orders.remove(this);
      if (patience != null) {
        patience.cancel();
      }
      if (lane != null) {
        lane.withdraw(this);
      }
      record(phase, quality, message, problem -> {});
      answer(new Result(command.id(), done, quality, readBack, message));
    }

    private void answer(Result result) {
      kit.notices().execute(() -> answer.complete(result));
    }

    /** Writes the audit record; where there is no such device, the gateway's own. */
    private void record(String phase, Quality quality, String message, Consumer<String> end) {
      String device = runner == null ? gateway.get() : runner.id();
      if (device.isEmpty()) {
        end.accept("there is no site");
        return;
      }
      Map<String, Value> fields = new LinkedHashMap<>();
      fields.put("id", text(command.id()));
      fields.put("target", text(command.device() + "/" + command.point()));
      Value value = command.value();
      fields.put("value", value == null || value instanceof Value.Struct ? text(value) : value);
      fields.put("origin", text(command.origin()));
      fields.put("phase", text(phase));
      fields.put("quality", text(quality));
      fields.put("message", text(message));
      Instant now = kit.loop().now();
      ClockState clock = kit.clock().state();
      Reading audit =
          new Reading(
              device,
              "command",
              StreamClass.EVENT,
              new Value.Struct(fields),
              "",
              Quality.GOOD,
              now,
              now,
              clock,
              Grade.GENERAL);
      kit.outlet().accept(List.of(audit), end);
    }

    private static Value text(Object o) {
      String text = String.valueOf(o);
      return Value.of(text.length() > 500 ? text.substring(0, 500) + "…" : text);
    }
  }
}
