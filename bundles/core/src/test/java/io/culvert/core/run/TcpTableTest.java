package io.culvert.core.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Lines as Linux writes them on a machine with the low byte first, and on one with the high. */
class TcpTableTest {
  private static final boolean LOW_FIRST = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
  private static final String ESTABLISHED =
      "   3: %s:C3D2 %s:01F6 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1"
          + " 0000000000000000 20 4 30 10 -1";

  private static InetSocketAddress remote(String address) {
    return TcpTable.remote(ESTABLISHED.formatted(address, address), Set.of("4711"));
  }

  @Test
  void theFarEndIsToldWithAddressAndPort() {
    assertThat(remote(LOW_FIRST ? "1103A8C0" : "C0A80311"))
        .isEqualTo(new InetSocketAddress("192.168.3.17", 502));
    assertThat(
            remote(
                LOW_FIRST
                    ? "0000000000000000FFFF00001103A8C0"
                    : "00000000000000000000FFFFC0A80311"))
        .as("of version 4, through a socket of version 6")
        .isEqualTo(new InetSocketAddress("192.168.3.17", 502));
    assertThat(
            remote(
                LOW_FIRST
                    ? "B80D0120000000000000000001000000"
                    : "20010DB8000000000000000000000001"))
        .isEqualTo(new InetSocketAddress("2001:db8::1", 502));
  }

  @Test
  void othersAndThoseThatListenAreLeftOut() {
    String line = ESTABLISHED.formatted("0100007F", "0100007F");
    assertThat(TcpTable.remote(line, Set.of("4712"))).isNull();
    assertThat(TcpTable.remote(line.replace("01F6", "0000"), Set.of("4711"))).isNull();
    assertThat(
            TcpTable.remote(
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt  "
                    + " uid  timeout inode",
                Set.of("inode")))
        .isNull();
  }

  @Property(tries = 500)
  void noLineIsTooOdd(@ForAll @StringLength(max = 60) String end, @ForAll String rest) {
    String line = "0: 0100007F:C3D2 " + end + " 01 a b c d e 4711 " + rest;
    TcpTable.remote(line, Set.of("4711"));
    TcpTable.remote(rest + line, Set.of("4711"));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void whatThisProcessHasOpenIsThereAndGoneWhenItIsClosed() throws IOException {
    try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      int port = server.getLocalPort();
      try (Socket one = new Socket(server.getInetAddress(), port);
          Socket two = new Socket(server.getInetAddress(), port)) {
        assertThat(TcpTable.of(Path.of("/proc")))
            .filteredOn(end -> end.getPort() == port)
            .hasSize(2)
            .allMatch(end -> end.getAddress().isLoopbackAddress());
        assertThat(one.isConnected() && two.isConnected()).isTrue();
      }
      assertThat(TcpTable.of(Path.of("/proc"))).noneMatch(end -> end.getPort() == port);
    }
  }

  @Test
  void aMachineWithoutTheseFilesTellsNothing(@TempDir Path empty) throws IOException {
    assertThat(TcpTable.of(empty)).isEmpty();
    Files.createDirectories(empty.resolve("self/fd"));
    assertThat(TcpTable.of(empty)).isEmpty();
  }
}
