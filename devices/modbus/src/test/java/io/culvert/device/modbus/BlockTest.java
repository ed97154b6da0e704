package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.device.modbus.Block.Item;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** What holds for every plan of blocks. */
class BlockTest {
  private static final DataType[] BY_WIDTH = {
    null, DataType.UINT16, DataType.UINT32, null, DataType.UINT64
  };

  private static List<Block> plan(List<Item> items, Settings settings) {
    return Block.plan(items, settings, new Findings(System::nanoTime));
  }

  @Property(tries = 1000)
  void everyPointIsReadByExactlyOneBlockWholly(
      @ForAll("items") List<Item> items, @ForAll("settings") Settings settings) {
    List<Item> covered = new ArrayList<>();
    for (Block block : plan(items, settings)) {
      for (Item item : block.items()) {
        covered.add(item);
        assertThat(item.address().table()).isEqualTo(block.table());
        assertThat(item.address().file()).isEqualTo(block.file());
        assertThat(item.address().start()).isGreaterThanOrEqualTo(block.start());
        assertThat(item.address().end()).isLessThanOrEqualTo(block.start() + block.count());
      }
    }
    assertThat(covered).containsExactlyInAnyOrderElementsOf(items);
  }

  @Property(tries = 1000)
  void noBlockIsLongerThanAllowedOrReadsMoreInVainThanAllowed(
      @ForAll("items") List<Item> items, @ForAll("settings") Settings settings) {
    for (Block block : plan(items, settings)) {
      if (block.table() == Table.FILE) {
        assertThat(block.items()).allMatch(item -> item.address().start() == block.start());
        continue;
      }
      int unit = block.table().bits() ? 16 : 1;
      int end = block.start() + block.count();
      // What one value needs, aligned, may be more than a block should have: validation says so.
      int widest = 2 * unit * (settings.align() + 4);
      assertThat(block.count()).isBetween(1, Math.max(settings.maxBlock() * unit, widest));
      assertThat(end).isLessThanOrEqualTo(0x10000);
      int step = settings.align() == 1 ? 1 : settings.align() * unit;
      assertThat(block.start() % step).isZero();
      assertThat(end == 0x10000 || end % step == 0).isTrue();
      BitSet wanted = new BitSet();
      for (Item item : block.items()) {
        wanted.set(item.address().start() - block.start(), item.address().end() - block.start());
      }
      assertThat(wanted.nextSetBit(0)).isLessThan(step);
      assertThat(block.count() - wanted.length()).isLessThan(step);
      for (int gap = wanted.nextClearBit(wanted.nextSetBit(0));
          gap < wanted.length();
          gap = wanted.nextClearBit(wanted.nextSetBit(gap))) {
        assertThat(wanted.nextSetBit(gap) - gap).isLessThanOrEqualTo(settings.maxGap() * unit);
      }
    }
  }

  @Property(tries = 1000)
  void whatIsForbiddenIsNeverReadToMergeNeighbours(
      @ForAll("items") List<Item> items, @ForAll("settings") Settings settings) {
    for (Block block : plan(items, settings)) {
      if (block.table() != Table.FILE && block.items().size() > 1 && block.cut() > 0) {
        // What a value takes by itself is validation's affair.
        for (Item item : block.items()) {
          Address address = item.address();
          int from = settings.floor(address.table(), address.start());
          int to = settings.ceiling(address.table(), address.end());
          if (settings.forbidden(address.table(), from, to) != null) {
            return;
          }
        }
        assertThat(settings.forbidden(block.table(), block.start(), block.start() + block.count()))
            .isNull();
      }
    }
  }

  @Property(tries = 1000)
  void blocksThatCouldBeOneAreOne(
      @ForAll("items") List<Item> items, @ForAll("settings") Settings settings) {
    List<Block> blocks = plan(items, settings);
    for (int i = 1; i < blocks.size(); i++) {
      Block one = blocks.get(i - 1);
      Block next = blocks.get(i);
      if (one.table() == next.table() && one.table() != Table.FILE) {
        int unit = one.table().bits() ? 16 : 1;
        Address first = next.items().get(0).address();
        int end = one.items().stream().mapToInt(item -> item.address().end()).max().orElseThrow();
        int gap = first.start() - end;
        int to = settings.ceiling(one.table(), Math.max(end, first.end()));
        assertThat(
                gap > settings.maxGap() * unit
                    || to - one.start() > settings.maxBlock() * unit
                    || settings.forbidden(one.table(), one.start(), to) != null)
            .isTrue();
      }
    }
  }

  @Property(tries = 1000)
  void splittingEndsAndLosesNoPoint(
      @ForAll("items") List<Item> items, @ForAll("settings") Settings settings) {
    for (Block block : plan(items, settings)) {
      List<Block> open = new ArrayList<>(List.of(block));
      List<Item> single = new ArrayList<>();
      while (!open.isEmpty()) {
        Block next = open.remove(0);
        int cut = next.cut();
        if (cut == 0) {
          single.addAll(next.items());
        } else {
          open.addAll(next.split(cut));
        }
      }
      assertThat(single).containsExactlyInAnyOrderElementsOf(block.items());
    }
  }

  @Provide
  Arbitrary<Settings> settings() {
    return Combinators.combine(
            Arbitraries.integers().between(0, 124),
            Arbitraries.integers().between(4, 125),
            Arbitraries.of(1, 1, 2, 4, 10),
            Arbitraries.of("", "holding:10-20,200-210,input:7", "coil:16,holding:0-100"))
        .as(
            (gap, block, align, forbidden) ->
                Settings.parse(
                    Map.of(
                        "maxGap", "" + gap,
                        "maxBlock", "" + block,
                        "align", "" + Math.min(align, block),
                        "forbidden", forbidden),
                    problem -> {
                      throw new AssertionError(problem);
                    }));
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
              Codec codec = table.bits() ? Codec.BIT : Codec.number(BY_WIDTH[width], Order.ABCD);
              Point point = new Point("p" + id, table + ":" + at, DataType.BOOL, Access.READ);
              int file = table == Table.FILE ? 4 : 0;
              int place = table == Table.FILE ? at % 20 : at;
              return new Item(0, point, new Address(table, file, place, codec));
            })
        .list()
        .ofMaxSize(60);
  }
}
