package io.culvert.benchmarks;

import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where benchmarks find what they measure and put what they found.
 *
 * @param installation an unpacked distribution
 * @param results folder for the result files
 * @param brokerPort on loopback
 * @param portBase of the street's devices, each of which has a port
 */
record Bench(Path installation, Path results, int brokerPort, int portBase, PrintStream out) {

  Bench {
    installation = installation.toAbsolutePath();
    results = results.toAbsolutePath();
  }

  /** Refuses in one line what can't run. */
  void check() throws StreetException {
    if (!Files.isExecutable(installation.resolve("bin/culvert"))) {
      throw new StreetException(
          "found no bin/culvert in "
              + installation
              + ", expected an unpacked Culvert; build one with ./culvert build");
    }
    if (!Files.isReadable(Path.of("/proc/self/stat"))) {
      throw new StreetException("found no /proc, which tells processor time; expected Linux");
    }
  }

  Work work() throws IOException {
    return Work.create();
  }
}
