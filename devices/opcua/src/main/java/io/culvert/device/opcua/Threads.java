package io.culvert.device.opcua;

import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.util.HashedWheelTimer;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.eclipse.milo.opcua.stack.transport.client.tcp.OpcTcpClientTransportConfigBuilder;

/**
 * All threads of the driver, few however many servers there are, and none of those that Milo would
 * share and leave running. Each starts when it is needed.
 */
final class Threads {
  private static final int LOOPS = 2;
  private static final int ANSWERS = 4;
  private static final int BLOCKING = 4;
  private static final int LOOKING = 4;
  private static final long STOP_SECONDS = 3;

  private final NioEventLoopGroup loops =
      new NioEventLoopGroup(LOOPS, new DefaultThreadFactory("opcua", true));
  private final ThreadPoolExecutor answers = pool(ANSWERS, "opcua-answers");
  private final ThreadPoolExecutor blocking = pool(BLOCKING, "opcua-work");
  private final ThreadPoolExecutor looking = pool(LOOKING, "opcua-look");
  private final ScheduledThreadPoolExecutor scheduler =
      new ScheduledThreadPoolExecutor(1, new DefaultThreadFactory("opcua-times", true));
  private final HashedWheelTimer timer =
      new HashedWheelTimer(new DefaultThreadFactory("opcua-timer", true));

  Threads() {
    scheduler.setRemoveOnCancelPolicy(true);
    // Milo's state machines may still have something to do, in threads that would die of a no.
    answers.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
  }

  private static ThreadPoolExecutor pool(int threads, String name) {
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            threads,
            threads,
            5,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            new DefaultThreadFactory(name, true));
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  /** Has a transport run on these threads. */
  void carry(OpcTcpClientTransportConfigBuilder transport) {
    transport
        .setEventLoop(loops)
        .setExecutor(answers)
        .setScheduledExecutor(scheduler)
        .setWheelTimer(timer);
  }

  /** For what follows an answer; nothing here may block. After the end, tasks are dropped. */
  ExecutorService answers() {
    return answers;
  }

  /** For calls that block: some of Milo's, key stores. */
  ExecutorService blocking() {
    return blocking;
  }

  /** For those who look around, which takes seconds. */
  ExecutorService looking() {
    return looking;
  }

  ScheduledExecutorService scheduler() {
    return scheduler;
  }

  /** Ends them all; waits for them, at most a few seconds. */
  void end() {
    loops
        .shutdownGracefully(0, STOP_SECONDS, TimeUnit.SECONDS)
        .awaitUninterruptibly(STOP_SECONDS, TimeUnit.SECONDS);
    timer.stop();
    scheduler.shutdownNow();
    answers.shutdownNow();
    blocking.shutdownNow();
    looking.shutdownNow();
  }
}
