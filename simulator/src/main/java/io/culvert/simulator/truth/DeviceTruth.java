package io.culvert.simulator.truth;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What one device has shown. Its monitor guards its blocks: the slave adds rows with it held, and
 * the platform joins what it receives with it held.
 */
public final class DeviceTruth {
  private final String id;
  private final List<BlockTruth> blocks;
  private final Map<String, Place> places = new HashMap<>();
  private final List<Write> writes = new ArrayList<>();

  /**
   * A write that the device took.
   *
   * @param values one for each address; bits are 0 or 1
   */
  public record Write(
      long atMillis, io.culvert.simulator.street.Table table, int address, List<Integer> values) {}

  public DeviceTruth(String id, List<BlockTruth> blocks) {
    this.id = id;
    this.blocks = List.copyOf(blocks);
    for (BlockTruth block : blocks) {
      for (int i = 0; i < block.points(); i++) {
        places.putIfAbsent(block.point(i).id(), new Place(block, i));
      }
    }
  }

  public String id() {
    return id;
  }

  public List<BlockTruth> blocks() {
    return blocks;
  }

  public void written(Write write) {
    writes.add(write);
  }

  public List<Write> writes() {
    return writes;
  }

  /** Where a point lies. */
  public record Place(BlockTruth block, int point) {}

  /** The block and index of a point, {@code null} if a gateway can't have read such a point. */
  public Place find(String point) {
    return places.get(point);
  }
}
