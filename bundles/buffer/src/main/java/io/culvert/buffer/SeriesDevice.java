package io.culvert.buffer;

import io.culvert.api.ClockState;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Batch;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One device's readings of a class, by point. Readings of one poll share their times, so these
 * stand once, on the axis: of each place its times and the sequence number of its first reading.
 * Not thread-safe.
 */
final class SeriesDevice {
  /** What an empty one takes of memory, roughly. */
  static final int OVERHEAD = 400;

  private static final int EVENT = 0x03;
  private static final int EVEN = 0;
  private static final int UNEVEN = 1;
  private static final int FAR = 2;
  private static final int FINER = 3;
  private static final int RECEIVED = 0x04;
  private static final int CLOCK = 0x08;
  private static final int SEQUENCE = 0x10;
  private static final int KNOWN = EVENT | RECEIVED | CLOCK | SEQUENCE;
  private static final int[] UNITS = {1_000_000, 1000, 1};
  private static final long SECOND = 1_000_000_000L;

  /** 2020; times within 69 years of it are counted in nanoseconds, others are {@link #FAR}. */
  private static final long BASE = 1_577_836_800L;

  private static final long REACH = 2_200_000_000L;
  private static final ClockState[] CLOCKS = ClockState.values();

  private final ByteWriter axis = new ByteWriter(32);
  private final Map<String, SeriesPoint> points = new LinkedHashMap<>();
  private final State state = new State();
  private int polls;
  private Instant event;
  private Instant received;
  private int bytes = OVERHEAD;

  /** What both sides expect of the next place. */
  private static final class State {
    private int unit;
    private long nanos;
    private long step;
    private long apart;
    private int clock;
    private long sequence;
    private long stride;
  }

  /** Adds a reading committed after all that are here; returns by how many bytes this grew. */
  int add(Batch.Entry entry) {
    Reading reading = entry.reading();
    int before = bytes;
    if (polls == 0
        || !reading.eventTime().equals(event)
        || !reading.receivedTime().equals(received)
        || reading.clock().ordinal() != state.clock
        || entry.sequence() - state.sequence > Integer.MAX_VALUE) {
      int length = axis.length();
      begin(entry.sequence(), reading);
      bytes += axis.length() - length;
    }
    SeriesPoint point = points.get(reading.point());
    if (point == null) {
      point = new SeriesPoint();
      points.put(reading.point(), point);
      bytes += SeriesPoint.OVERHEAD;
    }
    int length = point.length();
    point.add(reading, polls - 1, (int) (entry.sequence() - state.sequence));
    bytes += point.length() - length;
    return bytes - before;
  }

  private void begin(long sequence, Reading reading) {
    event = reading.eventTime();
    received = reading.receivedTime();
    int clock = reading.clock().ordinal();
    boolean near = near(event) && near(received);
    long nanos = near ? nanos(event) : state.nanos;
    long apart = near ? nanos(received) - nanos : state.apart;
    int unit = near ? unit(nanos, apart) : state.unit;
    long step = near ? nanos - state.nanos : state.step;
    int how = !near ? FAR : unit != state.unit ? FINER : step != state.step ? UNEVEN : EVEN;
    boolean other = near ? apart != state.apart : !received.equals(event);
    boolean jump = sequence - state.sequence != state.stride;
    axis.u8(
        how | (other ? RECEIVED : 0) | (clock != state.clock ? CLOCK : 0) | (jump ? SEQUENCE : 0));
    if (how == FAR) {
      far(event);
    } else if (how != EVEN) {
      if (how == FINER) {
        axis.u8(unit);
      }
      axis.signed((step - state.step) / UNITS[unit]);
    }
    if (other && near) {
      axis.signed(apart / UNITS[unit]);
    } else if (other) {
      far(received);
    }
    if (clock != state.clock) {
      axis.u8(clock);
    }
    if (jump) {
      axis.signed(sequence - state.sequence - state.stride);
    }
    state.unit = unit;
    state.nanos = nanos;
    state.step = step;
    state.apart = apart;
    state.clock = clock;
    state.stride = sequence - state.sequence;
    state.sequence = sequence;
    polls++;
  }

  private void far(Instant time) {
    axis.signed(time.getEpochSecond());
    axis.varint(time.getNano());
  }

  private static boolean near(Instant time) {
    return Math.abs(time.getEpochSecond() - BASE) < REACH;
  }

  private static long nanos(Instant time) {
    return (time.getEpochSecond() - BASE) * SECOND + time.getNano();
  }

  /** The unit that holds both exactly; never a coarser one than before. */
  private int unit(long nanos, long apart) {
    int unit = state.unit;
    while (nanos % UNITS[unit] != 0 || apart % UNITS[unit] != 0) {
      unit++;
    }
    return unit;
  }

  /** About what it takes of memory. */
  int bytes() {
    return bytes;
  }

  byte[] axis() {
    ByteWriter all = new ByteWriter(axis.length() + 8);
    all.varint(polls);
    all.raw(axis);
    return all.toBytes();
  }

  /** Of each point what {@link SeriesPoint#read} reads. */
  Map<String, byte[]> columns() {
    Map<String, byte[]> columns = new LinkedHashMap<>();
    points.forEach((id, point) -> columns.put(id, point.toBytes()));
    return columns;
  }

  /** The readings of a point up to now; {@code null} if there are none. */
  SeriesChunk chunk(StreamClass streamClass, String device, String point) {
    SeriesPoint column = points.get(point);
    return column == null
        ? null
        : new SeriesChunk(streamClass, device, point, axis(), column.toBytes());
  }

  /** The places of an axis. */
  static final class Axis {
    private final Instant[] events;
    private final Instant[] receiveds;
    private final ClockState[] clocks;
    private final long[] sequences;

    private Axis(int count) {
      events = new Instant[count];
      receiveds = new Instant[count];
      clocks = new ClockState[count];
      sequences = new long[count];
    }

    /** Reads what {@link SeriesDevice#axis} wrote. */
    static Axis read(ByteReader in) throws DamagedException {
      try {
        int count = in.count();
        Axis axis = new Axis(count);
        State state = new State();
        for (int i = 0; i < count; i++) {
          axis.read(in, i, state);
        }
        return axis;
      } catch (DateTimeException | ArithmeticException e) {
        throw new DamagedException("Not a time: " + e.getMessage(), e);
      }
    }

    private void read(ByteReader in, int i, State state) throws DamagedException {
      int control = in.u8();
      if ((control & ~KNOWN) != 0) {
        throw new DamagedException("Unknown kind of place " + control);
      }
      int how = control & EVENT;
      if (how == FAR) {
        events[i] = instant(in.signed(), in.varint());
      } else {
        if (how == FINER) {
          state.unit = in.checked(in.u8(), UNITS.length - 1);
        }
        if (how != EVEN) {
          state.step =
              Math.addExact(state.step, Math.multiplyExact(in.signed(), (long) UNITS[state.unit]));
        }
        state.nanos = Math.addExact(state.nanos, state.step);
        events[i] = Instant.ofEpochSecond(BASE, state.nanos);
      }
      if (how == FAR) {
        receiveds[i] = (control & RECEIVED) == 0 ? events[i] : instant(in.signed(), in.varint());
      } else {
        if ((control & RECEIVED) != 0) {
          state.apart = Math.multiplyExact(in.signed(), (long) UNITS[state.unit]);
        }
        receiveds[i] = state.apart == 0 ? events[i] : events[i].plusNanos(state.apart);
      }
      if ((control & CLOCK) != 0) {
        state.clock = in.checked(in.u8(), CLOCKS.length - 1);
      }
      clocks[i] = CLOCKS[state.clock];
      if ((control & SEQUENCE) != 0) {
        state.stride += in.signed();
      }
      state.sequence += state.stride;
      sequences[i] = state.sequence;
    }

    private static Instant instant(long second, long nano) {
      return Instant.ofEpochSecond(second, nano);
    }

    int count() {
      return events.length;
    }

    Instant event(int poll) {
      return events[poll];
    }

    Instant received(int poll) {
      return receiveds[poll];
    }

    ClockState clock(int poll) {
      return clocks[poll];
    }

    long sequence(int poll) {
      return sequences[poll];
    }
  }
}
