package io.culvert.plugins;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509CRL;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.osgi.framework.Version;

/** Jars as jarsigner signs them, each with one thing wrong. */
class ExaminerTest {
  private static final Map<String, Version> API = Map.of("io.culvert.api", new Version(1, 0, 0));
  private static final Instant NOW = Instant.now();
  private static final Duration DAY = Duration.ofDays(1);

  @TempDir Path base;
  private Path trust;
  private Instant clock = NOW;

  @BeforeEach
  void folder() throws IOException {
    trust = Files.createDirectories(base.resolve("trust"));
  }

  private void trust(String name, Pki.Identity who) throws IOException {
    Files.writeString(trust.resolve(name + ".pem"), Pki.pem(who.certificate()));
  }

  private void revoke(String name, X509CRL list) throws Exception {
    Files.write(trust.resolve(name + ".crl"), list.getEncoded());
  }

  private Examiner.Verdict examine(byte[] jar, boolean allowUnsigned)
      throws Refused, JarContent.Unreadable, IOException {
    return new Examiner(trust, () -> clock)
        .examine(Files.write(base.resolve("plug-in.jar"), jar), API, allowUnsigned, false);
  }

  private String signer(byte[] jar) throws Exception {
    return examine(jar, false).signer();
  }

  private String refusal(byte[] jar) {
    Refused refused = catchThrowableOfType(Refused.class, () -> examine(jar, false));
    assertThat(refused).as("not refused").isNotNull();
    return refused.getMessage();
  }

  private static TestJar jar() {
    return TestJar.of("com.acme.lamp", "1.2.3").filling("some text");
  }

  private static Map<String, byte[]> entries(byte[] jar) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    try (ZipInputStream in = new ZipInputStream(new ByteArrayInputStream(jar))) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        entries.put(entry.getName(), in.readAllBytes());
      }
    }
    return entries;
  }

  private static byte[] zip(Map<String, byte[]> entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream out = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> each : entries.entrySet()) {
        out.putNextEntry(new ZipEntry(each.getKey()));
        out.write(each.getValue());
      }
    }
    return bytes.toByteArray();
  }

  private static byte[] with(byte[] jar, String entry, UnaryOperator<byte[]> change)
      throws IOException {
    Map<String, byte[]> entries = entries(jar);
    assertThat(entries).containsKey(entry);
    entries.computeIfPresent(entry, (name, content) -> change.apply(content));
    return zip(entries);
  }

  private static UnaryOperator<byte[]> text(String from, String to) {
    return content -> {
      String before = new String(content, StandardCharsets.ISO_8859_1);
      assertThat(before).contains(from);
      return before.replace(from, to).getBytes(StandardCharsets.ISO_8859_1);
    };
  }

  @Test
  void aSignedJarIsKnownByWhatTheOperatorCallsItsVendor() throws Exception {
    Pki.Identity acme = Pki.order("CN=Acme").make();
    trust("acme-lamps", acme);
    Examiner.Verdict verdict =
        examine(
            jar()
                .header("Culvert-Schemes", "lamp, Lamp-TLS")
                .header("Culvert-Opens", "tcp,serial")
                .header("Culvert-Listens", "tcp:7001")
                .signer(acme)
                .bytes(),
            false);

    assertThat(verdict.signer()).isEqualTo("acme-lamps");
    assertThat(verdict.warning()).isEmpty();
    Identity identity = verdict.identity();
    assertThat(identity.symbolicName()).isEqualTo("com.acme.lamp");
    assertThat(identity.version()).isEqualTo(new Version(1, 2, 3));
    assertThat(identity.vendor()).isEqualTo("Test Vendor");
    assertThat(identity.licence()).isEqualTo("Apache-2.0");
    assertThat(identity.schemes()).containsExactly("lamp", "lamp-tls");
    assertThat(identity.opens()).containsExactly("tcp", "serial");
    assertThat(identity.listens()).containsExactly("tcp:7001");
    assertThat(identity.nativeCode()).isFalse();
  }

  @Test
  void aPluginOfProfilesNeedsNoScheme() throws Exception {
    trust("vendor", TestJar.VENDOR);
    Examiner.Verdict verdict =
        examine(
            jar()
                .header("Culvert-Schemes", null)
                .header("Culvert-Opens", null)
                .header("Culvert-Profiles", "profiles")
                .entry("profiles/lamp.yaml", new byte[0])
                .activator(null)
                .bytes(),
            false);
    assertThat(verdict.identity().profiles()).isEqualTo("profiles");
    assertThat(verdict.identity().schemes()).isEmpty();
  }

  static Stream<Arguments> code() {
    return Stream.of(
        Arguments.of("Bundle-Activator", "a.B", "Bundle-Activator: a.B"),
        Arguments.of("Service-Component", "OSGI-INF/*.xml", "Service-Component: OSGI-INF/*.xml"),
        Arguments.of("", "a/B.class", "a/B.class"),
        Arguments.of("", "META-INF/versions/9/a/B.class", "META-INF/versions/9/a/B.class"),
        Arguments.of("", "lib/B.JAR", "lib/B.JAR"),
        Arguments.of("", "lib/b.so", "lib/b.so"));
  }

  /** Nobody would watch it there, nor would it go into a process of its own. */
  @ParameterizedTest
  @MethodSource("code")
  void codeWithoutASchemeIsRefused(String header, String what, String found) throws Exception {
    trust("vendor", TestJar.VENDOR);
    TestJar jar =
        jar()
            .header("Culvert-Schemes", null)
            .header("Culvert-Opens", null)
            .header("Culvert-Profiles", "profiles")
            .entry("profiles/lamp.yaml", new byte[0])
            .activator(null);
    byte[] bytes =
        header.isEmpty()
            ? jar.entry(what, zip(Map.of("x", new byte[0]))).bytes()
            : jar.header(header, what).bytes();
    assertThat(refusal(bytes))
        .contains(
            "found %s and no Culvert-Schemes; expected Culvert-Schemes with the URL schemes of its"
                    .formatted(found)
                + " drivers, such as lamp, or profiles without code");
  }

  @Test
  void aJarOnlyOfProfilesWithoutAnyClassIsTakenToo() throws Exception {
    trust("vendor", TestJar.VENDOR);
    String manifest =
        """
        Manifest-Version: 1.0
        Bundle-ManifestVersion: 2
        Bundle-SymbolicName: com.acme.profiles
        Bundle-Version: 1.0.0
        Bundle-Vendor: Acme
        Bundle-License: CC0-1.0
        Culvert-Profiles: profiles

        """;
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("META-INF/MANIFEST.MF", manifest.getBytes(StandardCharsets.UTF_8));
    entries.put("profiles/lamp.yaml", "id: lamp".getBytes(StandardCharsets.UTF_8));
    assertThat(signer(TestJar.VENDOR.sign(zip(entries)))).isEqualTo("vendor");
  }

  static Stream<Arguments> manifests() {
    return Stream.of(
        Arguments.of("Bundle-Vendor", null, "found no Bundle-Vendor; expected the name of whoever"),
        Arguments.of("Bundle-Vendor", " ", "found no Bundle-Vendor"),
        Arguments.of("Bundle-Vendor", "Ac\u001b[2Jme", "Bundle-Vendor: Ac?[2Jme; expected"),
        Arguments.of("Bundle-License", null, "found no Bundle-License; expected the terms"),
        Arguments.of(
            "Culvert-Schemes",
            null,
            "found neither Culvert-Schemes nor Culvert-Profiles; expected a plug-in that brings"),
        Arguments.of("Culvert-Schemes", "1amp", "Culvert-Schemes: 1amp; expected URL schemes"),
        Arguments.of("Culvert-Schemes", "none", "Culvert-Schemes: none; expected URL schemes"),
        Arguments.of("Culvert-Schemes", "", "Culvert-Schemes: ; expected URL schemes"),
        Arguments.of(
            "Culvert-Opens", null, "found Culvert-Schemes and neither Culvert-Opens nor Culvert-L"),
        Arguments.of("Culvert-Opens", "tcp, none", "Culvert-Opens: tcp, none; expected words"),
        Arguments.of("Culvert-Listens", "tcp:x", "Culvert-Listens: tcp:x; expected words"),
        Arguments.of(
            "Culvert-Profiles",
            "../x",
            "Culvert-Profiles: ../x and no file ../x/*.yaml in the jar"),
        Arguments.of("Culvert-Profiles", "a b", "Culvert-Profiles: a b; expected a folder"),
        Arguments.of(
            "Culvert-Profiles", "p", "Culvert-Profiles: p and no file p/*.yaml in the jar"),
        Arguments.of(
            "Require-Bundle",
            "com.acme.library",
            "Require-Bundle: com.acme.library; expected no required bundle: a jar holds its own"),
        Arguments.of(
            "Import-Package",
            "io.culvert.api;version=\"[1.9,2)\"",
            "it needs io.culvert.api 1.9, this gateway has 1.0: upgrade the gateway or take an older"
                + " version of the plug-in"),
        Arguments.of(
            "Import-Package",
            "io.culvert.api.southbound;version=\"[1.9,2)\"",
            "it needs io.culvert.api.southbound 1.9, this gateway has none"),
        Arguments.of(
            "Import-Package",
            "io.culvert.api;version=\"[0.5,1)\"",
            "it was made for io.culvert.api below 1.0, this gateway has 1.0: take a newer version"));
  }

  @ParameterizedTest
  @MethodSource("manifests")
  void aManifestThatLacksWhatAnOperatorMustKnowIsRefused(String header, String value, String reason)
      throws Exception {
    trust("vendor", TestJar.VENDOR);
    assertThat(refusal(jar().header(header, value).bytes())).contains(reason);
  }

  @Test
  void whoeverCanHaveDriversMustSayTheirSchemes() throws Exception {
    trust("vendor", TestJar.VENDOR);
    byte[] jar =
        jar()
            .header("Culvert-Schemes", null)
            .header("Culvert-Profiles", "profiles")
            .entry("profiles/lamp.yaml", new byte[0])
            .header("Import-Package", "io.culvert.api.southbound;version=\"[1.0,2)\"")
            .bytes();
    Map<String, Version> api = Map.of("io.culvert.api.southbound", new Version(1, 0, 0));
    Path file = Files.write(base.resolve("x.jar"), jar);
    assertThat(
            catchThrowableOfType(
                Refused.class,
                () -> new Examiner(trust, () -> clock).examine(file, api, false, false)))
        .hasMessageContaining("Import-Package: io.culvert.api.southbound and no Culvert-Schemes");
  }

  /** Of an unsigned jar, which is allowed, with these lines in its manifest. */
  private String refusedFor(String lines) throws Exception {
    byte[] jar =
        with(
            jar().signer(null).bytes(),
            "META-INF/MANIFEST.MF",
            text("Bundle-Vendor:", lines + "\r\nBundle-Vendor:"));
    return catchThrowableOfType(Refused.class, () -> examine(jar, true)).getMessage();
  }

  @Test
  void aHeaderThatStandsTwiceIsRefusedAsReadersDiffer() throws Exception {
    trust("vendor", TestJar.VENDOR);
    assertThat(refusedFor("export-package: a\r\nExport-Package: b"))
        .contains("the header Export-Package twice");
  }

  /** The JDK would read the header, the framework would take it for a part of the one before. */
  @Test
  void aLineEndThatOnlyOneReaderSeesIsRefused() throws Exception {
    assertThat(refusedFor("X-Note: a\rExport-Package: b"))
        .contains("found a carriage return without a line feed in META-INF/MANIFEST");
  }

  @Test
  void anUnsignedJarIsRefusedUnlessTheSiteAllowsIt() throws Exception {
    byte[] jar = jar().signer(null).bytes();
    assertThat(refusal(jar))
        .contains("it is unsigned: get it signed by a vendor on the trust list");
    Examiner.Verdict verdict = examine(jar, true);
    assertThat(verdict.signer()).isEmpty();
    assertThat(verdict.warning()).contains("com.acme.lamp is unsigned; for development only");
  }

  @Test
  void aSignerWhomNobodyTrustsIsAsGoodAsNone() throws Exception {
    byte[] jar = jar().signer(Pki.order("CN=Stranger").make()).bytes();
    assertThat(refusal(jar)).contains("CN=Stranger, who isn't on the trust list");
    assertThat(examine(jar, true).warning())
        .contains("signed by CN=Stranger, who isn't on the trust list");
  }

  @Test
  void aSignerWithTheNameOfATrustedOneIsAStranger() throws Exception {
    trust("acme", Pki.order("CN=Acme").make());
    assertThat(refusal(jar().signer(Pki.order("CN=Acme").make()).bytes()))
        .contains("CN=Acme, who isn't on the trust list");
  }

  /** Whoever could alter it could as well take the signature off; but this is no oversight. */
  private void altered(byte[] jar, String what) {
    assertThat(refusal(jar)).contains("it was altered after it was signed", what);
    assertThat(catchThrowableOfType(Refused.class, () -> examine(jar, true)))
        .as("also where unsigned ones are allowed")
        .isNotNull();
  }

  @Test
  void oneByteOfAClassIsEnough() throws Exception {
    trust("vendor", TestJar.VENDOR);
    altered(
        with(
            jar().bytes(),
            "io/culvert/plugins/fixture/Starts.class",
            content -> {
              content[content.length / 2] ^= 1;
              return content;
            }),
        "Starts.class isn't what was signed");
  }

  @ParameterizedTest
  @ValueSource(strings = {"added.txt", "META-INF/services/x", "META-INF/versions/9/A.class"})
  void anEntryAddedAfterwards(String name) throws Exception {
    trust("vendor", TestJar.VENDOR);
    Map<String, byte[]> entries = entries(jar().bytes());
    entries.put(name, new byte[] {1});
    altered(zip(entries), name + " was added");
  }

  /** Its line in the manifest is signed, though not by its vendor. */
  /**
   * The JDK verifies as many bytes as the index says that there are; whoever reads the entry later
   * gets all of them, and of a jar within the last index counts.
   */
  @Test
  void bytesBehindTheLengthThatTheIndexTellsAreNotSigned() throws Exception {
    Pki.Identity acme = Pki.order("CN=Acme").make();
    trust("acme", acme);
    byte[] signed =
        jar().entry("lib/driver.jar", zip(Map.of("A", "a".getBytes()))).signer(acme).bytes();
    byte[] more = zip(Map.of("A", "evil".getBytes()));
    int[] length = new int[1];
    byte[] jar =
        with(
            signed,
            "lib/driver.jar",
            content -> {
              length[0] = content.length;
              byte[] both = Arrays.copyOf(content, content.length + more.length);
              System.arraycopy(more, 0, both, content.length, more.length);
              ByteBuffer end = ByteBuffer.wrap(both).order(ByteOrder.LITTLE_ENDIAN);
              int at = both.length - 22;
              int index = end.getInt(at + 16) + content.length;
              end.putInt(at + 16, index);
              end.putInt(index + 42, content.length);
              return both;
            });
    ByteBuffer zip = ByteBuffer.wrap(jar).order(ByteOrder.LITTLE_ENDIAN);
    int at = zip.getInt(jar.length - 22 + 16);
    while (!new String(jar, at + 46, zip.getShort(at + 28), StandardCharsets.UTF_8)
        .equals("lib/driver.jar")) {
      at += 46 + zip.getShort(at + 28) + zip.getShort(at + 30) + zip.getShort(at + 32);
    }
    zip.putInt(at + 24, length[0]);

    assertThat(catchThrowable(() -> examine(jar, false)))
        .hasMessageContaining("length of lib/driver.jar is wrong");
  }

  @Test
  void anEntryAddedWithItsLineInTheManifest() throws Exception {
    trust("vendor", TestJar.VENDOR);
    byte[] larger = jar().entry("evil.txt", new byte[] {1}).bytes();
    Map<String, byte[]> entries = entries(jar().bytes());
    entries.put("META-INF/MANIFEST.MF", entries(larger).get("META-INF/MANIFEST.MF"));
    entries.put("evil.txt", new byte[] {1});
    altered(zip(entries), "META-INF/MANIFEST.MF isn't what was signed");
  }

  @Test
  void anEntryRemoved() throws Exception {
    trust("vendor", TestJar.VENDOR);
    Map<String, byte[]> entries = entries(jar().bytes());
    entries.remove("filling.txt");
    altered(zip(entries), "filling.txt was removed");
  }

  @Test
  void theManifestAltered() throws Exception {
    trust("vendor", TestJar.VENDOR);
    altered(
        with(jar().bytes(), "META-INF/MANIFEST.MF", text("Test Vendor", "Best Vendor")),
        "META-INF/MANIFEST.MF isn't what was signed");
  }

  @Test
  void theManifestAlteredTogetherWithItsDigest() throws Exception {
    trust("vendor", TestJar.VENDOR);
    Map<String, byte[]> one = entries(jar().bytes());
    Map<String, byte[]> other = entries(jar().filling("other text").bytes());
    one.put("META-INF/MANIFEST.MF", other.get("META-INF/MANIFEST.MF"));
    one.put("META-INF/SIGNER.SF", other.get("META-INF/SIGNER.SF"));
    one.put("filling.txt", other.get("filling.txt"));
    altered(zip(one), "META-INF/SIGNER");
  }

  @ParameterizedTest
  @CsvSource({
    "META-INF/SIGNER.SF, META-INF/SIGNER.EC lacks the file that it signs",
    "META-INF/SIGNER.EC, META-INF/SIGNER.SF lacks the block with its signature"
  })
  void halfASignatureIsNone(String half, String reason) throws Exception {
    trust("vendor", TestJar.VENDOR);
    Map<String, byte[]> entries = entries(jar().bytes());
    assertThat(entries.remove(half)).isNotNull();
    altered(zip(entries), reason);
  }

  @ParameterizedTest
  @ValueSource(strings = {"META-INF/SIG-X", "META-INF/OTHER.SF", "META-INF/OTHER.RSA"})
  void aFileThatOnlyLooksLikeASignature(String name) throws Exception {
    trust("vendor", TestJar.VENDOR);
    Map<String, byte[]> entries = entries(jar().bytes());
    entries.put(name, new byte[] {1, 2, 3});
    altered(zip(entries), name);
  }

  @Test
  void whatAnUnsignedJarIsAfterItsSignatureWasTakenOff() throws Exception {
    trust("vendor", TestJar.VENDOR);
    Map<String, byte[]> entries = entries(jar().bytes());
    entries.remove("META-INF/SIGNER.SF");
    entries.remove("META-INF/SIGNER.EC");
    assertThat(refusal(zip(entries))).contains("it is unsigned");
  }

  @Test
  void ofTwoSignersOneTrustedIsEnough() throws Exception {
    Pki.Identity acme = Pki.order("CN=Acme").make();
    Pki.Identity house = Pki.order("CN=Test House").make();
    byte[] jar = house.sign(jar().signer(acme).bytes(), "HOUSE", signer -> {});
    assertThat(refusal(jar)).contains("who isn't on the trust list");

    trust("house", house);
    assertThat(signer(jar)).isEqualTo("house");
    Files.delete(trust.resolve("house.pem"));
    trust("acme", acme);
    assertThat(signer(jar)).isEqualTo("acme");

    altered(with(jar, "filling.txt", text("some", "same")), "filling.txt isn't what was signed");
  }

  /** Each half is signed, and the whole by nobody. */
  @Test
  void oneWhoSignedAPartOfItIsNotEnough() throws Exception {
    Pki.Identity acme = Pki.order("CN=Acme").make();
    trust("acme", acme);
    byte[] first = jar().signer(acme).bytes();
    Map<String, byte[]> more = entries(first);
    more.put("later.txt", new byte[] {1});
    byte[] both = Pki.order("CN=Stranger").make().sign(zip(more), "OTHER", signer -> {});
    assertThat(refusal(both)).contains("META-INF/MANIFEST.MF isn't what was signed");
  }

  @Test
  void aChainWithAnIntermediateLeadsToItsRoot() throws Exception {
    Pki.Identity root = Pki.order("CN=Root").authority().make();
    Pki.Identity middle = Pki.order("CN=Middle").authority().by(root).make();
    Pki.Identity acme =
        Pki.order("CN=Acme").by(middle).purpose(KeyPurposeId.id_kp_codeSigning).make();
    byte[] jar = jar().signer(acme).bytes();
    assertThat(refusal(jar)).contains("CN=Acme, who isn't on the trust list");
    for (Pki.Identity trusted : new Pki.Identity[] {root, middle, acme}) {
      trust("acme", trusted);
      assertThat(signer(jar)).isEqualTo("acme");
    }
  }

  @Test
  void anIntermediateThatIsNoAuthorityVouchesForNobody() throws Exception {
    Pki.Identity root = Pki.order("CN=Root").authority().make();
    Pki.Identity customer = Pki.order("CN=Customer").by(root).make();
    Pki.Identity evil = Pki.order("CN=Evil").by(customer).make();
    trust("root", root);
    assertThat(refusal(jar().signer(evil).bytes()))
        .contains("the chain from CN=", "to root doesn't hold");
  }

  @Test
  void aCertificateOfAnotherUseSignsNoPlugin() throws Exception {
    Pki.Identity web = Pki.order("CN=Web").purpose(KeyPurposeId.id_kp_serverAuth).make();
    trust("web", web);
    assertThat(refusal(jar().signer(web).bytes())).contains("isn't made for codeSigning");
    Pki.Identity cipher = Pki.order("CN=Cipher").usage(KeyUsage.keyEncipherment).make();
    trust("cipher", cipher);
    assertThat(refusal(jar().signer(cipher).bytes())).contains("its signature can't be verified");
  }

  @Test
  void aSignatureOutsideTheValidityIsRefused() throws Exception {
    Pki.Identity past =
        Pki.order("CN=Past").valid(NOW.minus(DAY.multipliedBy(20)), NOW.minus(DAY)).make();
    Pki.Identity future =
        Pki.order("CN=Future").valid(NOW.plus(DAY), NOW.plus(DAY.multipliedBy(2))).make();
    trust("past", past);
    trust("future", future);
    assertThat(refusal(jar().signer(past).bytes()))
        .contains(
            "the certificate CN=Past is valid from",
            "and no time-stamp says when it was signed",
            "jarsigner -tsa");
    assertThat(refusal(jar().signer(future).bytes()))
        .contains("the certificate CN=Future is valid from", "set the gateway's clock");
  }

  @Test
  void anAuthorityOutsideItsValidityIsNoBetter() throws Exception {
    Pki.Identity root =
        Pki.order("CN=Root")
            .authority()
            .valid(NOW.minus(DAY.multipliedBy(20)), NOW.minus(DAY))
            .make();
    trust("root", root);
    assertThat(refusal(jar().signer(Pki.order("CN=Acme").by(root).make()).bytes()))
        .contains("the certificate CN=Acme is valid from");
  }

  private static Pki.Identity expired(Pki.Identity issuer) {
    return Pki.order("CN=Expired")
        .by(issuer)
        .valid(NOW.minus(DAY.multipliedBy(5)), NOW.minus(DAY))
        .make();
  }

  private static Pki.Identity authorityOfTime() {
    return Pki.order("CN=Time").purpose(KeyPurposeId.id_kp_timeStamping).make();
  }

  private static byte[] stamped(Pki.Identity signer, Pki.Identity authority, Instant at)
      throws IOException {
    try (Pki.Clock time = new Pki.Clock(authority, () -> at)) {
      return signer.sign(jar().signer(null).bytes(), "SIGNER", builder -> builder.tsa(time.url()));
    }
  }

  @Test
  void aTimeStampKeepsASignatureGoodAfterItsCertificateHasRunOut() throws Exception {
    Pki.Identity acme = expired(null);
    Pki.Identity time = authorityOfTime();
    byte[] jar = stamped(acme, time, NOW.minus(DAY.multipliedBy(2)));
    trust("acme", acme);
    assertThat(refusal(jar))
        .contains("its time-stamp doesn't count, as CN=Time isn't on the trust list");

    trust("time", time);
    assertThat(signer(jar)).isEqualTo("acme");
    clock = NOW.plus(DAY.multipliedBy(3650));
    assertThat(signer(jar)).isEqualTo("acme");
  }

  @Test
  void aTimeStampFromOutsideTheValidityIsRefused() throws Exception {
    Pki.Identity acme = expired(null);
    Pki.Identity time = authorityOfTime();
    trust("acme", acme);
    trust("time", time);
    assertThat(refusal(stamped(acme, time, NOW)))
        .contains("it was signed at", "outside the validity of CN=Expired");
    Pki.Identity older =
        Pki.order("CN=Older Time")
            .purpose(KeyPurposeId.id_kp_timeStamping)
            .valid(NOW.minus(DAY.multipliedBy(20)), NOW)
            .make();
    trust("older", older);
    Pki.Identity early = Pki.order("CN=Early").make();
    trust("early", early);
    assertThat(refusal(stamped(early, older, NOW.minus(DAY.multipliedBy(11)))))
        .contains("it was signed at", "outside the validity of CN=Early");
    assertThat(refusal(stamped(acme, time, NOW.minus(DAY.multipliedBy(11)))))
        .contains("its time-stamp doesn't count, as it is from outside the validity of CN=Time");
  }

  @Test
  void aRevokedCertificateIsRefused() throws Exception {
    Pki.Identity root = Pki.order("CN=Root").authority().make();
    Pki.Identity acme = Pki.order("CN=Acme").by(root).make();
    byte[] jar = jar().signer(acme).bytes();
    trust("root", root);
    assertThat(signer(jar)).isEqualTo("root");
    revoke(
        "root",
        Pki.revocations(
            root, acme.certificate(), NOW.minus(DAY), CRLReason.keyCompromise, NOW.plus(DAY)));

    assertThat(refusal(jar))
        .contains("the certificate CN=Acme was revoked at", "(key compromise)", "no time-stamp");
    assertThat(catchThrowableOfType(Refused.class, () -> examine(jar, true))).isNotNull();
  }

  @Test
  void aRevokedIntermediateIsNoBetter() throws Exception {
    Pki.Identity root = Pki.order("CN=Root").authority().make();
    Pki.Identity middle = Pki.order("CN=Middle").authority().by(root).make();
    Pki.Identity acme = Pki.order("CN=Acme").by(middle).make();
    trust("root", root);
    revoke(
        "root",
        Pki.revocations(
            root, middle.certificate(), NOW.minus(DAY), CRLReason.superseded, NOW.plus(DAY)));
    assertThat(refusal(jar().signer(acme).bytes())).contains("CN=Middle was revoked at");
  }

  @Test
  void whatWasSignedBeforeTheRevocationStaysGoodIfATimeStampSaysSo() throws Exception {
    Pki.Identity root = Pki.order("CN=Root").authority().make();
    Pki.Identity acme = Pki.order("CN=Acme").by(root).make();
    Pki.Identity time = authorityOfTime();
    trust("root", root);
    trust("time", time);
    revoke(
        "root",
        Pki.revocations(
            root,
            acme.certificate(),
            NOW.minus(DAY.multipliedBy(2)),
            CRLReason.cessationOfOperation,
            NOW.plus(DAY)));
    assertThat(signer(stamped(acme, time, NOW.minus(DAY.multipliedBy(3))))).isEqualTo("root");
    assertThat(refusal(stamped(acme, time, NOW.minus(DAY))))
        .contains("CN=Acme was revoked at", "before it was signed at");
  }

  /** A key is found out to be stolen after it was. */
  @Test
  void whatWasSignedAfterTheKeyWasNoLongerGoodIsRefusedAlsoIfThatBecameKnownLater()
      throws Exception {
    Pki.Identity root = Pki.order("CN=Root").authority().make();
    Pki.Identity acme = Pki.order("CN=Acme").by(root).make();
    Pki.Identity time = authorityOfTime();
    trust("root", root);
    trust("time", time);
    Instant stolen = NOW.minus(DAY.multipliedBy(3)).truncatedTo(ChronoUnit.SECONDS);
    revoke(
        "root",
        Pki.revocations(
            root,
            acme.certificate(),
            NOW.minus(DAY),
            CRLReason.keyCompromise,
            stolen,
            NOW.plus(DAY)));
    assertThat(refusal(stamped(acme, time, NOW.minus(DAY.multipliedBy(2)))))
        .contains("CN=Acme was revoked at " + stolen, "before it was signed at");
    assertThat(signer(stamped(acme, time, NOW.minus(DAY.multipliedBy(4))))).isEqualTo("root");
  }

  @Test
  void aListCountsByTheCertificateOfItsIssuerThatAJarBringsAlong() throws Exception {
    Pki.Identity root = Pki.order("CN=Root").authority().make();
    Pki.Identity acme = Pki.order("CN=Acme").by(root).make();
    trust("acme", acme);
    byte[] jar = jar().signer(acme).bytes();
    revoke(
        "root",
        Pki.revocations(
            Pki.order("CN=Root").authority().make(),
            acme.certificate(),
            NOW.minus(DAY),
            CRLReason.superseded,
            NOW.plus(DAY)));
    assertThat(signer(jar)).as("of another of that name").isEqualTo("acme");

    revoke(
        "root",
        Pki.revocations(
            root, acme.certificate(), NOW.minus(DAY), CRLReason.superseded, NOW.plus(DAY)));
    assertThat(refusal(jar)).contains("CN=Acme was revoked");
    assertThat(new Examiner(trust, () -> clock).problems())
        .singleElement()
        .asString()
        .contains(
            "etc/trust/root.crl: its issuer CN=Root isn't on the trust list, so it counts only for"
                + " jars that bring its certificate along: add that certificate");
  }

  @Test
  void aStolenKeyOfATimeAuthorityStampsNothing() throws Exception {
    Pki.Identity root = Pki.order("CN=Root").authority().make();
    Pki.Identity time =
        Pki.order("CN=Time").by(root).purpose(KeyPurposeId.id_kp_timeStamping).make();
    Pki.Identity acme = expired(null);
    trust("acme", acme);
    trust("root", root);
    byte[] jar = stamped(acme, time, NOW.minus(DAY.multipliedBy(2)));
    assertThat(signer(jar)).isEqualTo("acme");
    revoke(
        "root",
        Pki.revocations(root, time.certificate(), NOW, CRLReason.keyCompromise, NOW.plus(DAY)));
    assertThat(refusal(jar)).contains("its time-stamp doesn't count, as CN=Time was revoked");
  }

  /** Else the holder of a key that has run out would say when it was used. */
  @Test
  void aTrustedCertificateThatIsNoAuthorityVouchesForNoTime() throws Exception {
    Pki.Identity acme = expired(null);
    Pki.Identity time =
        Pki.order("CN=Time").by(acme).purpose(KeyPurposeId.id_kp_timeStamping).make();
    trust("acme", acme);
    assertThat(refusal(stamped(acme, time, NOW.minus(DAY.multipliedBy(2)))))
        .contains("its time-stamp doesn't count, as the certificate", "is no authority");
  }

  @Test
  void aListThatIsHalfCopiedLeavesTheOneBeforeInItsPlace() throws Exception {
    Pki.Identity root = Pki.order("CN=Root").authority().make();
    Pki.Identity acme = Pki.order("CN=Acme").by(root).make();
    trust("root", root);
    X509CRL list =
        Pki.revocations(
            root, acme.certificate(), NOW.minus(DAY), CRLReason.superseded, NOW.plus(DAY));
    revoke("root", list);
    Examiner examiner = new Examiner(trust, () -> clock);
    Path jar = Files.write(base.resolve("plug-in.jar"), jar().signer(acme).bytes());
    Files.write(trust.resolve("root.crl"), Arrays.copyOf(list.getEncoded(), 100));

    assertThat(examiner.refresh()).isTrue();
    assertThat(catchThrowable(() -> examiner.examine(jar, API, false, false)))
        .hasMessageContaining("CN=Acme was revoked");
    assertThat(examiner.problems())
        .singleElement()
        .asString()
        .contains("root.crl", "what was there before counts until it is mended");
    assertThat(new Examiner(trust, () -> clock).problems())
        .singleElement()
        .asString()
        .contains("it isn't used until mended");

    Files.delete(trust.resolve("root.crl"));
    assertThat(examiner.refresh()).isTrue();
    assertThat(examiner.examine(jar, API, false, false).signer()).isEqualTo("root");
  }

  @Test
  void aCertificateThatIsHalfCopiedLeavesTheOneBeforeInItsPlace() throws Exception {
    Pki.Identity acme = Pki.order("CN=Acme").make();
    trust("acme", acme);
    Examiner examiner = new Examiner(trust, () -> clock);
    Path jar = Files.write(base.resolve("plug-in.jar"), jar().signer(acme).bytes());
    byte[] whole = Files.readAllBytes(trust.resolve("acme.pem"));
    Files.write(trust.resolve("acme.pem"), Arrays.copyOf(whole, whole.length / 2));

    assertThat(examiner.refresh()).isTrue();
    assertThat(examiner.examine(jar, API, false, false).signer()).isEqualTo("acme");
    assertThat(examiner.problems()).singleElement().asString().contains("acme.pem", "until it is");

    Files.delete(trust.resolve("acme.pem"));
    assertThat(examiner.refresh()).isTrue();
    assertThat(catchThrowable(() -> examiner.examine(jar, API, false, false)))
        .hasMessageContaining("isn't on the trust list");
  }

  @Test
  void aListThatAStrangerSignedRevokesNobodyAndIsReported() throws Exception {
    Pki.Identity root = Pki.order("CN=Root").authority().make();
    Pki.Identity acme = Pki.order("CN=Acme").by(root).make();
    Pki.Identity impostor = Pki.order("CN=Root").authority().make();
    trust("root", root);
    revoke(
        "root",
        Pki.revocations(
            impostor, acme.certificate(), NOW.minus(DAY), CRLReason.superseded, NOW.plus(DAY)));
    assertThat(signer(jar().signer(acme).bytes())).isEqualTo("root");
    assertThat(new Examiner(trust, () -> clock).problems())
        .singleElement()
        .asString()
        .contains("etc/trust/root.crl: not signed by CN=Root");
  }

  @Test
  void aListOutOfDateStillCountsAndIsReported() throws Exception {
    Pki.Identity root = Pki.order("CN=Root").authority().make();
    Pki.Identity acme = Pki.order("CN=Acme").by(root).make();
    trust("root", root);
    revoke(
        "root",
        Pki.revocations(
            root,
            acme.certificate(),
            NOW.minus(DAY.multipliedBy(3)),
            CRLReason.superseded,
            NOW.minus(DAY)));
    assertThat(refusal(jar().signer(acme).bytes())).contains("CN=Acme was revoked");
    assertThat(new Examiner(trust, () -> clock).problems())
        .singleElement()
        .asString()
        .contains("etc/trust/root.crl: out of date since", "put the newest list there");
  }

  @Test
  void whatCanNotBeReadInTheTrustListIsReportedAndTheRestCounts() throws Exception {
    trust("vendor", TestJar.VENDOR);
    Files.writeString(trust.resolve("empty.pem"), "");
    Files.writeString(
        trust.resolve("key.pem"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    Files.writeString(
        trust.resolve("bad.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    Files.writeString(trust.resolve("bad.crl"), "nothing");
    assertThat(signer(jar().bytes())).isEqualTo("vendor");
    assertThat(new Examiner(trust, () -> clock).problems())
        .hasSize(4)
        .anyMatch(p -> p.startsWith("etc/trust/empty.pem: found no certificate; expected X.509"))
        .anyMatch(p -> p.startsWith("etc/trust/key.pem: found a private key"))
        .anyMatch(p -> p.startsWith("etc/trust/bad.pem: found a certificate that can't be read"))
        .anyMatch(p -> p.startsWith("etc/trust/bad.crl: found no revocation list"));
  }

  @Test
  void weakDigestsAreRefusedByName() throws Exception {
    trust("vendor", TestJar.VENDOR);
    byte[] plain = jar().signer(null).bytes();
    for (String weak : new String[] {"MD5", "SHA-1"}) {
      byte[] jar =
          TestJar.VENDOR.sign(
              plain,
              "SIGNER",
              builder -> {
                try {
                  builder.digestAlgorithm(weak);
                } catch (java.security.NoSuchAlgorithmException e) {
                  throw new IllegalStateException(e);
                }
              });
      assertThat(refusal(jar)).contains("it is signed with " + weak, "too weak to trust");
    }
  }

  @Test
  void aWeakSignatureIsRefusedByName() throws Exception {
    Pki.Identity acme = Pki.order("CN=Acme").key("RSA", 2048).make();
    trust("acme", acme);
    byte[] plain = jar().signer(null).bytes();
    for (String weak : new String[] {"MD5withRSA", "SHA1withRSA"}) {
      byte[] jar =
          acme.sign(
              plain,
              "SIGNER",
              builder -> {
                try {
                  builder.signatureAlgorithm(weak);
                } catch (java.security.NoSuchAlgorithmException e) {
                  throw new IllegalStateException(e);
                }
              });
      assertThat(refusal(jar))
          .containsPattern("it is signed with (MD5|SHA-1) with RSA, which is too weak to trust");
    }
    assertThat(signer(acme.sign(plain))).isEqualTo("acme");
  }

  @Test
  void weakKeysAndCertificatesAreRefusedByName() throws Exception {
    Pki.Identity small = Pki.order("CN=Small").key("RSA", 1024).make();
    trust("small", small);
    assertThat(refusal(jar().signer(small).bytes()))
        .contains("the key of the certificate CN=Small has 1024 bits (RSA)", "expected 2048");
    Pki.Identity root = Pki.order("CN=Root").authority().make();
    Pki.Identity old = Pki.order("CN=Old").digest("SHA1").by(root).make();
    trust("root", root);
    assertThat(refusal(jar().signer(old).bytes()))
        .contains("the certificate CN=Old is signed with SHA1withECDSA");
  }
}
