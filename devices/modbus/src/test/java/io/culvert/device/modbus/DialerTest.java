package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.ChannelHandler;
import io.netty.channel.nio.NioEventLoopGroup;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DialerTest {
  private final NioEventLoopGroup loops = new NioEventLoopGroup(1);
  private final ThreadPoolExecutor names = ModbusTcpDriver.names();
  private final CountDownLatch nameServer = new CountDownLatch(1);

  @AfterEach
  void end() {
    nameServer.countDown();
    names.shutdownNow();
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  /** Attempts go on for weeks, and each hangs for longer than the core waits for it. */
  @Test
  void whileTheNameServerHangsAttemptsDoNotPileUp() throws Exception {
    for (int i = 0; i < names.getMaximumPoolSize(); i++) {
      names.execute(
          () -> {
            try {
              nameServer.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
    }
    Endpoint.Tcp endpoint =
        (Endpoint.Tcp)
            Endpoint.parse(URI.create("modbus-tcp://localhost:1"), ModbusTcpDriver::refuse);
    Dialer dialer = new Dialer(endpoint, loops.next(), names, () -> new ChannelHandler[0]);
    List<CompletableFuture<?>> attempts = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      attempts.add(dialer.dial());
    }

    assertThat(names.getQueue()).hasSizeLessThanOrEqualTo(1000);
    assertThatThrownBy(() -> attempts.get(9_999).get(30, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(IOException.class)
        .hasMessageContaining("host name can't be resolved");

    nameServer.countDown();
    assertThatThrownBy(() -> attempts.get(0).get(30, TimeUnit.SECONDS))
        .hasMessageContaining("refused");
  }
}
