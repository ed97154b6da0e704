package io.culvert.simulator.audit;

/** A way in which an account can be off. */
public enum Violation {
  LOST("lost", "shown, and neither confirmed nor explained nor rightly suppressed"),
  SUPPRESSED_WRONGLY("suppressed wrongly", "kept back beyond the dead-band or the heartbeat"),
  INVENTED("invented", "the platform has what no device showed"),
  WRONG_VALUE("wrong value", "further than half a step of the register from the truth"),
  WRONG_UNIT("wrong unit", "another unit than the point has"),
  WRONG_QUALITY("wrong quality", "better or worse than the value deserves"),
  OUT_OF_ORDER("out of order", "a smaller number after a greater one in the same lane"),
  DUPLICATED("duplicated", "more often twice than the window allows"),
  SEQUENCE("sequence", "a number used twice, or missing without explanation"),
  LEDGER("ledger", "the ledger says what isn't so"),
  MALFORMED("malformed", "a message that isn't in the dialect");

  private final String label;
  private final String meaning;

  Violation(String label, String meaning) {
    this.label = label;
    this.meaning = meaning;
  }

  public String label() {
    return label;
  }

  public String meaning() {
    return meaning;
  }
}
