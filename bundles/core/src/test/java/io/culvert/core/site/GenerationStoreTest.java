package io.culvert.core.site;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.api.service.Generations.Generation;
import io.culvert.api.service.Generations.Plugin;
import io.culvert.api.service.Generations.TakenBack;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
    open().site(bytes("one"));
    open().lock(LOCK);
    open().site(bytes("two"));

    assertThat(open().current()).isEqualTo(new Generation(3, LOCK));
    assertThat(open().site()).isEqualTo(bytes("two"));
    assertThat(file("2/site.json")).hasContent("one");
  }

  @Test
  void aLockCanComeBeforeTheFirstSite() throws IOException {
    open().lock(LOCK);

    assertThat(open().current()).isEqualTo(new Generation(1, LOCK));
    assertThat(open().site()).isNull();
  }

  @Test
  void aDocumentThatIsInForceMakesNoGeneration() throws IOException {
    open().site(bytes("one"));

    assertThat(open().site(bytes("one")).number()).isEqualTo(1);
    assertThat(file("2")).doesNotExist();
  }

  /** As a power cut would leave it at each step of a switch. */
  @Test
  void anInterruptedSwitchLeavesTheOneBefore() throws IOException {
    open().site(bytes("one"));

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

    assertThat(open().site(bytes("three")).number()).isEqualTo(3);
  }

  /** A full disk leaves part of a generation; when there is room again, nobody restarts for it. */
  @Test
  void whatAFailedSwitchLeftBehindDoesNotHinderTheNext() throws IOException {
    GenerationStore store = open();
    store.site(bytes("one"));
    Files.createDirectory(file("2.tmp"));
    Files.writeString(file("2.tmp/site.json"), "tw");

    assertThat(store.site(bytes("two")).number()).isEqualTo(2);
    assertThat(open().site()).isEqualTo(bytes("two"));
  }

  @Test
  void damageFallsBackToTheNewestThatCanBeRead() throws IOException {
    open().site(bytes("one"));
    open().site(bytes("two"));
    open().site(bytes("three"));

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
      store.site(bytes("site " + i));
    }

    assertThat(file("3")).doesNotExist();
    assertThat(file("4/site.json")).hasContent("site 4");
    assertThat(open().site()).isEqualTo(bytes("site 53"));
  }

  @Test
  void whatFailsChangesNothing() throws IOException {
    GenerationStore store = open();
    store.lock(LOCK);
    // In the way, and no file of ours.
    Files.createDirectories(file("2.tmp/in/the"));

    assertThatThrownBy(() -> store.site(bytes("two"))).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> store.trial(Map.of())).isInstanceOf(IOException.class);
    Files.delete(file("2.tmp/in/the"));
    Files.delete(file("2.tmp/in"));
    assertThat(store.current()).isEqualTo(new Generation(1, LOCK));
    assertThat(store.onTrial()).isFalse();
    assertThat(store.site()).isNull();
    assertThat(open().current()).isEqualTo(new Generation(1, LOCK));
  }

  // Trials

  private static final Plugin OLD = new Plugin("1.9.0", "ab".repeat(32), "meter.jar");
  private static final Plugin NEW = new Plugin("2.0.0", "cd".repeat(32), "meter.jar");

  /** A site, and an upgrade of its one plug-in that is on trial as generation 3. */
  private GenerationStore upgrading() throws IOException {
    GenerationStore store = open();
    store.site(bytes("one"));
    store.lock(Map.of("meter", OLD));
    store.trial(Map.of("meter", NEW));
    assertThat(store.current()).isEqualTo(new Generation(3, Map.of("meter", NEW)));
    assertThat(store.onTrial()).isTrue();
    assertThat(file("current")).hasContent("3 trial 2");
    return store;
  }

  @Test
  void aTrialThatIsConfirmedStays() throws IOException {
    GenerationStore store = upgrading();
    store.confirm();

    assertThat(store.onTrial()).isFalse();
    assertThat(file("current")).hasContent("3");
    assertThat(open().current()).isEqualTo(new Generation(3, Map.of("meter", NEW)));
    assertThat(open().takenBack()).isEmpty();
  }

  @Test
  void aTrialThatIsTakenBackLeavesWhatWasBeforeAndWhyItWent() throws IOException {
    GenerationStore store = upgrading();
    store.revert("meter 2.0.0 was taken back: its devices are silent");

    TakenBack told =
        new TakenBack("meter", NEW, "meter 2.0.0 was taken back: its devices are silent", 0);
    for (GenerationStore each : List.of(store, open())) {
      assertThat(each.current()).isEqualTo(new Generation(2, Map.of("meter", OLD)));
      assertThat(each.onTrial()).isFalse();
      assertThat(each.site()).isEqualTo(bytes("one"));
      assertThat(each.takenBack()).isEqualTo(Map.of(NEW.sha256(), told));
    }
    assertThat(open().trial(Map.of()).number()).as("a number is never given twice").isEqualTo(4);
  }

  @Test
  void atTheNextStartAnUnconfirmedGenerationIsTakenBack() throws IOException {
    upgrading();

    assertThat(open().current()).isEqualTo(new Generation(2, Map.of("meter", OLD)));
    assertThat(file("current")).hasContent("2");
    assertThat(open().takenBack().get(NEW.sha256()).reason())
        .isEqualTo(
            "meter 2.0.0 was taken back: the gateway ended while it was on trial (stopped, killed,"
                + " crashed or without power); back to 1.9.0");
    assertThat(open().takenBack().get(NEW.sha256()).interruptions()).isEqualTo(1);
  }

  @Test
  void interruptionsInARowAreCounted() throws IOException {
    upgrading();
    for (int n = 1; n <= 3; n++) {
      GenerationStore store = open();
      assertThat(store.takenBack().get(NEW.sha256()).interruptions()).isEqualTo(n);
      store.trial(Map.of("meter", NEW));
    }

    GenerationStore store = open();
    store.trial(Map.of("meter", NEW));
    store.confirm();
    assertThat(store.takenBack()).isEmpty();
    assertThat(open().takenBack()).isEmpty();
  }

  @Test
  void aFirstGenerationOnTrialGoesBackToNone() throws IOException {
    open().trial(LOCK);
    assertThat(file("current")).hasContent("1 trial 0");

    assertThat(open().current()).isEqualTo(new Generation(0, Map.of()));
    assertThat(open().current())
        .as("also at the start after")
        .isEqualTo(new Generation(0, Map.of()));
    assertThat(open().site(bytes("one"))).isEqualTo(new Generation(2, Map.of()));
  }

  @Test
  void aDocumentThatComesDuringATrialIsOnTheSameTrial() throws IOException {
    GenerationStore store = upgrading();
    store.site(bytes("two"));
    store.site(bytes("three"));
    assertThat(file("current")).hasContent("5 trial 2");
    assertThat(open().site()).isEqualTo(bytes("one"));
    assertThat(open().takenBack(bytes("three"))).contains("meter 2.0.0 was taken back");
    assertThat(open().takenBack(bytes("two"))).isNull();
    assertThat(open().takenBack(bytes("one"))).isNull();

    open().site(bytes("four"));
    assertThat(open().takenBack(bytes("three"))).as("dealt with").isNull();
  }

  @Test
  void aDocumentThatIsConfirmedWithItsTrialStays() throws IOException {
    GenerationStore store = upgrading();
    store.site(bytes("two"));
    store.confirm();

    assertThat(open().site()).isEqualTo(bytes("two"));
    assertThat(open().takenBack(bytes("two"))).isNull();
  }

  @Test
  void oneTrialAtATimeAndNoneWithoutOne() throws IOException {
    GenerationStore store = upgrading();
    assertThatThrownBy(() -> store.trial(LOCK)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> store.lock(LOCK)).isInstanceOf(IllegalStateException.class);
    store.confirm();
    assertThatThrownBy(store::confirm).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> store.revert("why")).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aDiskThatRefusesDoesNotKeepATrialInForce() throws IOException {
    GenerationStore store = upgrading();
    // In the way of both files.
    Files.createDirectory(file("current.tmp"));
    Files.createDirectory(file("taken-back.json.tmp"));
    assertThatThrownBy(store::confirm).isInstanceOf(IOException.class);
    assertThat(store.onTrial()).isTrue();

    assertThat(store.revert("meter 2.0.0 was taken back").number()).isEqualTo(2);
    assertThat(store.onTrial()).isFalse();
    assertThat(store.takenBack()).containsKey(NEW.sha256());
    assertThat(open().current().number()).isEqualTo(2);
  }

  @Test
  void whateverIsTakenBackTheOneInForceIsKept() throws IOException {
    GenerationStore store = open();
    store.site(bytes("one"));
    for (int i = 0; i < 2 * GenerationStore.KEPT; i++) {
      store.trial(LOCK);
      store.revert("not good");
    }

    assertThat(open().site()).isEqualTo(bytes("one"));
    assertThat(open().current()).isEqualTo(new Generation(1, Map.of()));
  }

  @Test
  void anOldOneThatCanNotBeDeletedIsNoReasonToFail() throws IOException {
    GenerationStore store = open();
    for (int i = 1; i <= GenerationStore.KEPT; i++) {
      store.site(bytes("site " + i));
    }
    Files.createDirectories(file("1/notes"));
    Files.writeString(file("1/notes/mine"), "put there by hand");

    assertThat(store.trial(LOCK).lock()).isEqualTo(LOCK);
    store.confirm();
    assertThat(open().current().lock()).isEqualTo(LOCK);
  }

  @Test
  void damageDoesNotBringBackWhatWasTakenBack() throws IOException {
    upgrading().revert("meter 2.0.0 was taken back");
    Files.writeString(file("current"), "garbage");

    assertThat(open().current()).isEqualTo(new Generation(2, Map.of("meter", OLD)));
  }

  @Test
  void damageOfTheOneToGoBackToLeavesTheNewestBefore() throws IOException {
    upgrading();
    Files.delete(file("2/lock.json"));

    assertThat(open().current()).isEqualTo(new Generation(1, Map.of()));
    assertThat(open().takenBack()).containsKey(NEW.sha256());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "null",
        "[]",
        "{\"plugins\": [1, {}]}",
        "{\"site\": 7, \"siteReason\": null, \"plugins\": {\"x\": {}, \"y\": 1}}"
      })
  void whateverTheFileOfWhatWasTakenBackHoldsTheRestStands(String damage) throws IOException {
    upgrading().revert("meter 2.0.0 was taken back");
    Files.writeString(file("taken-back.json"), damage);

    assertThat(open().takenBack()).isEmpty();
    assertThat(open().takenBack(bytes("one"))).isNull();
    assertThat(open().current().number()).isEqualTo(2);
  }

  @Test
  void anyDamageToAByteOfItIsSurvived() throws IOException {
    GenerationStore store = upgrading();
    store.site(bytes("two"));
    store.revert("meter 2.0.0 was taken back");
    byte[] whole = Files.readAllBytes(file("taken-back.json"));
    for (int i = 0; i < whole.length; i++) {
      byte[] damaged = whole.clone();
      damaged[i] ^= (byte) (1 << i % 8);
      Files.write(file("taken-back.json"), i % 2 == 0 ? damaged : Arrays.copyOf(whole, i));
      assertThat(open().current().number()).isEqualTo(2);
    }
  }
}
