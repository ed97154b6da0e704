package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.device.modbus.Block.Item;
import io.culvert.device.modbus.Findings.Trait;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** What is learned of a device, shared, and forgotten. The clock is a number. */
class FindingsTest {
  private static final Refusal ADDRESS = new Refusal(2);

  private long now = 1_000_000;
  private Findings findings = new Findings(() -> now);

  private static List<Item> registers(int from, int to) {
    List<Item> items = new ArrayList<>();
    for (int i = from; i < to; i++) {
      Point point = new Point("p" + i, "holding:" + i, DataType.UINT16, Access.READ);
      items.add(new Item(items.size(), point, Address.of(point, Settings.DEFAULT)));
    }
    return items;
  }

  /** Reads items as a cycle does, from a device that takes some blocks; returns the requests. */
  private List<Block> cycle(List<Item> items, Settings settings, Predicate<Block> takes) {
    List<Block> open = new ArrayList<>(Block.plan(items, settings, findings));
    open.removeIf(block -> findings.refusal(block) != null);
    List<Block> asked = new ArrayList<>();
    while (!open.isEmpty()) {
      Block block = open.remove(0);
      asked.add(block);
      if (takes.test(block)) {
        findings.answered(block);
      } else if (block.cut() > 0) {
        List<Block> parts = block.split(block.cut());
        findings.split(block, parts.get(1).start());
        open.addAll(0, parts);
      } else {
        findings.refused(block, ADDRESS);
      }
    }
    return asked;
  }

  private static Predicate<Block> without(Set<Integer> missing) {
    return block ->
        IntStream.range(block.start(), block.start() + block.count()).noneMatch(missing::contains);
  }

  private static Predicate<Block> atMost(int registers) {
    return block -> block.count() <= registers;
  }

  @Property(tries = 300)
  void whateverIsMissingTheOthersAreReadAtOnceAndNothingIsRefusedTwice(
      @ForAll @IntRange(min = 1, max = 125) int count,
      @ForAll @Size(max = 8) Set<@IntRange(max = 124) Integer> missing,
      @ForAll @IntRange(max = 9) int step) {
    findings = new Findings(() -> now);
    List<Item> items = registers(0, count);
    items.removeIf(item -> step > 1 && item.address().start() % step == 1);
    Set<Integer> wanted = new TreeSet<>();
    items.forEach(item -> wanted.add(item.address().start()));
    wanted.removeAll(missing);
    Settings settings = Settings.DEFAULT;
    for (int cycle = 0; cycle < 3; cycle++) {
      BitSet read = new BitSet();
      List<Block> asked = cycle(items, settings, without(missing));
      for (Block block : asked) {
        if (without(missing).test(block)) {
          block.items().forEach(item -> read.set(item.address().start()));
        }
      }
      assertThat(read.stream().boxed().toList()).containsExactlyElementsOf(wanted);
      if (cycle == 2) {
        // What is refused by itself isn't asked for; nothing else is refused any more.
        assertThat(asked).allMatch(without(missing));
      }
    }
  }

  @Test
  void oneAmongManyIsFoundByHalvesAndThenGoneAround() {
    List<Item> items = registers(100, 164);
    Predicate<Block> takes = without(Set.of(130));
    assertThat(cycle(items, Settings.DEFAULT, takes)).hasSize(13);
    assertThat(cycle(items, Settings.DEFAULT, takes))
        .hasToString("[holding:100–129, holding:131–163]");
  }

  @Test
  void aRegisterThatNobodyWantsIsFoundAtTheWidestGap() {
    List<Item> items = registers(100, 120);
    items.removeIf(item -> item.address().start() >= 104 && item.address().start() < 109);
    Predicate<Block> takes = without(Set.of(106));
    assertThat(cycle(items, Settings.DEFAULT, takes)).hasSize(3);
    assertThat(cycle(items, Settings.DEFAULT, takes))
        .hasToString("[holding:100–103, holding:109–119]");
  }

  @Test
  void aDeviceThatTakesShortRequestsOnlyIsAskedInShortOnes() {
    List<Item> items = registers(0, 100);
    cycle(items, Settings.DEFAULT, atMost(20));
    cycle(items, Settings.DEFAULT, atMost(20));
    assertThat(cycle(items, Settings.DEFAULT, atMost(20)))
        .allMatch(atMost(20))
        .hasSizeLessThanOrEqualTo(8);
  }

  @Test
  void whatOnePlanFindsOutTheOthersKnow() {
    int before = findings.version();
    cycle(registers(0, 50), Settings.DEFAULT, without(Set.of(20)));
    assertThat(findings.version()).isNotEqualTo(before);
    assertThat(cycle(registers(10, 30), Settings.DEFAULT, without(Set.of(20))))
        .hasToString("[holding:10–19, holding:21–29]");
  }

  @Test
  void whatIsRefusedByItselfIsAskedForAgainAfterAWhileAndMergedWhenItIsMended() {
    List<Item> items = registers(0, 10);
    Predicate<Block> takes = without(Set.of(4));
    cycle(items, Settings.DEFAULT, takes);
    assertThat(cycle(items, Settings.DEFAULT, takes)).hasSize(2);
    now += Findings.AGAIN.toNanos();
    assertThat(cycle(items, Settings.DEFAULT, takes)).hasSize(3);
    assertThat(cycle(items, Settings.DEFAULT, takes)).hasSize(2);

    now += Findings.AGAIN.toNanos();
    assertThat(cycle(items, Settings.DEFAULT, block -> true)).hasSize(3);
    assertThat(cycle(items, Settings.DEFAULT, block -> true)).hasToString("[holding:0–9]");
  }

  @Test
  void whatWasNotTakenApartInOneCycleIsGoneOnWithInTheNext() {
    List<Item> items = registers(0, 10);
    Block whole = Block.plan(items, Settings.DEFAULT, findings).get(0);
    List<Block> halves = whole.split(whole.cut());
    findings.split(whole, halves.get(1).start());
    assertThat(Block.plan(items, Settings.DEFAULT, findings)).hasToString("[holding:0–9]");
    findings.answered(halves.get(0));
    assertThat(Block.plan(items, Settings.DEFAULT, findings))
        .hasToString("[holding:0–4, holding:5–9]");
  }

  @Test
  void aRegisterThatWasAnsweredBeforeAndIsRefusedNowLeavesNoCutsBehind() {
    List<Item> items = registers(0, 16);
    cycle(items, Settings.DEFAULT, without(Set.of(4)));
    now += Findings.AGAIN.toNanos();
    cycle(items, Settings.DEFAULT, block -> true);
    cycle(items, Settings.DEFAULT, block -> true);

    Predicate<Block> takes = without(Set.of(9));
    cycle(items, Settings.DEFAULT, takes);
    assertThat(cycle(items, Settings.DEFAULT, takes)).hasToString("[holding:0–8, holding:10–15]");
  }

  @Test
  void aDeviceThatLearnedToTakeLongRequestsIsFoundOut() {
    List<Item> items = registers(0, 100);
    cycle(items, Settings.DEFAULT, atMost(20));
    cycle(items, Settings.DEFAULT, atMost(20));
    int before = findings.version();
    now += Findings.MEMORY.toNanos();
    assertThat(findings.version()).isNotEqualTo(before);
    assertThat(cycle(items, Settings.DEFAULT, block -> true)).hasToString("[holding:0–99]");
  }

  @Test
  void aFunctionThatIsMissingIsTriedAgainInTime() {
    assertThat(findings.lacks(Trait.MASK_WRITE)).isFalse();
    findings.lacking(Trait.MASK_WRITE);
    assertThat(findings.lacks(Trait.MASK_WRITE)).isTrue();
    assertThat(findings.lacks(Trait.WRITE_SINGLE_COIL)).isFalse();
    now += Findings.MEMORY.toNanos();
    assertThat(findings.lacks(Trait.MASK_WRITE)).isFalse();
  }

  @Test
  void aBusyDeviceIsNotTakenForOneThatRefuses() {
    Block block = Block.plan(registers(0, 1), Settings.DEFAULT, findings).get(0);
    findings.refused(block, new Refusal(6));
    assertThat(findings.refusal(block)).isNull();
    findings.refused(block, ADDRESS);
    assertThat(findings.refusal(block)).isEqualTo(ADDRESS);
  }

  @Test
  void findingsAreThoseOfOneDeviceAndOutliveItsConnections() {
    Findings.Shelf shelf = new Findings.Shelf(() -> now);
    assertThat(shelf.of("a")).isSameAs(shelf.of("a")).isNotSameAs(shelf.of("b"));
  }

  @Test
  void anAlignedRequestIsSplitOnlyWhereItsPartsDiffer() {
    Settings aligned =
        Settings.parse(
            Map.of("align", "4"),
            problem -> {
              throw new AssertionError(problem);
            });
    List<Item> items = registers(2, 9);
    assertThat(cycle(items, aligned, without(Set.of(5))))
        .hasToString("[holding:0–11, holding:0–3, holding:4–11, holding:4–7, holding:8–11]");
    assertThat(cycle(items, aligned, without(Set.of(5))))
        .hasToString("[holding:0–3, holding:8–11]");
  }
}
