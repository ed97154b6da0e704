package io.culvert.plugins.hosting;

import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Readable;
import io.culvert.plugins.hosting.fixture.Odd;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * What a process of its own costs: its start, its memory when idle, and what it adds to a reading,
 * measured in turn with the same driver in this process. No test: it judges nothing.
 */
public final class Cost {
  private static final int READINGS = 20_000;

  public static void main(String[] arguments) throws Exception {
    Path folder = Files.createTempDirectory("culvert-cost");
    Path jar = PluginJar.of(Odd.class).in(folder);
    long[] starts = new long[5];
    for (int i = 0; i < starts.length; i++) {
      try (House house = new House(Files.createDirectory(folder.resolve("start" + i)))) {
        long before = System.nanoTime();
        house.host(jar);
        starts[i] = System.nanoTime() - before;
      }
    }
    System.out.printf("start: median %d ms%n", Duration.ofNanos(median(starts)).toMillis());
    try (House house = new House(Files.createDirectory(folder.resolve("house")))) {
      house.host(jar);
      System.out.printf("memory, idle: %d MiB%n", house.hosts.processes().get(0).memory() >> 20);
      for (int points : new int[] {1, 20}) {
        Readable.Plan here = plan(new Odd(), points);
        Readable.Plan there = plan(house.driver("odd"), points);
        long[] local = new long[READINGS];
        long[] hosted = new long[READINGS];
        for (int round = 0; round < 2; round++) {
          // The first round warms up.
          for (int i = 0; i < READINGS; i++) {
            local[i] = read(here);
            hosted[i] = read(there);
          }
        }
        System.out.printf(
            "reading of %d points: in the gateway %.1f us, hosted %.1f us (median), %.1f us (99%%)%n",
            points, median(local) / 1e3, median(hosted) / 1e3, at(hosted, 0.99) / 1e3);
      }
      System.out.printf("memory, after: %d MiB%n", house.hosts.processes().get(0).memory() >> 20);
    }
    System.exit(0);
  }

  private static Readable.Plan plan(Driver driver, int points) throws Exception {
    return ((Readable) House.get(driver.open(House.device("reader"), new Heard())))
        .prepare(IntStream.range(0, points).mapToObj(i -> House.point("x" + i)).toList());
  }

  private static long read(Readable.Plan plan) throws Exception {
    long before = System.nanoTime();
    House.get(plan.read());
    return System.nanoTime() - before;
  }

  private static long median(long[] nanos) {
    return at(nanos, 0.5);
  }

  private static long at(long[] nanos, double share) {
    long[] sorted = nanos.clone();
    Arrays.sort(sorted);
    return sorted[(int) (share * (sorted.length - 1))];
  }
}
