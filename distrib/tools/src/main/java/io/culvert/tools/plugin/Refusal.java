package io.culvert.tools.plugin;

import java.util.List;

/** Why a command does nothing: what was found and what to do, one line each. */
final class Refusal extends Exception {
  private static final long serialVersionUID = 1;

  private final transient List<String> lines;

  /**
   * @param found what is wrong
   * @param mend what to do
   */
  Refusal(String found, String mend) {
    this(List.of("found " + found + "; " + mend));
  }

  /**
   * @param lines one or more
   */
  Refusal(List<String> lines) {
    super(lines.get(0));
    this.lines = List.copyOf(lines);
  }

  List<String> lines() {
    return lines;
  }
}
