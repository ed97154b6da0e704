package io.culvert.mqtt;

import io.culvert.api.service.Buffer;
import io.culvert.api.service.Buffer.Account;
import io.culvert.mqtt.Dialect.Question;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Asks the buffer what became of readings: one question after the other on a thread of its own,
 * since the answer takes the disk's time. The thread is there only while there are questions.
 */
final class Questions implements AutoCloseable {
  /** So many may wait for their turn. */
  private static final int MAX_WAITING = 4;

  private final Supplier<Buffer> buffer;
  private final ThreadPoolExecutor thread;

  /**
   * @param buffer gives {@code null} while there is none
   */
  Questions(String platform, Supplier<Buffer> buffer) {
    this.buffer = buffer;
    this.thread =
        new ThreadPoolExecutor(
            1,
            1,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(MAX_WAITING),
            task -> {
              Thread asking = new Thread(task, "culvert-mqtt-" + platform + "-questions");
              asking.setDaemon(true);
              return asking;
            });
    thread.allowCoreThreadTimeOut(true);
  }

  /** Fails with an {@link IllegalStateException} whose message is for the platform. */
  CompletionStage<Account> ask(Question question) {
    try {
      return CompletableFuture.supplyAsync(() -> answer(question), thread);
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedFuture(
          new IllegalStateException("the gateway is busy with other questions; ask again"));
    }
  }

  private Account answer(Question question) {
    Buffer asked = buffer.get();
    if (asked == null) {
      throw new IllegalStateException("the gateway's buffer doesn't run");
    }
    try {
      return asked.account(question.device(), question.from(), question.to());
    } catch (RuntimeException e) {
      throw new CompletionException(
          new IllegalStateException("the gateway's buffer can't be read: " + e.getMessage(), e));
    }
  }

  /** Ends without waiting: nobody would hear the answers. */
  @Override
  public void close() {
    // Not interrupted: that would close files which the buffer has open.
    thread.getQueue().clear();
    thread.shutdown();
  }
}
