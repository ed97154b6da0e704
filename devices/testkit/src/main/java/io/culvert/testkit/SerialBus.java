package io.culvert.testkit;

import io.culvert.api.Device;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.awaitility.Awaitility;

/**
 * A line that several share, as RS-485 is: what one says, all others hear. Each participant has a
 * pseudo-terminal, made by Debian's {@code socat}; the test itself may listen and speak.
 * Pseudo-terminals know no parity and carry bytes faster than any baud rate.
 */
public final class SerialBus implements AutoCloseable {
  private final Path folder;
  private final ServerSocket server;
  private final Map<String, Plug> plugs = new HashMap<>();
  private final Map<String, Relay.Serial> relays = new HashMap<>();
  private Consumer<byte[]> ear = bytes -> {};
  private String echoing = "";

  private record Plug(Process socat, Socket socket) {}

  /**
   * @param folder where the device files appear
   */
  public SerialBus(Path folder) throws IOException {
    this.folder = folder;
    this.server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
  }

  /** The device file of a participant, whether or not it is there. */
  public String file(String name) {
    return folder.resolve(name).toString();
  }

  /** Adds a participant; its device file is there when this returns. */
  public synchronized String plug(String name) throws IOException {
    Process socat =
        new ProcessBuilder(
                "socat",
                "pty,raw,echo=0,link=" + file(name),
                "tcp:127.0.0.1:" + server.getLocalPort() + ",nodelay")
            .inheritIO()
            .start();
    server.setSoTimeout(20_000);
    Socket socket = server.accept();
    socket.setTcpNoDelay(true);
    plugs.put(name, new Plug(socat, socket));
    Thread reader = new Thread(() -> relay(name, socket), "bus-" + name);
    reader.setDaemon(true);
    reader.start();
    Awaitility.await()
        .pollInSameThread()
        .atMost(Duration.ofSeconds(20))
        .until(() -> Files.exists(Path.of(file(name))));
    return file(name);
  }

  private void relay(String name, Socket socket) {
    byte[] buffer = new byte[1024];
    try (InputStream in = socket.getInputStream()) {
      for (int count = in.read(buffer); count > 0; count = in.read(buffer)) {
        said(name, Arrays.copyOf(buffer, count));
      }
    } catch (IOException unplugged) {
      // So it ends.
    }
  }

  private void said(String name, byte[] bytes) throws IOException {
    Consumer<byte[]> listener;
    synchronized (this) {
      for (Map.Entry<String, Plug> other : plugs.entrySet()) {
        if (name.equals(echoing) || !other.getKey().equals(name)) {
          hears(other.getKey(), other.getValue(), bytes);
        }
      }
      listener = ear;
    }
    listener.accept(bytes);
  }

  private void hears(String name, Plug plug, byte[] bytes) throws IOException {
    Relay.Serial relay = relays.get(name);
    if (relay != null && !relay.closed()) {
      relay.heard(bytes);
    } else {
      plug.socket.getOutputStream().write(bytes);
    }
  }

  /**
   * Puts a relay before what a participant hears.
   *
   * @param device as the participant, a driver, reaches it on this line
   */
  public synchronized Relay relay(String name, Device device) {
    Relay.Serial relay =
        Relay.serial(
            device,
            new Damage.Out() {
              @Override
              public void send(byte... bytes) throws IOException {
                Plug plug;
                synchronized (SerialBus.this) {
                  plug = plugs.get(name);
                }
                if (plug != null) {
                  plug.socket.getOutputStream().write(bytes);
                }
              }

              @Override
              public void end(boolean reset) {
                throw new UnsupportedOperationException("A line has no end");
              }
            });
    relays.put(name, relay);
    return relay;
  }

  /** Removes a participant: its device file is gone when this returns. */
  public void unplug(String name) throws Exception {
    Plug plug;
    synchronized (this) {
      plug = plugs.remove(name);
    }
    if (plug == null) {
      return;
    }
    plug.socket.close();
    plug.socat.destroy();
    if (!plug.socat.waitFor(20, TimeUnit.SECONDS)) {
      throw new IllegalStateException("socat goes on");
    }
  }

  /** From now on this participant hears itself, too, as some adapters do. */
  public synchronized void echo(String name) {
    echoing = name;
  }

  /** Says something that everyone hears. */
  public synchronized void say(byte... bytes) throws IOException {
    for (Map.Entry<String, Plug> plug : plugs.entrySet()) {
      hears(plug.getKey(), plug.getValue(), bytes);
    }
  }

  /** Hears what every participant says, in a thread of the bus's own. */
  public synchronized void listen(Consumer<byte[]> listener) {
    ear = listener;
  }

  @Override
  public void close() throws Exception {
    for (String name : plugs.keySet().toArray(String[]::new)) {
      unplug(name);
    }
    server.close();
  }
}
