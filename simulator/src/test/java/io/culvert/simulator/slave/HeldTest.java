package io.culvert.simulator.slave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.util.concurrent.DefaultEventExecutor;
import io.netty.util.concurrent.EventExecutor;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class HeldTest {
  @Test
  void whatAThreadThatWasHeldUpSeesMayHaveComeEarlier() throws Exception {
    EventExecutor thread = new DefaultEventExecutor();
    try {
      Held held = thread.submit(() -> Held.of(thread)).get();
      await().atMost(Duration.ofMinutes(1)).until(() -> thread.submit(held::millis).get() == 0);
      long found =
          thread
              .submit(
                  () -> {
                    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(600);
                    while (System.nanoTime() < until) {
                      Thread.onSpinWait();
                    }
                    return held.millis();
                  })
              .get();
      assertThat(found).isGreaterThanOrEqualTo(400);
      await().atMost(Duration.ofMinutes(1)).until(() -> thread.submit(held::millis).get() == 0);
    } finally {
      thread.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }
}
