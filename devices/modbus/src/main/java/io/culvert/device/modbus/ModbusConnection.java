package io.culvert.device.modbus;

import com.digitalpetri.modbus.pdu.WriteMultipleRegistersRequest;
import com.digitalpetri.modbus.pdu.WriteSingleCoilRequest;
import com.digitalpetri.modbus.pdu.WriteSingleRegisterRequest;
import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Writable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;

/**
 * The way to one unit, over a {@link Link} that others may share.
 *
 * <p>Exchanges run on the link's loop; their stages complete there, so what follows them must not
 * block.
 */
final class ModbusConnection implements Readable, Writable, Browsable {
  /**
   * How long a request that is alone in its exchange may stay unanswered. The core's deadline ends
   * it long before; this only sees to it that nothing is kept for ever if nobody does.
   */
  static final Duration BACKSTOP = Duration.ofSeconds(60);

  /** How long the scan waits for each unit identifier. */
  private static final Duration SCAN_TIMEOUT = Duration.ofMillis(100);

  /** Unit identifiers of devices on a serial line (Serial Line V1.02, 2.2). */
  private static final int LAST_UNIT = 247;

  private final Link link;
  private final Endpoint endpoint;
  private final Settings settings;
  private final Runnable release;
  private final Set<CompletableFuture<?>> pending = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /**
   * @param release gives the link back; called once
   */
  ModbusConnection(Link link, Endpoint endpoint, Settings settings, Runnable release) {
    this.link = link;
    this.endpoint = endpoint;
    this.settings = settings;
    this.release = release;
  }

  @Override
  public Plan prepare(List<Point> points) {
    List<Block.Item> items =
        points.stream()
            .map(point -> new Block.Item(point, Address.of(point, settings.order())))
            .toList();
    return new ReadPlan(this, link, endpoint.unit(), settings, items);
  }

  /**
   * {@inheritDoc}
   *
   * <p>A coil is written by function 05, one register by 06, wider values by 16 (V1.1b3, 6.5, 6.6
   * and 6.12). One bit of a register is read with its register and written back with it: a change
   * of its other bits by the device itself between the two is undone.
   */
  @Override
  public CompletionStage<Quality> write(Point point, Value value) {
    Address address = Address.of(point, settings.order());
    if (!address.table().writable()) {
      return CompletableFuture.completedFuture(Quality.BAD_NOT_WRITABLE);
    }
    if (!fits(point.type(), value)) {
      return CompletableFuture.completedFuture(Quality.BAD_TYPE_MISMATCH);
    }
    CompletableFuture<Quality> result = new CompletableFuture<>();
    if (address.table() == Table.COIL) {
      boolean on = ((Value.Bool) value).value();
      begin(result, () -> send(result, coil(address.start(), on)));
    } else if (point.type() == DataType.BOOL) {
      boolean on = ((Value.Bool) value).value();
      begin(result, () -> writeBit(result, address, on));
    } else {
      Optional<byte[]> registers = Registers.encode(point.type(), address.order(), value);
      if (registers.isEmpty()) {
        return CompletableFuture.completedFuture(Quality.BAD_OUT_OF_RANGE);
      }
      begin(result, () -> send(result, request(address, registers.get())));
    }
    return result;
  }

  private static boolean fits(DataType type, Value value) {
    return switch (type) {
      case BOOL -> value instanceof Value.Bool;
      case FLOAT32, FLOAT64 -> value instanceof Value.Decimal || value instanceof Value.Int;
      default -> value instanceof Value.Int;
    };
  }

  private static byte[] coil(int address, boolean on) {
    ByteBuffer pdu = ByteBuffer.allocate(5);
    WriteSingleCoilRequest.Serializer.encode(new WriteSingleCoilRequest(address, on), pdu);
    return pdu.array();
  }

  private static byte[] request(Address address, byte[] registers) {
    if (address.count() == 1) {
      ByteBuffer pdu = ByteBuffer.allocate(5);
      int value = Short.toUnsignedInt(ByteBuffer.wrap(registers).getShort());
      WriteSingleRegisterRequest.Serializer.encode(
          new WriteSingleRegisterRequest(address.start(), value), pdu);
      return pdu.array();
    }
    ByteBuffer pdu = ByteBuffer.allocate(6 + registers.length);
    WriteMultipleRegistersRequest.Serializer.encode(
        new WriteMultipleRegistersRequest(address.start(), address.count(), registers), pdu);
    return pdu.array();
  }

  private void writeBit(CompletableFuture<Quality> result, Address address, boolean on) {
    ask(
        result,
        address.table().read(address.start(), 1),
        (answer, failure) -> {
          if (failure != null) {
            verdict(result, failure);
            return;
          }
          byte[] register = address.table().data(answer);
          address.order().arrange(register);
          int mask = 1 << address.bit();
          int before = Short.toUnsignedInt(ByteBuffer.wrap(register).getShort());
          ByteBuffer.wrap(register).putShort((short) (on ? before | mask : before & ~mask));
          address.order().arrange(register);
          send(result, request(address, register));
        });
  }

  private void send(CompletableFuture<Quality> result, byte[] request) {
    ask(
        result,
        request,
        (answer, failure) -> {
          if (failure == null) {
            result.complete(Quality.GOOD);
          } else {
            verdict(result, failure);
          }
        });
  }

  private static void verdict(CompletableFuture<Quality> result, Throwable failure) {
    if (failure instanceof RefusedException refused) {
      result.complete(refused.refusal().quality());
    } else {
      result.completeExceptionally(outward(failure));
    }
  }

  private void ask(
      CompletableFuture<?> result, byte[] request, BiConsumer<byte[], Throwable> then) {
    CompletableFuture<byte[]> exchange = link.exchange(endpoint.unit(), request, BACKSTOP, true);
    onEnd(result, () -> exchange.cancel(false));
    exchange.whenComplete(
        (answer, failure) -> {
          if (!result.isDone()) {
            then.accept(answer, failure);
          }
        });
  }

  /**
   * Lists the units 1 to 247 that answer at this address, whoever they are: one holding register is
   * asked of each. A refusal is an answer too, but not that of a gateway which can't reach the unit
   * (V1.1b3, 7: 0A and 0B). Waits 100 ms for each, so at most 25 seconds in all; a unit that takes
   * longer isn't found. A unit has nothing below it.
   */
  @Override
  public CompletionStage<List<Found>> browse(String from, int limit) {
    if (!from.isEmpty()) {
      return CompletableFuture.completedFuture(List.of());
    }
    CompletableFuture<List<Found>> result = new CompletableFuture<>();
    begin(result, () -> look(result, 1, limit, new ArrayList<>()));
    return result;
  }

  private void look(CompletableFuture<List<Found>> result, int unit, int limit, List<Found> found) {
    if (unit > LAST_UNIT || found.size() >= limit) {
      result.complete(List.copyOf(found));
      return;
    }
    CompletableFuture<byte[]> exchange =
        link.exchange(unit, Table.HOLDING.read(0, 1), SCAN_TIMEOUT, false);
    onEnd(result, () -> exchange.cancel(false));
    exchange.whenComplete(
        (answer, failure) -> {
          if (result.isDone()) {
            return;
          }
          if (failure == null) {
            found.add(found(unit, "value"));
          } else if (failure instanceof RefusedException refused) {
            Refusal refusal = refused.refusal();
            if (!refusal.unitUnreachable()) {
              found.add(found(unit, refusal.toString()));
            }
          } else if (!(failure instanceof TimeoutException
              || failure instanceof GarbledException)) {
            result.completeExceptionally(outward(failure));
            return;
          }
          look(result, unit + 1, limit, found);
        });
  }

  private Found found(int unit, String answer) {
    return new Found(
        endpoint.withUnit(unit).toString(),
        "Unit " + unit,
        Map.of("unit", Integer.toString(unit), "answer", answer));
  }

  /** Starts an exchange on the link's loop, to be ended by {@link #close} if it is pending then. */
  void begin(CompletableFuture<?> result, Runnable exchange) {
    pending.add(result);
    result.whenComplete((value, failure) -> pending.remove(result));
    if (closed) {
      result.completeExceptionally(closedException());
      return;
    }
    try {
      link.execute(
          () -> {
            if (!result.isDone()) {
              exchange.run();
            }
          });
    } catch (RejectedExecutionException stopped) {
      result.completeExceptionally(closedException());
    }
  }

  /** Does something on the link's loop if an exchange fails, most of all if from outside. */
  void onEnd(CompletableFuture<?> result, Runnable task) {
    result.whenComplete(
        (value, failure) -> {
          if (failure != null) {
            try {
              link.execute(task);
            } catch (RejectedExecutionException stopped) {
              // The loop is gone, and with it whatever there was to end.
            }
          }
        });
  }

  /** A failure as the core may see it: of a class that outlives this bundle. */
  static Exception outward(Throwable failure) {
    return failure instanceof TimeoutException timeout
        ? timeout
        : new IOException(failure.getMessage());
  }

  private IOException closedException() {
    return new IOException("The connection to " + this + " was closed");
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    List.copyOf(pending).forEach(result -> result.completeExceptionally(closedException()));
    release.run();
  }

  /** Whether there is a link at this moment; it is made again when needed. */
  boolean connected() {
    return link.isConnected();
  }

  /** For messages. */
  @Override
  public String toString() {
    return "unit " + endpoint.unit() + " at " + endpoint.address();
  }
}
