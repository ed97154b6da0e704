package io.culvert.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A device made of a script, over a plain socket and a plain file. */
@Timeout(60)
@ExtendWith(LeakDetector.class)
class ScriptedPeerTest {

  private static Socket connect(ScriptedPeer peer) throws IOException {
    Socket socket = new Socket("127.0.0.1", peer.device().endpoint().getPort());
    socket.setSoTimeout(20_000);
    return socket;
  }

  private static void say(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static String hear(Socket socket, int count) throws IOException {
    return new String(socket.getInputStream().readNBytes(count), StandardCharsets.US_ASCII);
  }

  @Test
  void answersByItsRulesAndRemembersWhatWasWritten() throws Exception {
    Script script =
        Script.of(
            """
            let level = '7'
            on 'get' 0A
              send <level> 0A
            on 'set ' <level:*> 0A
              send 'ok' 0A
            """);
    try (ScriptedPeer peer = ScriptedPeer.tcp("x://%s", script);
        Socket socket = connect(peer)) {
      say(socket, "get\n");
      assertThat(hear(socket, 2)).isEqualTo("7\n");
      say(socket, "set 42\nget\n");
      assertThat(hear(socket, 6)).isEqualTo("ok\n42\n");
      say(socket, "g");
      say(socket, "et\n");
      assertThat(hear(socket, 3)).isEqualTo("42\n");
    }
  }

  @Test
  void goesStepByStepAndGreetsWhoeverComes() throws Exception {
    Script script =
        Script.of(
            """
            open
              send 'hello'
            expect 'a'
              send '1'
            expect 'a'
              send '2'
              close
            """);
    try (ScriptedPeer peer = ScriptedPeer.tcp("x://%s", script);
        Socket socket = connect(peer)) {
      assertThat(hear(socket, 5)).isEqualTo("hello");
      say(socket, "a");
      assertThat(hear(socket, 1)).isEqualTo("1");
      say(socket, "a");
      assertThat(hear(socket, 9)).isEqualTo("2");
    }
  }

  @Test
  void tellsWhatItExpectedAndFoundAtWhichStep() throws Exception {
    Script script = Script.of("expect 01 02\n  send 03\nexpect 04 05 06\n");
    ScriptedPeer peer = ScriptedPeer.tcp("x://%s", script);
    try (Socket socket = connect(peer)) {
      socket.getOutputStream().write(new byte[] {1, 2});
      assertThat(socket.getInputStream().read()).isEqualTo(3);
      socket.getOutputStream().write(new byte[] {4, 9, 6});
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
    assertThatThrownBy(peer::close)
        .isInstanceOf(AssertionError.class)
        .hasMessage(
            "Step 2 of 2: expected 04 05 06 (line 3 of the script), found 04 09 06; byte 2 should"
                + " be 05 and is 09; before it came 01 02");
  }

  @Test
  void tellsWhichStepWasNotReached() throws Exception {
    ScriptedPeer peer = ScriptedPeer.tcp("x://%s", Script.of("expect 01 02\n"));
    assertThatThrownBy(peer::verify)
        .hasMessage(
            "The script ended at step 1 of 1: expected 01 02 (line 1 of the script), found nothing"
                + " more");
    assertThatThrownBy(peer::close).isInstanceOf(AssertionError.class);
  }

  @Test
  void namesTheRuleThatIsNearest() throws Exception {
    Script script = Script.of("on 01 02 03\n  send 01\non 01 02 04 05\n  send 02\n");
    ScriptedPeer peer = ScriptedPeer.tcp("x://%s", script);
    try (Socket socket = connect(peer)) {
      socket.getOutputStream().write(new byte[] {1, 2, 4, 7});
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
    assertThatThrownBy(peer::close)
        .hasMessage(
            "No line of the script fits; the nearest: expected 01 02 04 05 (line 3 of the script),"
                + " found 01 02 04 07; byte 4 should be 05 and is 07");
  }

  @Test
  void waitsForTheClockItIsGiven() throws Exception {
    FakeClock clock = new FakeClock(Instant.EPOCH);
    Script script = Script.of("on 'a'\n  wait 2s\n  send 'b'\n");
    try (ScriptedPeer peer = ScriptedPeer.tcp("x://%s", script).clock(clock);
        Socket socket = connect(peer)) {
      say(socket, "a");
      socket.setSoTimeout(50);
      assertThatThrownBy(() -> hear(socket, 1)).isInstanceOf(SocketTimeoutException.class);
      socket.setSoTimeout(20_000);
      clock.pass(Duration.ofMillis(1999));
      clock.pass(Duration.ofMillis(1));
      assertThat(hear(socket, 1)).isEqualTo("b");
    }
  }

  @Test
  void answersLateWhatItWasSentWhileItHeldBack() throws Exception {
    Script script = Script.of("on 'a'\n  send 'b'\non 'h'\n  hold\n");
    try (ScriptedPeer peer = ScriptedPeer.tcp("x://%s", script);
        Socket socket = connect(peer)) {
      peer.hold();
      say(socket, "aa");
      socket.setSoTimeout(50);
      assertThatThrownBy(() -> hear(socket, 1)).isInstanceOf(SocketTimeoutException.class);
      socket.setSoTimeout(20_000);
      peer.resume();
      assertThat(hear(socket, 2)).isEqualTo("bb");
      say(socket, "ha");
      socket.setSoTimeout(50);
      assertThatThrownBy(() -> hear(socket, 1)).isInstanceOf(SocketTimeoutException.class);
    }
  }

  @Test
  void goesAwayAndComesBackAtTheSameAddress() throws Exception {
    try (ScriptedPeer peer = ScriptedPeer.tcp("x://%s", Script.of("on 'a'\n  send 'b'\n"))) {
      try (Socket socket = connect(peer)) {
        say(socket, "a");
        assertThat(hear(socket, 1)).isEqualTo("b");
        peer.stop();
        assertThat(socket.getInputStream().read()).isEqualTo(-1);
      }
      assertThatThrownBy(() -> connect(peer)).isInstanceOf(ConnectException.class);
      peer.start();
      try (Socket socket = connect(peer)) {
        say(socket, "a");
        assertThat(hear(socket, 1)).isEqualTo("b");
      }
    }
  }

  @Test
  void resetsAConnection() throws Exception {
    try (ScriptedPeer peer = ScriptedPeer.tcp("x://%s", Script.of("on 'a'\n  reset\n"));
        Socket socket = connect(peer)) {
      say(socket, "a");
      assertThatThrownBy(() -> hear(socket, 1))
          .isInstanceOf(SocketException.class)
          .hasMessageContaining("reset");
    }
  }

  @Test
  void sendsByItself() throws Exception {
    Script script = Script.of("let unit = 07\nopen\n  send '!'\n");
    try (ScriptedPeer peer = ScriptedPeer.tcp("x://%s", script);
        Socket socket = connect(peer)) {
      assertThat(hear(socket, 1)).isEqualTo("!");
      peer.send("<unit> 'x'");
      assertThat(hear(socket, 2)).isEqualTo("\u0007x");
    }
  }

  @Test
  void standsAtTheEndOfASerialLine(@TempDir Path folder) throws Exception {
    Script script = Script.of("on 'a' 0A\n  send 'b' 0A\n");
    try (ScriptedPeer peer = ScriptedPeer.serial("x://%s", folder, script)) {
      Path file = Path.of(peer.device().endpoint().getPath());
      // A terminal is no plain file: it is opened once each way.
      try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.WRITE);
          InputStream in = Files.newInputStream(file)) {
        out.write("a\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(new String(in.readNBytes(2), StandardCharsets.US_ASCII)).isEqualTo("b\n");
      }
      peer.stop();
      assertThat(file).doesNotExist();
      peer.start();
      assertThat(file).exists();
    }
  }

  @Test
  void aRelayPassesOnAndDamages() throws Exception {
    try (ScriptedPeer peer =
            ScriptedPeer.tcp("x://%s/p?q=1", Script.of("on 'a'\n  send 'bcde'\n"));
        Relay relay = peer.relay()) {
      assertThat(relay.device().endpoint().toString()).endsWith("/p?q=1");
      try (Socket socket = new Socket("127.0.0.1", relay.device().endpoint().getPort())) {
        socket.setSoTimeout(20_000);
        say(socket, "a");
        assertThat(hear(socket, 4)).isEqualTo("bcde");
        relay.treat(Damage.CLOSED, new java.util.Random(1));
        say(socket, "a");
        assertThat(hear(socket, 4)).isEqualTo("bc");
      }
      try (Socket socket = new Socket("127.0.0.1", relay.device().endpoint().getPort())) {
        relay.treat(Damage.ENDLESS_ANSWERS, new java.util.Random(1));
        CompletableFuture<Integer> heard =
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    return socket.getInputStream().readNBytes(1_000_000).length;
                  } catch (IOException ended) {
                    return -1;
                  }
                });
        say(socket, "a");
        await().pollInSameThread().atMost(Duration.ofSeconds(30)).until(heard::isDone);
        assertThat(heard).isCompletedWithValue(1_000_000);
        assertThat(relay.passed()).isGreaterThanOrEqualTo(1_000_000);
      }
    }
  }
}
