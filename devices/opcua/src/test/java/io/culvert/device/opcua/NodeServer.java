package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An OPC UA server that none of us wrote, node-opcua, in a process of its own: {@code
 * src/test/node/server.js}, which says what it offers and what it can be told. Without Node.js and
 * what {@code ./culvert test} installs by npm the test fails.
 */
final class NodeServer implements AutoCloseable {
  private static final Path MODULES = Path.of("target/node/node_modules");
  private static final Path SERVER = Path.of("src/test/node/server.js");
  private static final Pattern ANSWER = Pattern.compile("\\{\"id\":(\\d+),\"(ok|error)\":(.*)}");

  /** Long enough for a machine that does much else. */
  private static final long PATIENCE_SECONDS = 60;

  private final Map<Integer, CompletableFuture<String>> asked = new ConcurrentHashMap<>();
  private final Process process;
  private final Writer commands;
  private final Path log;
  private final int port;
  private int number;

  private NodeServer(Path folder, String options) throws Exception {
    if (!Files.isDirectory(MODULES.resolve("node-opcua-server"))) {
      throw new AssertionError(
          "node-opcua is not in " + MODULES.toAbsolutePath() + ": ./culvert test installs it");
    }
    log = Files.createTempFile(folder, "node", ".log");
    String pki = folder.resolve("pki").toString();
    ProcessBuilder builder =
        new ProcessBuilder(
            "node",
            SERVER.toString(),
            "{\"pki\": \"" + pki + "\", \"port\": " + Pipe.freePort() + ", " + options + "}");
    builder.environment().put("NODE_PATH", MODULES.toAbsolutePath().toString());
    builder.redirectError(log.toFile());
    try {
      process = builder.start();
    } catch (IOException none) {
      throw new AssertionError("Node.js can't be run: ./culvert test installs it", none);
    }
    commands = process.outputWriter();
    BufferedReader answers = process.inputReader();
    String said = answers.readLine();
    Matcher ready = Pattern.compile("\\{\"ready\":(\\d+)}").matcher(said == null ? "" : said);
    assertThat(ready.matches()).as("%s said: %s; %s", SERVER, said, Files.readString(log)).isTrue();
    port = Integer.parseInt(ready.group(1));
    Thread reader = new Thread(() -> listen(answers), "junit-node-server");
    reader.setDaemon(true);
    reader.start();
  }

  /** Without security, for anybody. */
  static NodeServer open(Path folder) throws Exception {
    return with(folder, "\"security\": false");
  }

  /**
   * @param folder for its certificates and its log
   * @param options of its JSON, without the braces
   */
  static NodeServer with(Path folder, String options) throws Exception {
    return new NodeServer(folder, options);
  }

  int port() {
    return port;
  }

  URI endpoint() {
    return URI.create("opc.tcp://127.0.0.1:" + port);
  }

  /**
   * Tells it to do something and waits until it has.
   *
   * @param command its name
   * @param more JSON without the braces, or nothing
   * @return what it answers, as JSON
   */
  String tell(String command, String... more) throws Exception {
    return ask(command, more).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  /** Tells it to do something. */
  synchronized CompletableFuture<String> ask(String command, String... more) throws IOException {
    CompletableFuture<String> answer = new CompletableFuture<>();
    asked.put(++number, answer);
    String rest = more.length == 0 ? "" : ", " + String.join(", ", more);
    commands.write("{\"id\": " + number + ", \"do\": \"" + command + "\"" + rest + "}\n");
    commands.flush();
    return answer;
  }

  /** Sets a variable by its name, in JSON. */
  void set(String node, String value) throws Exception {
    tell("set", "\"node\": \"" + node + "\"", "\"value\": " + value);
  }

  /** One of the figures that it counts. */
  int count(String what) throws Exception {
    Matcher found = Pattern.compile("\"" + what + "\":(\\d+)").matcher(tell("counts"));
    assertThat(found.find()).isTrue();
    return Integer.parseInt(found.group(1));
  }

  /** Freezes the process: the kernel still takes what it is sent, but nobody answers. */
  void freeze() throws Exception {
    signal("STOP");
  }

  void thaw() throws Exception {
    signal("CONT");
  }

  private void signal(String name) throws Exception {
    assertThat(new ProcessBuilder("kill", "-" + name, "" + process.pid()).start().waitFor())
        .isZero();
  }

  private void listen(BufferedReader answers) {
    String end = "The server has ended";
    try {
      for (String line = answers.readLine(); line != null; line = answers.readLine()) {
        Matcher answer = ANSWER.matcher(line);
        if (!answer.matches()) {
          end = "The server said " + line;
          break;
        }
        CompletableFuture<String> waiting = asked.remove(Integer.parseInt(answer.group(1)));
        if (answer.group(2).equals("ok")) {
          waiting.complete(answer.group(3));
        } else {
          waiting.completeExceptionally(new AssertionError(answer.group(3)));
        }
      }
    } catch (IOException closed) {
      // It has ended.
    }
    AssertionError over = new AssertionError(end);
    asked.values().forEach(waiting -> waiting.completeExceptionally(over));
  }

  @Override
  public void close() throws Exception {
    process.destroyForcibly();
    assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
  }
}
