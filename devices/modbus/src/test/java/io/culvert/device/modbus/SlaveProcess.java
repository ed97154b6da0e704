package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A Modbus slave that none of us wrote, in a process of its own. Needs Debian's {@code gcc}, {@code
 * libmodbus-dev} and {@code python3-pymodbus}; without them the test fails.
 */
final class SlaveProcess implements AutoCloseable {
  private static Path compiled;

  private final List<String> command;
  private Process process;
  private int port;

  private SlaveProcess(List<String> command) throws IOException {
    this.command = command;
    start();
  }

  /** The slave on libmodbus, {@code slave.c}. */
  static SlaveProcess libmodbus() throws Exception {
    return new SlaveProcess(List.of(compiled().toString()));
  }

  /** The slave on pymodbus, {@code slave.py}, with Debian's own Python. */
  static SlaveProcess pymodbus() throws Exception {
    Path script = Path.of(SlaveProcess.class.getResource("/peers/slave.py").toURI());
    return new SlaveProcess(List.of("/usr/bin/python3", script.toString()));
  }

  private static synchronized Path compiled() throws Exception {
    if (compiled == null) {
      Path source = Path.of(SlaveProcess.class.getResource("/peers/slave.c").toURI());
      Path program = source.resolveSibling("slave");
      Process gcc =
          new ProcessBuilder(
                  "gcc",
                  "-Wall",
                  "-Wno-overflow",
                  "-o",
                  program.toString(),
                  source.toString(),
                  "-I/usr/include/modbus",
                  "-lmodbus")
              .redirectErrorStream(true)
              .start();
      String said;
      try (InputStream output = gcc.getInputStream()) {
        said = new String(output.readAllBytes());
      }
      assertThat(gcc.waitFor()).as(said).isZero();
      compiled = program;
    }
    return compiled;
  }

  int port() {
    return port;
  }

  /** Starts again, at the same port. */
  void start() throws IOException {
    List<String> line = new ArrayList<>(command);
    line.add(Integer.toString(port));
    process =
        new ProcessBuilder(line)
            .redirectError(Files.createTempFile("slave", ".err").toFile())
            .start();
    BufferedReader output = process.inputReader();
    String said = output.readLine();
    assertThat(said).as("first line of " + line).startsWith("listening on ");
    port = Integer.parseInt(said.substring("listening on ".length()));
  }

  void stop() throws InterruptedException {
    process.destroyForcibly();
    assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
  }

  /** Freezes the process: the kernel still takes what it is sent, but nobody answers. */
  void freeze() throws Exception {
    signal("STOP");
  }

  void thaw() throws Exception {
    signal("CONT");
  }

  private void signal(String name) throws Exception {
    assertThat(new ProcessBuilder("kill", "-" + name, "" + process.pid()).start().waitFor())
        .isZero();
  }

  @Override
  public void close() throws InterruptedException {
    stop();
  }
}
