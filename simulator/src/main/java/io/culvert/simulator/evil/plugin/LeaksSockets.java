package io.culvert.simulator.evil.plugin;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Opens some connections to its endpoint with each poll, and closes none. Answers well. */
public final class LeaksSockets extends EvilDriver {
  private static final int EACH_POLL = 20;

  /** Where nobody stops it, there shall be file descriptors left. */
  private static final int MOST = 2_000;

  private final Queue<SocketChannel> open = new ConcurrentLinkedQueue<>();

  @Override
  CompletionStage<List<Sample>> poll(Polled connection, List<Point> points) throws Throwable {
    java.net.URI endpoint = connection.device().endpoint();
    for (int i = 0; i < EACH_POLL && open.size() < MOST; i++) {
      open.add(SocketChannel.open(new InetSocketAddress(endpoint.getHost(), endpoint.getPort())));
    }
    return super.poll(connection, points);
  }
}
