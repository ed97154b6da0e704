package io.culvert.device.modbus;

import io.culvert.api.Value;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

/**
 * For tests in which one is silent until a short time-out while others have to answer in time: that
 * a machine can spoil which stands still for a while, but not in each of three rounds. A defect
 * spoils each.
 */
final class Rounds {
  private Rounds() {}

  interface Round {
    void run() throws Exception;
  }

  /**
   * Until one round holds.
   *
   * @param afresh prepares for another round
   */
  static void oneOfThreeHolds(Round afresh, Round round) throws Exception {
    for (int left = 2; left > 0; left--) {
      try {
        round.run();
        return;
      } catch (AssertionError spoilt) {
        afresh.run();
      } catch (ExecutionException late) {
        if (!(late.getCause() instanceof TimeoutException)) {
          throw late;
        }
        afresh.run();
      }
    }
    round.run();
  }

  /** Returns what was read. It may be late; but what there is must be the truth in each round. */
  static Map<String, Object> nothingMadeUp(Map<String, Object> read, Map<String, Object> truth) {
    read.forEach(
        (point, value) -> {
          if (value instanceof Value && !value.equals(truth.get(point))) {
            throw new IllegalStateException(point + " was read as " + value);
          }
        });
    return read;
  }
}
