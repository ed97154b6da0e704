package io.culvert.device.modbus;

import com.digitalpetri.modbus.ModbusPduSerializer.DefaultRequestSerializer;
import com.digitalpetri.modbus.pdu.MaskWriteRegisterRequest;
import com.digitalpetri.modbus.pdu.ModbusRequestPdu;
import com.digitalpetri.modbus.pdu.ReadCoilsRequest;
import com.digitalpetri.modbus.pdu.ReadDiscreteInputsRequest;
import com.digitalpetri.modbus.pdu.ReadHoldingRegistersRequest;
import com.digitalpetri.modbus.pdu.ReadInputRegistersRequest;
import com.digitalpetri.modbus.pdu.WriteMultipleCoilsRequest;
import com.digitalpetri.modbus.pdu.WriteMultipleRegistersRequest;
import com.digitalpetri.modbus.pdu.WriteSingleCoilRequest;
import com.digitalpetri.modbus.pdu.WriteSingleRegisterRequest;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Requests as they go over the wire (Application Protocol V1.1b3, 6), without frame. They are made
 * once for each block of a plan, so what the library's records cost doesn't matter.
 */
final class Pdu {
  static final int READ_COILS = 0x01;
  static final int READ_DISCRETE_INPUTS = 0x02;
  static final int READ_HOLDING_REGISTERS = 0x03;
  static final int READ_INPUT_REGISTERS = 0x04;
  static final int WRITE_SINGLE_COIL = 0x05;
  static final int WRITE_SINGLE_REGISTER = 0x06;
  static final int WRITE_MULTIPLE_COILS = 0x0F;
  static final int WRITE_MULTIPLE_REGISTERS = 0x10;
  static final int REPORT_SERVER_ID = 0x11;
  static final int READ_FILE_RECORD = 0x14;
  static final int WRITE_FILE_RECORD = 0x15;
  static final int MASK_WRITE_REGISTER = 0x16;
  static final int ENCAPSULATED = 0x2B;

  /** What 2B encapsulates to tell what a device is (6.21). */
  static final int READ_DEVICE_IDENTIFICATION = 0x0E;

  /** Of a PDU (4.1). */
  private static final int MAX_LENGTH = 253;

  /** Reference type of all records (6.14). */
  static final int RECORD = 6;

  private Pdu() {}

  /** Functions 01 to 04 and 20 with one sub-request (6.1 to 6.4, 6.14). */
  static byte[] read(Table table, int file, int start, int count) {
    return switch (table) {
      case COIL -> coded(new ReadCoilsRequest(start, count));
      case DISCRETE -> coded(new ReadDiscreteInputsRequest(start, count));
      case INPUT -> coded(new ReadInputRegistersRequest(start, count));
      case HOLDING -> coded(new ReadHoldingRegistersRequest(start, count));
      case FILE ->
          pdu(9, READ_FILE_RECORD)
              .put((byte) 7)
              .put((byte) RECORD)
              .putShort((short) file)
              .putShort((short) start)
              .putShort((short) count)
              .array();
    };
  }

  /** Where in the answer to {@link #read} the first entry stands: its byte. */
  static int data(Table table) {
    return table == Table.FILE ? 4 : 2;
  }

  /** Function 05 (6.5). */
  static byte[] writeCoil(int start, boolean on) {
    return coded(new WriteSingleCoilRequest(start, on));
  }

  /** Function 15 for one coil (6.11). */
  static byte[] writeCoils(int start, boolean on) {
    return coded(new WriteMultipleCoilsRequest(start, 1, new byte[] {(byte) (on ? 1 : 0)}));
  }

  /**
   * Function 06 (6.6).
   *
   * @param registers of which one is written
   * @param index which, from 0
   */
  static byte[] writeRegister(int start, byte[] registers, int index) {
    return coded(new WriteSingleRegisterRequest(start + index, register(registers, index)));
  }

  /** Function 16 (6.12). */
  static byte[] writeRegisters(int start, byte[] registers) {
    return coded(new WriteMultipleRegistersRequest(start, registers.length / 2, registers));
  }

  /**
   * Function 22 (6.16): each bit becomes that of {@code bits} where {@code mask} has a 1.
   *
   * @param mask one register
   * @param bits one register, 0 where the mask is
   */
  static byte[] maskWrite(int start, byte[] mask, byte[] bits) {
    return coded(
        new MaskWriteRegisterRequest(start, ~register(mask, 0) & 0xFFFF, register(bits, 0)));
  }

  /** Function 21 with one sub-request (6.15). */
  static byte[] writeFile(int file, int record, byte[] registers) {
    return pdu(9 + registers.length, WRITE_FILE_RECORD)
        .put((byte) (7 + registers.length))
        .put((byte) RECORD)
        .putShort((short) file)
        .putShort((short) record)
        .putShort((short) (registers.length / 2))
        .put(registers)
        .array();
  }

  /**
   * Function 43 / 14 (6.21).
   *
   * @param code 1 basic, 2 regular, 3 extended: objects in a row; 4: one object
   * @param object the first, or the one
   */
  static byte[] identify(int code, int object) {
    return new byte[] {
      ENCAPSULATED, READ_DEVICE_IDENTIFICATION, (byte) code, (byte) object,
    };
  }

  /** Function 17 (6.13). */
  static byte[] reportServerId() {
    return new byte[] {REPORT_SERVER_ID};
  }

  /** The library's coding. */
  private static byte[] coded(ModbusRequestPdu request) {
    ByteBuffer pdu = ByteBuffer.allocate(MAX_LENGTH);
    try {
      DefaultRequestSerializer.INSTANCE.encode(request, pdu);
    } catch (Exception e) {
      throw new IllegalArgumentException(request + " can't be coded", e);
    }
    return Arrays.copyOf(pdu.array(), pdu.position());
  }

  /** For what the library has no record of. */
  private static ByteBuffer pdu(int length, int function) {
    return ByteBuffer.allocate(length).put((byte) function);
  }

  private static int register(byte[] registers, int index) {
    return Byte.toUnsignedInt(registers[2 * index]) << 8
        | Byte.toUnsignedInt(registers[2 * index + 1]);
  }
}
