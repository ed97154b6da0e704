package io.culvert.api.northbound;

import java.util.Map;
import java.util.Objects;

/**
 * What became of a batch, reading by reading.
 *
 * @param others outcome of every entry that isn't in {@code exceptions}
 * @param exceptions by index in the batch
 */
public record Receipt(Outcome others, Map<Integer, Outcome> exceptions) {
  public Receipt {
    Objects.requireNonNull(others, "others");
    exceptions = Map.copyOf(exceptions);
  }

  public static Receipt confirmed() {
    return new Receipt(new Outcome.Confirmed(), Map.of());
  }

  public static Receipt retry() {
    return new Receipt(new Outcome.Retry(), Map.of());
  }

  public Outcome of(int index) {
    return exceptions.getOrDefault(index, others);
  }

  /** The fate of one reading. */
  public sealed interface Outcome {
    /** The platform has it. */
    record Confirmed() implements Outcome {}

    /** The platform will never take it; it goes to the ledger. */
    record Refused(String reason) implements Outcome {}

    /** Not known; send it again. */
    record Retry() implements Outcome {}
  }
}
