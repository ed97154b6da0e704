package io.culvert.core.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the kernel's files say. */
class MachineTest {
  private final AtomicLong nanos = new AtomicLong(-5);
  private final AtomicReference<Duration> cpu = new AtomicReference<>(Duration.ofSeconds(3));
  @TempDir Path empty;

  private Machine at(Path root) {
    return new Machine(root, root, nanos::get, () -> Optional.ofNullable(cpu.get()));
  }

  @Test
  void theFilesOfASmallBoardAreUnderstood() throws IOException {
    Machine board = at(Rig.MACHINE);

    assertThat(board.resident()).isEqualTo(114_820L * 1024);
    assertThat(board.available()).isEqualTo(287_364L * 1024);
    assertThat(board.uptime()).isEqualTo(93_784);
    assertThat(board.temperature()).as("not that of the zone without sensor").isEqualTo(51_250);
    assertThat(board.total()).isPositive();
    assertThat(board.free()).isBetween(0L, board.total());
  }

  @Test
  void whatAMachineDoesNotTellIsNoError() throws IOException {
    Machine bare = at(empty);
    assertThat(bare.resident()).isNull();
    assertThat(bare.available()).isNull();
    assertThat(bare.uptime()).isNull();
    assertThat(bare.temperature()).isNull();

    // Files that say something else, and a sensor that answers with an error.
    Files.createDirectories(empty.resolve("proc/self"));
    Files.writeString(empty.resolve("proc/self/status"), "Name:\tjava\nVmRSS:\t many kB\n");
    Files.writeString(empty.resolve("proc/meminfo"), "MemFree:  1 kB\nNoMemAvailable: 3 kB\n");
    Files.writeString(empty.resolve("proc/uptime"), "");
    Files.createDirectories(empty.resolve("sys/class/thermal/thermal_zone0/temp"));
    Path zone = Files.createDirectories(empty.resolve("sys/class/thermal/thermal_zone1"));
    Files.writeString(zone.resolve("temp"), "-273200\n");
    assertThat(bare.resident()).isNull();
    assertThat(bare.available()).isNull();
    assertThat(bare.uptime()).isNull();
    assertThat(bare.temperature()).isNull();
  }

  @Test
  void aDiskThatIsNotThereIsAnError() {
    assertThatIOException().isThrownBy(at(empty.resolve("gone"))::free);
    assertThatIOException().isThrownBy(at(empty.resolve("gone"))::total);
  }

  @Test
  void theShareIsThatSinceTheLastLook() {
    Machine machine = at(empty);
    int processors = Runtime.getRuntime().availableProcessors();

    nanos.addAndGet(Duration.ofSeconds(10).toNanos());
    cpu.set(Duration.ofSeconds(5));
    assertThat(machine.share()).isCloseTo(0.2 / processors, within(1e-9));

    nanos.addAndGet(Duration.ofSeconds(10).toNanos());
    assertThat(machine.share()).isZero();

    // Two points, or two people, that look at the same moment.
    nanos.addAndGet(Duration.ofMillis(5).toNanos());
    cpu.set(Duration.ofMillis(5_010));
    assertThat(machine.share()).isZero();

    cpu.set(null);
    nanos.addAndGet(Duration.ofSeconds(10).toNanos());
    assertThat(machine.share()).isNull();
  }

  @Test
  void thisMachineTells() throws IOException {
    Machine here = new Machine(empty);

    assertThat(here.resident()).isGreaterThan(10L << 20);
    assertThat(here.available()).isPositive();
    assertThat(here.uptime()).isPositive();
    assertThat(here.load()).isNotNegative();
    assertThat(here.share()).isBetween(0.0, 1.0);
    assertThat(here.free()).isPositive();
  }
}
