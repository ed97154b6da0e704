package io.culvert.benchmarks;

import io.culvert.simulator.Gateway;
import io.culvert.simulator.SiteDocument;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * This gateway as it is shipped, from a copy of its unpacked archive: durable buffer, ledger, audit
 * trail and all. What it leaves out, others are measured by.
 */
final class CulvertContender implements Contender {
  private static final String ID = "cabinet-17";

  private final Path installation;
  private final String jvmOptions;

  CulvertContender(Path installation) {
    this(installation, "");
  }

  /**
   * @param jvmOptions added to those of etc/jvm.options
   */
  CulvertContender(Path installation, String jvmOptions) {
    this.installation = installation;
    this.jvmOptions = jvmOptions;
  }

  @Override
  public String name() {
    return "Culvert";
  }

  @Override
  public String description() {
    return "the shipped archive and its etc/jvm.options; readings durable before they are sent";
  }

  @Override
  public Run start(Load load, Street street, int brokerPort, Path work)
      throws StreetException, IOException {
    Files.createDirectories(work);
    Gateway gateway =
        new Gateway(installation, work, SiteDocument.of(street, ID, brokerPort, load.interval()));
    load.writeProfile(gateway.home().resolve("etc/profiles"));
    return run(gateway);
  }

  /** What has to be in an installation before it starts. */
  interface Preparation {
    void in(Path home) throws IOException;
  }

  /** Starts it with a site of somebody else's making. */
  Run start(Path work, String site, Preparation preparation) throws StreetException, IOException {
    Files.createDirectories(work);
    Gateway gateway = new Gateway(installation, work, site);
    preparation.in(gateway.home());
    return run(gateway);
  }

  /** Starts it with a site without devices and platforms. */
  Run startEmpty(Path work) throws StreetException, IOException {
    return run(empty(work));
  }

  /**
   * Starts what is not Culvert in it: launcher, Felix with SCR, Configuration Admin and the other
   * libraries, and no bundle of its own.
   */
  Run startBare(Path work) throws StreetException, IOException {
    Gateway gateway = empty(work);
    try (Stream<Path> features = Files.list(gateway.home().resolve("features"))) {
      for (Path feature : features.toList()) {
        List<String> others =
            Files.readAllLines(feature).stream()
                .filter(line -> line.startsWith("#") || !line.contains("culvert-"))
                .toList();
        Files.write(feature, others);
      }
    }
    try (Stream<Path> plugins = Files.list(gateway.home().resolve("plugins"))) {
      for (Path plugin : plugins.toList()) {
        Files.delete(plugin);
      }
    }
    return run(gateway);
  }

  private Gateway empty(Path work) throws StreetException, IOException {
    Files.createDirectories(work);
    return new Gateway(
        installation,
        work,
        "{\"gateway\": {\"id\": \"" + ID + "\"}, \"platforms\": [], \"devices\": []}\n");
  }

  private Run run(Gateway gateway) throws IOException {
    Run run = new Run(gateway, jvmOptions);
    run.start();
    return run;
  }

  /** The gateway at work. */
  static final class Run implements Running {
    private final Gateway gateway;
    private final String jvmOptions;

    private Run(Gateway gateway, String jvmOptions) {
      this.gateway = gateway;
      this.jvmOptions = jvmOptions;
    }

    private void start() throws IOException {
      // Else those of this process's own environment hold, such as to record a profile.
      gateway.start(jvmOptions.isEmpty() ? Map.of() : Map.of("CULVERT_JAVA_OPTS", jvmOptions));
    }

    /** Stops it and starts it with the data that it has. */
    void restart() throws IOException {
      gateway.stop();
      start();
    }

    /** When it was started last, in epoch milliseconds. */
    long startedAt() {
      return gateway.startedAt();
    }

    /** Whether every bundle of its features is active. */
    boolean ready() {
      return Files.exists(gateway.home().resolve("data/run/ready"));
    }

    @Override
    public List<ProcessHandle> processes() {
      return gateway.family();
    }

    @Override
    public boolean alive() {
      return gateway.alive();
    }

    @Override
    public Path log() {
      return gateway.log();
    }

    @Override
    public void close() {
      gateway.stop();
    }
  }
}
