package io.culvert.core.normalise;

import io.culvert.api.Quality;
import java.math.BigDecimal;

/**
 * What a point tells that scales others. Not for several threads.
 *
 * <p>A value that was read with what it scales counts as it is: bad, and so is what depends on it.
 * One that is read at another interval holds over {@value #HOLDS} bad reads and is unknown from the
 * next one on, or when the link is lost. So while the device answers it is at most three of its own
 * intervals old, not counting turns that were missed.
 */
final class Told {
  private static final int HOLDS = 2;

  private BigDecimal value;
  private Quality quality = Quality.GOOD;
  private Quality wrong = Quality.BAD_WAITING;
  private int wrongInARow;
  private long ticket;

  /**
   * @param number the exact value
   * @param how good it is, not bad
   */
  void good(BigDecimal number, Quality how, long now) {
    // The same object for the same number, by which others see that nothing has changed.
    if (value == null || value.compareTo(number) != 0) {
      value = number;
    }
    quality = how;
    wrongInARow = 0;
    ticket = now;
  }

  void bad(Quality why, long now) {
    wrong = why;
    wrongInARow++;
    if (wrongInARow > HOLDS) {
      value = null;
    }
    ticket = now;
  }

  /** Forgets the value: the link was lost, and another device may answer next. */
  void lose(Quality why) {
    value = null;
    wrong = why;
  }

  /**
   * The value for what is read now.
   *
   * @param now names the samples at hand
   * @return {@code null} if it isn't known
   */
  BigDecimal value(long now) {
    return ticket == now && wrongInARow > 0 ? null : value;
  }

  /** How good the value is; bad if it isn't known. */
  Quality quality(long now) {
    return value(now) == null ? wrong : quality;
  }
}
