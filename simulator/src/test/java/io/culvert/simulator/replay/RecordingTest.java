package io.culvert.simulator.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.api.service.Recorder;
import io.culvert.shell.RecordingWriter;
import io.culvert.simulator.replay.Recording.Event;
import io.culvert.simulator.replay.Recording.Kind;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The file: what the gateway writes is read as it was, and anything else is refused. */
class RecordingTest {
  private static final String HEAD = "{\"format\":\"culvert-recording/1\",\"device\":\"d\"}\n";
  private static final Instant START = Instant.parse("2026-11-29T08:00:00.123456789Z");

  /** Something that happens, as both sides have it. */
  record Happening(int connection, Kind kind, byte[] bytes, boolean byDevice) {}

  @Provide
  Arbitrary<List<Happening>> happenings() {
    return Combinators.combine(
            Arbitraries.integers().between(1, 20),
            Arbitraries.of(Kind.values()),
            Arbitraries.bytes().array(byte[].class).ofMaxSize(50),
            Arbitraries.of(true, false))
        .as(Happening::new)
        .list()
        .ofMaxSize(40);
  }

  /**
   * What the gateway writes of events, texts of its header included, is what the simulator reads.
   */
  @Property(tries = 300)
  void whatTheGatewayWritesIsReadAsItWas(
      @ForAll("happenings") List<Happening> happenings,
      @ForAll @Size(7) List<String> texts,
      @ForAll @IntRange(min = 0, max = 2_000_000_000) int pace)
      throws Exception {
    long start = -5_000_000_000L;
    Recorder.Subject subject =
        new Recorder.Subject(
            texts.get(0),
            texts.get(1),
            texts.get(2),
            texts.get(3),
            texts.get(4),
            texts.get(5),
            texts.get(6));
    StringBuilder text = new StringBuilder(RecordingWriter.header(subject, START)).append('\n');
    RecordingWriter writer = new RecordingWriter(line -> text.append(line).append('\n'), start);
    List<Event> expected = new ArrayList<>();
    long nanos = start;
    for (Happening each : happenings) {
      nanos += pace;
      expected.add(write(each, nanos, start, writer));
    }

    Recording read = Recording.read(new StringReader(text.toString()), "a");

    assertThat(read.header())
        .containsEntry("gateway", texts.get(0))
        .containsEntry("device", texts.get(1))
        .containsEntry("profile", texts.get(2))
        .containsEntry("endpoint", texts.get(3))
        .containsEntry("scheme", texts.get(4))
        .containsEntry("carrier", texts.get(5))
        .containsEntry("start", START.toString());
    assertThat(read.matcher()).isEqualTo(texts.get(6));
    assertThat(read.events()).usingRecursiveComparison().isEqualTo(expected);
  }

  private static Event write(Happening each, long nanos, long start, RecordingWriter writer) {
    int connection = each.connection();
    byte[] none = {};
    long at = nanos - start;
    switch (each.kind()) {
      case OPENED -> {
        writer.opened(connection, nanos);
        return new Event(at, connection, Kind.OPENED, none, false);
      }
      case TO_DEVICE, TO_GATEWAY -> {
        writer.passed(connection, each.kind() == Kind.TO_DEVICE, each.bytes(), nanos);
        return new Event(at, connection, each.kind(), each.bytes(), false);
      }
      case ENDED -> {
        writer.ended("so \"it\" ends\n", nanos);
        return new Event(at, 0, Kind.ENDED, none, false);
      }
      default -> {
        writer.closed(
            connection, Recorder.Closing.valueOf(each.kind().name()), each.byDevice(), nanos);
        return new Event(at, connection, each.kind(), none, each.byDevice());
      }
    }
  }

  private static Recording read(String text) throws IOException {
    return Recording.read(new StringReader(text), "a.jsonl");
  }

  @Test
  void whatIsNotKnownIsPassedOver() throws Exception {
    Recording recording =
        read(
            HEAD
                + "{\"nanos\":5,\"event\":\"temperature\",\"of\":{\"a\":[1,{\"b\":null}]}}\n"
                + "\n"
                + "{\"nanos\":6,\"connection\":1,\"to\":\"device\",\"hex\":\"0aFF\",\"more\":true}\n");
    assertThat(recording.events()).hasSize(1);
    assertThat(recording.events().get(0).bytes()).containsExactly(10, -1);
  }

  @Test
  void aLastLineThatBreaksOffIsLeftOut() throws Exception {
    String line = "{\"nanos\":5,\"connection\":1,\"to\":\"device\",\"hex\":\"0a\"}";
    assertThat(read(HEAD + line + "\n" + line.substring(0, 40)).events()).hasSize(1);
    assertThat(read(HEAD + line + "\n" + line).events()).hasSize(2);
    assertThatThrownBy(() -> read(HEAD + line.substring(0, 40) + "\n" + line + "\n"))
        .hasMessageContaining("a.jsonl:2: ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"nanos\":-1,\"event\":\"ended\"} | nanos -1; expected a whole number",
        "{\"event\":\"ended\"} | nanos nothing; expected a whole number",
        "{\"nanos\":1,\"event\":\"opened\"} | connection nothing; expected a whole number",
        "{\"nanos\":1,\"connection\":1,\"hex\":\"00\"} | to nothing; expected device or gateway",
        "{\"nanos\":1,\"connection\":1,\"to\":\"device\",\"hex\":\"0\"} | expected two hexadecimal digits",
        "{\"nanos\":1,\"connection\":1,\"to\":\"device\",\"hex\":\"xy\"} | expected two hexadecimal digits",
        "{\"nanos\":1,\"nanos\":2} | no JSON",
        "[] | expected one a line",
        "{} {} | expected one a line",
        "nonsense | no JSON",
      })
  void aLineThatIsWrongIsNamed(String line, String expected) {
    assertThatThrownBy(() -> read(HEAD + line + "\n"))
        .isInstanceOf(RecordingException.class)
        .hasMessageStartingWith("a.jsonl:2: found ")
        .hasMessageContaining(expected);
  }

  @Test
  void timesThatGoBackAreRefused() {
    assertThatThrownBy(
            () ->
                read(
                    HEAD
                        + "{\"nanos\":2,\"connection\":1,\"event\":\"opened\"}\n"
                        + "{\"nanos\":1,\"event\":\"ended\"}\n"))
        .hasMessageContaining("a.jsonl:3: found 1 nanos");
  }

  @Test
  void whatIsNoRecordingIsRefused(@TempDir Path folder) throws Exception {
    assertThatThrownBy(() -> read("")).hasMessageContaining("expected a recording");
    assertThatThrownBy(() -> read("{\"format\":\"culvert-recording/2\"}\n"))
        .hasMessageContaining("found the format culvert-recording/2; expected culvert-recording/1");
    assertThatThrownBy(() -> read(" ".repeat(Recording.LONGEST_LINE) + "{}"))
        .hasMessageContaining("a.jsonl");
    assertThatThrownBy(() -> read(HEAD + "x".repeat(Recording.LONGEST_LINE + 1)))
        .hasMessageContaining("a.jsonl:2: found more than");
    Path bytes = folder.resolve("bytes");
    Files.write(bytes, new byte[] {(byte) 0xFF, (byte) 0xFE, 0, 1});
    assertThatThrownBy(() -> Recording.read(bytes))
        .isInstanceOf(RecordingException.class)
        .hasMessageContaining("no UTF-8");
  }

  /** Whatever stands in a file: read, or refused with a sentence; never anything else. */
  @Property(tries = 500)
  void anyFileIsReadOrRefused(@ForAll String text) {
    refusedOrRead(text);
    refusedOrRead(HEAD + text);
  }

  /** A recording with some bytes changed, as a bad disk leaves it. */
  @Property(tries = 500)
  void aDamagedFileIsReadOrRefused(
      @ForAll("happenings") List<Happening> happenings,
      @ForAll long seed,
      @ForAll @IntRange(min = 1, max = 8) int wounds) {
    StringBuilder text = new StringBuilder(HEAD);
    RecordingWriter writer = new RecordingWriter(line -> text.append(line).append('\n'), 0);
    long nanos = 0;
    for (Happening each : happenings) {
      write(each, nanos += 1000, 0, writer);
    }
    Random random = new Random(seed);
    for (int i = 0; i < wounds; i++) {
      int at = random.nextInt(text.length());
      switch (random.nextInt(3)) {
        case 0 -> text.setCharAt(at, (char) random.nextInt(128));
        case 1 -> text.deleteCharAt(at);
        default -> text.insert(at, text.substring(at, Math.min(text.length(), at + 20)));
      }
    }
    refusedOrRead(text.toString());
  }

  private static void refusedOrRead(String text) {
    try {
      Recording recording = read(text);
      // What is read can be played, or says why not.
      new Script(recording).all().forEach(Script.Asked::play);
    } catch (RecordingException e) {
      assertThat(e.getMessage()).contains("; expected ");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
