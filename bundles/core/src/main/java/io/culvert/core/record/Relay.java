package io.culvert.core.record;

import io.culvert.api.service.Recorder.Closing;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Listens on a loopback port, passes each connection on to one address, and tells a tape of every
 * byte before it passes on. How a connection ends on one side, so it ends on the other.
 *
 * <p>Threads: one that accepts, and two for each connection, at most {@value #MOST} connections at
 * once; all end with {@link #close}.
 */
public final class Relay implements AutoCloseable {
  private static final int MOST = 16;
  private static final int CHUNK = 16 << 10;
  private static final int CONNECT_MILLIS = 10_000;

  private final String host;
  private final int port;
  private final TapeHead tape;
  private final Trouble trouble;
  private final ServerSocket server;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /** Hears why the relay is of no use any more; on threads of the relay. */
  public interface Trouble {
    /**
     * A session is encrypted; nothing more of that connection is told to the tape.
     *
     * @param sign what says so
     */
    void encrypted(String sign);

    /** It accepts no connection any more, though it wasn't closed. */
    void deaf(IOException cause);
  }

  private Relay(String host, int port, TapeHead tape, Trouble trouble, ServerSocket server) {
    this.host = host;
    this.port = port;
    this.tape = tape;
    this.trouble = trouble;
    this.server = server;
  }

  /**
   * Begins to listen.
   *
   * @param host of the device, a name or an address; looked up for each connection
   */
  public static Relay open(String host, int port, TapeHead tape, Trouble trouble)
      throws IOException {
    Relay relay =
        new Relay(
            host,
            port,
            tape,
            trouble,
            new ServerSocket(0, MOST, InetAddress.getByAddress(new byte[] {127, 0, 0, 1})));
    thread("culvert-relay-" + relay.port(), relay::accept).start();
    return relay;
  }

  /** Where it listens, on 127.0.0.1. */
  public int port() {
    return server.getLocalPort();
  }

  private static Thread thread(String name, Runnable task) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  private void accept() {
    int number = 0;
    try {
      while (true) {
        Socket gateway = server.accept();
        if (open.size() >= 2 * MOST) {
          gateway.close();
          continue;
        }
        int connection = ++number;
        keep(gateway);
        thread("culvert-relay-" + port() + "-" + connection, () -> serve(connection, gateway))
            .start();
      }
    } catch (IOException e) {
      if (!closed) {
        trouble.deaf(e);
      }
    }
  }

  /** One that comes while all are closed is closed, too. */
  private void keep(Socket socket) {
    open.add(socket);
    if (closed) {
      quit(socket);
    }
  }

  private void quit(Socket socket) {
    open.remove(socket);
    try {
      socket.close();
    } catch (IOException e) {
      // It is as good as closed.
    }
  }

  private void serve(int connection, Socket gateway) {
    Socket device = new Socket();
    keep(device);
    tape.opened(connection);
    try {
      device.connect(new InetSocketAddress(host, port), CONNECT_MILLIS);
      device.setTcpNoDelay(true);
      gateway.setTcpNoDelay(true);
    } catch (IOException e) {
      tape.closed(connection, Closing.UNREACHABLE, true);
      abort(gateway);
      quit(device);
      return;
    }
    Pair pair = new Pair(connection, gateway, device);
    Thread back = thread(Thread.currentThread().getName() + "-back", () -> pair.pump(false));
    back.start();
    pair.pump(true);
  }

  /** Ends it as a broken connection does. */
  private void abort(Socket socket) {
    try {
      socket.setSoLinger(true, 0);
    } catch (IOException e) {
      // Then it ends in order.
    }
    quit(socket);
  }

  /** The two sides of a connection. */
  private final class Pair {
    private final int connection;
    private final Socket gateway;
    private final Socket device;
    private boolean told;
    private boolean half;

    Pair(int connection, Socket gateway, Socket device) {
      this.connection = connection;
      this.gateway = gateway;
      this.device = device;
    }

    void pump(boolean toDevice) {
      Socket from = toDevice ? gateway : device;
      Socket to = toDevice ? device : gateway;
      byte[] buffer = new byte[CHUNK];
      boolean first = true;
      try {
        InputStream in = from.getInputStream();
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
          byte[] bytes = Arrays.copyOf(buffer, count);
          long now = System.nanoTime();
          String sign = toDevice ? Encryption.of(bytes, first) : "";
          first = false;
          if (!sign.isEmpty()) {
            trouble.encrypted(sign);
            end(Closing.RESET, false);
            return;
          }
          tape.passed(connection, toDevice, bytes, now);
          try {
            to.getOutputStream().write(bytes);
          } catch (IOException e) {
            end(Closing.RESET, toDevice);
            return;
          }
        }
        ebb(!toDevice, to);
      } catch (IOException e) {
        end(Closing.RESET, !toDevice);
      }
    }

    /** One side has said all that it has to say. */
    private void ebb(boolean byDevice, Socket to) {
      boolean both;
      synchronized (this) {
        both = half;
        half = true;
        if (!told) {
          told = true;
          tape.closed(connection, Closing.CLOSED, byDevice);
        }
      }
      try {
        to.shutdownOutput();
      } catch (IOException e) {
        both = true;
      }
      if (both) {
        quit(gateway);
        quit(device);
      }
    }

    private void end(Closing how, boolean byDevice) {
      synchronized (this) {
        if (!told) {
          told = true;
          tape.closed(connection, how, byDevice);
        }
      }
      abort(gateway);
      abort(device);
    }
  }

  /** Closes every connection. Doesn't block. */
  @Override
  public void close() {
    closed = true;
    try {
      server.close();
    } catch (IOException e) {
      // It accepts no more in any case.
    }
    open.forEach(this::quit);
  }
}
