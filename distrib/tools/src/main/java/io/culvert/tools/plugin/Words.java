package io.culvert.tools.plugin;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The words of a command line behind the command.
 *
 * @param names those that belong to no option, in order
 * @param options by name with its hyphens; a switch is {@code ""}
 */
record Words(List<String> names, Map<String, String> options) {

  /**
   * @param valued options that a value follows
   * @param switches those that stand alone
   */
  static Words of(List<String> args, Set<String> valued, Set<String> switches)
      throws UsageException {
    List<String> names = new ArrayList<>();
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i < args.size(); i++) {
      String word = args.get(i);
      if (!word.startsWith("--")) {
        names.add(word);
      } else if (switches.contains(word)) {
        options.put(word, "");
      } else if (!valued.contains(word)) {
        throw new UsageException("found the option " + word);
      } else if (i + 1 < args.size()) {
        options.put(word, args.get(++i));
      } else {
        throw new UsageException("found nothing after " + word);
      }
    }
    return new Words(List.copyOf(names), Map.copyOf(options));
  }

  /** The only name. */
  String name(String what) throws UsageException {
    if (names.size() != 1) {
      throw new UsageException("found " + names.size() + " names; expected " + what);
    }
    return names.get(0);
  }

  /** The value of an option that must be there. */
  String need(String option, String what) throws UsageException {
    String value = options.get(option);
    if (value == null || value.isBlank()) {
      throw new UsageException("found no " + option + "; expected " + what);
    }
    return value.strip();
  }

  boolean has(String option) {
    return options.containsKey(option);
  }
}
