package io.culvert.simulator.replay;

import java.util.List;

/**
 * What became of a replay.
 *
 * @param requests that came
 * @param known of these, such as were recorded
 * @param repeated of these, beyond as many as were recorded: answered as the last time
 * @param damaged whose check sum was wrong, or frames that were none: left unanswered
 * @param unknown requests that were never recorded, each once, in the order in which they came:
 *     left unanswered
 * @param unasked recorded requests that never came
 */
public record ReplayReport(
    long requests, long known, long repeated, long damaged, List<Unknown> unknown, long unasked) {

  /** Whether everything that was asked had been recorded. */
  public boolean complete() {
    return unknown.isEmpty();
  }

  /**
   * A request that was never recorded.
   *
   * @param request as it came first, in hexadecimal digits
   * @param times how often it came
   * @param nearest the recorded request that is most like it, {@code ""} if there is none
   * @param difference in words
   */
  public record Unknown(String request, long times, String nearest, String difference) {
    @Override
    public String toString() {
      return "unknown request "
          + request
          + (times > 1 ? " (" + times + " times)" : "")
          + (nearest.isEmpty() ? "" : "; nearest recorded " + nearest + ": " + difference);
    }
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append(requests)
        .append(" requests, ")
        .append(known)
        .append(" of them as recorded (")
        .append(repeated)
        .append(" beyond the recording, answered as the last time), ")
        .append(damaged)
        .append(" damaged; ")
        .append(unasked)
        .append(" recorded requests never came\n");
    unknown.forEach(one -> text.append(one).append('\n'));
    return text.toString();
  }
}
