package io.culvert.simulator.replay;

import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Cuts the bytes of one direction of a connection into frames. Whatever comes, it holds at most
 * {@value #MOST} bytes. Used by one thread at a time.
 */
abstract class Cutter {
  /** Bytes of a frame. */
  static final int MOST = 1 << 16;

  private byte[] held = new byte[256];
  private int count;
  private long left;

  /**
   * Takes bytes.
   *
   * @param frames given each frame that is whole now
   */
  final void take(byte[] bytes, Consumer<byte[]> frames) {
    for (int at = 0; at < bytes.length; ) {
      // Never 0: what is held without an end is dropped before it is so much.
      int some = Math.min(bytes.length - at, MOST - count);
      if (count + some > held.length) {
        held = Arrays.copyOf(held, Math.min(MOST, Math.max(2 * held.length, count + some)));
      }
      System.arraycopy(bytes, at, held, count, some);
      count += some;
      at += some;
      cut(frames);
    }
  }

  private void cut(Consumer<byte[]> frames) {
    while (count > 0) {
      int length = length(held, count);
      if (length < 0) {
        drop(-length);
      } else if (length == 0 || length > count) {
        return;
      } else {
        frames.accept(Arrays.copyOf(held, length));
        forget(length);
      }
    }
  }

  private void drop(int bytes) {
    left += bytes;
    forget(bytes);
  }

  private void forget(int bytes) {
    System.arraycopy(held, bytes, held, 0, count - bytes);
    count -= bytes;
  }

  /** Bytes so far that belong to no frame. */
  final long leftOut() {
    return left;
  }

  /** What is held and no frame yet. */
  final byte[] held() {
    return Arrays.copyOf(held, count);
  }

  /** Begins anew. */
  final void forget() {
    count = 0;
  }

  /**
   * Tells of the frame that begins with the first byte held.
   *
   * @param count of bytes that are there, 1 to {@value #MOST}
   * @return its length, which may be more than there is; 0 if that can't be told yet; less than 0
   *     for as many bytes with which no frame begins
   */
  abstract int length(byte[] held, int count);

  /** Frames with a length at a fixed place. */
  static final class ByLength extends Cutter {
    private final byte[] begin;
    private final int at;
    private final int size;
    private final boolean little;
    private final int add;

    /**
     * @param begin what each frame begins with; may be empty
     * @param at offset of the length
     * @param size of the length in bytes, 1 to 4
     * @param little whether its low byte stands first
     * @param add to make it the length of the frame
     */
    ByLength(byte[] begin, int at, int size, boolean little, int add) {
      this.begin = begin;
      this.at = at;
      this.size = size;
      this.little = little;
      this.add = add;
    }

    @Override
    int length(byte[] held, int count) {
      int skip = beforeBegin(begin, held, count);
      if (skip > 0) {
        return -skip;
      }
      if (count < at + size) {
        return 0;
      }
      long length = 0;
      for (int i = 0; i < size; i++) {
        length = length << 8 | held[at + (little ? size - 1 - i : i)] & 0xFF;
      }
      length += add;
      return length < at + size || length > MOST ? -1 : (int) length;
    }
  }

  /** Frames with an end of their own, and perhaps a beginning. */
  static final class Delimited extends Cutter {
    private final byte[] begin;
    private final byte[] end;

    /** As far as was searched for the end of the frame that is held. */
    private int searched;

    Delimited(byte[] begin, byte[] end) {
      this.begin = begin;
      this.end = end;
    }

    @Override
    int length(byte[] held, int count) {
      int skip = searched > 0 ? 0 : beforeBegin(begin, held, count);
      if (skip > 0) {
        return -skip;
      }
      for (int i = Math.max(begin.length, searched); i + end.length <= count; i++) {
        if (Arrays.equals(held, i, i + end.length, end, 0, end.length)) {
          searched = 0;
          return i + end.length;
        }
      }
      searched = Math.max(0, count - end.length + 1);
      if (count == MOST) {
        searched = 0;
        return -count;
      }
      return 0;
    }
  }

  /** Frames that only silence ends. */
  static final class BySilence extends Cutter {
    @Override
    int length(byte[] held, int count) {
      return count == MOST ? -count : 0;
    }

    /** It was silent: what is held was a frame; empty if nothing is. */
    byte[] release() {
      byte[] frame = held();
      forget();
      return frame;
    }
  }

  /** How many bytes stand before what may be the beginning of a frame. */
  private static int beforeBegin(byte[] begin, byte[] held, int count) {
    for (int skip = 0; skip < count; skip++) {
      int seen = Math.min(begin.length, count - skip);
      if (Arrays.equals(held, skip, skip + seen, begin, 0, seen)) {
        return skip;
      }
    }
    return count;
  }
}
