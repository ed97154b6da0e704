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
 * libmodbus-dev}, {@code python3-pymodbus} and, for serial lines, {@code python3-serial-asyncio};
 * without them the test fails.
 */
final class SlaveProcess implements AutoCloseable {
  private static Path compiled;

  private final List<String> command;
  private Process process;
  private int port;

  private final boolean tcp;

  private SlaveProcess(boolean tcp, String... command) throws IOException {
    this.command = List.of(command);
    this.tcp = tcp;
    start();
  }

  /** The slave on libmodbus, {@code slave.c}. */
  static SlaveProcess libmodbus() throws Exception {
    return new SlaveProcess(true, compiled().toString());
  }

  /** The slave on pymodbus, {@code slave.py}, with Debian's own Python. */
  static SlaveProcess pymodbus() throws Exception {
    return new SlaveProcess(true, "/usr/bin/python3", script());
  }

  private static String script() throws Exception {
    return Path.of(SlaveProcess.class.getResource("/peers/slave.py").toURI()).toString();
  }

  /** One unit on libmodbus, on a serial line that others may share. */
  static SlaveProcess libmodbus(String file, int unit) throws Exception {
    return new SlaveProcess(false, compiled().toString(), file, Integer.toString(unit));
  }

  /**
   * The units 1, 2 and 7 on pymodbus, on a serial line.
   *
   * @param mode {@code rtu} or {@code ascii}
   */
  static SlaveProcess pymodbus(String file, String mode) throws Exception {
    return new SlaveProcess(false, "/usr/bin/python3", script(), file, mode);
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
    if (tcp) {
      line.add(Integer.toString(port));
    }
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
