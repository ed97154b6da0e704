package io.culvert.plugins;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.GeneralSecurityException;
import java.security.cert.CRLException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.security.auth.x500.X500Principal;

/**
 * Whose plug-ins a site takes: the folder {@code etc/trust} as it was at one look. {@code
 * <name>.pem} holds certificates of the vendor whom the operator calls by that name, {@code *.crl}
 * revocation lists, in DER or PEM.
 */
public final class TrustList {
  /** Names that the operator may give. */
  public static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

  static final String PEM = ".pem";
  static final String CRL = ".crl";

  /** Delta CRL Indicator (RFC 5280, 5.2.4). */
  private static final String DELTA = "2.5.29.27";

  private static final int MAX_PEM = 1 << 20;
  private static final int MAX_CRL = 32 << 20;
  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \\1-----");

  /**
   * A certificate on the list.
   *
   * @param name what the operator calls its owner
   */
  public record Trusted(String name, X509Certificate certificate) {}

  /**
   * A revocation list.
   *
   * @param file name in the folder
   */
  record Revocations(String file, X509CRL list) {}

  /** What tells one content of the folder from another without reading it. */
  private record Stamp(long size, Instant modified, Object key) {}

  private final Map<String, Stamp> stamp;
  private final List<Trusted> certificates;
  private final List<Revocations> revocations;
  private final List<String> problems;

  private TrustList(
      Map<String, Stamp> stamp,
      List<Trusted> certificates,
      List<Revocations> revocations,
      List<String> problems) {
    this.stamp = stamp;
    this.certificates = List.copyOf(certificates);
    this.revocations = List.copyOf(revocations);
    this.problems = List.copyOf(problems);
  }

  /** Reads the folder; what is wrong in it stands in {@link #problems}. */
  public static TrustList read(Path folder) {
    return read(folder, List.of(), List.of());
  }

  /**
   * Reads the folder anew. A file that can't be read, as while it is being copied, leaves in its
   * place what stood there before: else the revoked would be taken, or a vendor not known, for that
   * moment.
   */
  TrustList reread(Path folder) {
    return read(folder, certificates, revocations);
  }

  private static TrustList read(
      Path folder, List<Trusted> knownBefore, List<Revocations> revokedBefore) {
    Map<String, Stamp> stamp;
    List<Trusted> certificates = new ArrayList<>();
    List<Revocations> revocations = new ArrayList<>();
    List<String> problems = new ArrayList<>();
    try {
      stamp = stamp(folder);
    } catch (IOException e) {
      return new TrustList(
          Map.of(),
          certificates,
          revocations,
          List.of("etc/trust: can't be read (" + e + "); give the gateway's user the right to"));
    }
    for (String file : stamp.keySet()) {
      try {
        if (file.endsWith(PEM)) {
          String name = file.substring(0, file.length() - PEM.length());
          if (!NAME.matcher(name).matches()) {
            throw new CertificateException(
                "its name isn't of letters, digits, '.', '_' and '-'; rename it");
          }
          for (X509Certificate each : certificates(bytes(folder.resolve(file), MAX_PEM))) {
            certificates.add(new Trusted(name, each));
          }
        } else {
          revocations.add(new Revocations(file, revocations(bytes(folder.resolve(file), MAX_CRL))));
        }
      } catch (IOException | GeneralSecurityException e) {
        List<Trusted> known =
            knownBefore.stream().filter(each -> file.equals(each.name() + PEM)).toList();
        List<Revocations> revoked =
            revokedBefore.stream().filter(each -> each.file().equals(file)).toList();
        certificates.addAll(known);
        revocations.addAll(revoked);
        problems.add(
            "etc/trust/"
                + file
                + ": "
                + e.getMessage()
                + (!known.isEmpty() || !revoked.isEmpty()
                    ? "; what was there before counts until it is mended"
                    : "; it isn't used until mended"));
      }
    }
    return new TrustList(stamp, certificates, revocations, problems);
  }

  /** Whether the folder differs from what was read. */
  boolean outdated(Path folder) {
    try {
      return !stamp.equals(stamp(folder));
    } catch (IOException e) {
      return !stamp.isEmpty();
    }
  }

  /** By name. */
  public List<Trusted> certificates() {
    return certificates;
  }

  List<Revocations> revocations() {
    return revocations;
  }

  /**
   * What is wrong with its files, and which revocation lists are out of date or of an issuer whom
   * nobody here knows: the first still count, and say nothing of what was revoked since.
   */
  public List<String> problems(Instant now) {
    List<String> all = new ArrayList<>(problems);
    for (Revocations each : revocations) {
      X509CRL list = each.list();
      if (list.getNextUpdate() != null && list.getNextUpdate().toInstant().isBefore(now)) {
        all.add(
            "etc/trust/%s: out of date since %s; what %s revoked since is not known here: put the"
                    .formatted(
                        each.file(),
                        list.getNextUpdate().toInstant(),
                        list.getIssuerX500Principal())
                + " newest list there");
      }
      X500Principal issuer = list.getIssuerX500Principal();
      if (certificates.stream()
          .noneMatch(t -> t.certificate().getSubjectX500Principal().equals(issuer))) {
        all.add(
            "etc/trust/%s: its issuer %s isn't on the trust list, so it counts only for jars that bring its certificate along: add that certificate if you trust all that it signs, or take off the list yourself whom it revokes, and remove the file"
                .formatted(each.file(), issuer));
      } else if (certificates.stream().noneMatch(t -> signed(list, t.certificate()))) {
        all.add(
            "etc/trust/%s: not signed by %s, whose list it says it is; it isn't used: get it anew"
                .formatted(each.file(), issuer));
      }
    }
    return all;
  }

  /** Whether a list comes from this issuer, who may issue lists. */
  static boolean signed(X509CRL list, X509Certificate issuer) {
    if (!issuer.getSubjectX500Principal().equals(list.getIssuerX500Principal())) {
      return false;
    }
    boolean[] usage = issuer.getKeyUsage();
    if (usage != null && usage.length > 6 && !usage[6]) {
      return false;
    }
    try {
      list.verify(issuer.getPublicKey());
      return true;
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  /**
   * The certificates in a file, one in DER or any number in PEM.
   *
   * @throws CertificateException if there is none, or something else too; the message says so to a
   *     person
   */
  public static List<X509Certificate> certificates(byte[] file) throws CertificateException {
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    List<X509Certificate> found = new ArrayList<>();
    if (file.length > 0 && file[0] == 0x30) {
      found.add(certificate(factory, file));
      return found;
    }
    Matcher block = BLOCK.matcher(new String(file, StandardCharsets.ISO_8859_1));
    while (block.find()) {
      switch (block.group(1)) {
        case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE" ->
            found.add(certificate(factory, decode(block.group(2))));
        default -> {
          if (block.group(1).contains("PRIVATE KEY")) {
            throw new CertificateException(
                "found a private key; expected certificates only: keep the key where plug-ins are"
                    + " signed, and nowhere else");
          }
        }
      }
    }
    if (found.isEmpty()) {
      throw new CertificateException(
          "found no certificate; expected X.509 in PEM, with -----BEGIN CERTIFICATE-----");
    }
    return found;
  }

  private static X509Certificate certificate(CertificateFactory factory, byte[] der)
      throws CertificateException {
    try {
      return (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(der));
    } catch (CertificateException e) {
      throw new CertificateException(
          "found a certificate that can't be read ("
              + e.getMessage()
              + "); expected X.509 in PEM or DER",
          e);
    }
  }

  private static X509CRL revocations(byte[] file) throws CertificateException, CRLException {
    byte[] der = file;
    if (file.length == 0 || file[0] != 0x30) {
      Matcher block = BLOCK.matcher(new String(file, StandardCharsets.ISO_8859_1));
      if (!block.find() || !block.group(1).equals("X509 CRL")) {
        throw new CRLException("found no revocation list; expected X.509 CRL in DER or PEM");
      }
      der = decode(block.group(2));
    }
    try {
      X509CRL list =
          (X509CRL)
              CertificateFactory.getInstance("X.509").generateCRL(new ByteArrayInputStream(der));
      if (list.getExtensionValue(DELTA) != null) {
        throw new CRLException("found a delta list; expected a whole one");
      }
      return list;
    } catch (CRLException e) {
      throw new CRLException("can't be read as a revocation list (" + e.getMessage() + ")", e);
    }
  }

  private static byte[] decode(String base64) throws CertificateException {
    try {
      return Base64.getMimeDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw new CertificateException("found damaged Base64 (" + e.getMessage() + ")", e);
    }
  }

  private static byte[] bytes(Path file, int most) throws IOException {
    try (var in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(most + 1);
      if (bytes.length > most) {
        throw new IOException("found more than " + (most >> 20) + " MiB; expected less");
      }
      return bytes;
    }
  }

  private static Map<String, Stamp> stamp(Path folder) throws IOException {
    Map<String, Stamp> stamp = new TreeMap<>();
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(
            folder,
            p -> {
              String name = p.getFileName().toString();
              return !name.startsWith(".") && (name.endsWith(PEM) || name.endsWith(CRL));
            })) {
      for (Path file : files) {
        try {
          BasicFileAttributes a = Files.readAttributes(file, BasicFileAttributes.class);
          stamp.put(
              file.getFileName().toString(),
              new Stamp(a.size(), a.lastModifiedTime().toInstant(), a.fileKey()));
        } catch (NoSuchFileException e) {
          // Gone meanwhile.
        }
      }
    } catch (NoSuchFileException | NotDirectoryException e) {
      // Nobody is trusted.
    }
    return stamp;
  }
}
