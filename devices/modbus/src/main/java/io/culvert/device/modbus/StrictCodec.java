package io.culvert.device.modbus;

import com.digitalpetri.modbus.tcp.ModbusTcpCodec;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.CorruptedFrameException;
import java.util.List;

/**
 * The library's framing with the limits of the Messaging Guide V1.0b, 3.1.3 (MBAP header), which
 * the library doesn't check: protocol identifier 0, and a length from 2 (unit and function) to 254
 * (unit and a PDU of 253; V1.1b3, 4.1). Anything else means that the stream is not, or no longer,
 * aligned with frames. There is no way to find the next one, so the connection has to go.
 */
final class StrictCodec extends ModbusTcpCodec {
  private static final int PROTOCOL = 2;
  private static final int LENGTH = 4;
  private static final int LENGTH_END = 6;

  private boolean midFrame;

  @Override
  protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
    if (in.readableBytes() >= LENGTH) {
      int protocol = in.getUnsignedShort(in.readerIndex() + PROTOCOL);
      if (protocol != 0) {
        throw new CorruptedFrameException("protocol identifier " + protocol + " instead of 0");
      }
    }
    if (in.readableBytes() >= LENGTH_END) {
      int length = in.getUnsignedShort(in.readerIndex() + LENGTH);
      if (length < 2 || length > 254) {
        throw new CorruptedFrameException("length " + length + " instead of 2 to 254");
      }
    }
    super.decode(context, in, out);
    midFrame = in.isReadable();
  }

  /** Whether the beginning of a frame has come in and its end hasn't. */
  boolean midFrame() {
    return midFrame;
  }
}
