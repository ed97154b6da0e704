package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Requests, against the examples of the Application Protocol V1.1b3. */
class PduTest {

  /** 6.1 to 6.4; addresses there count from 1. */
  @Test
  void reads() {
    assertThat(hex(Pdu.read(Table.COIL, 0, 19, 19))).isEqualTo("01 00 13 00 13");
    assertThat(hex(Pdu.read(Table.DISCRETE, 0, 196, 22))).isEqualTo("02 00 c4 00 16");
    assertThat(hex(Pdu.read(Table.HOLDING, 0, 107, 3))).isEqualTo("03 00 6b 00 03");
    assertThat(hex(Pdu.read(Table.INPUT, 0, 8, 1))).isEqualTo("04 00 08 00 01");
    assertThat(hex(Pdu.read(Table.HOLDING, 0, 65_535, 1))).isEqualTo("03 ff ff 00 01");
    assertThat(hex(Pdu.read(Table.COIL, 0, 0, 2_000))).isEqualTo("01 00 00 07 d0");
  }

  /** 6.5, 6.6, 6.11, 6.12, 6.16. */
  @Test
  void writes() {
    assertThat(hex(Pdu.writeCoil(172, true))).isEqualTo("05 00 ac ff 00");
    assertThat(hex(Pdu.writeCoil(172, false))).isEqualTo("05 00 ac 00 00");
    assertThat(hex(Pdu.writeRegister(1, new byte[] {0, 3}, 0))).isEqualTo("06 00 01 00 03");
    assertThat(hex(Pdu.writeRegister(1, new byte[] {0, 3, -2, -1}, 1))).isEqualTo("06 00 02 fe ff");
    assertThat(hex(Pdu.writeCoils(19, true))).isEqualTo("0f 00 13 00 01 01 01");
    assertThat(hex(Pdu.writeRegisters(1, new byte[] {0, 10, 1, 2})))
        .isEqualTo("10 00 01 00 02 04 00 0a 01 02");
    // And_Mask 00F2, so what is written are the bits of FF0D.
    assertThat(hex(Pdu.maskWrite(4, new byte[] {-1, 0x0D}, new byte[] {0, 0x25})))
        .isEqualTo("16 00 04 00 f2 00 25");
  }

  /** 6.13, 6.14, 6.15 and 6.21; each with the first of the sub-requests shown there. */
  @Test
  void filesAndIdentification() {
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
