package io.culvert.benchmarks;

import io.culvert.simulator.Gateway;
import io.culvert.simulator.SiteDocument;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * This gateway as it is shipped, from a copy of its unpacked archive: durable buffer, ledger, audit
 * trail and all.
 */
final class CulvertContender implements Contender {
  private static final String ID = "cabinet-17";

  private final Path installation;

  CulvertContender(Path installation) {
    this.installation = installation;
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
  public Running start(Load load, Street street, int brokerPort, Path work)
      throws StreetException, IOException {
    Files.createDirectories(work);
    Gateway gateway =
        new Gateway(installation, work, SiteDocument.of(street, ID, brokerPort, load.interval()));
    load.writeProfile(gateway.home().resolve("etc/profiles"));
    gateway.start();
    return new Run(gateway);
  }

  private static final class Run implements Running {
    private final Gateway gateway;
    private final Thread hook;

    Run(Gateway gateway) {
      this.gateway = gateway;
      this.hook =
          new Thread(() -> gateway.family().forEach(ProcessHandle::destroyForcibly), "end-gateway");
      Runtime.getRuntime().addShutdownHook(hook);
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
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The end has come for all; the hook does its work.
        return;
      }
    }
  }
}
