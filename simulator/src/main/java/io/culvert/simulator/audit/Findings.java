package io.culvert.simulator.audit;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Counts of violations, with the first few of each. Not thread-safe. */
final class Findings {
  private static final int EXAMPLES = 5;

  private final Map<Violation, Long> counts = new EnumMap<>(Violation.class);
  private final Map<Violation, List<String>> examples = new EnumMap<>(Violation.class);

  Findings() {}

  Findings(Findings other) {
    counts.putAll(other.counts);
    other.examples.forEach((violation, list) -> examples.put(violation, new ArrayList<>(list)));
  }

  void add(Violation violation, Supplier<String> example) {
    add(violation, 1, example);
  }

  void add(Violation violation, long count, Supplier<String> example) {
    counts.merge(violation, count, Long::sum);
    List<String> known = examples.computeIfAbsent(violation, key -> new ArrayList<>());
    if (known.size() < EXAMPLES) {
      known.add(example.get());
    }
  }

  Map<Violation, Long> counts() {
    return Map.copyOf(counts);
  }

  Map<Violation, List<String>> examples() {
    return Map.copyOf(examples);
  }
}
