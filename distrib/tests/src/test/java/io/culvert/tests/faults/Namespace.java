package io.culvert.tests.faults;

import io.culvert.tests.endtoend.Peer;
import java.io.IOException;
import java.util.List;

/**
 * A network namespace with one wire (a veth pair) to this one: whoever runs in it is reached over
 * the wire only, which can be pulled so that neither end hears of it. Needs root.
 */
final class Namespace implements AutoCloseable {
  private final String ip = Peer.program("ip");
  private final String name;
  private final String near;
  private final String far;
  private final String network;

  private Namespace(int number) {
    this.name = "culvert-" + number;
    this.near = "cv" + number + "n";
    this.far = "cv" + number + "f";
    // Of the range for benchmarks of networks (RFC 2544), which nobody routes.
    this.network = "198.18." + number % 256 + ".";
  }

  static Namespace open() throws IOException, InterruptedException {
    Namespace namespace = new Namespace((int) (ProcessHandle.current().pid() % 100_000));
    try {
      Commands.run(namespace.ip, "netns", "add", namespace.name);
    } catch (IOException e) {
      throw new IOException(
          "A network namespace can't be made, so the veth half of the fault suite can't run; run"
              + " it as root (in a container: with CAP_NET_ADMIN and CAP_SYS_ADMIN)",
          e);
    }
    try {
      namespace.wire();
    } catch (IOException | InterruptedException e) {
      namespace.close();
      throw e;
    }
    return namespace;
  }

  private void wire() throws IOException, InterruptedException {
    Commands.run(ip, "link", "add", near, "type", "veth", "peer", "name", far, "netns", name);
    Commands.run(ip, "address", "add", network + "1/30", "dev", near);
    Commands.run(ip, "link", "set", near, "up");
    inside("address", "add", farAddress() + "/30", "dev", far);
    inside("link", "set", "lo", "up");
    plug();
  }

  private void inside(String... words) throws IOException, InterruptedException {
    String[] command = new String[words.length + 3];
    command[0] = ip;
    command[1] = "-n";
    command[2] = name;
    System.arraycopy(words, 0, command, 3, words.length);
    Commands.run(command);
  }

  /** What a command is to begin with, to run inside. */
  List<String> command() {
    return List.of(ip, "netns", "exec", name);
  }

  /** The address of whoever is inside. */
  String farAddress() {
    return network + "2";
  }

  /** Pulls the wire: nothing passes, and no connection is told. */
  void pull() throws IOException, InterruptedException {
    inside("link", "set", far, "down");
  }

  void plug() throws IOException, InterruptedException {
    inside("link", "set", far, "up");
  }

  @Override
  public void close() throws IOException, InterruptedException {
    // The wire goes with it.
    Commands.run(ip, "netns", "delete", name);
  }
}
