package io.culvert.simulator.plant;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The wire to a server. It can be held: whoever connects is accepted, and nothing passes in either
 * direction until it is let go, then all of it in order. Or cut: every connection is closed at
 * once.
 */
final class Wire {
  private final Set<Tap> taps = ConcurrentHashMap.newKeySet();
  private volatile boolean held;

  /** To be called as the last step of making a connection's pipeline. */
  void tap(ChannelPipeline pipeline) {
    pipeline.addFirst(new Tap());
  }

  void hold() {
    held = true;
  }

  void letGo() {
    held = false;
    taps.forEach(Tap::letGo);
  }

  void cut() {
    taps.forEach(tap -> tap.context.close());
  }

  /** How many connections there are. */
  int connections() {
    return taps.size();
  }

  private final class Tap extends ChannelDuplexHandler {
    private final Deque<Object> unread = new ArrayDeque<>();
    private final Deque<Unwritten> unwritten = new ArrayDeque<>();
    private ChannelHandlerContext context;

    private record Unwritten(Object message, ChannelPromise promise) {}

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
      context = added;
      taps.add(this);
      added.channel().closeFuture().addListener(closed -> taps.remove(this));
    }

    @Override
    public void channelRead(ChannelHandlerContext from, Object message) {
      if (held) {
        unread.add(message);
      } else {
        from.fireChannelRead(message);
      }
    }

    @Override
    public void write(ChannelHandlerContext from, Object message, ChannelPromise promise) {
      if (held) {
        unwritten.add(new Unwritten(message, promise));
      } else {
        from.write(message, promise);
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext from) {
      unread.forEach(ReferenceCountUtil::release);
      unread.clear();
      unwritten.forEach(one -> ReferenceCountUtil.release(one.message()));
      unwritten.clear();
      from.fireChannelInactive();
    }

    /** What was written first: the answers to what is read now come after it. */
    private void letGo() {
      context
          .executor()
          .execute(
              () -> {
                while (!held && !unwritten.isEmpty()) {
                  Unwritten one = unwritten.poll();
                  context.write(one.message(), one.promise());
                }
                context.flush();
                while (!held && !unread.isEmpty()) {
                  context.fireChannelRead(unread.poll());
                }
              });
    }
  }
}
