"""A Modbus slave on pymodbus, as an independent counterpart of the driver.

    slave.py PORT            0 takes a free one; prints "listening on PORT" when it can be reached
    slave.py FILE rtu|ascii  on a serial line, 9600 8N1

Units 1, 2 and 7 exist; the others stay silent. Unit 7 has one holding register. Unit 0 is all of
them. They identify themselves with objects of three categories, more than one answer holds, and
share file 4 of 100 records.
"""

import asyncio
import struct
import sys

from pymodbus.constants import Endian
from pymodbus.datastore import (
    ModbusSequentialDataBlock,
    ModbusServerContext,
    ModbusSlaveContext,
    ModbusSparseDataBlock,
)
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.file_message import (
    FileRecord,
    ReadFileRecordRequest,
    ReadFileRecordResponse,
    WriteFileRecordRequest,
    WriteFileRecordResponse,
)
from pymodbus.payload import BinaryPayloadBuilder
from pymodbus.pdu import ModbusExceptions
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
from pymodbus.transaction import ModbusAsciiFramer, ModbusRtuFramer


def registers(add, byteorder, wordorder):
    builder = BinaryPayloadBuilder(byteorder=byteorder, wordorder=wordorder)
    add(builder)
    return builder.to_registers()


def everything(builder):
    builder.add_16bit_int(-12345)
    builder.add_16bit_uint(54321)
    builder.add_32bit_int(-1234567890)
    builder.add_32bit_uint(4123456789)
    builder.add_64bit_int(-1234567890123456789)
    builder.add_32bit_float(22.34)
    builder.add_64bit_float(-123.456789e-30)


def holding():
    values = {}
    # In the orders abcd, cdab, badc and dcba.
    for start, byteorder, wordorder in (
        (0, Endian.Big, Endian.Big),
        (100, Endian.Big, Endian.Little),
        (400, Endian.Little, Endian.Big),
        (500, Endian.Little, Endian.Little),
    ):
        for i, register in enumerate(registers(everything, byteorder, wordorder)):
            values[start + i] = register
    # A hole: 200 and 203 exist, 201 and 202 do not.
    values[200] = 2000
    values[203] = 2003
    # To be written.
    for i in range(300, 320):
        values[i] = 0
    return values


def unit(base):
    return ModbusSlaveContext(
        co=ModbusSequentialDataBlock(0, [i % 2 == 0 for i in range(64)]),
        di=ModbusSequentialDataBlock(0, [i % 5 == 1 for i in range(64)]),
        ir=ModbusSequentialDataBlock(0, [base + i for i in range(16)]),
        hr=ModbusSparseDataBlock(holding()),
        zero_mode=True,
    )


FILES = {4: [1000 + record for record in range(100)]}


def records(record):
    """Where a sub-request points to; None if nowhere."""
    end = record.record_number + record.record_length
    file = FILES.get(record.file_number)
    return None if file is None or end > len(file) else file


# pymodbus decodes these requests, but executes them with nothing and encodes the answer to reading
# with two bytes in the wrong order.
def read_files(self, context):
    answers = []
    for record in self.records:
        file = records(record)
        if file is None:
            return self.doException(ModbusExceptions.IllegalAddress)
        values = file[record.record_number : record.record_number + record.record_length]
        answers.append(FileRecord(record_data=struct.pack(f">{len(values)}H", *values)))
    return ReadFileRecordResponse(answers)


def encode_files(self):
    packet = b""
    for record in self.records:
        packet += struct.pack(">BB", 1 + len(record.record_data), 0x06) + record.record_data
    return struct.pack("B", len(packet)) + packet


def write_files(self, context):
    for record in self.records:
        file = records(record)
        if file is None:
            return self.doException(ModbusExceptions.IllegalAddress)
        values = struct.unpack(f">{record.record_length}H", record.record_data)
        file[record.record_number : record.record_number + record.record_length] = values
    return WriteFileRecordResponse(self.records)


ReadFileRecordRequest.execute = read_files
ReadFileRecordResponse.encode = encode_files
WriteFileRecordRequest.execute = write_files

IDENTITY = {
    0: "Pymodbus",
    1: "PM",
    2: "3.0.0",
    3: "https://pymodbus.example",
    4: "Peer",
    5: "Peer of the driver",
    0x80: "a" * 120,
    0x81: "b" * 120,
    0x82: "c" * 120,
}


async def main():
    small = ModbusSlaveContext(hr=ModbusSequentialDataBlock(0, [7]), zero_mode=True)
    context = ModbusServerContext(slaves={1: unit(100), 2: unit(200), 7: small}, single=False)
    identity = ModbusDeviceIdentification(info=IDENTITY)
    if len(sys.argv) == 3:
        server = ModbusSerialServer(
            context,
            framer={"rtu": ModbusRtuFramer, "ascii": ModbusAsciiFramer}[sys.argv[2]],
            identity=identity,
            port=sys.argv[1],
            baudrate=9600,
            ignore_missing_slaves=True,
            broadcast_enable=True,
        )
        await server.start()
        print("listening on 0", flush=True)
        await server.serve_forever()
        return
    server = ModbusTcpServer(
        context,
        identity=identity,
        address=("127.0.0.1", int(sys.argv[1])),
        allow_reuse_address=True,
        broadcast_enable=True,
    )
    serving = asyncio.create_task(server.serve_forever())
    await server.serving
    print("listening on", server.server.sockets[0].getsockname()[1], flush=True)
    await serving


asyncio.run(main())
