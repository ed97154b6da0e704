"""A Modbus TCP slave on pymodbus: fixed registers that a test knows the values of.

usage: slave.py PORT
"""
import struct
import sys

from pymodbus.datastore import (
    ModbusSequentialDataBlock,
    ModbusServerContext,
    ModbusSlaveContext,
)
from pymodbus.server import StartTcpServer


def registers(fmt, value, swapped=False):
    """The 16-bit registers of a value, most significant first unless swapped."""
    raw = struct.pack(">" + fmt, value)
    words = list(struct.unpack(">%dH" % (len(raw) // 2), raw))
    return words[::-1] if swapped else words


holding = [0] * 200
holding[0] = 1234                                   # uint16, scale 0.001 -> 1.234 m
holding[1] = 0xFFFF & -215                          # int16, scale 0.1 -> -21.5 Cel
holding[2:4] = registers("f", 0.4375)               # float32, abcd
holding[4:6] = registers("I", 4000000001)           # uint32, abcd
holding[6:8] = registers("I", 123456789, True)      # uint32, cdab
holding[100] = 77                                   # far away: a block of its own
inputs = [0] * 100
inputs[9:11] = registers("f", -12.625, True)        # float32, cdab
coils = [False] * 16
coils[3] = True
discrete = [False] * 16
discrete[5] = True


def context():
    # zero_mode: address 0 of the wire is entry 0 here.
    return ModbusSlaveContext(
        hr=ModbusSequentialDataBlock(0, holding[:]),
        ir=ModbusSequentialDataBlock(0, inputs[:]),
        co=ModbusSequentialDataBlock(0, coils[:]),
        di=ModbusSequentialDataBlock(0, discrete[:]),
        zero_mode=True,
    )


StartTcpServer(
    context=ModbusServerContext(slaves={1: context(), 7: context()}, single=False),
    address=("127.0.0.1", int(sys.argv[1])),
)
