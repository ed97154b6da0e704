package io.culvert.core.site;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.api.service.Generations.Generation;
import io.culvert.api.service.Generations.Plugin;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerationStoreTest {
  private static final Map<String, Plugin> LOCK =
      Map.of("io.culvert.device.modbus", new Plugin("0.1.0", "ab".repeat(32), "modbus \"x\".jar"));

  @TempDir Path data;

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private GenerationStore open() throws IOException {
    return GenerationStore.open(data.resolve("generations"));
  }

  private Path file(String name) {
    return data.resolve("generations").resolve(name);
  }

  @Test
  void beginsWithNone() throws IOException {
    assertThat(open().current()).isEqualTo(new Generation(0, Map.of()));
    assertThat(open().site()).isNull();
  }

  @Test
  void whatIsPutIsInForceAfterRestart() throws IOException {
    open().put(bytes("one"), Map.of());
    open().put(bytes("two"), LOCK);

    assertThat(open().current()).isEqualTo(new Generation(2, LOCK));
    assertThat(open().site()).isEqualTo(bytes("two"));
    assertThat(file("1/site.json")).hasContent("one");
  }

  @Test
  void aLockCanComeBeforeTheFirstSite() throws IOException {
    open().put(null, LOCK);

    assertThat(open().current()).isEqualTo(new Generation(1, LOCK));
    assertThat(open().site()).isNull();
  }

  /** As a power cut would leave it at each step of a switch. */
  @Test
  void anInterruptedSwitchLeavesTheOneBefore() throws IOException {
    open().put(bytes("one"), LOCK);

    Files.createDirectory(file("2.tmp"));
    Files.writeString(file("2.tmp/site.json"), "tw");
    assertThat(open().current().number()).isEqualTo(1);
    assertThat(file("2.tmp")).doesNotExist();

    Files.createDirectory(file("2"));
    Files.writeString(file("2/site.json"), "two");
    Files.writeString(file("2/lock.json"), "{}");
    assertThat(open().current().number()).isEqualTo(1);

    Files.writeString(file("current.tmp"), "2");
    assertThat(open().current().number()).isEqualTo(1);

    assertThat(open().put(bytes("three"), LOCK).number()).isEqualTo(3);
  }

  /** A full disk leaves part of a generation; when there is room again, nobody restarts for it. */
  @Test
  void whatAFailedSwitchLeftBehindDoesNotHinderTheNext() throws IOException {
    GenerationStore store = open();
    store.put(bytes("one"), LOCK);
    Files.createDirectory(file("2.tmp"));
    Files.writeString(file("2.tmp/site.json"), "tw");

    assertThat(store.put(bytes("two"), LOCK).number()).isEqualTo(2);
    assertThat(open().site()).isEqualTo(bytes("two"));
  }

  @Test
  void damageFallsBackToTheNewestThatCanBeRead() throws IOException {
    open().put(bytes("one"), LOCK);
    open().put(bytes("two"), LOCK);
    open().put(bytes("three"), LOCK);

    Files.writeString(file("current"), "garbage");
    assertThat(open().current().number()).isEqualTo(3);

    Files.writeString(file("current"), "3");
    Files.writeString(file("3/lock.json"), "{\"x\": {\"version\": 1}}");
    assertThat(open().current().number()).isEqualTo(2);
    Files.delete(file("2/lock.json"));
    assertThat(open().site()).isEqualTo(bytes("one"));
    Files.delete(file("1/lock.json"));
    assertThat(open().current().number()).isZero();
  }

  @Test
  void keepsFifty() throws IOException {
    GenerationStore store = open();
    for (int i = 1; i <= 53; i++) {
      store.put(bytes("site " + i), Map.of());
    }

    assertThat(file("3")).doesNotExist();
    assertThat(file("4/site.json")).hasContent("site 4");
    assertThat(open().site()).isEqualTo(bytes("site 53"));
  }

  @Test
  void whatFailsChangesNothing() throws IOException {
    GenerationStore store = open();
    store.put(bytes("one"), LOCK);
    // In the way, and no file of ours.
    Files.createDirectories(file("2.tmp/in/the"));

    assertThatThrownBy(() -> store.put(bytes("two"), Map.of())).isInstanceOf(IOException.class);
    Files.delete(file("2.tmp/in/the"));
    Files.delete(file("2.tmp/in"));
    assertThat(store.current()).isEqualTo(new Generation(1, LOCK));
    assertThat(store.site()).isEqualTo(bytes("one"));
    assertThat(open().current()).isEqualTo(new Generation(1, LOCK));
  }
}
