package io.culvert.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.culvert.tests.endtoend.InstalledGateway;
import io.culvert.tests.endtoend.Simulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * The demo's street with fifty devices and about 1,000 points a second, the gateway as it is
 * shipped, and a Mosquitto that the test has in hand; closed by the audit of the ground truth.
 */
final class Line implements AutoCloseable {
  private static final Path STREET =
      Path.of("../../simulator/src/main/resources/streets/demo.yaml");

  /** Of the demo's 200. */
  private static final int SHARE = 4;

  private final Simulator simulator;
  private final InstalledGateway gateway;
  private final Ear ear;

  private Line(Simulator simulator, InstalledGateway gateway, Ear ear) {
    this.simulator = simulator;
    this.gateway = gateway;
    this.ear = ear;
  }

  /** As below, straight to the broker, with a gateway as it is delivered. */
  static Line open(Path folder, Broker broker, Consumer<ObjectNode> site) throws Exception {
    return open(folder, broker, broker.port(), site, Map.of(), List.of());
  }

  /**
   * Opens it and starts the gateway. Returns when readings arrive.
   *
   * @param port where the gateway finds the broker, at the broker's address
   * @param site changes the site document
   * @param environment of the gateway
   * @param options of the simulator
   */
  static Line open(
      Path folder,
      Broker broker,
      int port,
      Consumer<ObjectNode> site,
      Map<String, String> environment,
      List<String> options)
      throws Exception {
    String demo = Files.readString(STREET);
    String street =
        Pattern.compile("count: (\\d+)")
            .matcher(demo)
            .replaceAll(found -> "count: " + Integer.parseInt(found.group(1)) / SHARE);
    List<String> all = new ArrayList<>(options);
    // Judged here: only the report tells how many the window may hold.
    all.addAll(List.of("--broker", "running:" + broker.host(), "--max-duplicates", "1000000000"));
    Simulator simulator =
        Simulator.run(folder, first -> street, broker.port(), all.toArray(String[]::new));
    InstalledGateway gateway = null;
    Ear ear = null;
    try {
      ObjectNode document = simulator.site();
      platform(document).put("url", "mqtt://" + broker.host() + ":" + port);
      site.accept(document);
      gateway = InstalledGateway.unpack(folder.resolve("gateway"), document.toString());
      ear = new Ear(broker);
      Line line = new Line(simulator, gateway, ear);
      gateway.start(environment);
      line.flows(Form.of(3_000, 10_000));
      return line;
    } catch (Exception | Error e) {
      if (gateway != null) {
        gateway.close();
      }
      simulator.close();
      if (ear != null) {
        ear.close();
      }
      throw e;
    }
  }

  /** The platform's entry in a site document. */
  static ObjectNode platform(ObjectNode site) {
    return (ObjectNode) site.get("platforms").get(0);
  }

  InstalledGateway gateway() {
    return gateway;
  }

  Ear ear() {
    return ear;
  }

  /** Waits until so many more readings have arrived. */
  void flows(int readings) {
    long before = ear.readings();
    await(readings + " more readings arrive")
        .atMost(Duration.ofSeconds(90))
        .pollInterval(Duration.ofMillis(100))
        .conditionEvaluationListener(null)
        .untilAsserted(
            () ->
                assertThat(ear.readings() - before)
                    .as(gateway::log)
                    .isGreaterThanOrEqualTo(readings));
  }

  /**
   * The street falls silent, the rest arrives, and all is judged: nothing lost, nothing out of
   * order, and only as often twice as the disruptions explain.
   *
   * @param disruptions each of which may have left a window of messages unanswered
   */
  Simulator.Audit end(int disruptions) throws IOException, InterruptedException {
    Simulator.Audit audit = simulator.end();
    JsonNode report = audit.report();
    assertThat(report.at("/violations"))
        .as(audit.text())
        .allSatisfy(count -> assertThat(count.asLong()).isZero());
    assertThat(audit.exit()).as(audit.text()).isZero();
    assertThat(report.at("/confirmed").asLong()).as(audit.text()).isGreaterThan(3_000);
    assertThat(report.at("/duplicates").asLong())
        .as("a window of messages for each disruption\n%s", audit.text())
        .isLessThanOrEqualTo(disruptions * report.at("/figures/mostInWindow").asLong());
    return audit;
  }

  @Override
  public void close() throws Exception {
    gateway.close();
    simulator.close();
    ear.close();
  }
}
