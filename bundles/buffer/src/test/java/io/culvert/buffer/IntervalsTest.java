package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class IntervalsTest {
  private static final int SPACE = 60;

  private record Step(boolean add, int from, int to) {}

  @Property
  void behaveLikeASetOfPositions(@ForAll("steps") List<Step> steps) {
    Intervals intervals = new Intervals();
    BitSet model = new BitSet();
    for (Step step : steps) {
      if (step.add()) {
        intervals.add(step.from(), step.to());
      } else {
        intervals.remove(step.from(), step.to());
      }
      if (step.from() < step.to()) {
        model.set(step.from(), step.to(), step.add());
      }
      check(intervals, model);
    }
  }

  private static void check(Intervals intervals, BitSet model) {
    assertThat(intervals.size()).isEqualTo(model.cardinality());
    assertThat(intervals.isEmpty()).isEqualTo(model.isEmpty());
    long last = -1;
    for (long[] part : intervals.toList()) {
      assertThat(part[0]).as("parts are apart").isGreaterThan(last);
      assertThat(part[1]).isGreaterThan(part[0]);
      last = part[1];
    }
    for (int i = 0; i < SPACE; i++) {
      assertThat(intervals.contains(i)).isEqualTo(model.get(i));
      assertThat(intervals.next(i)).isEqualTo(model.nextSetBit(i));
      if (model.get(i)) {
        assertThat(intervals.endOfRun(i)).isEqualTo(model.nextClearBit(i));
      }
    }
    assertThat(intervals.within(10, 40).size()).isEqualTo(model.get(10, 40).cardinality());
  }

  @Provide
  Arbitrary<List<Step>> steps() {
    return Combinators.combine(
            Arbitraries.of(true, false),
            Arbitraries.integers().between(0, SPACE),
            Arbitraries.integers().between(0, SPACE))
        .as(Step::new)
        .list()
        .ofMaxSize(40);
  }
}
