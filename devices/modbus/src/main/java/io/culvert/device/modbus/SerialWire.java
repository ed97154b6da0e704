package io.culvert.device.modbus;

import io.culvert.api.southbound.SerialLine;
import io.culvert.api.southbound.SerialLines;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;

/**
 * A serial line, shared with whoever else joins it. It is the line's business to keep the pause
 * before a sending.
 */
final class SerialWire implements Wire, SerialLines.Listener {
  /**
   * What the operating system and an adapter may add to a pause between two bytes: a turn of the
   * scheduler, a USB adapter's latency timer of 16 ms. Costs time only after damage.
   */
  private static final Duration SLACK = Duration.ofMillis(50);

  /** Pieces that come while a sending is on its way; no frame has more bytes. */
  private static final int MAX_HELD = 600;

  private final EventLoop loop;
  private final Listener listener;
  private final SerialLine line;
  private final SerialLines.Settings settings;
  private final Deque<Piece> held = new ArrayDeque<>();

  /** The one on its way; {@code null} if none. */
  private Sending sending;

  private volatile boolean open;

  private record Piece(byte[] bytes, long nanos) {}

  SerialWire(SerialLines lines, Endpoint.Serial endpoint, EventLoop loop, Listener listener) {
    this.loop = loop;
    this.listener = listener;
    this.settings = endpoint.settings();
    this.line = lines.join(endpoint.device(), settings, this);
  }

  @Override
  public CompletableFuture<Void> open() {
    CompletableFuture<Void> opened = new CompletableFuture<>();
    line.open()
        .whenComplete(
            (nothing, failure) ->
                onLoop(
                    () -> {
                      if (failure != null) {
                        opened.completeExceptionally(failure);
                        return;
                      }
                      if (!open) {
                        open = true;
                        listener.opened();
                      }
                      opened.complete(null);
                    }));
    return opened;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public void send(byte[] frame, Sending heard) {
    sending = heard;
    line.send(frame).whenComplete((began, failure) -> onLoop(() -> left(heard, began, failure)));
  }

  private void left(Sending heard, Long began, Throwable failure) {
    boolean last = sending == heard;
    if (last) {
      sending = null;
    }
    if (failure != null) {
      release(0, false);
      heard.failed(failure instanceof IOException io ? io : new IOException(failure.getMessage()));
      return;
    }
    if (last) {
      release(began, true);
    }
    heard.sent(began);
    if (last) {
      release(0, false);
    }
  }

  /** Hands over what was held back: all, or what came before a time. */
  private void release(long before, boolean only) {
    while (!held.isEmpty() && !(only && held.peek().nanos - before >= 0)) {
      listener.received(ByteBuffer.wrap(held.poll().bytes));
    }
  }

  @Override
  public void received(byte[] bytes, long nanos) {
    onLoop(
        () -> {
          if (sending == null) {
            listener.received(ByteBuffer.wrap(bytes));
            return;
          }
          // Whether it came before or after the sending, its end will tell.
          held.add(new Piece(bytes, nanos));
          if (held.size() > MAX_HELD) {
            listener.received(ByteBuffer.wrap(held.poll().bytes));
          }
        });
  }

  @Override
  public void lost(IOException cause) {
    onLoop(
        () -> {
          if (open) {
            open = false;
            listener.lost(cause.getMessage());
          }
        });
  }

  private void onLoop(Runnable task) {
    try {
      loop.execute(task);
    } catch (RejectedExecutionException stopped) {
      // The driver has ended, and with it whoever would want to know.
    }
  }

  /** The line is others', too, and silence on it says nothing about it. */
  @Override
  public void drop(String why) {}

  @Override
  public void close() {
    line.close();
    lost(new IOException("it was closed"));
  }

  @Override
  public Duration time(int characters) {
    return settings.character().multipliedBy(characters);
  }

  @Override
  public Duration silence() {
    return settings.pause().plus(SLACK);
  }

  @Override
  public long collisions() {
    return line.collisions();
  }
}
