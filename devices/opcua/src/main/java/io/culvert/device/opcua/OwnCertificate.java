package io.culvert.device.opcua;

import io.culvert.api.service.Secrets;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.UnknownHostException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.UnrecoverableKeyException;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPrivateKey;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.Date;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERTaggedObject;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.bouncycastle.asn1.x509.Time;
import org.bouncycastle.asn1.x509.V3TBSCertificateGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificate by which servers know this gateway, with its key: {@code etc/opcua/own.p12}, for
 * the gateway's user alone, and beside it {@code own.der}, the certificate alone, for servers.
 *
 * <p>Made at first need: RSA of {@value #BITS} bits, SHA-256, valid for {@value #YEARS} years, as
 * OPC 10000-6, 6.2.2 asks. A site's own authority may have issued another; then its key store lies
 * there instead. A file that can't be read is never replaced.
 *
 * <p>Its password is the secret {@value #SECRET} if there is one, else a word that everybody knows:
 * what guards the key is who may read the file, as with the secrets themselves.
 *
 * <p>Any thread, and any process: what writes does so under a lock. All methods block for the disk;
 * making a key takes a second, on small machines ten.
 */
public final class OwnCertificate {
  private static final Logger LOG = LoggerFactory.getLogger(OwnCertificate.class);

  static final int BITS = 3072;
  static final int YEARS = 10;

  /** Of the secrets: the password of the key store, where a site wants one. */
  static final String SECRET = "opcua-own";

  private static final String PASSWORD = "culvert";
  private static final String ALIAS = "culvert-opcua";
  private static final int SHORTEST = 2048;
  private static final int MAX_BYTES = 64 << 10;
  private static final int MAX_ADDRESSES = 8;
  private static final AlgorithmIdentifier SHA256_RSA =
      new AlgorithmIdentifier(new ASN1ObjectIdentifier("1.2.840.113549.1.1.11"), DERNull.INSTANCE);
  private static final Set<PosixFilePermission> OWNER =
      EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

  /** A certificate from before that would be one made by a clock that was never set. */
  private static final Instant EARLIEST = Instant.parse("2026-01-01T00:00:00Z");

  /**
   * A certificate with its key.
   *
   * @param chain the certificate, and its issuers if there are
   */
  record Identity(PrivateKey key, List<X509Certificate> chain) {
    X509Certificate certificate() {
      return chain.get(0);
    }

    KeyPair pair() {
      return new KeyPair(certificate().getPublicKey(), key);
    }

    /** The key is nobody's business. */
    @Override
    public String toString() {
      return Certificates.called(certificate());
    }
  }

  private final Path folder;
  private final Path store;
  private final Secrets secrets;
  private final Clock clock;

  /**
   * @param folder {@code etc/opcua}
   */
  public OwnCertificate(Path folder, Secrets secrets, Clock clock) {
    this.folder = folder;
    this.store = folder.resolve("own.p12");
    this.secrets = secrets;
    this.clock = clock;
  }

  /**
   * The certificate and its key; makes them if there are none.
   *
   * @throws IOException with what is wrong and what to do
   */
  Identity get() throws IOException {
    Optional<Identity> there = read();
    if (there.isPresent()) {
      show(there.get().certificate());
      return there.get();
    }
    return locked(
        () -> {
          Optional<Identity> meanwhile = read();
          if (meanwhile.isPresent()) {
            return meanwhile.get();
          }
          Identity made = make(uri());
          write(made);
          LOG.info(
              "Made this gateway's own certificate for OPC UA, {}; servers that want to know it"
                  + " get etc/opcua/own.der",
              made);
          return made;
        });
  }

  /**
   * The certificate if there is one; makes none.
   *
   * @throws IOException with what is wrong and what to do
   */
  public Optional<X509Certificate> certificate() throws IOException {
    return read().map(Identity::certificate);
  }

  /**
   * Makes a new key and certificate for the same application URI, and puts the old ones aside.
   * Makes the first ones if there are none.
   *
   * @return the file with the old ones; empty if there were none
   * @throws IOException with what is wrong and what to do
   */
  public Optional<Path> renew() throws IOException {
    return locked(
        () -> {
          Identity old = read().orElse(null);
          if (old == null) {
            write(make(uri()));
            return Optional.<Path>empty();
          }
          X509Certificate certificate = old.certificate();
          if (!Certificates.isSigned(certificate, certificate)) {
            throw new IOException(
                "etc/opcua/own.p12 was issued by "
                    + Certificates.issuer(certificate)
                    + "; have it renewed there, and put the new key store in its place");
          }
          Path aside =
              folder.resolve(
                  "own-"
                      + DateTimeFormatter.BASIC_ISO_DATE.format(
                          LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC))
                      + "-"
                      + Certificates.typed(certificate).toLowerCase(Locale.ROOT)
                      + ".p12");
          Identity made = make(Certificates.applicationUri(certificate));
          Disk.put(aside, Files.readAllBytes(store), false);
          write(made);
          return Optional.of(aside);
        });
  }

  /** What is wrong with it or soon will be, and what to do; empty if nothing. */
  public Optional<String> problem() {
    try {
      return certificate()
          .flatMap(own -> TrustStore.ending(own, clock.instant()))
          .map(
              ending ->
                  "etc/opcua/own.p12: this gateway's own certificate"
                      + ending
                      + "; make a new one with: bin/culvert opcua own renew, and have the servers"
                      + " trust it");
    } catch (IOException e) {
      return Optional.of(e.getMessage());
    }
  }

  /** Something done under the lock. */
  private interface Work<T> {
    T run() throws IOException;
  }

  private <T> T locked(Work<T> work) throws IOException {
    synchronized (OwnCertificate.class) {
      Files.createDirectories(folder);
      try (FileChannel channel =
              FileChannel.open(
                  folder.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock lock = channel.lock()) {
        Disk.likeFolder(folder.resolve(".lock"));
        return work.run();
      }
    }
  }

  private Optional<Identity> read() throws IOException {
    if (!Files.exists(store)) {
      return Optional.empty();
    }
    try {
      Identity own = load(store, "etc/opcua/own.p12", password(), "etc/secrets/" + SECRET);
      if (Certificates.applicationUri(own.certificate()) == null) {
        throw new IOException(
            "etc/opcua/own.p12: its certificate names no application URI; expected one among its"
                + " alternative names, as OPC 10000-6, 6.2.2 has it");
      }
      return Optional.of(own);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  private String password() {
    return secrets.get(SECRET).orElse(PASSWORD);
  }

  /**
   * Opens a key store with one RSA key and its certificates. Takes rights from others.
   *
   * @param name what the file is called in messages
   * @param secret where its password stands
   * @throws IOException with what is wrong and what to do, and never the password
   */
  static Identity load(Path file, String name, String password, String secret) throws IOException {
    forOwnerAlone(file);
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    }
    char[] word = password.toCharArray();
    try {
      if (bytes.length > MAX_BYTES) {
        throw new GeneralSecurityException();
      }
      KeyStore keys = KeyStore.getInstance("PKCS12");
      keys.load(new ByteArrayInputStream(bytes), word);
      List<Identity> found = new ArrayList<>();
      for (String alias : Collections.list(keys.aliases())) {
        if (keys.isKeyEntry(alias)
            && keys.getKey(alias, word) instanceof RSAPrivateKey key
            && key.getModulus().bitLength() >= SHORTEST) {
          Certificate[] chain = keys.getCertificateChain(alias);
          found.add(
              new Identity(key, Arrays.stream(chain).map(X509Certificate.class::cast).toList()));
        }
      }
      if (found.size() != 1) {
        throw new IOException(
            name
                + ": found "
                + found.size()
                + " RSA keys of "
                + SHORTEST
                + " bits or more; expected one, with its certificate");
      }
      return found.get(0);
    } catch (IOException e) {
      if (e.getCause() instanceof UnrecoverableKeyException) {
        throw new IOException(
            name
                + ": its password is another, or it is damaged; put the right one into "
                + secret
                + ", or the file back from a backup");
      }
      if (e.getMessage() != null && e.getMessage().startsWith(name)) {
        throw e;
      }
      throw damaged(name);
    } catch (GeneralSecurityException | RuntimeException e) {
      throw damaged(name);
    } finally {
      Arrays.fill(word, ' ');
    }
  }

  private static IOException damaged(String name) {
    return new IOException(
        name
            + ": found something that is no key store, or a damaged one; expected PKCS #12. It is"
            + " left as it is: put it back from a backup, or move it aside"
            + (name.endsWith("/own.p12")
                ? ", and a new key is made, which servers don't know yet"
                : ""));
  }

  private static void forOwnerAlone(Path file) throws IOException {
    try {
      if (!OWNER.containsAll(Files.getPosixFilePermissions(file))) {
        Files.setPosixFilePermissions(file, OWNER);
        LOG.warn(
            "{}: others could read it; its mode is 0600 now. Renew the certificate if anyone else"
                + " had access",
            file);
      }
    } catch (UnsupportedOperationException e) {
      // No such rights on this file system.
    }
  }

  // Making one.

  /** Unique, also where many gateways have the same host name, as out of the box. */
  private static String uri() {
    byte[] random = new byte[4];
    new SecureRandom().nextBytes(random);
    return "urn:culvert:" + host() + ":" + HexFormat.of().formatHex(random);
  }

  static String host() {
    String name;
    try {
      name = InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      name = "localhost";
    }
    String plain = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9.-]", "-");
    return plain.isEmpty() || plain.length() > 253 ? "localhost" : plain;
  }

  private Identity make(String uri) throws IOException {
    Instant now = clock.instant();
    if (now.isBefore(EARLIEST)) {
      throw new IOException(
          "The clock of the gateway says "
              + now
              + ", so no certificate can be made that servers would take; set the clock");
    }
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(BITS);
      KeyPair pair = generator.generateKeyPair();
      return new Identity(pair.getPrivate(), List.of(certificate(pair, uri, now)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static X509Certificate certificate(KeyPair pair, String uri, Instant now)
      throws IOException, GeneralSecurityException {
    String host = host();
    String common = ("Culvert on " + host);
    X500Name name =
        X500Name.getInstance(
            new X500Principal(
                    "CN=" + common.substring(0, Math.min(64, common.length())) + ", O=Culvert")
                .getEncoded());
    PublicKey key = pair.getPublic();
    SubjectPublicKeyInfo info = SubjectPublicKeyInfo.getInstance(key.getEncoded());
    byte[] id = MessageDigest.getInstance("SHA-1").digest(info.getPublicKeyData().getOctets());
    BigInteger serial = new BigInteger(127, new SecureRandom()).add(BigInteger.ONE);
    V3TBSCertificateGenerator body = new V3TBSCertificateGenerator();
    body.setSerialNumber(new ASN1Integer(serial));
    body.setSignature(SHA256_RSA);
    body.setIssuer(name);
    body.setSubject(name);
    // A server's clock may be behind by its time zone.
    body.setStartDate(new Time(Date.from(now.minusSeconds(86_400))));
    body.setEndDate(new Time(Date.from(now.atZone(ZoneOffset.UTC).plusYears(YEARS).toInstant())));
    body.setSubjectPublicKeyInfo(info);
    ExtensionsGenerator extensions = new ExtensionsGenerator();
    extensions.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
    // That to sign certificates is asked of who signs its own.
    extensions.addExtension(
        Extension.keyUsage,
        true,
        new KeyUsage(
            KeyUsage.digitalSignature
                | KeyUsage.nonRepudiation
                | KeyUsage.keyEncipherment
                | KeyUsage.dataEncipherment
                | KeyUsage.keyCertSign));
    extensions.addExtension(
        Extension.extendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeId.id_kp_clientAuth));
    extensions.addExtension(
        Extension.subjectAlternativeName, false, new GeneralNames(names(uri, host)));
    extensions.addExtension(Extension.subjectKeyIdentifier, false, new SubjectKeyIdentifier(id));
    // Bouncy Castle's own class for this would need its digests.
    ASN1EncodableVector issuer = new ASN1EncodableVector();
    issuer.add(new DERTaggedObject(false, 0, new DEROctetString(id)));
    issuer.add(new DERTaggedObject(false, 1, new GeneralNames(new GeneralName(name))));
    issuer.add(new DERTaggedObject(false, 2, new ASN1Integer(serial)));
    extensions.addExtension(Extension.authorityKeyIdentifier, false, new DERSequence(issuer));
    body.setExtensions(extensions.generate());
    TBSCertificate signed = body.generateTBSCertificate();
    Signature signature = Signature.getInstance("SHA256withRSA");
    signature.initSign(pair.getPrivate());
    signature.update(signed.getEncoded("DER"));
    ASN1EncodableVector whole = new ASN1EncodableVector();
    whole.add(signed);
    whole.add(SHA256_RSA);
    whole.add(new DERBitString(signature.sign()));
    return Certificates.read(new DERSequence(whole).getEncoded("DER")).get(0);
  }

  private static GeneralName[] names(String uri, String host) throws IOException {
    List<GeneralName> names = new ArrayList<>();
    names.add(new GeneralName(GeneralName.uniformResourceIdentifier, uri));
    names.add(new GeneralName(GeneralName.dNSName, host));
    for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      for (InetAddress address : Collections.list(each.getInetAddresses())) {
        if (names.size() < 2 + MAX_ADDRESSES
            && !address.isLoopbackAddress()
            && !address.isLinkLocalAddress()) {
          String plain = address.getHostAddress().replaceFirst("%.*", "");
          names.add(new GeneralName(GeneralName.iPAddress, plain));
        }
      }
    }
    return names.toArray(GeneralName[]::new);
  }

  // Writing it.

  private void write(Identity own) throws IOException {
    char[] word = password().toCharArray();
    try {
      KeyStore keys = KeyStore.getInstance("PKCS12");
      keys.load(null, null);
      keys.setKeyEntry(ALIAS, own.key, word, own.chain.toArray(Certificate[]::new));
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      keys.store(bytes, word);
      Disk.put(store, bytes.toByteArray(), false);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    } finally {
      Arrays.fill(word, ' ');
    }
    show(own.certificate());
  }

  /** The certificate alone, beside its key. */
  private void show(X509Certificate certificate) throws IOException {
    Path file = folder.resolve("own.der");
    try {
      byte[] der = certificate.getEncoded();
      if (!Files.exists(file) || !Arrays.equals(Files.readAllBytes(file), der)) {
        Disk.put(file, der, true);
      }
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A certificate as text, for servers that want it so. */
  public static String pem(X509Certificate certificate) {
    try {
      return "-----BEGIN CERTIFICATE-----\n"
          + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(certificate.getEncoded())
          + "\n-----END CERTIFICATE-----\n";
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
