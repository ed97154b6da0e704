package io.culvert.simulator.replay;

import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;

/**
 * What a protocol says of its frames, so that a recording of it can be played back: how they are
 * cut, which bytes differ from one time to the next, which of these an answer repeats, and the
 * check sum. Words as in {@code docs/guides/record-replay.md}. Immutable.
 */
final class Matcher {
  /** Where a protocol says nothing: whole requests are compared. */
  private static final String OTHERWISE = "frame=silence gap=20ms";

  private static final Set<String> WORDS =
      Set.of(
          "frame", "at", "size", "order", "add", "begin", "end", "gap", "echo", "ignore", "check",
          "from", "tail");

  private static final int MOST_GAP_MILLIS = 10_000;

  private final String words;
  private final Map<String, String> given = new HashMap<>();
  private final String frame;
  private final byte[] begin;
  private final byte[] end;
  private final int at;
  private final int size;
  private final boolean little;
  private final int add;
  private final int gapMillis;
  private final BitSet echo;
  private final BitSet ignored;
  private final CheckSum check;
  private final int from;
  private final int tail;

  /**
   * @param words {@code ""} where nothing is said
   * @throws RecordingException with the word that is wrong and what was expected
   */
  Matcher(String words) throws RecordingException {
    this.words = words.isBlank() ? OTHERWISE : words.strip();
    for (String word : this.words.split("\\s+")) {
      String[] pair = word.split("=", 2);
      if (pair.length < 2 || !WORDS.contains(pair[0])) {
        throw wrong(word, "one of the words frame=, echo=, ignore= and check= and what goes with");
      }
      if (given.put(pair[0], pair[1]) != null) {
        throw wrong(word, pair[0] + "= once");
      }
    }
    frame = given.getOrDefault("frame", "nothing");
    if (!Set.of("length", "delimited", "silence").contains(frame)) {
      throw wrong("frame " + frame, "frame=length, frame=delimited or frame=silence");
    }
    boolean byLength = frame.equals("length");
    boolean delimited = frame.equals("delimited");
    at = only("at", byLength, 0, 1000, 0);
    size = only("size", byLength, 1, 4, 2);
    add = only("add", byLength, -1000, 1000, 0);
    gapMillis = only("gap", frame.equals("silence"), 1, MOST_GAP_MILLIS, 20);
    String order = given.getOrDefault("order", "big");
    little = order.equals("little");
    if (!little && !order.equals("big") || given.containsKey("order") && !byLength) {
      throw wrong("order=" + order, "order=big or order=little, with frame=length");
    }
    begin = bytes("begin", byLength || delimited);
    end = bytes("end", delimited);
    if (delimited && end.length == 0) {
      throw wrong("no end=", "end= with frame=delimited, such as end=0d0a");
    }
    echo = ranges("echo");
    ignored = ranges("ignore");
    ignored.or(echo);
    check = check();
    from = only("from", check != null, 0, 1000, 0);
    tail = only("tail", check != null, 0, 1000, end.length);
  }

  private RecordingException wrong(String found, String expected) {
    return new RecordingException(
        "matcher \"" + words + "\": found " + found + "; expected " + expected);
  }

  private int only(String name, boolean allowed, int least, int most, int otherwise)
      throws RecordingException {
    String text = given.get(name);
    if (text == null) {
      return otherwise;
    }
    String digits = name.equals("gap") && text.endsWith("ms") ? text.replace("ms", "") : text;
    if (allowed && digits.matches("-?[0-9]{1,5}")) {
      int number = Integer.parseInt(digits);
      if (number >= least && number <= most) {
        return number;
      }
    }
    throw wrong(
        name + "=" + text,
        allowed ? name + "=" + least + "–" + most : "no " + name + "= with frame=" + frame);
  }

  private byte[] bytes(String name, boolean allowed) throws RecordingException {
    String text = given.getOrDefault(name, "");
    if (!text.matches("([0-9a-fA-F]{2}){0,16}") || !allowed && !text.isEmpty()) {
      throw wrong(
          name + "=" + text,
          allowed
              ? name + "= and 1–16 bytes as hexadecimal digits"
              : "no " + name + "= with frame=" + frame);
    }
    return HexFormat.of().parseHex(text);
  }

  private BitSet ranges(String name) throws RecordingException {
    BitSet set = new BitSet();
    String text = given.get(name);
    if (text == null) {
      return set;
    }
    for (String range : text.split(",", -1)) {
      if (!range.matches("[0-9]{1,4}(-[0-9]{1,4})?")) {
        throw wrong(name + "=" + text, name + "= and offsets such as 0-1,8");
      }
      String[] ends = range.split("-");
      int first = Integer.parseInt(ends[0]);
      int last = Integer.parseInt(ends[ends.length - 1]);
      if (last < first) {
        throw wrong(name + "=" + text, "ranges from the lower offset to the higher");
      }
      set.set(first, last + 1);
    }
    return set;
  }

  private CheckSum check() throws RecordingException {
    String text = given.get("check");
    if (text == null) {
      return null;
    }
    StringBuilder all = new StringBuilder();
    for (CheckSum sum : CheckSum.values()) {
      if (sum.word().equals(text)) {
        return sum;
      }
      all.append(all.isEmpty() ? "" : ", ").append(sum.word());
    }
    throw wrong("check=" + text, "one of " + all);
  }

  /** A fresh one, for one direction of a connection. */
  Cutter cutter() {
    return switch (frame) {
      case "length" -> new Cutter.ByLength(begin, at, size, little, add);
      case "delimited" -> new Cutter.Delimited(begin, end);
      default -> new Cutter.BySilence();
    };
  }

  /** How long a silence ends a frame, in milliseconds; 0 if frames tell their end. */
  int gapMillis() {
    return frame.equals("silence") ? gapMillis : 0;
  }

  /** Whether an answer bears bytes by which its request can be known. */
  boolean numbered() {
    return !echo.isEmpty();
  }

  /** The bytes by which an answer is known to be of a request. */
  ByteBuffer number(byte[] message) {
    byte[] number = new byte[echo.cardinality()];
    int i = 0;
    for (int at = echo.nextSetBit(0); at >= 0; at = echo.nextSetBit(at + 1)) {
      number[i++] = at < message.length ? message[at] : 0;
    }
    return ByteBuffer.wrap(number);
  }

  /** What of a request is compared: equal for requests that ask the same. */
  ByteBuffer compared(byte[] request) {
    byte[] masked = request.clone();
    for (int i = 0; i < masked.length; i++) {
      if (!compares(request, i)) {
        masked[i] = 0;
      }
    }
    return ByteBuffer.wrap(masked).asReadOnlyBuffer();
  }

  /** Whether a byte of a request counts. */
  boolean compares(byte[] request, int offset) {
    int sum = request.length - tail - (check == null ? 0 : check.size());
    boolean summed = check != null && offset >= sum && offset < sum + check.size();
    return !ignored.get(offset) && !summed;
  }

  /** Whether its check sum is right; without one it always is. */
  boolean intact(byte[] frame) {
    if (check == null) {
      return true;
    }
    int at = frame.length - tail - check.size();
    return at >= from && check.holds(frame, from, at);
  }

  /** A recorded answer, with what it repeats taken from this request. */
  byte[] answer(byte[] recorded, byte[] request) {
    if (echo.isEmpty()) {
      return recorded;
    }
    boolean sound = intact(recorded);
    byte[] answer = recorded.clone();
    for (int at = echo.nextSetBit(0); at >= 0; at = echo.nextSetBit(at + 1)) {
      if (at < answer.length && at < request.length) {
        answer[at] = request[at];
      }
    }
    // One that was damaged stays so.
    if (check != null && sound) {
      int at = answer.length - tail - check.size();
      byte[] sum = check.of(answer, from, at);
      if (sum != null) {
        System.arraycopy(sum, 0, answer, at, sum.length);
      }
    }
    return answer;
  }

  @Override
  public String toString() {
    return words;
  }
}
