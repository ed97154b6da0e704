package io.culvert.simulator.slave;

import io.culvert.simulator.street.Body;
import io.culvert.simulator.street.Fault;
import io.culvert.simulator.street.Image;
import io.culvert.simulator.street.Physics.Moment;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.Street.Resident;
import io.culvert.simulator.street.Table;
import io.culvert.simulator.truth.BlockTruth;
import io.culvert.simulator.truth.DeviceTruth;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One device behind a port: answers requests and notes what it showed.
 *
 * <p>A read that includes a table's tick counter measures afresh: the counter goes up by one and
 * every value of the table is frozen until the next such read. A read without the counter shows the
 * values of the present tick; so a gateway that reads a table in pieces must begin with the piece
 * that holds the counter. The first read of all measures too, whatever it includes. Threads: any;
 * requests to one device are answered one after the other.
 */
final class Slave {
  private static final int ILLEGAL_FUNCTION = 1;
  private static final int ILLEGAL_ADDRESS = 2;
  private static final int ILLEGAL_VALUE = 3;
  private static final int MOST_REGISTERS = 125;
  private static final int MOST_BITS = 2000;
  private static final int MOST_REGISTERS_WRITTEN = 123;
  private static final int MOST_BITS_WRITTEN = 1968;

  private final Street street;
  private final Resident resident;
  private final InstantSource clock;
  private final long openedAt;
  private final DeviceTruth truth;
  private final List<Shown> tables = new ArrayList<>();
  private final AtomicLong requests = new AtomicLong();

  /** A table with what it shows at present. */
  private static final class Shown {
    final Body.Block block;
    final BlockTruth truth;
    final Image image;
    final double[] values;
    int row = -1;

    Shown(Body.Block block, BlockTruth truth) {
      this.block = block;
      this.truth = truth;
      this.image = new Image(block.first(), block.size());
      this.values = new double[block.points().size()];
    }
  }

  Slave(Street street, Resident resident, InstantSource clock, long openedAt) {
    this.street = street;
    this.resident = resident;
    this.clock = clock;
    this.openedAt = openedAt;
    List<BlockTruth> blocks = new ArrayList<>();
    for (Body.Block block : resident.body().blocks()) {
      BlockTruth rows = new BlockTruth(block.table(), block.points());
      blocks.add(rows);
      tables.add(new Shown(block, rows));
    }
    this.truth = new DeviceTruth(resident.id(), blocks);
    for (Shown shown : tables) {
      shown.block.show(moment(openedAt), 0, shown.values, shown.image);
    }
  }

  DeviceTruth truth() {
    return truth;
  }

  int unit() {
    return resident.unit();
  }

  /** The fault that strikes the next answer, {@code null} for none. */
  Fault nextFault() {
    if (resident.faults().isEmpty()) {
      return null;
    }
    double wall = (clock.millis() - openedAt) / 1e3;
    long request = requests.getAndIncrement();
    for (Fault fault : resident.faults()) {
      boolean ofSensor = fault.kind() == Fault.Kind.STUCK || fault.kind() == Fault.Kind.SPIKE;
      if (!ofSensor && fault.struck(wall, draw(request, fault.kind().ordinal()))) {
        return fault;
      }
    }
    return null;
  }

  /**
   * Answers a request.
   *
   * @param pdu function code and data
   * @param askedAt wall clock of the request
   * @param poisoned the answer will be spoiled on its way: the tick is used up, but nothing counts
   *     as shown
   */
  byte[] answer(byte[] pdu, long askedAt, boolean poisoned) {
    int function = pdu[0] & 0xFF;
    synchronized (truth) {
      if (!resident.body().serves(function)) {
        return exception(function, ILLEGAL_FUNCTION);
      }
      try {
        ByteBuffer request = ByteBuffer.wrap(pdu, 1, pdu.length - 1);
        return switch (function) {
          case 1 -> read(function, Table.COIL, request, askedAt, poisoned);
          case 2 -> read(function, Table.DISCRETE, request, askedAt, poisoned);
          case 3 -> read(function, Table.HOLDING, request, askedAt, poisoned);
          case 4 -> read(function, Table.INPUT, request, askedAt, poisoned);
          case 5, 6 -> writeOne(function, request);
          case 15, 16 -> writeMany(function, request);
          default -> exception(function, ILLEGAL_FUNCTION);
        };
      } catch (java.nio.BufferUnderflowException e) {
        return exception(function, ILLEGAL_VALUE);
      }
    }
  }

  private byte[] read(
      int function, Table table, ByteBuffer request, long askedAt, boolean poisoned) {
    int address = request.getShort() & 0xFFFF;
    int count = request.getShort() & 0xFFFF;
    if (count < 1 || count > (table.bits() ? MOST_BITS : MOST_REGISTERS)) {
      return exception(function, ILLEGAL_VALUE);
    }
    Shown shown = find(table);
    if (shown == null || !shown.image.holds(address, count)) {
      return exception(function, shown == null ? ILLEGAL_FUNCTION : ILLEGAL_ADDRESS);
    }
    advance(shown, address, count, askedAt);
    if (!poisoned && shown.row >= 0) {
      for (int i = 0; i < shown.block.points().size(); i++) {
        if (covers(shown.block, i, address, count)) {
          shown.truth.shown(shown.row, i);
          shown.block.answered(i);
        }
      }
    }
    int bytes = table.bits() ? (count + 7) / 8 : count * 2;
    byte[] answer = new byte[2 + bytes];
    answer[0] = (byte) function;
    answer[1] = (byte) bytes;
    for (int i = 0; i < count; i++) {
      int value = shown.image.get(address + i);
      if (table.bits()) {
        answer[2 + i / 8] |= (byte) ((value & 1) << (i % 8));
      } else {
        answer[2 + 2 * i] = (byte) (value >>> 8);
        answer[3 + 2 * i] = (byte) value;
      }
    }
    return answer;
  }

  private void advance(Shown shown, int address, int count, long askedAt) {
    long now = clock.millis();
    if (!shown.truth.ticked()) {
      // Nothing tells its answers apart, so it always shows the present.
      shown.block.show(moment(now), 0, shown.values, shown.image);
    } else if (covers(shown.block, 0, address, count) || shown.row < 0) {
      long tick = (shown.truth.rows() + 1L) % shown.truth.point(0).modulus();
      shown.block.show(moment(now), tick, shown.values, shown.image);
      shown.row = shown.truth.add(now, (int) (now - askedAt), shown.values);
    }
  }

  private static boolean covers(Body.Block block, int point, int address, int count) {
    int at = block.address(point);
    return at >= address && at + block.width(point) <= address + count;
  }

  private byte[] writeOne(int function, ByteBuffer request) {
    int address = request.getShort() & 0xFFFF;
    int value = request.getShort() & 0xFFFF;
    Table table = function == 5 ? Table.COIL : Table.HOLDING;
    if (table == Table.COIL) {
      if (value != 0 && value != 0xFF00) {
        return exception(function, ILLEGAL_VALUE);
      }
      value = value == 0 ? 0 : 1;
    }
    int refusal = write(table, address, new int[] {value});
    return refusal == 0 ? request.array() : exception(function, refusal);
  }

  private byte[] writeMany(int function, ByteBuffer request) {
    int address = request.getShort() & 0xFFFF;
    int count = request.getShort() & 0xFFFF;
    int bytes = request.get() & 0xFF;
    Table table = function == 15 ? Table.COIL : Table.HOLDING;
    int most = table.bits() ? MOST_BITS_WRITTEN : MOST_REGISTERS_WRITTEN;
    if (count < 1
        || count > most
        || bytes != (table.bits() ? (count + 7) / 8 : count * 2)
        || request.remaining() != bytes) {
      return exception(function, ILLEGAL_VALUE);
    }
    int[] values = new int[count];
    for (int i = 0; i < count; i++) {
      values[i] =
          table.bits()
              ? (request.get(request.position() + i / 8) >>> (i % 8)) & 1
              : request.getShort(request.position() + 2 * i) & 0xFFFF;
    }
    int refusal = write(table, address, values);
    if (refusal != 0) {
      return exception(function, refusal);
    }
    return ByteBuffer.allocate(5)
        .put((byte) function)
        .putShort((short) address)
        .putShort((short) count)
        .array();
  }

  private int write(Table table, int address, int[] values) {
    Shown shown = find(table);
    if (shown == null) {
      return ILLEGAL_FUNCTION;
    }
    if (!shown.image.holds(address, values.length)) {
      return ILLEGAL_ADDRESS;
    }
    long now = clock.millis();
    int refusal = resident.body().write(table, address, values, moment(now));
    if (refusal == 0) {
      List<Integer> written = new ArrayList<>();
      for (int i = 0; i < values.length; i++) {
        shown.image.put(address + i, values[i]);
        written.add(values[i]);
      }
      truth.written(new DeviceTruth.Write(now, table, address, written));
    }
    return refusal;
  }

  private Shown find(Table table) {
    for (Shown shown : tables) {
      if (shown.block.table() == table) {
        return shown;
      }
    }
    return null;
  }

  private Moment moment(long now) {
    return street.moment((now - openedAt) / 1e3);
  }

  private double draw(long request, int salt) {
    long z = (resident.seed() ^ salt) + request * 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return ((z ^ (z >>> 31)) >>> 11) * 0x1.0p-53;
  }

  static byte[] exception(int function, int code) {
    return new byte[] {(byte) (function | 0x80), (byte) code};
  }
}
