package io.culvert.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.Street.Resident;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Node-RED with node-red-contrib-modbus and a flow as people draw it: for each device a client and
 * a node that reads it, one function that scales, one node that publishes with QoS 1.
 */
final class NodeRedContender implements Contender {
  private static final String NODE_RED = "4.1.7";

  /** The newest that runs on the Node.js that Node-RED 4 asks for. */
  private static final String CONTRIB = "5.45.2";

  /**
   * What contrib-modbus asks for lies on a server outside npm; it is a fork of this one, and does
   * the same for reading by TCP.
   */
  private static final String MODBUS_SERIAL = "npm:modbus-serial@8.0.25";

  private static final long INSTALL_SECONDS = 300;

  private static final String FUNCTION =
      """
      const device = msg.topic;
      const values = msg.payload;
      const first = context.get(device) || 1;
      context.set(device, first + values.length);
      const properties = {tick: values[0]};
      for (let i = 1; i < values.length; i++) {
        const name = 'v' + String(i).padStart(3, '0');
        properties[name] = values[i] / 10;
        properties[name + '_u'] = 'mV';
      }
      properties.seq_first = first;
      properties.seq_count = values.length;
      msg.topic = '$oc/devices/node-red/sys/gateway/sub_devices/properties/report';
      msg.payload = {devices: [{device_id: device, services: [{service_id: 'telemetry',
        event_time: new Date().toISOString(), properties: properties}]}]};
      return msg;
      """;

  private final Path folder;
  private final ObjectMapper json = new ObjectMapper();

  private NodeRedContender(Path folder) {
    this.folder = folder;
  }

  /** It can't be had here. */
  static final class MissingException extends Exception {
    private static final long serialVersionUID = 1;

    MissingException(String message) {
      super(message);
    }
  }

  /**
   * Installs it by npm, once. Blocks for half a minute or so.
   *
   * @param folder stays, for the next time
   */
  static NodeRedContender install(Path folder) throws MissingException, IOException {
    Files.createDirectories(folder);
    Path done = folder.resolve("installed-" + NODE_RED + "-" + CONTRIB);
    if (!Files.exists(done)) {
      Files.writeString(
          folder.resolve("package.json"),
          """
          {"private": true,
           "dependencies": {"node-red": "%s", "node-red-contrib-modbus": "%s"},
           "overrides": {"@openp4nr/modbus-serial": "%s"}}
          """
              .formatted(NODE_RED, CONTRIB, MODBUS_SERIAL));
      try (Child npm =
          new Child(
              List.of(
                  "npm",
                  "install",
                  "--no-audit",
                  "--no-fund",
                  "--omit=dev",
                  "--ignore-scripts",
                  "--fetch-retries=1"),
              Map.of(),
              folder)) {
        if (!npm.await(INSTALL_SECONDS) || !Files.exists(red(folder))) {
          List<String> lines = Files.readAllLines(npm.log());
          throw new MissingException(
              "npm doesn't install it: "
                  + lines.stream()
                      .filter(line -> line.contains("error"))
                      .limit(3)
                      .reduce("", (a, b) -> a + " " + b));
        }
      } catch (IOException e) {
        throw new MissingException("npm can't be run: " + e.getMessage());
      }
      Files.writeString(done, "");
    }
    return new NodeRedContender(folder);
  }

  private static Path red(Path folder) {
    return folder.resolve("node_modules/node-red/red.js");
  }

  @Override
  public String name() {
    return "Node-RED";
  }

  @Override
  public String description() {
    return "Node-RED "
        + NODE_RED
        + " with node-red-contrib-modbus "
        + CONTRIB
        + " on Node.js: modbus-read → function → mqtt out, no buffer, no ledger";
  }

  @Override
  public Running start(Load load, Street street, int brokerPort, Path work) throws IOException {
    Files.createDirectories(work);
    Files.writeString(folder.resolve("flows.json"), flow(load, street, brokerPort));
    Files.writeString(
        folder.resolve("settings.js"),
        """
        module.exports = {
          flowFile: 'flows.json', httpAdminRoot: false, httpNodeRoot: false, disableEditor: true,
          uiHost: '127.0.0.1', uiPort: 0, credentialSecret: false, telemetry: {enabled: false},
          logging: {console: {level: 'warn', metrics: false, audit: false}}
        };
        """);
    return new Child(
        List.of(
            "node",
            red(folder).toString(),
            "--userDir",
            folder.toString(),
            "--settings",
            folder.resolve("settings.js").toString()),
        Map.of(),
        work);
  }

  /** The flow as its editor would have saved it. */
  private String flow(Load load, Street street, int brokerPort) throws IOException {
    ArrayNode flow = json.createArrayNode();
    node(flow, "load", "tab").put("label", "load");
    node(flow, "broker", "mqtt-broker")
        .put("broker", "127.0.0.1")
        .put("port", Integer.toString(brokerPort))
        .put("clientid", "node-red")
        .put("autoConnect", true)
        .put("usetls", false)
        .put("protocolVersion", "5")
        .put("keepalive", "60")
        .put("cleansession", true);
    ObjectNode function = node(flow, "scale", "function");
    function.put("z", "load").put("func", FUNCTION).put("outputs", 1);
    function.putArray("wires").addArray().add("publish");
    node(flow, "publish", "mqtt out")
        .put("z", "load")
        .put("topic", "")
        .put("qos", "1")
        .put("broker", "broker");
    for (Resident device : street.devices()) {
      node(flow, "client-" + device.id(), "modbus-client")
          .put("name", device.id())
          .put("clienttype", "tcp")
          .put("bufferCommands", true)
          .put("stateLogEnabled", false)
          .put("queueLogEnabled", false)
          .put("failureLogEnabled", false)
          .put("tcpHost", "127.0.0.1")
          .put("tcpPort", Integer.toString(device.port()))
          .put("tcpType", "DEFAULT")
          .put("unit_id", device.unit())
          .put("commandDelay", 1)
          .put("clientTimeout", 2_000)
          .put("reconnectOnTimeout", true)
          .put("reconnectTimeout", 2_000)
          .put("parallelUnitIdsAllowed", true);
      ObjectNode read = node(flow, "read-" + device.id(), "modbus-read");
      read.put("z", "load")
          .put("name", device.id())
          .put("topic", device.id())
          .put("showStatusActivities", false)
          .put("logIOActivities", false)
          .put("showErrors", false)
          .put("unitid", Integer.toString(device.unit()))
          .put("dataType", "HoldingRegister")
          .put("adr", "0")
          .put("quantity", Integer.toString(load.points()))
          .put("rate", Long.toString(load.interval().toMillis()))
          .put("rateUnit", "ms")
          .put("delayOnStart", false)
          .put("server", "client-" + device.id())
          .put("useIOFile", false)
          .put("useIOForPayload", false)
          .put("emptyMsgOnFail", false);
      ArrayNode wires = read.putArray("wires");
      wires.addArray().add("scale");
      wires.addArray();
    }
    return json.writeValueAsString(flow);
  }

  private static ObjectNode node(ArrayNode flow, String id, String type) {
    return flow.addObject().put("id", id).put("type", type);
  }
}
