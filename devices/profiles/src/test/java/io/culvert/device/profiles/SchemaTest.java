package io.culvert.device.profiles;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import io.culvert.core.document.Faults;
import io.culvert.core.document.Node;
import io.culvert.core.document.YamlReader;
import io.culvert.core.profile.ProfileReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The published schema and the gateway's reader agree on good and bad profiles. */
class SchemaTest {
  private static final Path CORPUS = Path.of("src/test/resources/corpus");
  private static final Path SCHEMA =
      Path.of("src/main/resources/schema/culvert-profile-1.schema.json");
  private static final ProfileReader READER = new ProfileReader();

  static List<Path> good() {
    return Stream.of(
            CORPUS.resolve("good"),
            Path.of("src/main/resources/profiles"),
            // The gateway's own.
            Path.of("../../bundles/core/src/main/resources/profiles"))
        .flatMap(folder -> yaml(folder).stream())
        .toList();
  }

  static List<Path> bad() {
    return yaml(CORPUS.resolve("bad"));
  }

  private static List<Path> yaml(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @MethodSource("good")
  void bothTakeTheGood(Path file) throws IOException {
    assertThat(refusedBySchema(file)).isEmpty();
    assertThat(READER.read("f", Files.readAllBytes(file)).faults()).isEmpty();
  }

  /** Each bad file has one mistake, and says whether a schema can see it. */
  @ParameterizedTest
  @MethodSource("bad")
  void bothRefuseTheBadAsFarAsASchemaCan(Path file) throws IOException {
    boolean visible =
        switch (Files.readAllLines(file).get(0)) {
          case "# the schema refuses it too" -> true;
          case "# the schema cannot tell" -> false;
          default -> throw new IllegalArgumentException(file + " doesn't say what the schema does");
        };

    assertThat(READER.read("f", Files.readAllBytes(file)).faults()).isNotEmpty();
    assertThat(!refusedBySchema(file).isEmpty()).isEqualTo(visible);
  }

  /** What people copy first. */
  @Test
  void theExampleOfTheGuideIsGood(@TempDir Path folder) throws IOException {
    Matcher example =
        Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL)
            .matcher(Files.readString(Path.of("../../docs/guides/profiles.md")));
    assertThat(example.find()).isTrue();

    bothTakeTheGood(Files.writeString(folder.resolve("example.yaml"), example.group(1)));
  }

  @Test
  void theSchemaIsOneItself() throws IOException {
    JsonSchema metaschema =
        JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
            .getSchema(
                com.networknt.schema.SchemaLocation.of(
                    "https://json-schema.org/draft/2020-12/schema"));

    assertThat(
            metaschema.validate(
                new com.fasterxml.jackson.databind.ObjectMapper()
                    .readTree(Files.readString(SCHEMA))))
        .isEmpty();
  }

  private static Set<ValidationMessage> refusedBySchema(Path file) throws IOException {
    JsonSchema schema =
        JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
            .getSchema(Files.readString(SCHEMA));
    Faults faults = new Faults(file.toString());
    Node document = YamlReader.read(Files.readAllBytes(file), faults);
    assertThat(faults.lines()).isEmpty();
    return schema.validate(json(document));
  }

  private static JsonNode json(Node node) {
    JsonNodeFactory json = JsonNodeFactory.instance;
    if (node instanceof Node.Obj object) {
      ObjectNode members = json.objectNode();
      object.members().forEach((key, value) -> members.set(key, json(value)));
      return members;
    }
    if (node instanceof Node.Arr list) {
      return json.arrayNode().addAll(list.items().stream().map(SchemaTest::json).toList());
    }
    if (node instanceof Node.Text text) {
      return json.textNode(text.value());
    }
    if (node instanceof Node.Num number) {
      return json.numberNode(new BigDecimal(number.text()));
    }
    return node instanceof Node.Bool bool ? json.booleanNode(bool.value()) : json.nullNode();
  }
}
