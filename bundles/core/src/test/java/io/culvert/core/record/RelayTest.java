package io.culvert.core.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.culvert.api.service.Recorder.Closing;
import io.culvert.api.service.Recorder.Tape;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What passes a relay passes unchanged, is told, and ends as it would without. */
@Timeout(120)
class RelayTest {
  private final List<String> told = new CopyOnWriteArrayList<>();
  private final Relay.Trouble trouble =
      new Relay.Trouble() {
        @Override
        public void encrypted(String sign) {
          told.add("encrypted: " + sign);
        }

        @Override
        public void deaf(IOException cause) {
          told.add("deaf: " + cause);
        }
      };
  private long bytes;
  private long latest;
  private ServerSocket device;
  private Relay relay;

  private final class Ear implements Tape {
    private void at(long nanos) {
      assertThat(nanos).isGreaterThanOrEqualTo(latest);
      latest = nanos;
    }

    @Override
    public void opened(int connection, long nanos) {
      at(nanos);
      told.add("opened " + connection);
    }

    @Override
    public void passed(int connection, boolean toDevice, byte[] chunk, long nanos) {
      at(nanos);
      bytes += chunk.length;
      told.add((toDevice ? ">" : "<") + new String(chunk));
    }

    @Override
    public void closed(int connection, Closing how, boolean byDevice, long nanos) {
      at(nanos);
      told.add(how + (byDevice ? " by device" : " by gateway"));
    }

    @Override
    public void ended(String why, long nanos) {
      at(nanos);
      told.add("ended " + why);
    }
  }

  @BeforeEach
  void open() throws IOException {
    device = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    relay = Relay.open("127.0.0.1", device.getLocalPort(), new TapeHead(new Ear()), trouble);
  }

  @AfterEach
  void close() throws IOException {
    relay.close();
    device.close();
    await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () ->
                Thread.getAllStackTraces().keySet().stream()
                    .noneMatch(t -> t.getName().startsWith("culvert-relay-" + relay.port())));
  }

  private Socket gateway() throws IOException {
    Socket socket = new Socket("127.0.0.1", relay.port());
    socket.setSoTimeout(60_000);
    return socket;
  }

  private void tells(String... lines) {
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(told).containsExactly(lines));
  }

  @Test
  void aRequestIsToldBeforeItsAnswer() throws Exception {
    try (Socket gateway = gateway();
        Socket there = device.accept()) {
      for (int i = 0; i < 3; i++) {
        gateway.getOutputStream().write('q');
        there.getInputStream().read();
        there.getOutputStream().write('a');
        gateway.getInputStream().read();
      }
    }
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () -> assertThat(told).startsWith("opened 1", ">q", "<a", ">q", "<a", ">q", "<a"));
  }

  @Test
  void whatTheDeviceStillSaysAfterTheGatewayHasSaidAllArrives() throws Exception {
    try (Socket gateway = gateway();
        Socket there = device.accept()) {
      gateway.getOutputStream().write('q');
      gateway.shutdownOutput();
      assertThat(there.getInputStream().readAllBytes()).containsExactly('q');
      there.getOutputStream().write('a');
      there.close();
      assertThat(gateway.getInputStream().readAllBytes()).containsExactly('a');
    }
    tells("opened 1", ">q", "CLOSED by gateway", "<a");
  }

  @Test
  void aDeviceThatBreaksOffBreaksOff() throws Exception {
    try (Socket gateway = gateway();
        Socket there = device.accept()) {
      gateway.getOutputStream().write('q');
      there.getInputStream().read();
      there.setSoLinger(true, 0);
      there.close();
      assertThatThrownBy(() -> gateway.getInputStream().read()).isInstanceOf(SocketException.class);
    }
    tells("opened 1", ">q", "RESET by device");
  }

  @Test
  void aDeviceThatIsNotThereIsTold() throws Exception {
    device.close();
    try (Socket gateway = gateway()) {
      assertThatThrownBy(() -> gateway.getInputStream().read()).isInstanceOf(SocketException.class);
    }
    tells("opened 1", "UNREACHABLE by device");
  }

  @Test
  void muchPassesUnchanged() throws Exception {
    byte[] much = new byte[3_000_000];
    new Random(5).nextBytes(much);
    try (Socket gateway = gateway();
        Socket there = device.accept()) {
      Thread writer =
          new Thread(
              () -> {
                try {
                  there.getOutputStream().write(much);
                  there.close();
                } catch (IOException e) {
                  // The comparison shows it.
                }
              });
      writer.start();
      assertThat(Arrays.equals(gateway.getInputStream().readAllBytes(), much)).isTrue();
      writer.join();
    }
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(told).contains("CLOSED by device"));
    assertThat(bytes).isEqualTo(much.length);
  }

  @Test
  void onlySoManyConnectionsAtOnce() throws Exception {
    List<Socket> all = new ArrayList<>();
    try {
      for (int i = 0; i < 16; i++) {
        all.add(gateway());
        all.add(device.accept());
      }
      try (Socket more = gateway()) {
        assertThat(more.getInputStream().read()).isEqualTo(-1);
      }
    } finally {
      for (Socket socket : all) {
        socket.close();
      }
    }
  }

  @Test
  void aTapeThatFailsHarmsNobody() throws Exception {
    try (Relay other =
            Relay.open(
                "127.0.0.1",
                device.getLocalPort(),
                new TapeHead(
                    new Tape() {
                      @Override
                      public void opened(int connection, long nanos) {
                        throw new IllegalStateException("no room");
                      }

                      @Override
                      public void passed(int c, boolean toDevice, byte[] b, long nanos) {
                        told.add("passed");
                      }

                      @Override
                      public void closed(int c, Closing how, boolean byDevice, long nanos) {}

                      @Override
                      public void ended(String why, long nanos) {}
                    }),
                trouble);
        Socket gateway = new Socket("127.0.0.1", other.port());
        Socket there = device.accept()) {
      gateway.getOutputStream().write('q');
      assertThat(there.getInputStream().read()).isEqualTo('q');
    }
    assertThat(told).isEmpty();
  }

  @Test
  void nothingOfAnEncryptedSessionIsTold() throws Exception {
    try (Socket gateway = gateway();
        Socket there = device.accept()) {
      gateway.getOutputStream().write(new byte[] {0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3});
      assertThatThrownBy(() -> gateway.getInputStream().read()).isInstanceOf(SocketException.class);
    }
    tells("opened 1", "encrypted: a TLS ClientHello", "RESET by gateway");
  }

  @ParameterizedTest
  @CsvSource({
    "true, 160301003a010000, a TLS ClientHello",
    "true, 160303003a010000, a TLS ClientHello",
    // Modbus: transaction 1603, protocol 0000.
    "true, 160300000006010300000001, ''",
    "true, 16030100, ''",
    "true, 160301003a020000, ''",
    // Only at the very beginning.
    "false, 160301003a010000, ''",
  })
  void aSessionIsKnownToBeEncrypted(boolean first, String hex, String sign) {
    assertThat(Encryption.of(java.util.HexFormat.of().parseHex(hex), first)).isEqualTo(sign);
  }

  @ParameterizedTest
  @CsvSource({
    "Basic256Sha256, an OPC UA channel with a security policy",
    "None, ''",
  })
  void aChannelOfOpcUaNamesItsPolicy(String policy, String sign) {
    String open = "OPNF\u0001\0\0\0/http://opcfoundation.org/UA/SecurityPolicy#" + policy + "\0";
    assertThat(Encryption.of(open.getBytes(), false)).isEqualTo(sign);
  }
}
