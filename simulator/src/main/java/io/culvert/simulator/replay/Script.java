package io.culvert.simulator.replay;

import io.culvert.simulator.replay.Recording.Event;
import io.culvert.simulator.replay.Recording.Kind;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What a recorded device does: for each request that it was asked, its answers in order of time,
 * and what it sent by itself.
 *
 * <p>Where answers bear the number of their request ({@link Matcher#numbered}), they are joined by
 * that, and what bears no request's number was sent by itself. Otherwise whatever came between one
 * request and the next belongs to the first, and only what came before any was sent by itself.
 */
final class Script {
  private final Matcher matcher;
  private final Map<ByteBuffer, Asked> asked = new LinkedHashMap<>();
  private final List<List<Part>> sent = new ArrayList<>();

  /** Requests whose check sum was wrong, or bytes that were none. */
  private long damaged;

  /**
   * Something that the device did.
   *
   * @param nanos after the request, or after the connection was opened
   * @param bytes it sent
   * @param end {@code null}, or how it ended the connection
   */
  record Part(long nanos, byte[] bytes, Kind end) {}

  /** One request and what came of it. */
  static final class Exchange {
    final byte[] request;
    final List<Part> parts = new ArrayList<>();
    private final long nanos;

    /** Whether the recording went on after it, so that an answer would be in it. */
    private boolean settled;

    Exchange(byte[] request, long nanos) {
      this.request = request;
      this.nanos = nanos;
    }
  }

  /** A request, however often it was asked. */
  static final class Asked {
    private final List<Exchange> exchanges = new ArrayList<>();
    private int next;

    /** The request as it was recorded first. */
    byte[] request() {
      return exchanges.get(0).request;
    }

    int recorded() {
      return exchanges.size();
    }

    /** How often it has been played. */
    int played() {
      return next;
    }

    /**
     * What is to come of it this time: as recorded, and beyond that as the last that was answered.
     */
    Exchange play() {
      int turn = next++;
      if (turn < exchanges.size()) {
        return exchanges.get(turn);
      }
      for (int i = exchanges.size() - 1; i > 0; i--) {
        if (!exchanges.get(i).parts.isEmpty()) {
          return exchanges.get(i);
        }
      }
      return exchanges.get(0);
    }
  }

  Script(Recording recording) throws RecordingException {
    matcher = new Matcher(recording.matcher());
    Map<Integer, Side> connections = new HashMap<>();
    for (Event event : recording.events()) {
      if (event.kind() == Kind.ENDED) {
        continue;
      }
      connections
          .computeIfAbsent(event.connection(), number -> new Side(event.nanos()))
          .take(event);
    }
    connections.values().forEach(Side::end);
    asked.values().forEach(Script::leaveOutTheLast);
  }

  /** What was under way when the recording ended wasn't unanswered. */
  private static void leaveOutTheLast(Asked asked) {
    int last = asked.exchanges.size() - 1;
    Exchange exchange = asked.exchanges.get(last);
    if (last > 0 && exchange.parts.isEmpty() && !exchange.settled) {
      asked.exchanges.remove(last);
    }
  }

  Matcher matcher() {
    return matcher;
  }

  long damaged() {
    return damaged;
  }

  /**
   * @return {@code null} if that was never asked
   */
  Asked find(byte[] request) {
    return asked.get(matcher.compared(request));
  }

  Collection<Asked> all() {
    return asked.values();
  }

  /** Whether a longer request begins with these bytes. */
  boolean beginsLonger(byte[] bytes) {
    for (Asked one : asked.values()) {
      byte[] request = one.request();
      if (request.length > bytes.length
          && ByteBuffer.wrap(request, 0, bytes.length).equals(ByteBuffer.wrap(bytes))) {
        return true;
      }
    }
    return false;
  }

  /**
   * What it sends by itself.
   *
   * @param connection from 0 on; beyond those recorded as on the last
   */
  List<Part> sent(int connection) {
    return sent.isEmpty() ? List.of() : sent.get(Math.min(connection, sent.size() - 1));
  }

  /** One recorded connection while it is taken apart. */
  private final class Side {
    private final long opened;
    private final Cutter requests = matcher.cutter();
    private final Cutter answers = matcher.numbered() ? matcher.cutter() : null;
    private final Map<ByteBuffer, Exchange> byNumber = new HashMap<>();
    private final List<Part> own = new ArrayList<>();
    private Exchange last;

    /** Of the bytes that came last, to the device or from it. */
    private long toDevice;

    private long fromDevice;

    Side(long opened) {
      this.opened = opened;
      sent.add(own);
    }

    void take(Event event) {
      long now = event.nanos();
      switch (event.kind()) {
        case TO_DEVICE -> {
          release(answers, fromDevice, Long.MAX_VALUE, this::answer);
          release(requests, toDevice, now, this::request);
          toDevice = now;
          requests.take(event.bytes(), this::request);
        }
        case TO_GATEWAY -> {
          release(requests, toDevice, Long.MAX_VALUE, this::request);
          release(answers, fromDevice, now, this::answer);
          fromDevice = now;
          if (answers == null) {
            add(last, new Part(now, event.bytes(), null));
          } else {
            answers.take(event.bytes(), this::answer);
          }
        }
        case CLOSED, RESET, UNREACHABLE -> {
          end();
          if (event.byDevice()) {
            add(last, new Part(now, new byte[0], event.kind()));
          }
          if (last != null) {
            last.settled = true;
          }
        }
        default -> {
          // Opened.
        }
      }
    }

    /** Tells of a frame that silence ended, or a change of direction: time without end. */
    private void release(Cutter cutter, long since, long now, Consumer<byte[]> frames) {
      if (cutter instanceof Cutter.BySilence silent
          && now - since >= matcher.gapMillis() * 1_000_000L) {
        byte[] frame = silent.release();
        if (frame.length > 0) {
          frames.accept(frame);
        }
      }
    }

    void end() {
      release(requests, toDevice, Long.MAX_VALUE, this::request);
      release(answers, fromDevice, Long.MAX_VALUE, this::answer);
    }

    private void request(byte[] frame) {
      if (!matcher.intact(frame)) {
        damaged++;
        return;
      }
      if (last != null) {
        last.settled = true;
      }
      last = new Exchange(frame, toDevice);
      asked.computeIfAbsent(matcher.compared(frame), key -> new Asked()).exchanges.add(last);
      if (matcher.numbered()) {
        byNumber.put(matcher.number(frame), last);
      }
    }

    private void answer(byte[] frame) {
      add(byNumber.get(matcher.number(frame)), new Part(fromDevice, frame, null));
    }

    /**
     * @param exchange {@code null} if it was asked for by none
     */
    private void add(Exchange exchange, Part part) {
      long since = exchange == null ? opened : exchange.nanos;
      (exchange == null ? own : exchange.parts)
          .add(new Part(Math.max(0, part.nanos() - since), part.bytes(), part.end()));
    }
  }
}
