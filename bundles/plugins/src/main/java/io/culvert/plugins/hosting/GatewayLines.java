package io.culvert.plugins.hosting;

import io.culvert.api.southbound.SerialLine;
import io.culvert.api.southbound.SerialLines;
import io.culvert.plugins.hosting.Cbor.Malformed;
import java.io.IOException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** The serial lines that a plug-in's process has joined: the ports are the gateway's. */
final class GatewayLines implements AutoCloseable {
  private static final int MOST = 256;
  private static final int MOST_DEVICES = 64;
  private static final int LONGEST_DEVICE = 255;

  private final Supplier<SerialLines> service;
  private final Peer peer;
  private final Map<Long, Joined> lines = new ConcurrentHashMap<>();

  /** Device files that were ever joined: the gateway keeps a line for each. */
  private final Set<String> devices = new HashSet<>();

  /**
   * @param service may supply {@code null}
   */
  GatewayLines(Supplier<SerialLines> service, Peer peer) {
    this.service = service;
    this.peer = peer;
  }

  void join(Cbor.Reader in) throws Malformed {
    long number = in.integer();
    String device = in.text();
    SerialLines.Settings settings = Codec.settings(in);
    if (lines.size() >= MOST) {
      throw new Malformed("more than " + MOST + " serial lines");
    }
    devices.add(device);
    if (devices.size() > MOST_DEVICES || device.length() > LONGEST_DEVICE) {
      throw new Malformed("more serial lines than a machine has");
    }
    Joined joined = new Joined(number);
    if (lines.putIfAbsent(number, joined) != null) {
      throw new Malformed("two serial lines of one number");
    }
    SerialLines all = service.get();
    if (all == null) {
      joined.trouble = "this gateway has no serial lines";
      return;
    }
    try {
      joined.line = all.join(device, settings, joined);
    } catch (RuntimeException e) {
      joined.trouble = Words.of(e);
    }
  }

  void leave(Cbor.Reader in) throws Malformed {
    Joined joined = lines.remove(in.integer());
    if (joined != null) {
      joined.close();
    }
  }

  void open(Cbor.Reader in, Peer.Reply reply) throws Malformed {
    Joined joined = lines.get(in.integer());
    if (there(joined, reply)) {
      reply.with(joined.line.open(), (out, nothing) -> {});
    }
  }

  void send(Cbor.Reader in, Peer.Reply reply) throws Malformed {
    Joined joined = lines.get(in.integer());
    byte[] bytes = in.bytes();
    if (there(joined, reply)) {
      reply.with(joined.line.send(bytes), Cbor.Writer::integer);
    }
  }

  private static boolean there(Joined joined, Peer.Reply reply) {
    if (joined == null || joined.line == null) {
      reply.fail(new IOException(joined == null ? "the line was left" : joined.trouble));
      return false;
    }
    return true;
  }

  @Override
  public void close() {
    lines.values().forEach(Joined::close);
    lines.clear();
  }

  private final class Joined implements SerialLines.Listener {
    private final long number;
    private volatile SerialLine line;
    private String trouble = "";

    Joined(long number) {
      this.number = number;
    }

    @Override
    public void received(byte[] bytes, long nanos) {
      SerialLine joined = line;
      long collisions = joined == null ? 0 : joined.collisions();
      peer.tell(
          Op.RECEIVED, out -> out.integer(number).integer(collisions).integer(nanos).bytes(bytes));
    }

    @Override
    public void lost(IOException cause) {
      peer.tell(Op.LINE_LOST, out -> out.integer(number).text(Words.of(cause)));
    }

    void close() {
      if (line != null) {
        line.close();
      }
    }
  }
}
