package io.culvert.tests.faults;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Short commands of the system. */
final class Commands {
  private Commands() {}

  /** Runs one; says what it said if it fails. */
  static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + ": " + said.strip());
    }
  }
}
