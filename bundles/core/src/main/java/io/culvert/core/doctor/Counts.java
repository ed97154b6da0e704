package io.culvert.core.doctor;

import io.culvert.api.southbound.Diagnosed.Facts;
import io.culvert.api.southbound.Diagnosed.LineFacts;
import java.util.Map;
import java.util.TreeMap;

/** Sums and differences of what drivers count. */
public final class Counts {
  /** Kinds of refusals that are told apart; a driver that puts more into their words is cut off. */
  private static final int KINDS = 32;

  public static final Facts NO_FACTS = new Facts(0, 0, 0, 0, 0, 0, Map.of());
  public static final LineFacts NO_LINE_FACTS = new LineFacts(0, 0, 0, 0, 0);

  private Counts() {}

  static Facts plus(Facts a, Facts b) {
    return new Facts(
        a.requests() + b.requests(),
        a.answers() + b.answers(),
        a.timeouts() + b.timeouts(),
        a.checksumErrors() + b.checksumErrors(),
        a.malformed() + b.malformed(),
        a.answerNanos() + b.answerNanos(),
        b.refusals().isEmpty() ? a.refusals() : add(a.refusals(), b.refusals(), 1));
  }

  /** What was counted between two looks; everything, if counting has begun anew meanwhile. */
  public static Facts since(Facts now, Facts then) {
    return now.requests() < then.requests()
        ? now
        : new Facts(
            now.requests() - then.requests(),
            Math.max(0, now.answers() - then.answers()),
            Math.max(0, now.timeouts() - then.timeouts()),
            Math.max(0, now.checksumErrors() - then.checksumErrors()),
            Math.max(0, now.malformed() - then.malformed()),
            Math.max(0, now.answerNanos() - then.answerNanos()),
            now.refusals().equals(then.refusals())
                ? Map.of()
                : add(now.refusals(), then.refusals(), -1));
  }

  static LineFacts plus(LineFacts a, LineFacts b) {
    return new LineFacts(
        a.wrongUnit() + b.wrongUnit(),
        a.late() + b.late(),
        a.foreign() + b.foreign(),
        a.collisions() + b.collisions(),
        a.noise() + b.noise());
  }

  /** What was counted between two looks; everything, if counting has begun anew meanwhile. */
  public static LineFacts since(LineFacts now, LineFacts then) {
    boolean anew =
        now.wrongUnit() < then.wrongUnit()
            || now.late() < then.late()
            || now.foreign() < then.foreign()
            || now.collisions() < then.collisions()
            || now.noise() < then.noise();
    return anew
        ? now
        : new LineFacts(
            now.wrongUnit() - then.wrongUnit(),
            now.late() - then.late(),
            now.foreign() - then.foreign(),
            now.collisions() - then.collisions(),
            now.noise() - then.noise());
  }

  private static Map<String, Long> add(Map<String, Long> a, Map<String, Long> b, int sign) {
    Map<String, Long> sum = new TreeMap<>(a);
    b.forEach(
        (words, count) -> {
          if (sum.containsKey(words) || sum.size() < KINDS) {
            sum.merge(words, sign * count, Long::sum);
          }
        });
    sum.values().removeIf(count -> count <= 0);
    return sum;
  }
}
