package io.culvert.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The platform takes readings, and the gateway doesn't hear of it. */
class AcknowledgementIT {
  @TempDir Path folder;

  @Test
  void whatIsNotAcknowledgedComesTwiceAndNothingIsLost() throws Exception {
    int rounds = Form.of(3, 30);
    try (Broker broker = Broker.start(folder);
        Uplink uplink = new Uplink(broker.port());
        Line line = Line.open(folder, broker, uplink.port(), site -> {}, Map.of(), List.of())) {
      for (int round = 1; round <= rounds; round++) {
        long before = uplink.dropped();
        uplink.dropAcknowledgements(5);
        await("acknowledgements are lost")
            .atMost(Duration.ofSeconds(60))
            .until(() -> uplink.dropped() >= before + 4);
        // With the connection goes the hope that they come yet.
        uplink.dropAcknowledgements(0);
        uplink.cut();
        line.flows(1_000);
      }
      var audit = line.end(rounds);
      assertThat(audit.report().at("/duplicates").asLong())
          .as("what was taken and not acknowledged")
          .isPositive();
    }
  }

  @Test
  void deliveryGoesOnThoughThePlatformForgetsToAcknowledge() throws Exception {
    try (Broker broker = Broker.start(folder);
        Uplink uplink = new Uplink(broker.port());
        Line line =
            Line.open(
                folder,
                broker,
                uplink.port(),
                site -> Line.platform(site).put("keepAliveSeconds", 4),
                Map.of(),
                List.of())) {
      uplink.dropAcknowledgements(1);
      await("acknowledgements are lost")
          .atMost(Duration.ofSeconds(60))
          .until(() -> uplink.dropped() > 0);
      uplink.dropAcknowledgements(0);
      line.gateway().awaitLog("a message was not acknowledged for 3");
      line.flows(3_000);
      line.end(1);
    }
  }
}
