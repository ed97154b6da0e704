package io.culvert.plugins;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Why the framework doesn't run a bundle, in one line. */
public final class Reason {
  /**
   * {@code missing requirement [name [1](R 1.1)] namespace; filter}; of a chain, the last is the
   * one that nobody meets.
   */
  private static final Pattern MISSING =
      Pattern.compile(
          "missing requirement \\[\\S+ \\[[^\\]]*\\]\\([^)]*\\)\\] \\S+; "
              + "(?<filter>\\(.+?\\))(?= \\[caused by| Unresolved requirements|\\]|$)");

  private static final Pattern PACKAGE =
      Pattern.compile(
          "\\(osgi\\.wiring\\.package=(?<name>[^)]*)\\)"
              + "(?:\\(version>=(?<from>[^)]*)\\))?(?:\\(!\\(version>=(?<to>[^)]*)\\)\\))?");

  private Reason() {}

  /** The reason of an exception that the framework threw. */
  public static String of(Exception cause) {
    String message = String.valueOf(cause.getMessage());
    String missing = missing(message);
    if (missing != null) {
      return "nothing in this gateway provides " + missing;
    }
    Throwable root = cause;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root == cause ? message : root.toString();
  }

  /** What nobody provides, or {@code null} if the message isn't about that. */
  private static String missing(String message) {
    String filter = null;
    Matcher m = MISSING.matcher(message);
    while (m.find()) {
      filter = m.group("filter");
    }
    if (filter == null) {
      return null;
    }
    Matcher p = PACKAGE.matcher(filter);
    if (!p.find()) {
      return filter;
    }
    String from = p.group("from");
    String to = p.group("to");
    String range = from == null ? "" : to == null ? " " + from : " [" + from + "," + to + ")";
    return "package " + p.group("name") + range;
  }
}
