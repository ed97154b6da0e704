package io.culvert.simulator.slave;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;

/**
 * RTU frames (Serial Line V1.02, 2.5.1) on a stream of bytes, where no silence parts them: a
 * request's end is told by its function. A byte with which none begins is left out.
 */
final class RtuFrames implements Frames {
  private static final int CRC = 2;

  @Override
  public ChannelHandler decoder() {
    return new ByteToMessageDecoder() {
      @Override
      protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
        int start = in.readerIndex();
        int length = length(in);
        if (length < 0 || in.readableBytes() < length) {
          return;
        }
        if (length == 0
            || crc(in, start, length - CRC) != in.getUnsignedShortLE(start + length - CRC)) {
          in.skipBytes(1);
          return;
        }
        byte[] pdu = new byte[length - 1 - CRC];
        in.getBytes(start + 1, pdu);
        out.add(new Request(0, in.getUnsignedByte(start), pdu));
        in.skipBytes(length);
      }
    };
  }

  /** Bytes of the request that begins here; -1 if too few have come, 0 if it is none. */
  private static int length(ByteBuf in) {
    if (in.readableBytes() < 2) {
      return -1;
    }
    int at = in.readerIndex();
    return switch (in.getUnsignedByte(at + 1)) {
      case 1, 2, 3, 4, 5, 6 -> 8;
      case 15, 16 -> in.readableBytes() < 7 ? -1 : 9 + in.getUnsignedByte(at + 6);
      case 22 -> 10;
      case 43 -> 7;
      default -> 0;
    };
  }

  @Override
  public ByteBuf answer(ByteBufAllocator alloc, Request request, byte[] pdu) {
    ByteBuf frame = alloc.buffer(1 + pdu.length + CRC);
    frame.writeByte(request.unit()).writeBytes(pdu);
    return frame.writeShortLE(crc(frame, frame.readerIndex(), frame.readableBytes()));
  }

  /** Nobody: a line is silent. */
  @Override
  public boolean gateway() {
    return false;
  }

  private static int crc(ByteBuf bytes, int from, int count) {
    int crc = 0xFFFF;
    for (int i = from; i < from + count; i++) {
      crc ^= bytes.getUnsignedByte(i);
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 1) == 0 ? crc >>> 1 : crc >>> 1 ^ 0xA001;
      }
    }
    return crc;
  }
}
