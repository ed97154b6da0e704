package io.culvert.device.modbus;

import com.digitalpetri.modbus.pdu.ReadCoilsRequest;
import com.digitalpetri.modbus.pdu.ReadCoilsResponse;
import com.digitalpetri.modbus.pdu.ReadDiscreteInputsRequest;
import com.digitalpetri.modbus.pdu.ReadDiscreteInputsResponse;
import com.digitalpetri.modbus.pdu.ReadHoldingRegistersRequest;
import com.digitalpetri.modbus.pdu.ReadHoldingRegistersResponse;
import com.digitalpetri.modbus.pdu.ReadInputRegistersRequest;
import com.digitalpetri.modbus.pdu.ReadInputRegistersResponse;
import java.nio.ByteBuffer;
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

  /** PDU of a request for entries of this table: functions 01 to 04 (V1.1b3, 6.1 to 6.4). */
  byte[] read(int start, int count) {
    ByteBuffer pdu = ByteBuffer.allocate(5);
    switch (this) {
      case COIL -> ReadCoilsRequest.Serializer.encode(new ReadCoilsRequest(start, count), pdu);
      case DISCRETE ->
          ReadDiscreteInputsRequest.Serializer.encode(
              new ReadDiscreteInputsRequest(start, count), pdu);
      case INPUT ->
          ReadInputRegistersRequest.Serializer.encode(
              new ReadInputRegistersRequest(start, count), pdu);
      case HOLDING ->
          ReadHoldingRegistersRequest.Serializer.encode(
              new ReadHoldingRegistersRequest(start, count), pdu);
      default -> throw new AssertionError(this);
    }
    return pdu.array();
  }

  /** The data of an answer to {@link #read}: bits from the lowest, or registers high byte first. */
  byte[] data(byte[] answer) {
    ByteBuffer pdu = ByteBuffer.wrap(answer);
    return switch (this) {
      case COIL -> ReadCoilsResponse.Serializer.decode(pdu).coils();
      case DISCRETE -> ReadDiscreteInputsResponse.Serializer.decode(pdu).inputs();
      case INPUT -> ReadInputRegistersResponse.Serializer.decode(pdu).registers();
      case HOLDING -> ReadHoldingRegistersResponse.Serializer.decode(pdu).registers();
    };
  }

  /** As written in an address. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
