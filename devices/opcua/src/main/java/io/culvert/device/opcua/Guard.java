package io.culvert.device.opcua;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.eclipse.milo.opcua.stack.transport.client.uasc.UascRequest;
import org.eclipse.milo.opcua.stack.transport.client.uasc.UascResponse;

/**
 * Stands before a client's channel and ends it when what comes is no OPC UA, or more than was asked
 * for. Milo believes a server that takes messages of no length at all, cuts its requests into
 * pieces of that length, and so never comes to their end; and it logs each answer to nobody,
 * however many.
 *
 * <p>Runs on the channel's event loop.
 */
final class Guard extends ChannelDuplexHandler {
  /** Of requests that nobody answers so many are remembered. */
  private static final int MOST_OPEN = 10_000;

  /** Requests without an answer; those given up stay, for their late answers. */
  private final Set<Long> open = new LinkedHashSet<>();

  private Guard() {}

  /** Guards a channel that is just being made. */
  static void on(ChannelPipeline pipeline) {
    pipeline.addFirst(new Greeting(), new Guard());
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise)
      throws Exception {
    if (message instanceof UascRequest request) {
      open.add(request.getRequestId());
      if (open.size() > MOST_OPEN) {
        open.remove(open.iterator().next());
      }
    }
    super.write(context, message, promise);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
    if (message instanceof UascResponse answer && !open.remove(answer.getRequestId())) {
      context.close();
      return;
    }
    super.channelRead(context, message);
  }

  /** The first message of a server: Acknowledge or Error (OPC 10000-6, 7.1.2). */
  private static final class Greeting extends ByteToMessageDecoder {
    private static final int HEADER = 8;
    private static final int ACKNOWLEDGE = 28;
    private static final int MOST_TOLD = 20;

    /** The least that either side may take at once (7.1.2.3, 7.1.2.4). */
    private static final long LEAST_BUFFER = 8192;

    private boolean refused;

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
      if (refused) {
        in.skipBytes(in.readableBytes());
        return;
      }
      if (in.readableBytes() < HEADER) {
        return;
      }
      String type = in.toString(in.readerIndex(), 4, StandardCharsets.US_ASCII);
      if (type.equals("ACKF")) {
        if (in.readableBytes() < ACKNOWLEDGE) {
          return;
        }
        long takes = in.getUnsignedIntLE(in.readerIndex() + 12);
        long sends = in.getUnsignedIntLE(in.readerIndex() + 16);
        if (Math.min(takes, sends) < LEAST_BUFFER) {
          refuse(
              context,
              in,
              "takes %d bytes at once and sends %d, instead of %d or more"
                  .formatted(takes, sends, LEAST_BUFFER));
          return;
        }
      } else if (!type.equals("ERRF")) {
        refuse(context, in, "is no OPC UA server: it begins with " + told(in));
        return;
      }
      context.pipeline().remove(this);
    }

    private void refuse(ChannelHandlerContext context, ByteBuf in, String why) {
      refused = true;
      in.skipBytes(in.readableBytes());
      context.fireExceptionCaught(
          new IOException("What answers at " + context.channel().remoteAddress() + " " + why));
    }

    /** The beginning, as far as it can be read. */
    private static String told(ByteBuf in) {
      int length = Math.min(MOST_TOLD, in.readableBytes());
      StringBuilder told = new StringBuilder("\"");
      for (int i = 0; i < length; i++) {
        int one = in.getUnsignedByte(in.readerIndex() + i);
        told.append(one >= ' ' && one < 0x7F ? "" + (char) one : String.format("\\x%02X", one));
      }
      return told.append('"').toString();
    }
  }
}
