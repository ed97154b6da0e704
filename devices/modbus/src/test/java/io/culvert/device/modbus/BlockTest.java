package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.device.modbus.Block.History;
import io.culvert.device.modbus.Block.Item;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** What holds for every plan of blocks. */
class BlockTest {

  @Property(tries = 500)
  void everyPointIsReadByExactlyOneBlockWholly(
      @ForAll("items") List<Item> items,
      @ForAll @IntRange(max = 124) int maxGap,
      @ForAll @IntRange(min = 4, max = 125) int maxBlock) {
    List<Block> blocks = Block.plan(items, maxGap, maxBlock, History.PLANNED);
    List<Item> covered = new ArrayList<>();
    for (Block block : blocks) {
      for (Item item : block.items()) {
        covered.add(item);
        assertThat(item.address().table()).isEqualTo(block.table());
        assertThat(item.address().start()).isGreaterThanOrEqualTo(block.start());
        assertThat(item.address().start() + item.address().count())
            .isLessThanOrEqualTo(block.start() + block.count());
      }
    }
    assertThat(covered).containsExactlyInAnyOrderElementsOf(items);
  }

  @Property(tries = 500)
  void noBlockIsLongerThanAllowedOrReadsMoreInVainThanAllowed(
      @ForAll("items") List<Item> items,
      @ForAll @IntRange(max = 124) int maxGap,
      @ForAll @IntRange(min = 4, max = 125) int maxBlock) {
    for (Block block : Block.plan(items, maxGap, maxBlock, History.PLANNED)) {
      int unit = block.table().bits() ? 16 : 1;
      assertThat(block.count()).isBetween(1, maxBlock * unit);
      assertThat(block.start() + block.count()).isLessThanOrEqualTo(0x10000);
      BitSet wanted = new BitSet();
      for (Item item : block.items()) {
        int from = item.address().start() - block.start();
        wanted.set(from, from + item.address().count());
      }
      assertThat(wanted.get(0)).isTrue();
      assertThat(wanted.length()).isEqualTo(block.count());
      for (int gap = wanted.nextClearBit(0);
          gap < block.count();
          gap = wanted.nextClearBit(wanted.nextSetBit(gap))) {
        assertThat(wanted.nextSetBit(gap) - gap).isLessThanOrEqualTo(maxGap * unit);
      }
    }
  }

  @Property(tries = 500)
  void blocksThatCouldBeOneAreOne(
      @ForAll("items") List<Item> items,
      @ForAll @IntRange(max = 124) int maxGap,
      @ForAll @IntRange(min = 4, max = 125) int maxBlock) {
    List<Block> blocks = Block.plan(items, maxGap, maxBlock, History.PLANNED);
    for (int i = 1; i < blocks.size(); i++) {
      Block one = blocks.get(i - 1);
      Block next = blocks.get(i);
      if (one.table() == next.table()) {
        int unit = one.table().bits() ? 16 : 1;
        Address first = next.items().get(0).address();
        int gap = next.start() - one.start() - one.count();
        int both = next.start() + first.count() - one.start();
        assertThat(gap > maxGap * unit || both > maxBlock * unit).isTrue();
      }
    }
  }

  @Provide
  Arbitrary<List<Item>> items() {
    // Near each other half of the time, so that there is something to merge.
    Arbitrary<Integer> start =
        Arbitraries.oneOf(
            Arbitraries.integers().between(0, 400), Arbitraries.integers().between(0, 65532));
    return Combinators.combine(
            Arbitraries.of(Table.class), start, Arbitraries.of(1, 2, 4), Arbitraries.integers())
        .as(
            (table, at, width, id) -> {
              int count = table.bits() ? 1 : width;
              Point point = new Point("p" + id, table + ":" + at, DataType.BOOL, Access.READ);
              return new Item(point, new Address(table, at, count, Order.ABCD, -1));
            })
        .list()
        .ofMaxSize(60);
  }
}
