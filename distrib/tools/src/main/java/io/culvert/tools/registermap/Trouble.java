package io.culvert.tools.registermap;

/**
 * Something of a map that can't be taken, so that a person can mend it.
 *
 * @param row from 1; 0 if it is about the whole map
 * @param column letters and header, such as {@code D "Unit"}; {@code ""} if it is about the row
 * @param found what stands there
 * @param mend what to write or to do instead
 */
record Trouble(int row, String column, String found, String mend) {
  @Override
  public String toString() {
    return (row > 0 ? "row " + row : "map")
        + (column.isEmpty() ? "" : ", column " + column)
        + ": found "
        + found
        + "; "
        + mend;
  }
}
