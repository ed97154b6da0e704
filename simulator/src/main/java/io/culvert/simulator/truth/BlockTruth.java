package io.culvert.simulator.truth;

import io.culvert.simulator.street.PointTruth;
import io.culvert.simulator.street.Table;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Everything that one block of a device (one of its tables) has shown: a row for each answer that
 * included the tick counter, in order, with the true value of each point at that moment, and what
 * the platform has since received of it. Rows lie in primitive arrays. Guarded by the monitor of
 * the {@link DeviceTruth}.
 *
 * <p>Where each value carries the time at which the device took it, a row is a moment of the device
 * ({@link #bySourceTime}), and shows only what has changed at that moment.
 */
public final class BlockTruth {
  /** State of a value that could be had, and that nobody had asked to be told of. */
  public static final int NOT_OWED = -3;

  /** State of a value that no answer has shown. */
  public static final int NOT_SHOWN = -2;

  /** State of a value that was shown and hasn't arrived. */
  public static final int SHOWN = -1;

  private static final int CHUNK = 512;

  private final Table table;
  private final PointTruth[] points;
  private final boolean timed;
  private final List<Chunk> chunks = new ArrayList<>();
  private final Map<Long, Integer> again = new HashMap<>();
  private final Map<Integer, String> texts = new HashMap<>();
  private int rows;

  private static final class Chunk {
    final long[] shownAt = new long[CHUNK];
    final long[] eventAt = new long[CHUNK];
    final int[] waited = new int[CHUNK];
    final double[] values;
    final int[] states;

    Chunk(int points) {
      values = new double[CHUNK * points];
      states = new int[CHUNK * points];
    }
  }

  public BlockTruth(Table table, List<PointTruth> points) {
    this(table, points, false);
  }

  private BlockTruth(Table table, List<PointTruth> points, boolean timed) {
    this.table = table;
    this.points = points.toArray(PointTruth[]::new);
    this.timed = timed;
  }

  /** A block whose values carry the time of their row; no two rows have the same. */
  public static BlockTruth bySourceTime(List<PointTruth> points) {
    return new BlockTruth(null, points, true);
  }

  /** Whether a value tells its row by the time that it carries. */
  public boolean timed() {
    return timed;
  }

  /** The table of a device that has such. */
  public Table table() {
    return table;
  }

  public int points() {
    return points.length;
  }

  public PointTruth point(int index) {
    return points[index];
  }

  /** Whether its answers can be told apart: it has a tick counter, or times. */
  public boolean ticked() {
    return timed || (points.length > 0 && points[0].tick());
  }

  /** Number of answers so far; row {@code r} showed the tick {@code (r + 1) % modulus}. */
  public int rows() {
    return rows;
  }

  /** What the tick counter will show in a row. */
  public long tickOf(int row) {
    return points.length > 0 && points[0].tick() ? (row + 1L) % points[0].modulus() : row + 1L;
  }

  /**
   * Adds a row for an answer that is about to be shown; its values aren't shown yet.
   *
   * @param atMillis wall clock
   * @param waitedMillis how long the answer was held back
   * @return its number
   */
  public int add(long atMillis, int waitedMillis, double[] values) {
    if (rows % CHUNK == 0) {
      chunks.add(new Chunk(points.length));
    }
    int row = rows++;
    Chunk chunk = chunk(row);
    int at = row % CHUNK;
    chunk.shownAt[at] = atMillis;
    chunk.waited[at] = waitedMillis;
    System.arraycopy(values, 0, chunk.values, at * points.length, points.length);
    java.util.Arrays.fill(chunk.states, at * points.length, (at + 1) * points.length, NOT_SHOWN);
    return row;
  }

  /** Notes that a row's value went out in an answer. */
  public void shown(int row, int point) {
    int at = row % CHUNK * points.length + point;
    int[] states = chunk(row).states;
    if (states[at] == NOT_SHOWN || states[at] == NOT_OWED) {
      states[at] = SHOWN;
    }
  }

  /** Notes that a row's value could be had, though nobody had asked for it. */
  public void had(int row, int point) {
    int at = row % CHUNK * points.length + point;
    chunk(row).states[at] = NOT_OWED;
  }

  /**
   * Notes that the device gave the value that it had to somebody who asks to be told from now on:
   * for the first time, or once more, so that it may also arrive once more.
   */
  public void gave(int row, int point) {
    again.putIfAbsent(key(row, point), 0);
    if (state(row, point) <= NOT_SHOWN) {
      shown(row, point);
    } else {
      again.merge(key(row, point), 1, Integer::sum);
    }
  }

  /**
   * Notes that the device gave a value out of its memory. Who asks for more than he needs may leave
   * what he needn't.
   */
  public void recalled(int row, int point) {
    if (state(row, point) > NOT_SHOWN) {
      again.merge(key(row, point), 1, Integer::sum);
    }
  }

  /** Takes one of the times that a value was given again; tells whether there was one left. */
  public boolean takeAgain(int row, int point) {
    int left = again.getOrDefault(key(row, point), 0);
    if (left > 0) {
      again.put(key(row, point), left - 1);
    }
    return left > 0;
  }

  /** Whether a value was given when somebody asked, and not as it came about. */
  public boolean asked(int row, int point) {
    return again.containsKey(key(row, point));
  }

  private long key(int row, int point) {
    return (long) row * points.length + point;
  }

  /** What the device said in words with a row, {@code null} for nothing. */
  public String text(int row) {
    return texts.get(row);
  }

  public void say(int row, String text) {
    texts.put(row, text);
  }

  public long shownAt(int row) {
    return chunk(row).shownAt[row % CHUNK];
  }

  /** When the request came that the row answered. */
  public long askedAt(int row) {
    return shownAt(row) - chunk(row).waited[row % CHUNK];
  }

  /** The gateway's time of the row, 0 as long as its tick hasn't arrived. */
  public long eventAt(int row) {
    return chunk(row).eventAt[row % CHUNK];
  }

  public void joined(int row, long eventMillis) {
    chunk(row).eventAt[row % CHUNK] = eventMillis;
  }

  public double value(int row, int point) {
    return chunk(row).values[row % CHUNK * points.length + point];
  }

  /**
   * {@link #NOT_OWED}, {@link #NOT_SHOWN}, {@link #SHOWN}, or the low 31 bits of the sequence
   * number it came with.
   */
  public int state(int row, int point) {
    return chunk(row).states[row % CHUNK * points.length + point];
  }

  public void confirm(int row, int point, long sequence) {
    chunk(row).states[row % CHUNK * points.length + point] = (int) (sequence & 0x7FFF_FFFF);
  }

  /**
   * The row that showed a tick: the latest with this counter that was shown by {@code byMillis}, or
   * −1.
   */
  public int rowOfTick(long tick, long byMillis) {
    long modulus = points[0].modulus();
    if (tick < 0 || tick >= modulus || rows == 0) {
      return -1;
    }
    long first = tick == 0 ? modulus - 1 : tick - 1;
    for (long row = first + (rows - 1 - first) / modulus * modulus; row >= 0; row -= modulus) {
      if (row < rows && shownAt((int) row) <= byMillis) {
        return (int) row;
      }
    }
    return -1;
  }

  /** The row of a time, or −1. Of a block whose values carry times. */
  public int rowOfTime(long atMillis) {
    int row = rowAt(atMillis);
    return row >= 0 && shownAt(row) == atMillis ? row : -1;
  }

  /** The latest row shown by a time, or −1. */
  public int rowAt(long byMillis) {
    int low = 0;
    int high = rows - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (shownAt(middle) <= byMillis) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high;
  }

  private Chunk chunk(int row) {
    return chunks.get(row / CHUNK);
  }
}
