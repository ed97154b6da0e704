package io.culvert.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.culvert.buffer.AppendRun;
import io.culvert.simulator.Options;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.BindException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That the buffer's benchmark runs; its figures are too small to mean anything. */
class BufferSpeedTest {
  @TempDir Path folder;

  @Test
  void appendIsMeasuredInTurnWithThePlainFile() throws Exception {
    AppendRun.Case one = new AppendRun.Case(10, 1);
    AppendRun.Case several = new AppendRun.Case(10, 3);

    List<AppendRun.Phase> phases =
        AppendRun.run(new AppendRun.Order(folder.toString(), 0.1, 2, List.of(one, several)));

    assertThat(phases).hasSize(8).extracting(AppendRun.Phase::raw).startsWith(false, true, false);
    assertThat(phases).allMatch(phase -> phase.readings() > 0 && phase.seconds() > 0);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void whatWasOwedIsDrainedOnceAndInOrderByEachWayAndADayIsFound() throws Exception {
    Path options = Files.createDirectories(folder.resolve("gateway/etc")).resolve("jvm.options");
    Files.copy(Path.of("../archive/src/main/etc/jvm.options"), options);
    int port = freePort();
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8);
    Path results = folder.resolve("results");
    Bench bench = new Bench(folder.resolve("gateway"), results, port, 1, out);
    List<String> small =
        List.of(
            "--parts",
            "drain,query",
            "--every",
            "600",
            "--devices",
            "20",
            "--readings",
            "20000",
            "--mqtt-readings",
            "5000",
            "--seconds",
            "1");

    int status = new BufferSpeed(bench, new Options(small, BufferSpeed.OPTIONS, List.of())).run();

    assertThat(status).as(said.toString(StandardCharsets.UTF_8)).isZero();
    JsonNode result = new ObjectMapper().readTree(results.resolve("buffer.json").toFile());
    assertThat(result.get("drains")).hasSize(4);
    assertThat(result.get("drains").get(0).get("received").get("backlog").asInt())
        .isEqualTo(20_000);
    assertThat(result.get("drains").get(2).get("received").get("backlog").asInt())
        .isBetween(5_000, 20_000);
    assertThat(result.get("query").get("found").asInt()).isEqualTo(24 * 6);
    assertThat(results).isDirectoryContaining(file -> file.endsWith("buffer.json"));
    assertThat(Files.list(results)).hasSize(1);
  }

  /** None of those that outgoing connections are given, so that none of them takes it. */
  private static int freePort() throws IOException {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(10_000, 32_000);
      try (ServerSocket free = new ServerSocket(port)) {
        return free.getLocalPort();
      } catch (BindException taken) {
        // Another, then.
      }
    }
  }
}
