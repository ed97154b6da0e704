package io.culvert.tools.registermap;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The worked example of the guide does what the guide says, word for word. */
class GuideTest {
  private static final Path GUIDES = Path.of("../../docs/guides");
  private static final Pattern COMMAND =
      Pattern.compile("```\\n\\$ bin/culvert profile (.*)\\n((?:(?!```).*\\n)*)```\\n");

  @TempDir Path home;

  @Test
  void everyCommandSaysWhatTheGuideShows() throws IOException {
    Matcher commands = COMMAND.matcher(Files.readString(GUIDES.resolve("register-map.md")));
    int count = 0;
    while (commands.find()) {
      count++;
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
      Main.run(words(commands.group(1)), home, out, out);
      assertThat(bytes.toString(StandardCharsets.UTF_8).replace(home + "/", "").stripTrailing())
          .as(commands.group(1))
          .isEqualTo(commands.group(2).stripTrailing());
    }
    assertThat(count).isEqualTo(4);
    assertThat(home.resolve("etc/profiles/rl-80.yaml"))
        .hasSameTextualContentAs(GUIDES.resolve("register-map/rl-80.yaml"));
  }

  /** As a shell splits them; files are those of the guide, or of the test's own folder. */
  private List<String> words(String line) {
    Matcher words = Pattern.compile("\"([^\"]*)\"|(\\S+)").matcher(line);
    return words
        .results()
        .map(word -> word.group(1) == null ? word.group(2) : word.group(1))
        .map(
            word ->
                Files.exists(GUIDES.resolve("register-map").resolve(word))
                    ? GUIDES.resolve("register-map").resolve(word).toString()
                    : word.endsWith(".xlsx") ? home.resolve(word).toString() : word)
        .toList();
  }
}
