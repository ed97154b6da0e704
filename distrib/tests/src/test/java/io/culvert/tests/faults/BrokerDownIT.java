package io.culvert.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.culvert.tests.endtoend.Demo;
import io.culvert.tests.endtoend.InstalledGateway;
import io.culvert.tests.endtoend.OneOfThree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mosquitto is stopped for ten seconds and started again. Longer outages: LongOutageIT. */
class BrokerDownIT {
  @TempDir Path folder;

  @Test
  void tenSecondsWithoutABrokerCostNothing() throws Exception {
    OneOfThree.keeps(round -> outage(Files.createDirectory(folder.resolve("round-" + round))));
  }

  /** What the ledger has to explain: a device may have been read too late on a busy machine. */
  private static String outage(Path folder) throws Exception {
    JsonNode report =
        Demo.small(
                folder,
                InstalledGateway.SHIPPED,
                Duration.ofMinutes(Form.of(10, 60)),
                "--broker",
                "mosquitto",
                "--seconds",
                "18",
                "--broker-down",
                "10")
            .exact();

    assertThat(report.at("/lost").asLong()).isZero();
    assertThat(report.at("/historical").asLong())
        .as("what was read meanwhile")
        .isGreaterThan(5_000);
    return report.at("/ledger").asLong() == 0 ? "" : report.at("/ledgerEntries").toString();
  }
}
