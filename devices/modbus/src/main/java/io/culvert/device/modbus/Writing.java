package io.culvert.device.modbus;

import io.culvert.api.Quality;
import io.culvert.device.modbus.Findings.Trait;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * One write, by the function that the device knows: which one it doesn't is learned from exception
 * 01 and kept in its {@link Findings}. On the link's loop throughout.
 *
 * <ul>
 *   <li>A coil by 05, else 15 (V1.1b3, 6.5 and 6.11).
 *   <li>One register by 06, else 16 (6.6 and 6.12); several by 16 alone, since two requests could
 *       leave half a value behind. By several 06 only if the settings say that it must be.
 *   <li>Some bits of a register by 22 (6.16), so that the device itself keeps the others. Where 22
 *       is unknown, or the bits lie in several registers, they are read with their registers and
 *       written back with them: a change of the others by the device between the two is undone.
 *   <li>Records of a file by 21 (6.15).
 * </ul>
 */
final class Writing {
  private final Function<byte[], CompletableFuture<byte[]>> exchange;
  private final Settings.Write functions;
  private final Findings findings;
  private final Address address;
  private final byte[] value;
  private final byte[] mask;

  /**
   * @param exchange as {@link Link#exchange}
   * @param value as the address's codec encodes it
   */
  Writing(
      Function<byte[], CompletableFuture<byte[]>> exchange,
      Settings.Write functions,
      Findings findings,
      Address address,
      byte[] value) {
    this.exchange = exchange;
    this.functions = functions;
    this.findings = findings;
    this.address = address;
    this.value = value;
    this.mask = address.codec().mask();
  }

  /**
   * The request that writes without asking or hearing anything, for all units at once.
   *
   * @return {@code null} if there is none
   */
  byte[] blind() {
    if (mask != null) {
      int register = onlyRegister();
      return register < 0 ? null : maskWrite(register);
    }
    boolean multiple = functions == Settings.Write.MULTIPLE;
    return switch (address.table()) {
      case COIL -> multiple ? coils() : coil();
      case FILE -> file(value);
      default ->
          address.count() == 1 && !multiple
              ? Pdu.writeRegister(address.start(), value, 0)
              : functions == Settings.Write.SINGLE && address.count() > 1
                  ? null
                  : Pdu.writeRegisters(address.start(), value);
    };
  }

  /** Writes; fails as {@link Link#exchange}, but not with a refusal. */
  CompletionStage<Quality> run() {
    if (mask == null) {
      return whole(value);
    }
    int register = onlyRegister();
    boolean masked =
        address.table() == Table.HOLDING && register >= 0 && !findings.lacks(Trait.MASK_WRITE);
    return masked
        ? either(Trait.MASK_WRITE, maskWrite(register), this::readAndWrite)
        : readAndWrite();
  }

  private CompletionStage<Quality> whole(byte[] registers) {
    return switch (address.table()) {
      case COIL -> choose(Trait.WRITE_SINGLE_COIL, coil(), Trait.WRITE_MULTIPLE_COILS, coils());
      case FILE -> verdict(exchange.apply(file(registers)));
      default -> registers(registers);
    };
  }

  private CompletionStage<Quality> registers(byte[] registers) {
    byte[] multiple = Pdu.writeRegisters(address.start(), registers);
    if (address.count() == 1) {
      return choose(
          Trait.WRITE_SINGLE_REGISTER,
          Pdu.writeRegister(address.start(), registers, 0),
          Trait.WRITE_MULTIPLE_REGISTERS,
          multiple);
    }
    return functions == Settings.Write.SINGLE
        ? oneByOne(registers, 0)
        : verdict(exchange.apply(multiple));
  }

  private CompletionStage<Quality> choose(
      Trait single, byte[] bySingle, Trait multiple, byte[] byMultiple) {
    return switch (functions) {
      case SINGLE -> verdict(exchange.apply(bySingle));
      case MULTIPLE -> verdict(exchange.apply(byMultiple));
      case ANY ->
          findings.lacks(single) && !findings.lacks(multiple)
              ? either(multiple, byMultiple, () -> verdict(exchange.apply(bySingle)))
              : either(
                  single,
                  bySingle,
                  () -> either(multiple, byMultiple, () -> done(Quality.BAD_NOT_SUPPORTED)));
    };
  }

  private interface Other {
    CompletionStage<Quality> run();
  }

  /** Writes by one function, and otherwise if the device doesn't know that. */
  private CompletionStage<Quality> either(Trait trait, byte[] request, Other other) {
    CompletableFuture<Quality> result = new CompletableFuture<>();
    exchange
        .apply(request)
        .whenComplete(
            (answer, failure) -> {
              if (failure instanceof RefusedException refused
                  && refused.refusal().functionUnknown()) {
                findings.lacking(trait);
                pass(other.run(), result);
              } else {
                settle(result, failure);
              }
            });
    return result;
  }

  private CompletionStage<Quality> oneByOne(byte[] registers, int index) {
    CompletableFuture<Quality> result = new CompletableFuture<>();
    exchange
        .apply(Pdu.writeRegister(address.start(), registers, index))
        .whenComplete(
            (answer, failure) -> {
              if (failure instanceof RefusedException refused && index > 0) {
                result.completeExceptionally(
                    new IOException(
                        String.format(
                            "%s: %d of %d registers are written, the next is refused: %s",
                            address, index, address.count(), refused.refusal())));
              } else if (failure == null && index + 1 < address.count()) {
                pass(oneByOne(registers, index + 1), result);
              } else {
                settle(result, failure);
              }
            });
    return result;
  }

  private CompletionStage<Quality> readAndWrite() {
    CompletableFuture<Quality> result = new CompletableFuture<>();
    exchange
        .apply(Pdu.read(address.table(), address.file(), address.start(), address.count()))
        .whenComplete(
            (answer, failure) -> {
              if (failure != null) {
                settle(result, failure);
                return;
              }
              byte[] merged = new byte[value.length];
              int data = Pdu.data(address.table());
              for (int i = 0; i < merged.length; i++) {
                merged[i] = (byte) (answer[data + i] & ~mask[i] | value[i]);
              }
              pass(whole(merged), result);
            });
    return result;
  }

  /** The one register that holds bits of the value; -1 if several do. */
  private int onlyRegister() {
    int only = -1;
    for (int i = 0; i < mask.length; i += 2) {
      if (mask[i] != 0 || mask[i + 1] != 0) {
        if (only >= 0) {
          return -1;
        }
        only = i / 2;
      }
    }
    return only;
  }

  private byte[] maskWrite(int register) {
    byte[] ones = {mask[2 * register], mask[2 * register + 1]};
    byte[] bits = {value[2 * register], value[2 * register + 1]};
    return Pdu.maskWrite(address.start() + register, ones, bits);
  }

  private byte[] coil() {
    return Pdu.writeCoil(address.start(), value[0] != 0);
  }

  private byte[] coils() {
    return Pdu.writeCoils(address.start(), value[0] != 0);
  }

  private byte[] file(byte[] registers) {
    return Pdu.writeFile(address.file(), address.start(), registers);
  }

  private static CompletionStage<Quality> done(Quality quality) {
    return CompletableFuture.completedFuture(quality);
  }

  private static CompletionStage<Quality> verdict(CompletableFuture<byte[]> exchange) {
    CompletableFuture<Quality> result = new CompletableFuture<>();
    exchange.whenComplete((answer, failure) -> settle(result, failure));
    return result;
  }

  private static void settle(CompletableFuture<Quality> result, Throwable failure) {
    if (failure == null) {
      result.complete(Quality.GOOD);
    } else if (failure instanceof RefusedException refused) {
      result.complete(refused.refusal().quality());
    } else {
      result.completeExceptionally(failure);
    }
  }

  private static void pass(CompletionStage<Quality> from, CompletableFuture<Quality> to) {
    from.whenComplete(
        (quality, failure) -> {
          if (failure == null) {
            to.complete(quality);
          } else {
            to.completeExceptionally(failure);
          }
        });
  }
}
