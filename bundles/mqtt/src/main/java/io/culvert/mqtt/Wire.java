package io.culvert.mqtt;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.eclipse.paho.client.mqttv3.internal.NetworkModule;

/**
 * The TCP or TLS connection under a link. In place of the client's own, because that
 *
 * <ul>
 *   <li>can't be closed from outside while it connects or shakes hands, and over TLS not while a
 *       write is stuck: {@link #stop} always closes the TCP socket below, which never blocks;
 *   <li>checks the host name only if told so: here it is part of the handshake (RFC 2818), with TLS
 *       1.2 or later, before a byte of MQTT is sent.
 * </ul>
 */
final class Wire implements NetworkModule {

  private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

  /** The client looks so often whether it is to stop. */
  private static final int READ_MILLIS = 1000;

  private static final long START_SECONDS = 10;

  private final Settings settings;
  private final SSLContext tls;
  private final Traffic traffic;
  private final CountDownLatch speaking = new CountDownLatch(1);
  private Socket tcp;
  private InputStream in;
  private OutputStream out;
  private boolean cut;

  /**
   * @param tls {@code null} for a plain connection
   * @param traffic where what goes over it is counted
   */
  Wire(Settings settings, SSLContext tls, Traffic traffic) {
    this.settings = settings;
    this.tls = tls;
    this.traffic = traffic;
  }

  @Override
  public void start() throws IOException {
    int timeout = (int) settings.connectTimeout().toMillis();
    // A literal IPv6 address stands in brackets in a URL only.
    String host = settings.host().replaceAll("[\\[\\]]", "");
    Socket plain = new CountedSocket();
    register(plain);
    plain.setTcpNoDelay(true);
    traffic.connecting();
    plain.connect(new InetSocketAddress(host, settings.port()), timeout);
    Socket socket = plain;
    if (tls != null) {
      plain.setSoTimeout(timeout);
      SSLSocket secure =
          (SSLSocket) tls.getSocketFactory().createSocket(plain, host, settings.port(), true);
      secure.setEnabledProtocols(PROTOCOLS);
      SSLParameters parameters = secure.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      secure.setSSLParameters(parameters);
      secure.startHandshake();
      socket = secure;
    }
    socket.setSoTimeout(READ_MILLIS);
    // Here and not when asked: between the two the socket may be closed from outside.
    in = new In(socket.getInputStream());
    out = new Out(socket.getOutputStream());
  }

  private synchronized void register(Socket made) throws IOException {
    if (cut) {
      throw new SocketException("Given up");
    }
    tcp = made;
  }

  @Override
  public InputStream getInputStream() {
    return in;
  }

  @Override
  public OutputStream getOutputStream() {
    return out;
  }

  /** Closes the connection at once and lets none be made again. Any thread; does not block. */
  @Override
  public void stop() {
    Socket toClose;
    synchronized (this) {
      cut = true;
      toClose = tcp;
    }
    if (toClose != null) {
      try {
        toClose.close();
      } catch (IOException e) {
        // What matters is that it's closed now.
      }
    }
  }

  @Override
  public String getServerURI() {
    return settings.url();
  }

  /** Below TLS, so that what goes over the network is counted, not what is in it. */
  private final class CountedSocket extends Socket {
    @Override
    public InputStream getInputStream() throws IOException {
      return new FilterInputStream(super.getInputStream()) {
        @Override
        public int read() throws IOException {
          int read = in.read();
          traffic.read(read < 0 ? 0 : 1);
          return read;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
          int count = in.read(bytes, offset, length);
          traffic.read(count);
          return count;
        }
      };
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
      return new FilterOutputStream(super.getOutputStream()) {
        @Override
        public void write(int b) throws IOException {
          out.write(b);
          traffic.written(1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
          out.write(bytes, offset, length);
          traffic.written(length);
        }
      };
    }
  }

  /**
   * Lets the client know of the end only after it has begun to speak: a receiver that ends while
   * the client still starts its threads makes it wait for ever that the receiver runs.
   */
  private final class In extends FilterInputStream {
    In(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      return checked(super::read);
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      return checked(() -> super.read(bytes, offset, length));
    }

    @Override
    public int available() throws IOException {
      return checked(super::available);
    }

    private int checked(Read read) throws IOException {
      int n;
      try {
        n = read.read();
      } catch (SocketTimeoutException e) {
        throw e;
      } catch (IOException e) {
        awaitSpeaking();
        throw e;
      }
      if (n < 0) {
        awaitSpeaking();
      }
      return n;
    }

    private void awaitSpeaking() {
      try {
        speaking.await(START_SECONDS, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private interface Read {
    int read() throws IOException;
  }

  private final class Out extends FilterOutputStream {
    Out(OutputStream out) {
      super(out);
    }

    @Override
    public void write(int b) throws IOException {
      speaking.countDown();
      out.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      speaking.countDown();
      out.write(bytes, offset, length);
    }
  }
}
