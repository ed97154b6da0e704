package io.culvert.tools.registermap;

/** A file that gives no table at all: what was found, and what to do. */
final class UnreadableException extends Exception {
  private static final long serialVersionUID = 1;

  /**
   * @param found what is wrong with it
   * @param mend what to do
   */
  UnreadableException(String found, String mend) {
    super("found " + found + "; " + mend);
  }
}
