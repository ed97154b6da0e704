package io.culvert.device.modbus;

import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.southbound.Readable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;

/**
 * Reads a set of points in few requests, one after the other, and remembers what it learns of the
 * device.
 *
 * <p>What goes wrong with one block stays with its points: refused, they bear the exception's
 * quality; unanswered, {@link Quality#BAD_TIMEOUT}; answered with something else, {@link
 * Quality#BAD_COMMUNICATION}; the link lost on the way, {@link Quality#BAD_NOT_CONNECTED}. The
 * stage fails if nothing at all was answered, by the device itself: an exception 0A or 0B comes
 * from a gateway and tells that the device was silent.
 *
 * <p>Two findings are kept from cycle to cycle. A block refused for its range (02, 03) is read
 * value by value at once; those that were answered are merged again, without gaps, from the next
 * cycle on. A block that stayed unanswered comes last in the next cycle, and after two of them a
 * cycle asks no more, so that silence costs at most two {@linkplain Settings#responseTimeout
 * response time-outs} of the core's deadline, and not the others' values.
 */
final class ReadPlan implements Readable.Plan {
  /** How many silent blocks a cycle waits for. */
  private static final int PATIENCE = 2;

  private final Link link;
  private final int unit;
  private final Settings settings;
  private final ModbusConnection connection;

  /** In the order of asking. Belongs to the link's loop. */
  private List<Block> blocks;

  ReadPlan(
      ModbusConnection connection, Link link, int unit, Settings settings, List<Block.Item> items) {
    this.connection = connection;
    this.link = link;
    this.unit = unit;
    this.settings = settings;
    this.blocks = Block.plan(items, settings.maxGap(), settings.maxBlock(), Block.History.PLANNED);
  }

  @Override
  public CompletionStage<List<Sample>> read() {
    CompletableFuture<List<Sample>> result = new CompletableFuture<>();
    connection.begin(result, () -> new Cycle(result).start());
    return result;
  }

  /** One reading of all blocks. On the link's loop throughout. */
  private final class Cycle {
    private final CompletableFuture<List<Sample>> result;
    private final Deque<Block> open = new ArrayDeque<>(blocks);
    private final List<Block> answered = new ArrayList<>();
    private final List<Block> silent = new ArrayList<>();
    private final List<Block.Item> willing = new ArrayList<>();
    private final List<Sample> samples = new ArrayList<>();
    private boolean single = blocks.size() == 1;
    private CompletableFuture<?> request = CompletableFuture.completedFuture(null);
    private Exception failure;
    private boolean ended;

    Cycle(CompletableFuture<List<Sample>> result) {
      this.result = result;
    }

    void start() {
      connection.onEnd(
          result,
          () -> {
            request.cancel(false);
            end();
          });
      next();
    }

    private void next() {
      if (result.isDone()) {
        return;
      }
      Block block = open.poll();
      if (block == null || silent.size() == PATIENCE) {
        if (block != null) {
          open.addFirst(block);
        }
        finish(Quality.BAD_TIMEOUT);
        return;
      }
      Duration timeout = single ? ModbusConnection.BACKSTOP : settings.responseTimeout();
      CompletableFuture<byte[]> exchange = link.exchange(unit, block.request(), timeout, true);
      request = exchange;
      exchange.whenComplete(
          (answer, thrown) -> {
            if (result.isDone()) {
              open.addFirst(block);
            } else if (thrown == null) {
              take(block, answer);
              next();
            } else if (miss(block, thrown)) {
              next();
            }
          });
    }

    private void take(Block block, byte[] answer) {
      samples.addAll(block.samples(block.table().data(answer)));
      if (block.history() == Block.History.TRIED) {
        willing.addAll(block.items());
      } else {
        answered.add(block);
      }
    }

    /** Returns whether to go on with the next block. */
    private boolean miss(Block block, Throwable thrown) {
      if (thrown instanceof RefusedException refused) {
        Refusal refusal = refused.refusal();
        if (refusal.unitUnreachable()) {
          remain(block, refusal.quality(), new IOException(connection + ": " + refusal));
        } else if (refusal.concernsRange() && block.divisible()) {
          single = false;
          List<Block> parts = block.divide();
          for (int i = parts.size() - 1; i >= 0; i--) {
            open.addFirst(parts.get(i));
          }
        } else {
          samples.addAll(block.samples(refusal.quality()));
          answered.add(block);
        }
      } else if (thrown instanceof GarbledException) {
        samples.addAll(block.samples(Quality.BAD_COMMUNICATION));
        answered.add(block);
      } else if (thrown instanceof TimeoutException timeout) {
        remain(block, Quality.BAD_TIMEOUT, timeout);
      } else {
        failure = failure == null ? ModbusConnection.outward(thrown) : failure;
        open.addFirst(block);
        finish(Quality.BAD_NOT_CONNECTED);
        return false;
      }
      return true;
    }

    private void remain(Block block, Quality quality, Exception why) {
      samples.addAll(block.samples(quality));
      silent.add(block);
      failure = failure == null ? why : failure;
    }

    /** Gives what there is; what was not asked bears the quality given. */
    private void finish(Quality rest) {
      open.forEach(block -> samples.addAll(block.samples(rest)));
      boolean heard = !answered.isEmpty() || !willing.isEmpty();
      end();
      if (heard || failure == null) {
        result.complete(samples);
      } else {
        result.completeExceptionally(failure);
      }
    }

    /** Keeps what was learned; also of a cycle that was cancelled. */
    private void end() {
      if (ended) {
        return;
      }
      ended = true;
      List<Block> learned = new ArrayList<>(answered);
      learned.addAll(Block.plan(willing, 0, settings.maxBlock(), Block.History.REGROUPED));
      learned.addAll(open);
      learned.addAll(silent);
      blocks = learned;
    }
  }
}
