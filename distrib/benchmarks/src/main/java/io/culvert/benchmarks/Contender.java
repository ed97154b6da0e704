package io.culvert.benchmarks;

import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A program that reads a street's devices and publishes what it read, in a process of its own. */
interface Contender {

  /** What tables call it. */
  String name();

  /** What it is and how it works, in a line. */
  String description();

  /**
   * Starts it.
   *
   * @param work an empty folder of its own
   */
  Running start(Load load, Street street, int brokerPort, Path work)
      throws StreetException, IOException;

  /** A contender at work. */
  interface Running extends AutoCloseable {

    /** Its processes. */
    List<ProcessHandle> processes();

    boolean alive();

    /** What it wrote to its console. */
    Path log();

    /** Ends it. */
    @Override
    void close();
  }
}
