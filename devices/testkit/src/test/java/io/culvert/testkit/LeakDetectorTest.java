package io.culvert.testkit;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.Pipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is left behind is named, and what isn't does not count. */
class LeakDetectorTest {
  private static final Duration SHORT = Duration.ofMillis(200);

  @Test
  void namesAThreadAndWhereItStands() throws Exception {
    LeakDetector.Mark mark = LeakDetector.mark();
    CountDownLatch end = new CountDownLatch(1);
    Thread thread =
        new Thread(
            () -> {
              try {
                end.await();
              } catch (InterruptedException ended) {
                // So it ends.
              }
            },
            "forgotten");
    thread.start();
    assertThatThrownBy(() -> mark.none(true, SHORT))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("the thread forgotten, which stands")
        .hasMessageContaining("CountDownLatch");
    mark.none(false, SHORT);
    end.countDown();
    mark.nothingLeft();
  }

  @Test
  void namesASocketAndWhomItReaches() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      LeakDetector.Mark mark = LeakDetector.mark();
      try (Socket socket = new Socket("127.0.0.1", server.getLocalPort())) {
        assertThatThrownBy(() -> mark.none(true, SHORT))
            .hasMessageContaining(
                "a TCP socket from port "
                    + socket.getLocalPort()
                    + " to port "
                    + server.getLocalPort()
                    + ", established");
      }
      mark.nothingLeft();
    }
  }

  @Test
  void namesAFileAndCountsPipes(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("kept.txt"), "x");
    LeakDetector.Mark mark = LeakDetector.mark();
    Pipe pipe = Pipe.open();
    try (InputStream in = Files.newInputStream(file)) {
      assertThatThrownBy(() -> mark.none(true, SHORT))
          .hasMessageContaining(file.toString())
          .hasMessageContaining("pipe:");
    }
    pipe.sink().close();
    pipe.source().close();
    mark.nothingLeft();
  }

  @Test
  void whatWasThereBeforeOrHasEndedDoesNotCount() throws Exception {
    try (ServerSocket before = new ServerSocket(0)) {
      LeakDetector.Mark mark = LeakDetector.mark();
      Thread thread = new Thread(() -> {}, "over");
      thread.start();
      new ServerSocket(0).close();
      assertThatCode(mark::nothingLeft).doesNotThrowAnyException();
    }
  }
}
