package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo as {@code ./culvert demo} starts it, ended by the audit of the ground truth. */
class DemoIT {
  private static final Path MAKER_A =
      Path.of("../../devices/profiles/src/main/resources/profiles/maker-a-gas.yaml");

  @TempDir Path folder;

  @Test
  void everyValueIsConfirmedWhenNothingGoesWrong() throws Exception {
    JsonNode audit = demo("--seconds", "8");
    assertThat(audit.at("/lost").asLong()).isZero();
    assertThat(audit.at("/duplicates").asLong()).isZero();
    assertThat(audit.at("/confirmed").asLong()).isGreaterThan(3_000);
  }

  @Test
  void nothingIsLostWhenTheBrokerGoesAway() throws Exception {
    JsonNode audit = demo("--seconds", "12", "--broker-down", "4");
    assertThat(audit.at("/lost").asLong()).isZero();
  }

  @Test
  void nothingAcceptedIsLostWhenTheGatewayIsKilled() throws Exception {
    JsonNode audit = demo("--seconds", "10", "--kills", "1");
    assertThat(audit.at("/lost").asLong()).isZero();
    // Whether anything was between answer and commit at that moment is chance; the entry isn't.
    assertThat(audit.at("/ledgerEntries"))
        .as("the interruption is in the ledger")
        .anySatisfy(entry -> assertThat(entry.asText()).startsWith("interruption"));
  }

  @Test
  void theSameHoldsOnMosquitto() throws Exception {
    JsonNode audit = demo("--seconds", "5", "--broker", "mosquitto");
    assertThat(audit.at("/lost").asLong()).isZero();
  }

  @Test
  void aWrongScaleInAProfileCannotHide() throws Exception {
    // The simulated device is written from its maker's map, so that it doesn't share the mistake.
    String right = Files.readString(MAKER_A);
    assertThat(right).contains("offset: -40");
    try (InstalledGateway gateway =
        InstalledGateway.unpack(
            folder.resolve("gateway"),
            Files.readString(InstalledGateway.SHIPPED.resolve("etc/site.json")))) {
      gateway.write("etc/profiles/maker-a-gas.yaml", right.replace("offset: -40", "offset: -30"));

      JsonNode audit = demo(gateway.home(), 1, "--seconds", "5");
      assertThat(audit.at("/violations/wrong_value").asLong()).isPositive();
      assertThat(audit.at("/examples/wrong_value"))
          .allSatisfy(example -> assertThat(example.asText()).contains("/temperature"));
      assertThat(audit.at("/lost").asLong()).isZero();
    }
  }

  private JsonNode demo(String... options) throws Exception {
    return demo(InstalledGateway.SHIPPED, 0, options);
  }

  private JsonNode demo(Path gateway, int exit, String... options) throws Exception {
    Demo demo = Demo.small(folder, gateway, Duration.ofMinutes(3), options);
    assertThat(demo.exit()).as(demo.said()).isEqualTo(exit);
    return demo.audit();
  }
}
