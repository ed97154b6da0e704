package io.culvert.tests.endtoend;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.stream.Stream;

/**
 * A street and a platform in a process of their own, as {@code ./culvert simulator run} starts
 * them, and the audit at the end.
 */
public final class Simulator implements AutoCloseable {
  private static final Path TARGET = Path.of("../../simulator/target").toAbsolutePath();

  /** As many ports as any street of these tests has. */
  private static final int PORTS = 30;

  private final Path folder;
  private final Path street;
  private final int portBase;
  private final int mqttPort;
  private Process process;

  private Simulator(Path folder, IntFunction<String> yaml, int mqttPort) throws IOException {
    this.folder = folder;
    this.portBase = Peer.freePorts(PORTS);
    this.street = Files.writeString(folder.resolve("street.yaml"), yaml.apply(portBase));
    this.mqttPort = mqttPort;
  }

  /** As below, with a broker and an audit as they are by default. */
  static Simulator run(Path folder, IntFunction<String> yaml) throws IOException {
    return run(folder, yaml, Peer.freePort());
  }

  /**
   * Opens a street. Returns when everything listens.
   *
   * @param yaml the street, given the first of the ports that it may use
   * @param mqttPort of the broker
   * @param options of the command {@code run}, beside those for folders and ports
   */
  public static Simulator run(
      Path folder, IntFunction<String> yaml, int mqttPort, String... options) throws IOException {
    Simulator simulator = new Simulator(folder, yaml, mqttPort);
    List<String> line = simulator.command("run");
    line.addAll(List.of("--work", folder.toString(), "--report", simulator.reportFile()));
    line.addAll(List.of(options));
    simulator.process =
        new ProcessBuilder(line)
            .redirectErrorStream(true)
            .redirectOutput(simulator.output().toFile())
            .start();
    await("the street listens")
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              if (!simulator.process.isAlive()) {
                throw new IllegalStateException("ended: " + Files.readString(simulator.output()));
              }
              return InstalledGateway.text(simulator.output()).contains("listening");
            });
    return simulator;
  }

  public static Path jar() throws IOException {
    try (Stream<Path> files = Files.list(TARGET)) {
      return files
          .filter(f -> f.getFileName().toString().matches("culvert-simulator-.*\\.jar"))
          .findFirst()
          .orElseThrow(() -> new IOException("No jar of the simulator in " + TARGET));
    }
  }

  public static String java() {
    return Path.of(System.getProperty("java.home"), "bin/java").toString();
  }

  private List<String> command(String name) throws IOException {
    return new ArrayList<>(
        List.of(
            java(),
            "-jar",
            jar().toString(),
            name,
            "--street",
            street.toString(),
            "--port-base",
            Integer.toString(portBase),
            "--mqtt-port",
            Integer.toString(mqttPort)));
  }

  private Path output() {
    return folder.resolve("simulator.txt");
  }

  private String reportFile() {
    return folder.resolve("audit.json").toString();
  }

  public int mqttPort() {
    return mqttPort;
  }

  /**
   * The site document that {@code simulator site} writes for this street. Its devices on Modbus
   * have long to answer: a pause of the machine must not pass for their silence. Where a test is
   * about silence, it sets a short time itself.
   */
  public ObjectNode site() throws IOException, InterruptedException {
    Path file = folder.resolve("site-of-street.json");
    List<String> line = command("site");
    line.addAll(List.of("--out", file.toString()));
    Process writer = new ProcessBuilder(line).inheritIO().start();
    if (!writer.waitFor(60, TimeUnit.SECONDS) || writer.exitValue() != 0) {
      writer.destroyForcibly();
      throw new IllegalStateException(line + " failed");
    }
    ObjectNode site = (ObjectNode) new ObjectMapper().readTree(file.toFile());
    for (JsonNode device : site.get("devices")) {
      if (device.get("endpoint").asText().startsWith("modbus")) {
        ((ObjectNode) device)
            .put("timeout", "10s")
            .withObject("/settings")
            .put("responseTimeout", "4s");
      }
    }
    return site;
  }

  /** The entry of a device in a site document. */
  static ObjectNode device(ObjectNode site, String id) {
    for (JsonNode device : site.get("devices")) {
      if (device.get("id").asText().equals(id)) {
        return (ObjectNode) device;
      }
    }
    throw new IllegalArgumentException("No " + id + " in " + site);
  }

  /** Takes a device out of a site document. */
  static ObjectNode without(ObjectNode site, String id) {
    ObjectNode rest = site.deepCopy();
    ArrayNode devices = rest.putArray("devices");
    for (JsonNode device : site.get("devices")) {
      if (!device.get("id").asText().equals(id)) {
        devices.add(device);
      }
    }
    return rest;
  }

  /**
   * What the audit found.
   *
   * @param report as JSON
   * @param text as people see it
   * @param silence when the street fell silent
   */
  public record Audit(int exit, JsonNode report, String text, Instant silence) {
    /**
     * The entries of the ledger that concern a device while the street was there. If the account
     * isn't exact at once, the audit waits for a minute, in which nobody answers.
     */
    public List<String> ledgerOf(String device) {
      List<String> found = new ArrayList<>();
      for (int i = 0; i < report.get("ledgerEntries").size(); i++) {
        String entry = report.get("ledgerEntries").get(i).asText();
        Instant end = Instant.parse(report.get("ledgerEnds").get(i).asText());
        if (entry.contains(" " + device + "/") && !end.isAfter(silence)) {
          found.add(entry);
        }
      }
      return found;
    }
  }

  /** Its process: a broker of its own is a child of it. */
  public ProcessHandle process() {
    return process.toHandle();
  }

  /** Ends it as Ctrl-C would: the street falls silent, the rest arrives, and all is judged. */
  public Audit end() throws IOException, InterruptedException {
    Instant silence = Instant.now();
    process.destroy();
    if (!process.waitFor(120, TimeUnit.SECONDS)) {
      throw new IllegalStateException("No end; so far: " + Files.readString(output()));
    }
    return new Audit(
        process.exitValue(),
        new ObjectMapper().readTree(Path.of(reportFile()).toFile()),
        Files.readString(output()),
        silence);
  }

  @Override
  public void close() {
    if (process != null) {
      process.destroyForcibly();
    }
  }
}
