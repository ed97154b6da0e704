package io.culvert.simulator.street;

import java.util.List;

/** A street, profile or option that can't be used; the message has one line a problem. */
public final class StreetException extends Exception {
  private final transient List<String> problems;

  /**
   * @param problems each {@code file:line: what was found, what was expected}
   */
  public StreetException(List<String> problems) {
    super(String.join("\n", problems));
    this.problems = List.copyOf(problems);
  }

  /** For one problem without a place in a file. */
  public StreetException(String problem) {
    this(List.of(problem));
  }

  public List<String> problems() {
    return problems;
  }
}
