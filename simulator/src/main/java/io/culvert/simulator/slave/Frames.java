package io.culvert.simulator.slave;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandler;

/** How requests and answers stand on a connection; one a connection. */
interface Frames {

  /**
   * A request.
   *
   * @param transaction 0 where the framing has none
   * @param pdu function code and data
   */
  record Request(int transaction, int unit, byte[] pdu) {}

  /** Makes {@link Request}s of bytes. */
  ChannelHandler decoder();

  /** The frame of an answer to a request. */
  ByteBuf answer(ByteBufAllocator alloc, Request request, byte[] pdu);

  /** Whether somebody answers for units that aren't there. */
  boolean gateway();
}
