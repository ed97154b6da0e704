package io.culvert.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The gateway's clock jumps by a day, forward and back: {@code clock.c} is preloaded. The audit
 * joins by tick alone then: it holds nothing against times, and everything against what is lost,
 * doubled or out of order.
 */
class ClockJumpIT {
  private static final Duration DAY = Duration.ofDays(1);

  @TempDir Path folder;

  @Test
  void aDayForwardOrBackCostsNothing() throws Exception {
    Path library = compile();
    set(Duration.ZERO);
    try (Broker broker = Broker.start(folder);
        Line line =
            Line.open(
                folder,
                broker,
                broker.port(),
                site -> {},
                Map.of("LD_PRELOAD", library.toString(), "CLOCK_OFFSET", offset().toString()),
                List.of("--clock-skew"))) {
      for (Duration offset : List.of(DAY, Duration.ZERO, DAY.negated(), Duration.ZERO)) {
        set(offset);
        await("readings bear the clock's time")
            .atMost(Duration.ofSeconds(30))
            .until(
                () -> {
                  long off = line.ear().last() - System.currentTimeMillis();
                  return Math.abs(off - offset.toMillis()) < DAY.toMillis() / 2;
                });
        line.flows(Form.of(2_000, 60_000));
      }
      var audit = line.end(0);
      assertThat(audit.report().at("/ledger").asLong())
          .as("explained by the ledger\n%s", audit.text())
          .isZero();
      assertThat(line.gateway().log()).as("nothing has expired").doesNotContain("maxAgeHours");
    }
  }

  private Path offset() {
    return folder.resolve("clock.offset");
  }

  private void set(Duration offset) throws IOException {
    ByteBuffer seconds = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
    seconds.putLong(offset.toSeconds()).flip();
    // In place: the process has the file mapped.
    try (FileChannel file =
        FileChannel.open(offset(), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      file.write(seconds, 0);
    }
  }

  private Path compile() throws IOException, InterruptedException {
    Path library = folder.resolve("clock.so");
    Commands.run(
        "gcc",
        "-O2",
        "-shared",
        "-fPIC",
        "-o",
        library.toString(),
        Path.of("src/test/resources/clock.c").toAbsolutePath().toString(),
        "-ldl");
    return library;
  }
}
