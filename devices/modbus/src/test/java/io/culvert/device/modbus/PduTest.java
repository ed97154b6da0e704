package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.util.HexFormat;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** Requests, against those of a library that none of us wrote and the specification's examples. */
class PduTest {

  private static byte[] theirs(ModbusRequestPdu request) throws Exception {
    ByteBuffer buffer = ByteBuffer.allocate(256);
    DefaultRequestSerializer.INSTANCE.encode(request, buffer);
    return Arrays.copyOf(buffer.array(), buffer.position());
  }

  @Property
  void readsAreThoseOfAnotherCoder(
      @ForAll @IntRange(max = 65535) int start, @ForAll @IntRange(min = 1, max = 125) int count)
      throws Exception {
    assertThat(Pdu.read(Table.COIL, 0, start, 16 * count))
        .isEqualTo(theirs(new ReadCoilsRequest(start, 16 * count)));
    assertThat(Pdu.read(Table.DISCRETE, 0, start, 16 * count))
        .isEqualTo(theirs(new ReadDiscreteInputsRequest(start, 16 * count)));
    assertThat(Pdu.read(Table.INPUT, 0, start, count))
        .isEqualTo(theirs(new ReadInputRegistersRequest(start, count)));
    assertThat(Pdu.read(Table.HOLDING, 0, start, count))
        .isEqualTo(theirs(new ReadHoldingRegistersRequest(start, count)));
  }

  @Property
  void writesAreThoseOfAnotherCoder(
      @ForAll @IntRange(max = 65535) int start,
      @ForAll boolean on,
      @ForAll @Size(min = 2, max = 2) byte[] one,
      @ForAll @Size(min = 2, max = 2) byte[] mask,
      @ForAll @Size(min = 8, max = 8) byte[] four)
      throws Exception {
    assertThat(Pdu.writeCoil(start, on)).isEqualTo(theirs(new WriteSingleCoilRequest(start, on)));
    byte[] bit = {(byte) (on ? 1 : 0)};
    assertThat(Pdu.writeCoils(start, on))
        .isEqualTo(theirs(new WriteMultipleCoilsRequest(start, 1, bit)));
    assertThat(Pdu.writeRegister(start, one, 0))
        .isEqualTo(theirs(new WriteSingleRegisterRequest(start, number(one))));
    assertThat(Pdu.writeRegisters(start, four))
        .isEqualTo(theirs(new WriteMultipleRegistersRequest(start, 4, four)));
    assertThat(Pdu.maskWrite(start, mask, one))
        .isEqualTo(theirs(new MaskWriteRegisterRequest(start, ~number(mask), number(one))));
  }

  private static int number(byte[] register) {
    return Short.toUnsignedInt(ByteBuffer.wrap(register).getShort());
  }

  /** V1.1b3, 6.14, 6.15, 6.21 and 6.13; each with the first of the sub-requests shown there. */
  @Test
  void requestsThatTheOtherDoesNotKnowAreThoseOfTheSpecification() {
    assertThat(hex(Pdu.read(Table.FILE, 4, 1, 2))).isEqualTo("14 07 06 00 04 00 01 00 02");
    assertThat(hex(Pdu.writeFile(4, 7, new byte[] {6, -81, 4, -66, 16, 13})))
        .isEqualTo("15 0d 06 00 04 00 07 00 03 06 af 04 be 10 0d");
    assertThat(hex(Pdu.identify(1, 0))).isEqualTo("2b 0e 01 00");
    assertThat(hex(Pdu.reportServerId())).isEqualTo("11");
  }

  private static String hex(byte[] bytes) {
    return HexFormat.ofDelimiter(" ").formatHex(bytes);
  }
}
