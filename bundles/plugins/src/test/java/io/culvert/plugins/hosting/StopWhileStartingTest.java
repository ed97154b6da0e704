package io.culvert.plugins.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.plugins.hosting.fixture.Odd;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.osgi.framework.Bundle;

@Timeout(300)
class StopWhileStartingTest {
  private static final String NAME = "com.example.odd";

  @TempDir Path folder;

  /** Who stops doesn't wait longer than the farewell. */
  private static final Limits LIMITS =
      new Limits(
          House.LIMITS.start(),
          House.LIMITS.beat(),
          House.LIMITS.silence(),
          House.LIMITS.stuck(),
          House.LIMITS.answer(),
          House.LIMITS.pause(),
          House.LIMITS.longestPause(),
          House.LIMITS.good(),
          Duration.ofMillis(1));

  private List<ProcessHandle> processes() {
    return ProcessHandle.current()
        .descendants()
        .filter(each -> each.info().commandLine().orElse("").contains(folder.toString()))
        .toList();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void nothingStaysOfAProcessThatIsStartedAgainWhileItsPluginStops(boolean gatewayStops)
      throws Exception {
    try (House house = new House(folder, LIMITS, House.kit())) {
      Path jar = PluginJar.of(Odd.class).in(folder);
      Bundle shadow = house.framework.getBundleContext().installBundle("shadow", Hosts.shadow(jar));
      shadow.start();
      AtomicInteger starts = new AtomicInteger();
      CompletableFuture<Thread> starting = new CompletableFuture<>();
      CountDownLatch stopped = new CountDownLatch(1);
      house.hosts.start(
          shadow,
          () -> {
            if (starts.incrementAndGet() > 1) {
              starting.complete(Thread.currentThread());
              await().atMost(Duration.ofSeconds(90)).until(() -> stopped.getCount() == 0);
            }
            return jar;
          },
          64);
      assertThat(processes()).hasSize(1);
      processes().get(0).destroyForcibly();
      Thread thread = starting.get(90, TimeUnit.SECONDS);

      if (gatewayStops) {
        house.hosts.close();
      } else {
        house.hosts.stop(NAME);
      }
      stopped.countDown();
      thread.join(90_000);
      assertThat(thread.isAlive()).isFalse();
      await().atMost(Duration.ofSeconds(30)).until(() -> processes().isEmpty());
    }
  }
}
