package io.culvert.buffer;

/** What stands at a position of the log. */
sealed interface Found {

  /** The row that holds it. */
  record Whole(Row row) implements Found {}

  /**
   * Nothing that can be read.
   *
   * @param first position from which on
   * @param end position after it
   * @param head if that can still be read, else {@code null}
   * @param why in words
   */
  record Damaged(long first, long end, RowHead head, String why) implements Found {}

  /** A file that was deleted meanwhile by a bound, or a position not yet committed. */
  record Gone() implements Found {}
}
