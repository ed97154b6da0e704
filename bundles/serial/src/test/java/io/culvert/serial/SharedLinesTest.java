package io.culvert.serial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.culvert.api.southbound.SerialLine;
import io.culvert.api.southbound.SerialLines.Listener;
import io.culvert.api.southbound.SerialLines.Parity;
import io.culvert.api.southbound.SerialLines.Settings;
import io.culvert.api.southbound.SerialTaps;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Lines over pseudo-terminals. These know no parity and carry bytes faster than any baud rate. */
@Timeout(120)
class SharedLinesTest {
  private static final Settings PLAIN = settings(9600, false, Duration.ofMillis(4));

  @TempDir Path folder;
  private Cable cable;
  private SharedLines lines;
  private final Ear ear = new Ear();

  @BeforeEach
  void plug() throws Exception {
    cable = new Cable(folder);
    lines = new SharedLines();
  }

  @AfterEach
  void unplug() throws Exception {
    lines.close();
    cable.close();
  }

  private static Settings settings(int baud, boolean echo, Duration pause) {
    return new Settings(baud, 8, Parity.NONE, 1, false, echo, pause);
  }

  /** Keeps what it is told. */
  private static final class Ear implements Listener {
    private final ByteArrayOutputStream heard = new ByteArrayOutputStream();
    private final CompletableFuture<IOException> lost = new CompletableFuture<>();
    private long nanos;

    @Override
    public synchronized void received(byte[] bytes, long when) {
      heard.writeBytes(bytes);
      nanos = when;
    }

    @Override
    public void lost(IOException cause) {
      lost.complete(cause);
    }

    synchronized String heard() {
      return heard.toString(StandardCharsets.US_ASCII);
    }

    void hears(String text) {
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(() -> assertThat(heard()).isEqualTo(text));
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static <T> T done(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private static void fails(CompletionStage<?> stage, String... words) {
    assertThatThrownBy(() -> done(stage))
        .isInstanceOf(ExecutionException.class)
        .cause()
        .isInstanceOf(IOException.class)
        .message()
        .contains(words);
  }

  @Test
  void carriesBytesBothWaysAndTellsWhen() throws Exception {
    SerialLine line = lines.join(cable.device(), PLAIN, ear);
    long before = System.nanoTime();
    long began = done(line.send(bytes("ask")));
    assertThat(new String(cable.hear(3), StandardCharsets.US_ASCII)).isEqualTo("ask");
    cable.say(bytes("answer"));
    ear.hears("answer");
    assertThat(began).isGreaterThan(before);
    assertThat(ear.nanos).isGreaterThan(began);
  }

  @Test
  void everyByteIsCarriedAsItIs() throws Exception {
    SerialLine line = lines.join(cable.device(), PLAIN, ear);
    byte[] all = new byte[256];
    for (int i = 0; i < 256; i++) {
      all[i] = (byte) i;
    }
    done(line.send(all));
    assertThat(cable.hear(256)).isEqualTo(all);
    cable.say(all);
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(ear.heard.toByteArray()).isEqualTo(all));
  }

  @Test
  void keepsThePauseSinceTheLastByteEitherWay() throws Exception {
    Duration pause = Duration.ofMillis(60);
    Settings slow = settings(9600, false, pause);
    SerialLine line = lines.join(cable.device(), slow, ear);
    long first = done(line.send(bytes("12345678")));
    CompletionStage<Long> next = line.send(bytes("x"));
    long second = done(next);
    assertThat(second - first)
        .isGreaterThanOrEqualTo(pause.plus(slow.character().multipliedBy(8)).toNanos());
    cable.say(bytes("a"));
    ear.hears("a");
    long third = done(line.send(bytes("y")));
    assertThat(third - ear.nanos).isGreaterThanOrEqualTo(pause.toNanos());
  }

  @Test
  void eachUserHearsWhatFollowsItsOwnSendingAndSpeaksInItsOwnWay() throws Exception {
    Ear otherEar = new Ear();
    SerialLine one = lines.join(cable.device(), PLAIN, ear);
    SerialLine other =
        lines.join(cable.device(), settings(19200, false, Duration.ofMillis(2)), otherEar);
    for (int round = 1; round <= 3; round++) {
      done(one.send(bytes("1")));
      assertThat(speed()).isEqualTo("9600");
      cable.hear(1);
      cable.say(bytes("a"));
      ear.hears("a".repeat(round));
      done(other.send(bytes("2")));
      assertThat(speed()).isEqualTo("19200");
      cable.hear(1);
      cable.say(bytes("b"));
      otherEar.hears("b".repeat(round));
    }
    assertThat(ear.heard()).isEqualTo("aaa");
  }

  private String speed() throws Exception {
    Process stty = new ProcessBuilder("stty", "-F", cable.device(), "speed").start();
    return new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
  }

  @Test
  void takesTheEchoOffAndNoMore() throws Exception {
    SerialLine line = lines.join(cable.device(), settings(9600, true, Duration.ofMillis(4)), ear);
    done(line.send(bytes("question")));
    cable.say(cable.hear(8));
    cable.say(bytes("answer"));
    ear.hears("answer");
    assertThat(line.collisions()).isZero();
  }

  @Test
  void anEchoThatDiffersIsACollision() throws Exception {
    SerialLine line = lines.join(cable.device(), settings(9600, true, Duration.ofMillis(4)), ear);
    done(line.send(bytes("question")));
    cable.say(bytes("qu#s##onanswer"));
    ear.hears("answer");
    assertThat(line.collisions()).isEqualTo(1);
  }

  @Test
  void aTapHearsAllThatIsSaidInOrderButNoEchoAndDisturbsNobody() throws Exception {
    StringBuffer heard = new StringBuffer();
    SerialTaps.Listening listening =
        lines.tap(
            cable.device(),
            new SerialTaps.Tap() {
              @Override
              public void sent(byte[] bytes, long nanos) {
                heard.append('>').append(new String(bytes, StandardCharsets.US_ASCII));
              }

              @Override
              public void received(byte[] bytes, long nanos) {
                heard.append('<').append(new String(bytes, StandardCharsets.US_ASCII));
              }
            });
    Ear otherEar = new Ear();
    SerialLine one = lines.join(cable.device(), settings(9600, true, Duration.ofMillis(4)), ear);
    SerialLine other = lines.join(cable.device(), PLAIN, otherEar);
    done(one.send(bytes("ask")));
    cable.say(bytes("ask"));
    cable.say(bytes("A"));
    ear.hears("A");
    done(other.send(bytes("also")));
    cable.say(bytes("B"));
    otherEar.hears("B");
    assertThat(heard).hasToString(">ask<A>also<B");

    listening.close();
    done(one.send(bytes("more")));
    assertThat(heard).hasToString(">ask<A>also<B");
    // A tap alone keeps no line open.
    one.close();
    other.close();
    lines.tap(cable.device(), new Deaf());
    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () ->
                Thread.getAllStackTraces().keySet().stream()
                    .noneMatch(thread -> thread.getName().equals("serial-read " + cable.device())));
  }

  private static final class Deaf implements SerialTaps.Tap {
    @Override
    public void sent(byte[] bytes, long nanos) {}

    @Override
    public void received(byte[] bytes, long nanos) {}
  }

  @Test
  void aPortThatIsGoneIsToldAndOpenedAgainByTheNextSending() throws Exception {
    SerialLine line = lines.join(cable.device(), PLAIN, ear);
    done(line.send(bytes("a")));
    cable.unplug();
    assertThat(done(ear.lost)).hasMessageContaining(cable.device()).hasMessageContaining("gone");
    fails(line.send(bytes("b")), cable.device(), "doesn't exist", "connect the adapter");
    cable.plug();
    done(line.send(bytes("c")));
    assertThat(cable.hear(1)).isEqualTo(bytes("c"));
  }

  @Test
  void saysWhatToDoWhenAPortCanNotBeHad() throws Exception {
    fails(
        lines.join(folder.resolve("ttyUSB7").toString(), PLAIN, ear).open(),
        "ttyUSB7 doesn't exist",
        "correct the device file");
    Path file = Files.createFile(folder.resolve("file"));
    fails(lines.join(file.toString(), PLAIN, ear).open(), "is no device file");
    fails(lines.join("/dev/null", PLAIN, ear).open(), "/dev/null", "not connected to any serial");
    Path name = Files.createSymbolicLink(folder.resolve("other"), Path.of(cable.device()));
    done(lines.join(cable.device(), PLAIN, ear).open());
    fails(lines.join(name.toString(), PLAIN, ear).open(), "is in use", "fuser -v");
    assertThat(Port.failure("/dev/ttyS1", Path.of(cable.device()), 13, PLAIN))
        .contains("no permission. Add the gateway's user to the group ");
    assertThat(Port.failure("/dev/ttyS1", Path.of(cable.device()), 22, PLAIN))
        .contains("refuses its settings (9600 baud, 8N1)");
  }

  @Test
  void aLineInUseByAnotherProcessIsSaidToBe() throws Exception {
    Process holder =
        new ProcessBuilder("flock", "-x", cable.device(), "sh", "-c", "echo held; exec sleep 600")
            .start();
    try {
      assertThat(holder.inputReader().readLine()).isEqualTo("held");
      fails(lines.join(cable.device(), PLAIN, ear).open(), "is in use, by another process");
    } finally {
      holder.descendants().forEach(ProcessHandle::destroy);
      holder.destroy();
    }
  }

  @Test
  void aLineThatIsNeverSilentIsAnError() throws Exception {
    SerialLine line = lines.join(cable.device(), settings(9600, false, Duration.ofSeconds(2)), ear);
    done(line.open());
    CompletionStage<Long> sending = line.send(bytes("a"));
    await()
        .pollInterval(Duration.ofMillis(20))
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              cable.say(bytes("#"));
              return sending.toCompletableFuture().isDone();
            });
    fails(sending, "never silent");
  }

  @Test
  void sendingNeverBlocksTheCaller() throws Exception {
    SerialLine line = lines.join(cable.device(), settings(9600, false, Duration.ofSeconds(1)), ear);
    List<CompletionStage<Long>> sendings = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      sendings.add(line.send(bytes("a")));
    }
    fails(sendings.get(99), "sendings wait");
    done(sendings.get(0));
    line.close();
    fails(sendings.get(20), "has been closed");
  }

  @Test
  void aSendingThatIsCancelledIsLeftOut() throws Exception {
    SerialLine line = lines.join(cable.device(), settings(9600, false, Duration.ofSeconds(1)), ear);
    done(line.send(bytes("a")));
    CompletionStage<Long> waiting = line.send(bytes("b"));
    CompletionStage<Long> cancelled = line.send(bytes("c"));
    cancelled.toCompletableFuture().cancel(false);
    done(waiting);
    done(line.send(bytes("d")));
    assertThat(cable.hear(3)).isEqualTo(bytes("abd"));
  }

  @Test
  void thePortIsClosedWithItsLastUserAndNoThreadStays() throws Exception {
    SerialLine one = lines.join(cable.device(), PLAIN, ear);
    SerialLine other = lines.join(cable.device(), PLAIN, new Ear());
    done(one.open());
    assertThat(threads()).contains("serial-read " + cable.device());
    one.close();
    done(other.send(bytes("a")));
    other.close();
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(threads()).doesNotContain("serial-read " + cable.device()));
    done(lines.join(cable.device(), PLAIN, ear).open());
    lines.close();
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(threads()).noneMatch(name -> name.startsWith("serial-")));
    fails(one.send(bytes("a")), "closed");
    assertThatThrownBy(() -> lines.join(cable.device(), PLAIN, ear))
        .isInstanceOf(IllegalStateException.class);
  }

  private static List<String> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .collect(Collectors.toList());
  }
}
