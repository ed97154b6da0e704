package io.culvert.core.document;

/**
 * What is wrong at one place of a document, told so that a person can mend it.
 *
 * @param file as the person knows it: {@code etc/site.json}
 * @param line from 1; 0 if it is about the whole file
 * @param column from 1 where it helps to find the place in the line (a syntax error); otherwise 0
 * @param path of the value, such as {@code devices[3].interval}; {@code ""} if there is none
 * @param found what stands there
 * @param expected what may stand there, and how to mend it
 */
public record Fault(String file, int line, int column, String path, String found, String expected) {

  /** File, line and path: how every message begins. */
  public String place() {
    return place(file, line, column, path);
  }

  static String place(String file, int line, int column, String path) {
    return file
        + (line > 0 ? ":" + line : "")
        + (column > 0 ? ":" + column : "")
        + (path.isEmpty() ? "" : ": " + path);
  }

  @Override
  public String toString() {
    return place() + ": found " + found + "; expected " + expected;
  }
}
