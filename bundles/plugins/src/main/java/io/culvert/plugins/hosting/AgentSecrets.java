package io.culvert.plugins.hosting;

import io.culvert.api.service.Secrets;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Secrets in the plug-in's process: the gateway's, asked for one by one and kept nowhere. */
final class AgentSecrets implements Secrets {
  private static final Logger LOG = LoggerFactory.getLogger(AgentSecrets.class);
  private static final long PATIENCE_SECONDS = 5;
  private final Peer peer;

  AgentSecrets(Peer peer) {
    this.peer = peer;
  }

  /** Blocks for five seconds at most, after which it is as if there were none. */
  @Override
  public Optional<String> get(String name) {
    CompletableFuture<Optional<String>> answer = new CompletableFuture<>();
    peer.call(
            Op.SECRET,
            out -> out.text(name),
            in -> {
              // Here, on the reading thread: what hangs on answers runs one after the other, and
              // may be what waits for this.
              answer.complete(in.array() == 0 ? Optional.empty() : Optional.of(in.text()));
              return null;
            })
        .exceptionally(
            failure -> {
              answer.completeExceptionally(failure);
              return null;
            });
    try {
      return answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      LOG.error("The gateway doesn't give the secret {}: {}", name, Words.of(e));
    } catch (TimeoutException e) {
      LOG.error("The gateway hasn't given the secret {} for {} s", name, PATIENCE_SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return Optional.empty();
  }
}
