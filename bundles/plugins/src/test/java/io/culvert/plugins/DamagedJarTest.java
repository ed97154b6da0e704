package io.culvert.plugins;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.osgi.framework.Version;

/** Whatever happens to a signed jar, what is taken is what was signed. */
class DamagedJarTest {
  private static final Map<String, Version> API = Map.of("io.culvert.api", new Version(1, 0, 0));
  private static Path folder;
  private static Path trust;
  private static byte[] signed;
  private static Map<String, String> content;

  @BeforeContainer
  static void sign() throws IOException {
    folder = Files.createTempDirectory("damaged");
    trust = Files.createDirectories(folder.resolve("trust"));
    Files.writeString(trust.resolve("vendor.pem"), Pki.pem(TestJar.VENDOR.certificate()));
    signed = TestJar.of("com.acme.lamp", "1.0.0").filling("a text to be altered").bytes();
    content = content(Files.write(folder.resolve("original.jar"), signed));
  }

  @AfterContainer
  static void clean() throws IOException {
    try (var files = Files.walk(folder)) {
      for (Path each : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }

  /** As the framework will see it: what is signed, by name. */
  private static Map<String, String> content(Path jar) {
    Map<String, String> content = new TreeMap<>();
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      for (Enumeration<? extends ZipEntry> all = zip.entries(); all.hasMoreElements(); ) {
        ZipEntry entry = all.nextElement();
        if (!entry.isDirectory() && !JarContent.signatureFile(entry.getName())) {
          try (InputStream in = zip.getInputStream(entry)) {
            assertThat(content.put(entry.getName(), Arrays.toString(in.readAllBytes()))).isNull();
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return content;
  }

  private static void neverAltered(byte[] jar) throws IOException {
    Path file = Files.write(folder.resolve("damaged.jar"), jar);
    try {
      Examiner.Verdict verdict = new Examiner(trust, Instant::now).examine(file, API, false, false);
      assertThat(verdict.signer()).isEqualTo("vendor");
      assertThat(content(file)).isEqualTo(content);
    } catch (Refused | JarContent.Unreadable e) {
      assertThat(e.getMessage()).isNotBlank().doesNotContain("\n");
    }
  }

  @Property(tries = 1500)
  void noDamagePassesWithAlteredContent(@ForAll("damages") byte[] jar) throws IOException {
    neverAltered(jar);
  }

  @Property(tries = 400)
  void noDamageBehindTheChecksumPassesEither(@ForAll Random random) throws IOException {
    neverAltered(ZipEdit.damage(signed, random));
  }

  @Property(tries = 300)
  void bytesAtRandomAreNoJar(@ForAll byte[] bytes) throws IOException {
    neverAltered(bytes);
  }

  @Property(tries = 1000)
  void bytesAtRandomAreNoSignatureBlock(@ForAll byte[] bytes) {
    try {
      List<SignatureBlock.Algorithms> all = SignatureBlock.read(bytes);
      assertThat(all).isNotNull();
    } catch (IOException e) {
      assertThat(e.getMessage()).isNotBlank();
    }
  }

  @Provide
  Arbitrary<byte[]> damages() {
    Arbitrary<Integer> place = Arbitraries.integers().between(0, Integer.MAX_VALUE);
    Arbitrary<byte[]> flipped =
        Combinators.combine(
                place.list().ofMinSize(1).ofMaxSize(4), Arbitraries.integers().between(1, 255))
            .as(
                (places, mask) -> {
                  byte[] jar = signed.clone();
                  for (int each : places) {
                    jar[each % jar.length] ^= (byte) (int) mask;
                  }
                  return jar;
                });
    Arbitrary<byte[]> moved =
        Combinators.combine(place, place, Arbitraries.integers().between(1, 200))
            .as(
                (from, to, n) -> {
                  byte[] jar = signed.clone();
                  int f = from % (jar.length - n);
                  int t = to % (jar.length - n);
                  System.arraycopy(signed, f, jar, t, n);
                  return jar;
                });
    Arbitrary<byte[]> cut =
        Combinators.combine(place, Arbitraries.integers().between(1, 200))
            .as(
                (at, n) -> {
                  int from = at % (signed.length - n);
                  byte[] jar = new byte[signed.length - n];
                  System.arraycopy(signed, 0, jar, 0, from);
                  System.arraycopy(signed, from + n, jar, from, signed.length - from - n);
                  return jar;
                });
    Arbitrary<byte[]> inserted =
        Combinators.combine(place, Arbitraries.bytes().list().ofMinSize(1).ofMaxSize(64))
            .as(
                (at, bytes) -> {
                  List<Byte> jar = new ArrayList<>();
                  for (byte each : signed) {
                    jar.add(each);
                  }
                  jar.addAll(at % signed.length, bytes);
                  byte[] all = new byte[jar.size()];
                  for (int i = 0; i < all.length; i++) {
                    all[i] = jar.get(i);
                  }
                  return all;
                });
    return Arbitraries.oneOf(flipped, moved, cut, inserted);
  }
}
