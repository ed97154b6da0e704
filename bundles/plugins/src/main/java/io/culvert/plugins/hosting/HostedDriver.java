package io.culvert.plugins.hosting;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Sink;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Stands in for a driver in a plug-in's process, from its first start until the plug-in goes: while
 * there is no process, its calls fail and say why.
 *
 * <p>{@link #validate} and {@link #lane} wait for the process, for a bounded time, and one at a
 * time is enough to find out that it doesn't answer.
 */
final class HostedDriver implements Driver {
  private final String plugin;
  private final List<String> schemes;
  private final Duration patience;
  private volatile Run run;
  private volatile long number;
  private volatile String trouble = "it hasn't started yet";
  private volatile boolean unsure;

  HostedDriver(String plugin, List<String> schemes, Duration patience) {
    this.plugin = plugin;
    this.schemes = schemes;
    this.patience = patience;
  }

  List<String> schemes() {
    return schemes;
  }

  /**
   * Leads to a process.
   *
   * @return whether something was answered in the meantime that the plug-in would have known better
   */
  boolean lead(Run run, long number) {
    boolean ask = unsure;
    unsure = false;
    this.number = number;
    this.run = run;
    return ask;
  }

  /** Leads nowhere. */
  void lead(String trouble) {
    this.trouble = trouble;
    run = null;
  }

  @Override
  public List<Problem> validate(Device device, List<Point> points) {
    try {
      return ask(
          Op.VALIDATE,
          out -> {
            Codec.device(out, device);
            Codec.list(out, points, Codec::point);
          },
          in -> Codec.list(in, Codec::problem));
    } catch (IOException e) {
      return List.of(
          new Problem(
              "endpoint",
              device.endpoint().toString(),
              "an answer of plug-in "
                  + plugin
                  + ", which checks it ("
                  + e.getMessage()
                  + "); it is asked again when its process has started"));
    }
  }

  @Override
  public String lane(Device device) {
    try {
      return ask(Op.LANE, out -> Codec.device(out, device), Cbor.Reader::text);
    } catch (IOException e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }

  @Override
  public List<String> warnings() {
    try {
      return ask(Op.WARNINGS, out -> {}, in -> Codec.list(in, Cbor.Reader::text));
    } catch (IOException e) {
      // Its devices are offline and say why.
      return List.of();
    }
  }

  private <T> T ask(Op op, Peer.Body body, Codec.Get<T> get) throws IOException {
    Run to = run;
    if (to == null || to.silent()) {
      unsure = true;
      throw new IOException(to == null ? trouble : "its process doesn't answer");
    }
    CompletableFuture<T> answer =
        to.peer()
            .call(
                op,
                out -> {
                  out.integer(number);
                  body.write(out);
                },
                get);
    try {
      return answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof HostedException thrown) {
        // As in the gateway's own process: what the driver threw is the core's to judge.
        throw thrown;
      }
      unsure = true;
      throw new IOException(Words.of(e), e);
    } catch (TimeoutException e) {
      unsure = true;
      answer.cancel(true);
      throw new IOException("its process doesn't answer within " + patience.toSeconds() + " s", e);
    } catch (InterruptedException e) {
      unsure = true;
      answer.cancel(true);
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  @Override
  public CompletionStage<Connection> open(Device device, Sink sink) {
    Run to = run;
    return to == null
        ? CompletableFuture.failedFuture(new IOException(trouble))
        : to.open(number, device, sink);
  }
}
