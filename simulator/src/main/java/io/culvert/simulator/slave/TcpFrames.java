package io.culvert.simulator.slave;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;

/** Modbus TCP (Messaging Guide V1.0b, 3.1.3): transaction 2, protocol 2, length 2, unit 1. */
final class TcpFrames implements Frames {
  private static final int MOST_BYTES = 260;
  private static final int HEADER = 7;

  @Override
  public ChannelHandler decoder() {
    return new LengthFieldBasedFrameDecoder(MOST_BYTES, 4, 2) {
      @Override
      protected Object decode(ChannelHandlerContext context, ByteBuf in) throws Exception {
        ByteBuf frame = (ByteBuf) super.decode(context, in);
        if (frame == null) {
          return null;
        }
        try {
          int transaction = frame.readUnsignedShort();
          if (frame.readUnsignedShort() != 0 || frame.readableBytes() < 4) {
            throw new CorruptedFrameException("no Modbus");
          }
          frame.skipBytes(2);
          int unit = frame.readUnsignedByte();
          byte[] pdu = new byte[frame.readableBytes()];
          frame.readBytes(pdu);
          return new Request(transaction, unit, pdu);
        } finally {
          frame.release();
        }
      }
    };
  }

  @Override
  public ByteBuf answer(ByteBufAllocator alloc, Request request, byte[] pdu) {
    return alloc
        .buffer(HEADER + pdu.length)
        .writeShort(request.transaction())
        .writeShort(0)
        .writeShort(pdu.length + 1)
        .writeByte(request.unit())
        .writeBytes(pdu);
  }

  @Override
  public boolean gateway() {
    return true;
  }
}
