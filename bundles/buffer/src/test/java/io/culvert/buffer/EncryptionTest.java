package io.culvert.buffer;

import static io.culvert.buffer.Readings.numbered;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.api.northbound.Batch;
import io.culvert.api.service.LedgerEntry;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.crypto.spec.SecretKeySpec;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EncryptionTest {
  private static final char[] PASSWORD = "a long password".toCharArray();

  @TempDir Path directory;

  private static AesSeal key(int seed) {
    byte[] key = new byte[32];
    new java.util.Random(seed).nextBytes(key);
    return new AesSeal(new SecretKeySpec(key, "AES"));
  }

  private DurableBuffer open(Seal seal, Seal key) throws IOException {
    Machine machine = new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open);
    return new DurableBuffer(directory, new Bounds().settings(), machine.with(seal, key));
  }

  private static void accept(DurableBuffer buffer, int from, int to) throws Exception {
    buffer.accept(numbered("uw-001", from, to)).toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private static List<Batch.Entry> history(DurableBuffer buffer) {
    return buffer
        .history("uw-001", "n", Instant.MIN, Instant.MAX, 1000, Duration.ofMinutes(1))
        .entries();
  }

  private String onDisk() throws IOException {
    StringBuilder all = new StringBuilder();
    try (var files = Files.list(directory)) {
      for (Path file : files.filter(f -> f.toString().contains("segment")).toList()) {
        all.append(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
      }
    }
    return all.toString();
  }

  @Test
  void whatIsEncryptedIsReadBackWithTheKeyAndIsNotOnDisk() throws Exception {
    try (DurableBuffer buffer = open(key(1), key(1))) {
      accept(buffer, 0, 100);
    }
    assertThat(onDisk()).doesNotContain("uw-001");
    try (DurableBuffer buffer = open(key(1), key(1))) {
      accept(buffer, 100, 110);
      assertThat(history(buffer))
          .extracting(Batch.Entry::reading)
          .isEqualTo(numbered("uw-001", 0, 110));
    }
  }

  @Test
  void withoutItsKeyNothingIsGivenUp() throws Exception {
    try (DurableBuffer buffer = open(key(1), key(1))) {
      accept(buffer, 0, 100);
    }
    assertThatThrownBy(() -> open(Seal.PLAIN, null))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("segment-0000000001.db is encrypted, and there is no key")
        .hasMessageContaining("put back the keystore");
    assertThatThrownBy(() -> open(key(2), key(2)))
        .hasMessageContaining("encrypted with another key");
    try (DurableBuffer buffer = open(key(1), key(1))) {
      assertThat(history(buffer)).hasSize(100);
      assertThat(buffer.ledger(Instant.MIN, Instant.MAX, 10))
          .extracting(LedgerEntry::reason)
          .doesNotContain(LedgerEntry.Reason.DAMAGED);
    }
  }

  @Test
  void whatWasPlainStaysReadableBesideIt() throws Exception {
    try (DurableBuffer buffer = open(Seal.PLAIN, null)) {
      accept(buffer, 0, 10);
    }
    try (DurableBuffer buffer = open(key(1), key(1))) {
      accept(buffer, 10, 20);
      assertThat(history(buffer)).hasSize(20);
    }
    // And switched off again, with the key still there.
    try (DurableBuffer buffer = open(Seal.PLAIN, key(1))) {
      accept(buffer, 20, 30);
      assertThat(history(buffer)).hasSize(30);
    }
  }

  @Property(tries = 200)
  void everyTextComesBackAtItsPlaceOnly(@ForAll byte[] content, @ForAll long place)
      throws DamagedException {
    AesSeal seal = key(3);
    byte[] sealed = seal.close(content, place);
    assertThat(seal.open(sealed, place)).isEqualTo(content);
    assertThat(seal.close(content, place)).as("never the same twice").isNotEqualTo(sealed);
    assertThatThrownBy(() -> seal.open(sealed, place + 1)).isInstanceOf(DamagedException.class);
    assertThatThrownBy(() -> key(4).open(sealed, place)).isInstanceOf(DamagedException.class);
    for (int at = 0; at < sealed.length; at += 7) {
      byte[] flipped = sealed.clone();
      flipped[at] ^= 1;
      assertThatThrownBy(() -> seal.open(flipped, place)).isInstanceOf(DamagedException.class);
    }
  }

  @Property(tries = 200)
  void anyBytesDoNoMoreThanFailAsDamaged(@ForAll byte[] bytes) {
    assertThatThrownBy(() -> key(3).open(bytes, 0)).isInstanceOf(DamagedException.class);
  }

  @Test
  void aKeystoreWithoutTheKeySaysHowToMakeIt() throws Exception {
    Path file = directory.resolve("keystore.p12");
    assertThat(AesSeal.load(file, PASSWORD)).isNull();
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    save(store, file);
    assertThatThrownBy(() -> AesSeal.load(file, PASSWORD))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("under the alias culvert-buffer, found none")
        .hasMessageContaining("keytool -genseckey");
    assertThatThrownBy(() -> AesSeal.load(file, "wrong".toCharArray()))
        .isInstanceOf(IOException.class);
    store.setEntry(
        AesSeal.ALIAS,
        new KeyStore.SecretKeyEntry(new SecretKeySpec(new byte[32], "AES")),
        new KeyStore.PasswordProtection(PASSWORD));
    save(store, file);
    assertThat(AesSeal.load(file, PASSWORD)).isNotNull();
  }

  private static void save(KeyStore store, Path file) throws Exception {
    try (OutputStream out = Files.newOutputStream(file)) {
      store.store(out, PASSWORD);
    }
  }
}
