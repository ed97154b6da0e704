"""A Modbus TCP slave on pymodbus, as an independent counterpart of the driver.

    slave.py PORT    0 takes a free one; prints "listening on PORT" when it can be reached

Units 1, 2 and 7 exist; the others stay silent. Unit 7 has one holding register.
"""

import asyncio
import sys

from pymodbus.constants import Endian
from pymodbus.datastore import (
    ModbusSequentialDataBlock,
    ModbusServerContext,
    ModbusSlaveContext,
    ModbusSparseDataBlock,
)
from pymodbus.payload import BinaryPayloadBuilder
from pymodbus.server.async_io import ModbusTcpServer


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


async def main():
    small = ModbusSlaveContext(hr=ModbusSequentialDataBlock(0, [7]), zero_mode=True)
    context = ModbusServerContext(slaves={1: unit(100), 2: unit(200), 7: small}, single=False)
    server = ModbusTcpServer(
        context, address=("127.0.0.1", int(sys.argv[1])), allow_reuse_address=True
    )
    serving = asyncio.create_task(server.serve_forever())
    await server.serving
    print("listening on", server.server.sockets[0].getsockname()[1], flush=True)
    await serving


asyncio.run(main())
