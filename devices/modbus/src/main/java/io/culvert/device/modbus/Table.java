package io.culvert.device.modbus;

import com.digitalpetri.modbus.pdu.ModbusRequestPdu;
import com.digitalpetri.modbus.pdu.ModbusResponsePdu;
import com.digitalpetri.modbus.pdu.ReadCoilsRequest;
import com.digitalpetri.modbus.pdu.ReadCoilsResponse;
import com.digitalpetri.modbus.pdu.ReadDiscreteInputsRequest;
import com.digitalpetri.modbus.pdu.ReadDiscreteInputsResponse;
import com.digitalpetri.modbus.pdu.ReadHoldingRegistersRequest;
import com.digitalpetri.modbus.pdu.ReadHoldingRegistersResponse;
import com.digitalpetri.modbus.pdu.ReadInputRegistersRequest;
import com.digitalpetri.modbus.pdu.ReadInputRegistersResponse;
import java.util.Locale;

/** The four tables of the data model (Application Protocol V1.1b3, 4.3). */
enum Table {
  COIL,
  DISCRETE,
  INPUT,
  HOLDING;

  /** Whether it holds single bits; else registers of 16. */
  boolean bits() {
    return this == COIL || this == DISCRETE;
  }

  boolean writable() {
    return this == COIL || this == HOLDING;
  }

  /** A request for entries of this table: functions 01 to 04 (V1.1b3, 6.1 to 6.4). */
  ModbusRequestPdu read(int start, int count) {
    return switch (this) {
      case COIL -> new ReadCoilsRequest(start, count);
      case DISCRETE -> new ReadDiscreteInputsRequest(start, count);
      case INPUT -> new ReadInputRegistersRequest(start, count);
      case HOLDING -> new ReadHoldingRegistersRequest(start, count);
    };
  }

  /** The data of an answer to {@link #read}: bits from the lowest, or registers high byte first. */
  byte[] data(ModbusResponsePdu answer) {
    return switch (this) {
      case COIL -> ((ReadCoilsResponse) answer).coils();
      case DISCRETE -> ((ReadDiscreteInputsResponse) answer).inputs();
      case INPUT -> ((ReadInputRegistersResponse) answer).registers();
      case HOLDING -> ((ReadHoldingRegistersResponse) answer).registers();
    };
  }

  /** As written in an address. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
