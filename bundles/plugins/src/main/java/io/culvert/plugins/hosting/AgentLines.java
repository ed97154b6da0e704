package io.culvert.plugins.hosting;

import io.culvert.api.southbound.SerialLine;
import io.culvert.api.southbound.SerialLines;
import io.culvert.plugins.hosting.Cbor.Malformed;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Serial lines in the plug-in's process: the gateway opens the ports, so that a line is shared with
 * other plug-ins as ever. Times need no translation: {@link System#nanoTime} is the machine's
 * monotonic clock, the same in every process.
 */
final class AgentLines implements SerialLines {
  private final Peer peer;
  private final Executor events;
  private final AtomicLong numbers = new AtomicLong();
  private final Map<Long, Joined> lines = new ConcurrentHashMap<>();

  /**
   * @param events one thread, on which listeners hear
   */
  AgentLines(Peer peer, Executor events) {
    this.peer = peer;
    this.events = events;
  }

  @Override
  public SerialLine join(String device, Settings settings, Listener listener) {
    Joined line = new Joined(numbers.incrementAndGet(), listener);
    lines.put(line.number, line);
    peer.tell(
        Op.JOIN,
        out -> {
          out.integer(line.number).text(device);
          Codec.settings(out, settings);
        });
    return line;
  }

  void received(Cbor.Reader in) throws Malformed {
    Joined line = lines.get(in.integer());
    long collisions = in.integer();
    long nanos = in.integer();
    byte[] bytes = in.bytes();
    if (line != null) {
      line.collisions = collisions;
      events.execute(() -> line.listener.received(bytes, nanos));
    }
  }

  void lost(Cbor.Reader in) throws Malformed {
    Joined line = lines.get(in.integer());
    String words = in.text();
    if (line != null) {
      events.execute(() -> line.listener.lost(new IOException(words)));
    }
  }

  private final class Joined implements SerialLine {
    private final long number;
    private final Listener listener;
    private volatile long collisions;

    Joined(long number, Listener listener) {
      this.number = number;
      this.listener = listener;
    }

    @Override
    public CompletionStage<Void> open() {
      return peer.call(Op.LINE_OPEN, out -> out.integer(number), in -> null);
    }

    @Override
    public CompletionStage<Long> send(byte[] bytes) {
      return peer.call(Op.SEND, out -> out.integer(number).bytes(bytes), Cbor.Reader::integer);
    }

    @Override
    public long collisions() {
      return collisions;
    }

    @Override
    public void close() {
      if (lines.remove(number) != null) {
        peer.tell(Op.LEAVE, out -> out.integer(number));
      }
    }
  }
}
