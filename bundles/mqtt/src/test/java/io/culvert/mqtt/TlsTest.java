package io.culvert.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.northbound.Receipt;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(180)
class TlsTest {
  @TempDir static Path folder;
  private static Certificates certificates;

  @BeforeAll
  static void makeCertificates() throws Exception {
    certificates = new Certificates(folder);
  }

  @ParameterizedTest
  @ValueSource(strings = {"pem", "pkcs12"})
  void connectsToAPlatformThatItsAuthorityVouchesFor(String form) throws Exception {
    Path trust = form.equals("pem") ? certificates.authority() : certificates.authorityAsPkcs12();
    try (Mosquitto broker = mosquitto("good")) {
      broker.start();
      try (MqttForwarder forwarder =
          new Gateway().at("localhost", broker.port()).tls(trust).forward()) {
        await().until(forwarder::ready);
        assertThat(forwarder.send(Gateway.batch(1)).toCompletableFuture())
            .succeedsWithin(Duration.ofSeconds(60))
            .isEqualTo(Receipt.confirmed());
      }
    }
  }

  @Test
  void refusesACertificateOfNobodyItTrusts() throws Exception {
    refuses("self", certificates.authority(), "comes from nobody that", "name it as trust");
  }

  @Test
  void refusesAnAuthorityThatTheJavaRuntimeDoesNotKnow() throws Exception {
    refuses("good", null, "comes from nobody that the Java runtime trusts");
  }

  @Test
  void refusesACertificateForAnotherHost() throws Exception {
    refuses("elsewhere", certificates.authority(), "is not for localhost", "use the name");
  }

  @Test
  void refusesAnExpiredCertificate() throws Exception {
    refuses("expired", certificates.authority(), "has expired", "have it renewed");
  }

  /** Neither CONNECT nor anything else may reach a platform that hasn't shown who it is. */
  private void refuses(String alias, Path trust, String... words) throws Exception {
    try (LogLines log = new LogLines();
        TlsServer server = new TlsServer(alias);
        MqttForwarder forwarder =
            new Gateway().at("localhost", server.port()).tls(trust).as("u", "p").forward()) {
      await().until(() -> server.connections.get() >= 2);
      assertThat(forwarder.ready()).isFalse();
      assertThat(server.bytes).hasValue(0);
      assertThat(log.lines()).hasSize(1);
      assertThat(log.lines().get(0))
          .startsWith("WARN city: cannot reach mqtts://localhost:" + server.port() + ": ")
          .contains(words)
          .contains("; next try ");
    }
  }

  @Test
  void saysThatThePortSpeaksNoTls() throws Exception {
    try (LogLines log = new LogLines();
        Mosquitto broker = new Mosquitto(Broker.freePort(), "allow_anonymous true")) {
      broker.start();
      try (MqttForwarder forwarder =
          new Gateway()
              .at("localhost", broker.port())
              .tls(certificates.authority())
              .connectTimeout(Duration.ofSeconds(2))
              .forward()) {
        await().until(() -> !log.lines().isEmpty());
        assertThat(log.lines().get(0)).contains("the port is the one for mqtts");
        assertThat(forwarder.ready()).isFalse();
      }
    }
  }

  @Test
  void namesAMissingOrUselessTrustFile() throws Exception {
    Path useless = Files.writeString(folder.resolve("useless.pem"), "not a certificate");
    assertThat(firstLineWith(folder.resolve("none.pem"))).contains("there is no file", "none.pem");
    assertThat(firstLineWith(useless)).contains("neither PEM nor PKCS#12", "useless.pem");
  }

  private String firstLineWith(Path trust) throws Exception {
    try (LogLines log = new LogLines();
        MqttForwarder forwarder = new Gateway().at("localhost", 1).tls(trust).forward()) {
      await().until(() -> !log.lines().isEmpty());
      assertThat(forwarder.ready()).isFalse();
      return log.lines().get(0);
    }
  }

  @Test
  void refusesOldTls() throws Exception {
    try (TlsServer server = new TlsServer("good", "TLSv1.1", "TLSv1");
        MqttForwarder forwarder =
            new Gateway().at("localhost", server.port()).tls(certificates.authority()).forward()) {
      await().until(() -> server.connections.get() >= 2);
      assertThat(forwarder.ready()).isFalse();
      assertThat(server.bytes).hasValue(0);
    }
  }

  static Mosquitto mosquitto(Certificates certificates, String alias) throws Exception {
    return new Mosquitto(
        Broker.freePort(),
        "allow_anonymous true",
        "certfile " + certificates.chain(alias),
        "keyfile " + certificates.key(alias));
  }

  private static Mosquitto mosquitto(String alias) throws Exception {
    return mosquitto(certificates, alias);
  }

  /** Shakes hands and counts what it is told then. */
  private static final class TlsServer implements AutoCloseable {
    private final SSLServerSocket server;
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger bytes = new AtomicInteger();

    TlsServer(String alias, String... protocols) throws Exception {
      server =
          (SSLServerSocket)
              certificates
                  .server(alias)
                  .getServerSocketFactory()
                  .createServerSocket(0, 10, InetAddress.getLoopbackAddress());
      if (protocols.length > 0) {
        server.setEnabledProtocols(protocols);
      }
      Thread thread = new Thread(this::serve, "tls-server");
      thread.setDaemon(true);
      thread.start();
    }

    int port() {
      return server.getLocalPort();
    }

    private void serve() {
      while (!server.isClosed()) {
        try (SSLSocket socket = (SSLSocket) server.accept()) {
          socket.setSoTimeout(2000);
          connections.incrementAndGet();
          if (socket.getInputStream().read() >= 0) {
            bytes.incrementAndGet();
          }
        } catch (IOException e) {
          // Refused, as it should be.
        }
      }
    }

    @Override
    public void close() throws IOException {
      server.close();
    }
  }
}
