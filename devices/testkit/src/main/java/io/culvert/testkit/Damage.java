package io.culvert.testkit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** What a {@link Relay} does to an answer: each time one comes, and as long as it is in force. */
enum Damage {
  BYTE_BY_BYTE("an answer that comes byte by byte"),
  SLOWLY("an answer that drips in, a byte each 5 ms"),
  IN_ONE_PIECE("answers that come late and in one piece"),
  CUT_SHORT("an answer whose end never comes"),
  GARBAGE_BEFORE("an answer after garbage"),
  GARBAGE_AFTER("an answer before garbage"),
  ONLY_GARBAGE("garbage in place of an answer"),
  EXTREME_BYTE("an answer one of whose first bytes is the least or the greatest there is"),
  WRONG_BYTE("an answer with one wrong byte"),
  LEFT_OUT("an answer without one of its bytes"),
  CLOSED("an answer in the midst of which the device closes its side"),
  RESET("an answer in the midst of which the device resets the connection"),
  ENDLESS("half an answer and then bytes without end"),
  ENDLESS_ANSWERS("the same answer without end");

  private static final int PIECE = 4 << 10;
  private static final long DRIP_MILLIS = 5;
  private static final long LATE_MILLIS = 100;

  /** Where lengths use to stand. */
  private static final int BEGINNING = 16;

  private static final int MOST_GARBAGE = 300;

  private final String what;

  Damage(String what) {
    this.what = what;
  }

  /** Where the answer goes. */
  interface Out {
    void send(byte... bytes) throws IOException;

    /**
     * Nothing more comes.
     *
     * @param reset whether the connection is reset, or closed by one side
     */
    void end(boolean reset) throws IOException;
  }

  /** What comes is whole, if in pieces or late, so the driver must understand it. */
  boolean harmless() {
    return this == BYTE_BY_BYTE || this == SLOWLY || this == IN_ONE_PIECE;
  }

  /**
   * Whether a check sum tells that something is wrong: the same answer once more has a right one.
   */
  boolean shows() {
    return this != ENDLESS_ANSWERS;
  }

  boolean endless() {
    return this == ENDLESS || this == ENDLESS_ANSWERS;
  }

  /** Whether it takes a connection. */
  boolean connects() {
    return this == CLOSED || this == RESET;
  }

  /** How often it is worth trying. */
  int rounds() {
    return switch (this) {
      case WRONG_BYTE -> 40;
      case EXTREME_BYTE, LEFT_OUT, GARBAGE_BEFORE, GARBAGE_AFTER, ONLY_GARBAGE -> 8;
      default -> endless() ? 1 : 3;
    };
  }

  /**
   * @param endless how many bytes are without end
   * @param over when the treatment is
   */
  void pass(byte[] answer, Random random, Out out, long endless, CountDownLatch over)
      throws IOException {
    byte[] half = Arrays.copyOf(answer, answer.length / 2);
    switch (this) {
      case BYTE_BY_BYTE -> {
        for (byte one : answer) {
          out.send(one);
        }
      }
      case SLOWLY -> {
        for (byte one : answer) {
          out.send(one);
          passes(over, DRIP_MILLIS);
        }
      }
      case IN_ONE_PIECE -> {
        passes(over, LATE_MILLIS);
        out.send(answer);
      }
      case CUT_SHORT -> out.send(Arrays.copyOf(answer, random.nextInt(answer.length)));
      case GARBAGE_BEFORE -> out.send(joined(garbage(random), answer));
      case GARBAGE_AFTER -> out.send(joined(answer, garbage(random)));
      case ONLY_GARBAGE -> out.send(garbage(random));
      case EXTREME_BYTE -> {
        byte[] changed = answer.clone();
        changed[random.nextInt(Math.min(BEGINNING, answer.length))] =
            new byte[] {0, 1, 0x7F, -128, -1}[random.nextInt(5)];
        out.send(changed);
      }
      case WRONG_BYTE -> {
        byte[] changed = answer.clone();
        // One wrong bit as often as several: a digit may become another.
        int wrong = random.nextBoolean() ? 1 << random.nextInt(8) : 1 + random.nextInt(255);
        changed[random.nextInt(answer.length)] ^= (byte) wrong;
        out.send(changed);
      }
      case LEFT_OUT -> {
        int at = random.nextInt(answer.length);
        out.send(
            joined(Arrays.copyOf(answer, at), Arrays.copyOfRange(answer, at + 1, answer.length)));
      }
      case CLOSED, RESET -> {
        out.send(half);
        out.end(this == RESET);
      }
      case ENDLESS -> {
        byte[] same = new byte[PIECE];
        Arrays.fill(same, answer[answer.length / 2]);
        out.send(half);
        endlessly(same, out, endless, over);
      }
      case ENDLESS_ANSWERS -> {
        byte[] many = answer;
        while (many.length < PIECE) {
          many = joined(many, many);
        }
        endlessly(many, out, endless, over);
      }
    }
  }

  private static void endlessly(byte[] piece, Out out, long endless, CountDownLatch over)
      throws IOException {
    for (long sent = 0; sent < endless && over.getCount() > 0; sent += piece.length) {
      out.send(piece);
    }
  }

  private static void passes(CountDownLatch over, long millis) throws IOException {
    try {
      over.await(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
      throw new IOException("The relay was ended", ended);
    }
  }

  private static byte[] garbage(Random random) {
    byte[] garbage = new byte[1 + random.nextInt(MOST_GARBAGE)];
    random.nextBytes(garbage);
    return garbage;
  }

  private static byte[] joined(byte[] one, byte[] other) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(one);
    all.writeBytes(other);
    return all.toByteArray();
  }

  @Override
  public String toString() {
    return what;
  }
}
