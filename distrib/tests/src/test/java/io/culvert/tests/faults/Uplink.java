package io.culvert.tests.faults;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * The way from the gateway to a broker, over TCP and on loopback, with faults: it may lose
 * acknowledgements, break, and be narrow.
 */
final class Uplink implements AutoCloseable {
  private static final int PUBACK = 4;

  /** So much is sent at once where the way is narrow: a tenth of a second's worth. */
  private static final int PARTS = 10;

  /** As much as a modem holds; the system's own would hide how narrow the way is. */
  private static final int BUFFER = 16 << 10;

  private final ServerSocket server;
  private final int target;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final AtomicLong acknowledgements = new AtomicLong();
  private final AtomicLong dropped = new AtomicLong();
  private final AtomicLong carried = new AtomicLong();
  private volatile int dropEvery;
  private volatile int bytesPerSecond;

  /**
   * @param target port of the broker
   */
  Uplink(int target) throws IOException {
    this.target = target;
    this.server = new ServerSocket();
    server.setReceiveBufferSize(BUFFER);
    server.bind(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
    thread(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  /** Loses every n-th acknowledgement (PUBACK) from now on; with 0 none. */
  void dropAcknowledgements(int every) {
    dropEvery = every;
  }

  /** Acknowledgements that were lost. */
  long dropped() {
    return dropped.get();
  }

  /** Carries so many bytes a second towards the broker from now on; with 0 as many as come. */
  void narrow(int bytes) {
    bytesPerSecond = bytes;
  }

  /** Bytes carried towards the broker. */
  long carried() {
    return carried.get();
  }

  /** Breaks every connection; new ones pass. */
  void cut() throws IOException {
    // Those that there are now: the gateway calls again while this goes on.
    for (Socket socket : List.copyOf(sockets)) {
      sockets.remove(socket);
      socket.close();
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    cut();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket gateway = server.accept();
        Socket broker = new Socket(InetAddress.getLoopbackAddress(), target);
        gateway.setTcpNoDelay(true);
        broker.setTcpNoDelay(true);
        sockets.add(gateway);
        sockets.add(broker);
        thread(() -> carry(gateway, broker));
        thread(() -> answer(broker, gateway));
      } catch (IOException e) {
        // Nobody there, or the end.
      }
    }
  }

  private void carry(Socket from, Socket to) {
    byte[] bytes = new byte[BUFFER];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      long next = System.nanoTime();
      while (true) {
        int rate = bytesPerSecond;
        int n = in.read(bytes, 0, rate == 0 ? bytes.length : Math.max(1, rate / PARTS));
        if (n < 0) {
          return;
        }
        if (rate > 0) {
          // What wasn't used before is lost: a link can't make up for a pause.
          next = Math.max(next, System.nanoTime()) + TimeUnit.SECONDS.toNanos(n) / rate;
          LockSupport.parkNanos(next - System.nanoTime());
        }
        out.write(bytes, 0, n);
        carried.addAndGet(n);
      }
    } catch (IOException e) {
      // Cut, or ended by one side.
    }
  }

  /** MQTT packet by packet (3.1.1, clause 2.2): type, length of the rest, the rest. */
  private void answer(Socket from, Socket to) {
    try (from;
        to) {
      InputStream in = new BufferedInputStream(from.getInputStream());
      OutputStream out = to.getOutputStream();
      for (int first = in.read(); first >= 0; first = in.read()) {
        byte[] head = new byte[5];
        head[0] = (byte) first;
        int count = 1;
        int length = 0;
        int digit;
        do {
          digit = in.read();
          if (digit < 0) {
            return;
          }
          length |= (digit & 0x7F) << 7 * (count - 1);
          head[count++] = (byte) digit;
        } while ((digit & 0x80) != 0 && count < head.length);
        byte[] rest = in.readNBytes(length);
        if (first >> 4 == PUBACK && lost()) {
          continue;
        }
        out.write(head, 0, count);
        out.write(rest);
      }
    } catch (IOException e) {
      // Cut, or ended by one side.
    }
  }

  private boolean lost() {
    int every = dropEvery;
    boolean lost = every > 0 && acknowledgements.incrementAndGet() % every == 0;
    if (lost) {
      dropped.incrementAndGet();
    }
    return lost;
  }

  private static void thread(Runnable task) {
    Thread thread = new Thread(task, "uplink");
    thread.setDaemon(true);
    thread.start();
  }
}
