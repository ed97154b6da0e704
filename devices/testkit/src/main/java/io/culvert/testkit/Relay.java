package io.culvert.testkit;

import io.culvert.api.Device;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Stands between driver and device and damages what the device sends, as the {@link DriverContract}
 * asks it to; passes on everything as it is until then. Made by a {@link Peer}: {@link #tcp},
 * {@link SerialBus#relay}.
 */
public abstract sealed class Relay implements AutoCloseable {
  private final Device device;
  private final AtomicLong passed = new AtomicLong();
  private volatile Treatment treatment = new Treatment(null, new Random(0));

  /** What is done to all that comes, until there is another. */
  private final class Treatment {
    final Damage damage;
    final Random random;
    final CountDownLatch over = new CountDownLatch(1);

    Treatment(Damage damage, Random random) {
      this.damage = damage;
      this.random = random;
    }
  }

  private Relay(Device device) {
    this.device = device;
  }

  /**
   * A relay on TCP, for an endpoint such as {@code lamp://127.0.0.1:7001?unit=1}. Each connection
   * to it is passed on by one of its own.
   *
   * @return {@code null} if the endpoint names no host or no port
   */
  public static Relay tcp(Device device) throws IOException {
    URI endpoint = device.endpoint();
    if (endpoint.getHost() == null || endpoint.getPort() < 0) {
      return null;
    }
    ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    try {
      URI own =
          new URI(
              endpoint.getScheme(),
              endpoint.getUserInfo(),
              "127.0.0.1",
              server.getLocalPort(),
              endpoint.getPath(),
              endpoint.getQuery(),
              endpoint.getFragment());
      Device through = new Device(device.id(), device.profile(), own, device.settings());
      return new Tcp(through, server, endpoint.getHost(), endpoint.getPort());
    } catch (URISyntaxException impossible) {
      server.close();
      throw new IllegalArgumentException(impossible);
    }
  }

  /** A relay for what one participant of a bus hears. */
  static Serial serial(Device device, Damage.Out out) {
    return new Serial(device, out);
  }

  /** The device as it is reached through the relay. */
  public final Device device() {
    return device;
  }

  /** Whether what it carries can be closed and reset by the device. */
  abstract boolean connects();

  /** How many bytes are without end. */
  abstract long endless();

  /**
   * From now on treats what comes so.
   *
   * @param damage {@code null} to pass it on as it is
   */
  final void treat(Damage damage, Random random) {
    Treatment before = treatment;
    passed.set(0);
    treatment = new Treatment(damage, random);
    before.over.countDown();
  }

  /** How many bytes the driver has taken since the treatment began. */
  final long passed() {
    return passed.get();
  }

  /** Treats what came in one piece. */
  final void pass(byte[] bytes, Damage.Out out) throws IOException {
    Treatment now = treatment;
    Damage.Out counted =
        new Damage.Out() {
          @Override
          public void send(byte... bytes) throws IOException {
            out.send(bytes);
            passed.addAndGet(bytes.length);
          }

          @Override
          public void end(boolean reset) throws IOException {
            out.end(reset);
          }
        };
    if (now.damage == null) {
      counted.send(bytes);
    } else {
      now.damage.pass(bytes, now.random, counted, endless(), now.over);
    }
  }

  @Override
  public abstract void close() throws IOException;

  private static final class Tcp extends Relay {
    private static final String NAME = "relay";

    private final ServerSocket server;
    private final String host;
    private final int port;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

    Tcp(Device device, ServerSocket server, String host, int port) {
      super(device);
      this.server = server;
      this.host = host;
      this.port = port;
      Daemon.of(
              NAME,
              () -> {
                while (true) {
                  Socket driver = opened(server.accept());
                  Daemon.of(NAME, () -> serve(driver)).start();
                }
              })
          .start();
    }

    private Socket opened(Socket socket) throws IOException {
      socket.setTcpNoDelay(true);
      sockets.add(socket);
      if (server.isClosed()) {
        socket.close();
      }
      return socket;
    }

    private void closed(Socket socket) throws IOException {
      sockets.remove(socket);
      socket.close();
    }

    private void serve(Socket driver) throws IOException {
      Socket peer;
      try {
        peer = opened(new Socket(host, port));
      } catch (IOException refused) {
        closed(driver);
        throw refused;
      }
      Daemon.of(
              NAME,
              () -> {
                try {
                  driver.getInputStream().transferTo(peer.getOutputStream());
                } finally {
                  closed(peer);
                  closed(driver);
                }
              })
          .start();
      OutputStream out = driver.getOutputStream();
      Damage.Out toDriver =
          new Damage.Out() {
            @Override
            public void send(byte... bytes) throws IOException {
              out.write(bytes);
            }

            @Override
            public void end(boolean reset) throws IOException {
              if (reset) {
                driver.setSoLinger(true, 0);
                driver.close();
              } else {
                driver.shutdownOutput();
              }
            }
          };
      byte[] buffer = new byte[4096];
      try (InputStream in = peer.getInputStream()) {
        for (int count = in.read(buffer); count > 0; count = in.read(buffer)) {
          pass(Arrays.copyOf(buffer, count), toDriver);
        }
      } finally {
        closed(peer);
        closed(driver);
      }
    }

    @Override
    boolean connects() {
      return true;
    }

    @Override
    long endless() {
      return 48L << 20;
    }

    @Override
    public void close() throws IOException {
      server.close();
      treat(null, new Random(0));
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }

  /** Has a thread of its own, so that the bus goes on. */
  static final class Serial extends Relay {
    private final BlockingQueue<byte[]> heard = new LinkedBlockingQueue<>();
    private final Damage.Out out;
    private volatile boolean closed;

    private Serial(Device device, Damage.Out out) {
      super(device);
      this.out = out;
      Thread thread = new Thread(this::run, "relay");
      thread.setDaemon(true);
      thread.start();
    }

    private void run() {
      try {
        while (!closed) {
          byte[] bytes = heard.poll(100, TimeUnit.MILLISECONDS);
          if (bytes != null) {
            pass(bytes, out);
          }
        }
      } catch (IOException | InterruptedException unplugged) {
        // So it ends.
      }
    }

    void heard(byte[] bytes) {
      heard.add(bytes);
    }

    /** Whether it still passes anything on. */
    boolean closed() {
      return closed;
    }

    @Override
    boolean connects() {
      return false;
    }

    /**
     * What a line of 115,200 baud carries in some seconds; a pseudo-terminal knows no baud rate.
     */
    @Override
    long endless() {
      return 64L << 10;
    }

    @Override
    public void close() {
      closed = true;
      treat(null, new Random(0));
    }
  }
}
