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
 * Reads a set of points in few requests, and adds to the {@link Findings} of the device.
 *
 * <p>What goes wrong with one block stays with its points: refused, they bear the exception's
 * quality; unanswered, {@link Quality#BAD_TIMEOUT}; answered with something else, {@link
 * Quality#BAD_COMMUNICATION}; the link lost on the way, {@link Quality#BAD_NOT_CONNECTED}. The
 * stage fails if nothing at all was answered, by the device itself: an exception 0A or 0B comes
 * from a gateway and tells that the device was silent.
 *
 * <p>A block refused for its range (02, 03) is split in two, and those again, until the culprit is
 * alone, so that it costs nobody else's value; the blocks of the next cycle go around it. A device
 * that refuses much can take long to be taken apart so: after a response time-out, what is refused
 * bears the exception's quality until the next cycle goes on with it.
 *
 * <p>A block that stayed unanswered comes last in the next cycle, and after two of them a cycle
 * asks no more, so that silence costs at most two {@linkplain Settings#responseTimeout response
 * time-outs} of the core's deadline, and not the others' values. A device that was wholly silent
 * when it was read last is asked for one block first, and for the others when it has answered.
 */
final class ReadPlan implements Readable.Plan {
  /** How many silent blocks a cycle waits for. */
  private static final int PATIENCE = 2;

  private final ModbusConnection connection;
  private final Link link;
  private final int unit;
  private final Settings settings;
  private final Findings findings;
  private final List<Block.Item> items;

  /** In the order of asking. Belongs to the link's loop, as the next. */
  private List<Block> blocks;

  /** Of the findings that the blocks were planned by. */
  private int version;

  /**
   * @param items in the order of their indices, from 0
   */
  ReadPlan(
      ModbusConnection connection,
      Link link,
      int unit,
      Settings settings,
      Findings findings,
      List<Block.Item> items) {
    this.connection = connection;
    this.link = link;
    this.unit = unit;
    this.settings = settings;
    this.findings = findings;
    this.items = items;
    plan();
  }

  private void plan() {
    version = findings.version();
    blocks = Block.plan(items, settings, findings);
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
    private final Sample[] samples = new Sample[items.size()];
    private final Deque<Block> open = new ArrayDeque<>();
    private final List<CompletableFuture<byte[]>> running = new ArrayList<>(1);

    /** Blocks of the plan that were asked for and not answered yet, or not at all. */
    private final List<Block> late = new ArrayList<>(1);

    /** The device was silent: it is asked for one block until it is heard. */
    private final boolean doubted = findings.silent();

    private final long began = findings.now();
    private boolean single;
    private int silent;
    private boolean heard;
    private Exception failure;
    private boolean ended;

    Cycle(CompletableFuture<List<Sample>> result) {
      this.result = result;
    }

    void start() {
      connection.onEnd(result, this::end);
      if (version != findings.version()) {
        plan();
      }
      for (Block block : blocks) {
        Refusal known = findings.refusal(block);
        if (known == null) {
          open.add(block);
        } else {
          block.fail(known.quality(), samples);
        }
      }
      if (open.isEmpty() && !blocks.isEmpty()) {
        // Nothing but what is refused: whether the device is there must be asked all the same.
        open.add(blocks.get(0));
      }
      single = open.size() == 1;
      next();
    }

    private void next() {
      boolean alone = doubted && !heard;
      int window = alone ? 1 : Math.min(settings.inFlight(), link.capacity());
      int patience = alone ? 1 : PATIENCE;
      while (!ended && running.size() < window && silent < patience && !open.isEmpty()) {
        ask(open.poll());
      }
      if (!ended && running.isEmpty()) {
        finish(Quality.BAD_TIMEOUT);
      }
    }

    private void ask(Block block) {
      Duration timeout = single ? connection.patience() : settings.responseTimeout();
      CompletableFuture<byte[]> exchange = link.exchange(unit, block.request(), timeout, true);
      running.add(exchange);
      late.add(block);
      exchange.whenComplete(
          (answer, thrown) -> {
            if (ended) {
              return;
            }
            running.remove(exchange);
            if (thrown == null) {
              heard = true;
              late.remove(block);
              findings.answered(block);
              block.decode(answer, samples);
            } else {
              miss(block, thrown);
            }
            next();
          });
    }

    private void miss(Block block, Throwable thrown) {
      if (thrown instanceof RefusedException refused) {
        if (refused.refusal().unitUnreachable()) {
          Refusal refusal = refused.refusal();
          remain(block, refusal.quality(), new IOException(connection + ": " + refusal));
        } else {
          refuse(block, refused.refusal());
        }
      } else if (thrown instanceof GarbledException) {
        heard = true;
        late.remove(block);
        block.fail(Quality.BAD_COMMUNICATION, samples);
      } else if (thrown instanceof TimeoutException timeout) {
        remain(block, Quality.BAD_TIMEOUT, timeout);
      } else {
        failure = failure == null ? ModbusConnection.outward(thrown) : failure;
        finish(Quality.BAD_NOT_CONNECTED);
      }
    }

    private void refuse(Block block, Refusal refusal) {
      heard = true;
      late.remove(block);
      int cut = refusal.concernsRange() ? block.cut() : 0;
      if (cut == 0) {
        findings.refused(block, refusal);
        block.fail(refusal.quality(), samples);
        return;
      }
      single = false;
      List<Block> parts = block.split(cut);
      findings.split(block, parts.get(1).start());
      if (findings.now() - began > settings.responseTimeout().toNanos()) {
        block.fail(refusal.quality(), samples);
        return;
      }
      open.addFirst(parts.get(1));
      open.addFirst(parts.get(0));
    }

    private void remain(Block block, Quality quality, Exception why) {
      block.fail(quality, samples);
      silent++;
      failure = failure == null ? why : failure;
    }

    /** Gives what there is; what was not answered bears the quality given. */
    private void finish(Quality rest) {
      for (int i = 0; i < samples.length; i++) {
        if (samples[i] == null) {
          samples[i] = Sample.bad(items.get(i).point().id(), rest);
        }
      }
      end();
      findings.silent(!heard);
      if (heard || failure == null) {
        result.complete(List.of(samples));
      } else {
        result.completeExceptionally(failure);
      }
    }

    /** Lets go of what is under way, and puts what was silent last; also if it was cancelled. */
    private void end() {
      if (ended) {
        return;
      }
      ended = true;
      List.copyOf(running).forEach(exchange -> exchange.cancel(false));
      if (!late.isEmpty() && !heard) {
        findings.silent(true);
      }
      if (!late.isEmpty() && blocks.size() > 1) {
        List<Block> order = new ArrayList<>(blocks);
        late.retainAll(order);
        order.removeAll(late);
        order.addAll(late);
        blocks = order;
      }
    }
  }
}
