package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;

/**
 * For what a pause of the machine breaks as well as a defect, such as a promise of speed: a defect
 * breaks every round, a pause only the one that it falls into. What no pause explains, each round
 * asserts for itself.
 */
public final class OneOfThree {
  private static final int ROUNDS = 3;

  private OneOfThree() {}

  /** Plays what is judged once. */
  public interface Round {
    /**
     * Plays it.
     *
     * @param number from 1 on
     * @return what broke the promise; {@code ""} if it was kept
     */
    String broken(int number) throws Exception;
  }

  /**
   * Plays rounds until one keeps the promise.
   *
   * @return how many were played
   */
  public static int keeps(Round round) throws Exception {
    List<String> broken = new ArrayList<>();
    while (broken.size() < ROUNDS) {
      String found = round.broken(broken.size() + 1);
      if (found.isEmpty()) {
        return broken.size() + 1;
      }
      broken.add(found);
      System.out.println("Broken in round " + broken.size() + ": " + found);
    }
    assertThat(broken).as("broken in every round").isEmpty();
    return ROUNDS;
  }
}
