package io.culvert.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonParser;
import io.culvert.api.service.Recorder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.channels.Pipe;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code culvert record}: what is written, and every way in which it ends. */
@Timeout(120)
class RecordCommandTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final Core core = new Core();

  /** A core whose device says what the test has it say. */
  private static final class Core implements Recorder, Recorder.Recording {
    final CountDownLatch begun = new CountDownLatch(1);
    String refusal;
    volatile Tape tape;

    @Override
    public CompletionStage<Recording> record(String device, Tape to) {
      if (refusal != null) {
        return CompletableFuture.failedFuture(new IOException(refusal));
      }
      tape = to;
      tape.opened(1, System.nanoTime());
      begun.countDown();
      return CompletableFuture.completedFuture(this);
    }

    @Override
    public Subject subject() {
      return new Subject("gw", "d", "p", "fake://h:1", "fake", "tcp", "frame=silence");
    }

    @Override
    public void end(String why) {
      tape.ended(why, System.nanoTime());
    }
  }

  private CompletableFuture<String> start(
      Pipe.SourceChannel client, OutputStream to, String... words) {
    CompletableFuture<String> ended = new CompletableFuture<>();
    new Thread(
            () -> {
              try {
                new RecordCommand(
                        core,
                        () -> Instant.parse("2026-11-29T08:00:00Z"),
                        new PrintStream(to, false, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8))
                    .run(List.of(words), client);
                ended.complete("");
              } catch (CommandFailed e) {
                ended.complete(e.exit() + " " + e.getMessage());
              } catch (RuntimeException | Error e) {
                ended.completeExceptionally(e);
              }
            })
        .start();
    return ended;
  }

  private List<String> lines() {
    return out.toString(StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void everyLineIsAnObjectAndTheLastSaysWhyItEnded() throws Exception {
    Pipe client = Pipe.open();
    CompletableFuture<String> ended = start(client.source(), out, "d");
    core.begun.await();
    core.tape.passed(1, true, new byte[] {1, -1}, System.nanoTime());
    core.tape.passed(1, false, new byte[] {2}, System.nanoTime());
    core.tape.closed(1, Recorder.Closing.RESET, true, System.nanoTime());
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(lines()).as("as it comes").hasSize(5));
    // As with Ctrl-C.
    client.sink().close();

    assertThat(ended.get()).isEmpty();
    List<String> lines = lines();
    assertThat(lines.get(0))
        .startsWith("{\"format\":\"culvert-recording/1\",\"gateway\":\"gw\",\"device\":\"d\"")
        .contains("\"matcher\":\"frame=silence\"", "\"start\":\"2026-11-29T0");
    assertThat(lines.get(1)).endsWith("\"connection\":1,\"event\":\"opened\"}");
    assertThat(lines.get(2)).endsWith("\"connection\":1,\"to\":\"device\",\"hex\":\"01ff\"}");
    assertThat(lines.get(3)).endsWith("\"connection\":1,\"to\":\"gateway\",\"hex\":\"02\"}");
    assertThat(lines.get(4)).endsWith("\"event\":\"reset\",\"by\":\"device\"}");
    assertThat(lines.get(5)).endsWith("\"event\":\"ended\",\"why\":\"it was ended by hand\"}");
    assertThat(lines).hasSize(6);
    for (String line : lines) {
      try (JsonParser json = Export.JSON.createParser(line)) {
        json.nextToken();
        json.skipChildren();
        assertThat(json.nextToken()).isNull();
      }
    }
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("d is being recorded; Ctrl-C ends it")
        .contains("2 bytes to d, 1 byte from it, 1 connection; ended: it was ended by hand");
  }

  @Test
  void itEndsAfterTheTimeThatWasWished() throws Exception {
    assertThat(start(null, out, "d", "--seconds", "1").get()).isEmpty();
    assertThat(lines()).last().asString().contains("\"why\":\"1 s were wished\"");
  }

  @Test
  void itEndsWhenItsFileIsFullAndTheFileIsNoLarger() throws Exception {
    CompletableFuture<String> ended = start(null, out, "d", "--bytes", "3000");
    core.begun.await();
    for (int i = 0; i < 100; i++) {
      core.tape.passed(1, true, new byte[100], System.nanoTime());
    }
    assertThat(ended.get()).isEmpty();
    assertThat(out.size()).isBetween(2000, 3000);
    assertThat(lines()).last().asString().contains("its file is full, at 3000 bytes");
  }

  @Test
  void whatEndsItSoonerIsAFailure() throws Exception {
    CompletableFuture<String> ended = start(null, out, "d");
    core.begun.await();
    core.tape.ended("its configuration changed", System.nanoTime());
    assertThat(ended.get()).isEqualTo("1 the recording ended: its configuration changed");
    assertThat(lines()).last().asString().contains("its configuration changed");
  }

  @Test
  void aReaderThatIsTooSlowEndsItAndNotTheDevice() throws Exception {
    CountDownLatch read = new CountDownLatch(1);
    OutputStream slow =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
          }

          @Override
          public void write(byte[] bytes, int from, int count) throws IOException {
            try {
              read.await();
            } catch (InterruptedException e) {
              throw new IOException(e);
            }
            out.write(bytes, from, count);
          }
        };
    CompletableFuture<String> ended = start(null, slow, "d");
    core.begun.await();
    // 24 MB of characters where 16 may wait: returns at once each time, or this test hangs.
    for (int i = 0; i < 768; i++) {
      core.tape.passed(1, true, new byte[16 << 10], System.nanoTime());
    }
    read.countDown();
    assertThat(ended.get())
        .isEqualTo("1 the recording ended: what is recorded isn't taken as fast as it comes");
  }

  @Test
  void nobodyWhoReadsEndsIt() throws Exception {
    OutputStream gone =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("broken pipe");
          }
        };
    CompletableFuture<String> ended = start(null, gone, "d");
    core.begun.await();
    assertThat(ended.get()).isEmpty();
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("nobody takes what is recorded");
  }

  @Test
  void aRefusalIsPassedOnAndNothingIsWritten() throws Exception {
    core.refusal = "its session is encrypted (tls=true)";
    assertThat(start(null, out, "d").get())
        .isEqualTo("1 d can't be recorded: its session is encrypted (tls=true)");
    assertThat(out.size()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "'', found no device",
    "a b, found b; expected one device",
    "a --seconds, found --seconds nothing; expected a whole number from 1 to",
    "a --seconds 0, found --seconds 0",
    "a --bytes 1073741825, expected a whole number from 1 to 1073741824",
    "a --nonsense 1, found --nonsense",
  })
  void whatIsNotUnderstoodIsNamed(String words, String expected) throws Exception {
    String said = start(null, out, words.isEmpty() ? new String[0] : words.split(" ")).get();
    assertThat(said).startsWith("2 record: ").contains(expected);
  }

  @Test
  void helpWarnsOfWhatARecordingHolds() throws Exception {
    assertThat(start(null, out, "help").get()).isEmpty();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("passwords of protocols");
    assertThat(lines()).allMatch(line -> line.length() <= 100);
  }
}
