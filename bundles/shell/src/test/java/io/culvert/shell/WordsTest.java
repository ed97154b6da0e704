package io.culvert.shell;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.gogo.runtime.threadio.ThreadIOImpl;
import org.apache.felix.service.command.CommandSession;

/** Words through the real Gogo. */
class WordsTest {

  /** What the command was called with. */
  public static final class Recorder {
    private List<String> words;

    public void record(String... args) {
      words = List.of(args);
    }
  }

  @Property(tries = 300)
  void everyWordArrivesAsItWasTyped(
      @ForAll @Size(max = 3)
          List<
                  @StringLength(max = 12) @CharRange(from = ' ', to = '~')
                  @Chars({'"', '\'', '\\', '$', '`', '{', '(', '[', '*', '~', '#', '\n', 'é', '水'})
                  String>
              words)
      throws Exception {
    assertThat(through(words)).isEqualTo(words);
  }

  @Example
  void aWordIsNeverAProgram() throws Exception {
    List<String> words =
        List.of("$(record gotcha)", "${user}", "`x`", "a;b", "a|b", "&&", "\"", "\\", "", "@x=1");
    assertThat(through(words)).isEqualTo(words);
  }

  private static List<String> through(List<String> words) throws Exception {
    ThreadIOImpl io = new ThreadIOImpl();
    io.start();
    CommandProcessorImpl processor = new CommandProcessorImpl(io);
    Recorder recorder = new Recorder();
    processor.addCommand("test", recorder, "record");
    try (CommandSession session =
        processor.createSession(
            new ByteArrayInputStream(new byte[0]),
            new ByteArrayOutputStream(),
            new ByteArrayOutputStream())) {
      ControlServer.call(session, "test:record", words);
    } finally {
      processor.stop();
      io.stop();
    }
    return recorder.words;
  }
}
