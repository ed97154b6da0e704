package io.culvert.api;

import java.util.Objects;

/**
 * Something wrong in what a person wrote, told so that they can mend it.
 *
 * @param key what it is about, as a path below what was checked: {@code endpoint}, {@code
 *     settings.order}, {@code points.level.address}
 * @param found what stands there
 * @param expected what may stand there, and how to mend it
 */
public record Problem(String key, String found, String expected) {
  public Problem {
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(found, "found");
    Objects.requireNonNull(expected, "expected");
  }

  @Override
  public String toString() {
    return key + ": found " + found + "; expected " + expected;
  }
}
