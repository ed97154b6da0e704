package io.culvert.device.opcua;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPublicKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Date;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.eclipse.milo.opcua.stack.core.StatusCodes;

/**
 * Which servers a site trusts: the folders {@code trusted}, {@code issuers} and {@code rejected} of
 * {@code etc/opcua}, with certificates in DER or PEM ({@code .der .crt .cer .pem}) and, in the
 * first two, revocation lists ({@code .crl}).
 *
 * <p>A certificate in {@code trusted} is trusted itself; if it is an authority's, so is whatever it
 * has issued. Those in {@code issuers} only complete chains. What was refused for want of trust is
 * kept in {@code rejected}, at most {@value #MAX_REJECTED} files.
 *
 * <p>The folders are looked at with every check, so what a person changes there counts from the
 * next connection on. All methods read the disk and block for it; any thread.
 */
public final class TrustStore {
  /** How many digits of a thumb-print a person types at least. */
  public static final int SHORTEST = 8;

  static final int MAX_REJECTED = 50;
  static final int MAX_CERTIFICATE = 64 << 10;
  private static final int MAX_LIST = 32 << 20;

  /** Certificates from a server's to its root. */
  private static final int MAX_PATH = 10;

  private static final int SHORTEST_RSA = 2048;
  private static final int LONGEST_RSA = 4096;

  /** How long ahead it is told that a certificate will expire. */
  private static final Duration AHEAD = Duration.ofDays(30);

  private static final Set<String> CERTIFICATES = Set.of("der", "crt", "cer", "pem");
  private static final String LIST = "crl";
  private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
  private static final String ANY_USAGE = "2.5.29.37.0";

  /** What a certificate counts as. */
  public enum State {
    TRUSTED("trusted"),
    ISSUER("issuers"),
    REJECTED("rejected");

    private final String folder;

    State(String folder) {
      this.folder = folder;
    }
  }

  /**
   * A certificate in one of the folders.
   *
   * @param file that it stands in
   */
  public record Entry(State state, Path file, X509Certificate certificate) {

    /** SHA-1, in capitals, by which OPC UA calls a certificate. */
    public String thumbprint() {
      return Certificates.thumbprint(certificate);
    }

    /** In capitals. */
    public String sha256() {
      return Certificates.sha256(certificate);
    }

    public String subject() {
      return Certificates.subject(certificate);
    }

    /** {@code null} if it names none. */
    public String applicationUri() {
      return Certificates.applicationUri(certificate);
    }

    /** Who signed it; itself for most servers. */
    public String issuer() {
      return Certificates.issuer(certificate);
    }

    /** DNS names and IP addresses that it is for. */
    public List<String> hosts() {
      return Certificates.hosts(certificate);
    }

    /** Whether it is an authority's, whose certificates count as it does. */
    public boolean authority() {
      return Certificates.isAuthority(certificate);
    }
  }

  /**
   * What a certificate is held against.
   *
   * @param applicationUri the server's, as it calls itself
   * @param host that must stand in the certificate; {@code null} for any
   * @param acceptExpired whether a certificate does that has run out
   */
  record Expected(String applicationUri, String host, boolean acceptExpired) {}

  /** A revocation list and where it stands. */
  private record Revocations(String file, X509CRL list) {}

  /**
   * The folders at one look.
   *
   * @param lost revocation lists that can't be read
   */
  private record Contents(
      List<Entry> entries, List<Revocations> lists, List<String> lost, List<String> problems) {

    List<X509Certificate> of(State state) {
      return entries.stream().filter(e -> e.state == state).map(Entry::certificate).toList();
    }
  }

  /** What tells one content of a file from another without reading it. */
  private record Stamp(long size, FileTime modified, Object key) {}

  /** The folders as they were read last, and what they looked like then. */
  private record Seen(Map<Path, Stamp> stamps, Contents contents) {}

  private final Path folder;
  private final Clock clock;
  private volatile Seen seen;

  /**
   * @param folder {@code etc/opcua}
   */
  public TrustStore(Path folder, Clock clock) {
    this.folder = folder;
    this.clock = clock;
  }

  // What people see and do.

  /** Every certificate in the folders: trusted ones first, then issuers, then rejected ones. */
  public List<Entry> entries() {
    return List.copyOf(look().entries);
  }

  /** What is wrong in the folders or soon will be, and what to do; one sentence each. */
  public List<String> problems() {
    Contents contents = look();
    List<String> problems = new ArrayList<>(contents.problems);
    Instant now = clock.instant();
    for (Entry entry : contents.entries) {
      if (entry.state != State.REJECTED) {
        ending(entry.certificate, now)
            .ifPresent(
                ending ->
                    problems.add(
                        name(entry.file)
                            + ": "
                            + Certificates.called(entry.certificate)
                            + ending
                            + "; have the server's certificate renewed, and trust the new one when"
                            + " the server has it"));
      }
    }
    List<X509Certificate> known = new ArrayList<>(contents.of(State.TRUSTED));
    known.addAll(contents.of(State.ISSUER));
    for (Revocations each : contents.lists) {
      Date next = each.list.getNextUpdate();
      if (known.stream().noneMatch(issuer -> Certificates.isSigned(each.list, issuer))) {
        problems.add(
            each.file
                + ": not signed by anybody in trusted or issuers; it isn't used: put the"
                + " certificate of its issuer there");
      } else if (next != null && next.toInstant().isBefore(now)) {
        problems.add(
            each.file
                + ": out of date since "
                + day(next.toInstant())
                + "; what was revoked since isn't known here: put the newest list there");
      }
    }
    return problems;
  }

  /**
   * The certificate that a person means.
   *
   * @param thumbprint its first {@value #SHORTEST} digits or more, of SHA-1 or SHA-256
   * @throws IOException if that isn't exactly one
   */
  public Entry find(String thumbprint) throws IOException {
    List<Entry> found = matching(thumbprint);
    long different = found.stream().map(Entry::thumbprint).distinct().count();
    if (different > 1) {
      throw new IOException(
          different
              + " certificates begin with "
              + thumbprint
              + ": "
              + String.join(", ", found.stream().map(Entry::thumbprint).distinct().toList())
              + "; type more of the one you mean");
    }
    return found.get(0);
  }

  private List<Entry> matching(String thumbprint) throws IOException {
    String digits = thumbprint.replaceAll("[:\\s]", "").toUpperCase(Locale.ROOT);
    if (!digits.matches("[0-9A-F]{" + SHORTEST + ",64}")) {
      throw new IOException(
          "found "
              + thumbprint
              + "; expected "
              + SHORTEST
              + " or more hexadecimal digits of a thumb-print");
    }
    List<Entry> found =
        entries().stream()
            .filter(e -> e.thumbprint().startsWith(digits) || e.sha256().startsWith(digits))
            .toList();
    if (found.isEmpty()) {
      throw new IOException(
          "no certificate begins with " + thumbprint + "; opcua trust list shows those there are");
    }
    return found;
  }

  /**
   * Trusts a rejected certificate.
   *
   * @return the certificate where it stands now
   * @throws IOException if there is no such certificate, or it can't be moved
   */
  public Entry trust(String thumbprint) throws IOException {
    Entry entry = find(thumbprint);
    if (entry.state == State.TRUSTED) {
      return entry;
    }
    Path target = folder(State.TRUSTED).resolve(fileName(entry.certificate));
    Disk.put(target, encoded(entry.certificate), true);
    if (entry.state == State.REJECTED) {
      Files.deleteIfExists(entry.file);
    }
    return new Entry(State.TRUSTED, target, entry.certificate);
  }

  /**
   * Trusts a certificate no more, which then is a rejected one; one that is that already is
   * forgotten.
   *
   * @return what it was
   * @throws IOException if there is no such certificate, or its file holds others too
   */
  public Entry remove(String thumbprint) throws IOException {
    Entry entry = find(thumbprint);
    for (Entry each : matching(thumbprint)) {
      long together = entries().stream().filter(e -> e.file.equals(each.file)).count();
      if (together > 1) {
        throw new IOException(
            name(each.file)
                + " holds "
                + together
                + " certificates; take "
                + each.subject()
                + " out of it, or remove the file");
      }
    }
    if (entry.state != State.REJECTED) {
      reject(entry.certificate);
    }
    for (Entry each : matching(thumbprint)) {
      if (entry.state == State.REJECTED || each.state != State.REJECTED) {
        Files.deleteIfExists(each.file);
      }
    }
    return entry;
  }

  // What the driver does.

  /**
   * Checks a server's certificate (OPC 10000-4, 6.1.3).
   *
   * @param sent the server's certificate, and those of its issuers if it sent them
   * @throws RefusedException if it isn't good; the message tells a person why and what to do
   */
  void check(List<X509Certificate> sent, Expected expected) throws RefusedException {
    if (sent.isEmpty()) {
      throw new RefusedException(
          StatusCodes.Bad_CertificateInvalid, "The server sends no certificate; have it make one");
    }
    X509Certificate server = sent.get(0);
    Contents contents = look();
    List<X509Certificate> path = path(sent, contents);
    X509Certificate top = path.get(path.size() - 1);
    boolean complete = Certificates.isSelfIssued(top);
    if (complete && !Certificates.isSigned(top, top)) {
      throw refused(
          StatusCodes.Bad_CertificateInvalid, top, "is damaged: its signature is wrong", null);
    }
    List<X509Certificate> trusted = contents.of(State.TRUSTED);
    if (path.stream().noneMatch(trusted::contains)) {
      reject(server);
      throw refused(
          StatusCodes.Bad_CertificateUntrusted,
          server,
          "isn't trusted",
          "compare the thumb-print with what the server or its maker says, then type:"
              + " bin/culvert opcua trust add "
              + Certificates.typed(server).toLowerCase(Locale.ROOT));
    }
    if (!complete) {
      throw refused(
          StatusCodes.Bad_CertificateChainIncomplete,
          server,
          "comes from an issuer that isn't known: " + Certificates.issuer(top),
          "put the issuer's certificate into etc/opcua/issuers");
    }
    strength(path);
    validity(path, expected.acceptExpired);
    constraints(path);
    host(server, expected.host);
    application(server, expected.applicationUri);
    usage(server);
    revocation(path, contents);
  }

  /** From the server's certificate up, as far as issuers are known. */
  private List<X509Certificate> path(List<X509Certificate> sent, Contents contents) {
    List<X509Certificate> candidates = new ArrayList<>(contents.of(State.TRUSTED));
    candidates.addAll(contents.of(State.ISSUER));
    candidates.addAll(sent.subList(1, Math.min(sent.size(), MAX_PATH)));
    List<X509Certificate> path = new ArrayList<>(List.of(sent.get(0)));
    X509Certificate last = sent.get(0);
    while (!Certificates.isSelfIssued(last) && path.size() < MAX_PATH) {
      X509Certificate issued = last;
      List<X509Certificate> issuers =
          candidates.stream()
              .filter(Certificates::isAuthority)
              .filter(issuer -> Certificates.isSigned(issued, issuer))
              .filter(issuer -> !path.contains(issuer))
              .toList();
      if (issuers.isEmpty()) {
        break;
      }
      // An authority may have renewed its certificate and kept its key.
      last =
          issuers.stream()
              .filter(issuer -> !ended(issuer) && !early(issuer))
              .findFirst()
              .orElse(issuers.get(0));
      path.add(last);
    }
    return path;
  }

  private boolean ended(X509Certificate certificate) {
    return certificate.getNotAfter().toInstant().isBefore(clock.instant());
  }

  private boolean early(X509Certificate certificate) {
    return certificate.getNotBefore().toInstant().isAfter(clock.instant());
  }

  /** As the security policies ask for (OPC 10000-7): RSA of a length, and no broken digest. */
  private static void strength(List<X509Certificate> path) throws RefusedException {
    for (X509Certificate each : path) {
      PublicKey key = each.getPublicKey();
      int bits = key instanceof RSAPublicKey rsa ? rsa.getModulus().bitLength() : 0;
      String digest = each.getSigAlgName().toUpperCase(Locale.ROOT);
      if (digest.startsWith("SHA1") || digest.startsWith("MD") || digest.startsWith("NONE")) {
        throw refused(
            StatusCodes.Bad_CertificatePolicyCheckFailed,
            each,
            "is signed with " + each.getSigAlgName() + ", which can be forged",
            "have the server make a certificate with SHA-256");
      }
      if (bits < SHORTEST_RSA || (each == path.get(0) && bits > LONGEST_RSA)) {
        throw refused(
            StatusCodes.Bad_CertificatePolicyCheckFailed,
            each,
            "has "
                + (bits == 0 ? "a key of " + key.getAlgorithm() : "an RSA key of " + bits)
                + (bits == 0 ? "" : " bits"),
            "have the server make one of RSA with "
                + SHORTEST_RSA
                + " to "
                + LONGEST_RSA
                + " bits");
      }
    }
  }

  private void validity(List<X509Certificate> path, boolean acceptExpired) throws RefusedException {
    for (X509Certificate each : path) {
      boolean first = each == path.get(0);
      long status =
          first
              ? StatusCodes.Bad_CertificateTimeInvalid
              : StatusCodes.Bad_CertificateIssuerTimeInvalid;
      if (early(each)) {
        throw refused(
            status,
            each,
            "is valid from "
                + each.getNotBefore().toInstant()
                + " on, and it is "
                + clock.instant()
                + " here",
            "set the clock of the gateway, or that of the server and have it make a new"
                + " certificate");
      }
      if (ended(each) && !acceptExpired) {
        throw refused(
            status,
            each,
            "has expired on "
                + day(each.getNotAfter().toInstant())
                + ", and it is "
                + day(clock.instant())
                + " here",
            "have the server's certificate renewed; until then the setting acceptExpired: true"
                + " takes it as it is");
      }
    }
  }

  /** Whatever X.509 asks of a path beyond signatures: its length, names, critical extensions. */
  private static void constraints(List<X509Certificate> path) throws RefusedException {
    X509Certificate server = path.get(0);
    try {
      if (server.hasUnsupportedCriticalExtension()) {
        throw new CertificateException("it has a critical extension that isn't known here");
      }
      if (path.size() == 1) {
        return;
      }
      X509Certificate top = path.get(path.size() - 1);
      PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(top, null)));
      parameters.setRevocationEnabled(false);
      // Validity has been judged; here all are valid.
      parameters.setDate(
          path.stream().map(X509Certificate::getNotAfter).min(Date::compareTo).orElseThrow());
      CertPathValidator.getInstance("PKIX")
          .validate(
              CertificateFactory.getInstance("X.509")
                  .generateCertPath(path.subList(0, path.size() - 1)),
              parameters);
    } catch (GeneralSecurityException e) {
      throw refused(
          StatusCodes.Bad_CertificateInvalid,
          server,
          "breaks the rules of its chain: " + e.getMessage(),
          "have its issuer make another");
    }
  }

  private static void host(X509Certificate server, String host) throws RefusedException {
    if (host == null) {
      return;
    }
    List<String> hosts = Certificates.hosts(server);
    if (hosts.stream().noneMatch(each -> each.equalsIgnoreCase(host))) {
      throw refused(
          StatusCodes.Bad_CertificateHostNameInvalid,
          server,
          hosts.isEmpty()
              ? "names no host, so not " + host
              : "is for " + String.join(", ", hosts) + ", not for " + host,
          hosts.isEmpty()
              ? "have the server make one that does; if it is the right server all the same, set"
                  + " serverName: \"*\""
              : "reach the server by that name; if it is the right one all the same, set"
                  + " serverName: "
                  + hosts.get(0));
    }
  }

  private static void application(X509Certificate server, String uri) throws RefusedException {
    String own = Certificates.applicationUri(server);
    if (own == null || !own.equals(uri)) {
      throw refused(
          StatusCodes.Bad_CertificateUriInvalid,
          server,
          own == null
              ? "names no application URI, and the server calls itself " + uri
              : "is of the application " + own + ", and the server calls itself " + uri,
          "have the server make a certificate for itself");
    }
  }

  /** What a certificate says of its use must allow what is done with it here. */
  private static void usage(X509Certificate server) throws RefusedException {
    boolean[] usage = server.getKeyUsage();
    boolean signs = usage == null || usage[0];
    boolean encrypts = usage == null || usage[2] || usage[3];
    boolean serves;
    try {
      List<String> purposes = server.getExtendedKeyUsage();
      serves = purposes == null || purposes.contains(SERVER_AUTH) || purposes.contains(ANY_USAGE);
    } catch (CertificateParsingException e) {
      serves = false;
    }
    if (!signs || !encrypts || !serves) {
      throw refused(
          StatusCodes.Bad_CertificateUseNotAllowed,
          server,
          "isn't made to "
              + (signs ? encrypts ? "be a server's" : "encrypt with" : "sign with")
              + ", by its key usage",
          "have the server make one as OPC UA asks for");
    }
  }

  private void revocation(List<X509Certificate> path, Contents contents) throws RefusedException {
    if (path.size() > 1 && !contents.lost.isEmpty()) {
      throw refused(
          StatusCodes.Bad_CertificateRevocationUnknown,
          path.get(0),
          "may be revoked: " + contents.lost.get(0),
          "put that list there anew");
    }
    for (int i = 0; i + 1 < path.size(); i++) {
      X509Certificate issuer = path.get(i + 1);
      for (Revocations each : contents.lists) {
        if (Certificates.isSigned(each.list, issuer) && each.list.isRevoked(path.get(i))) {
          throw refused(
              i == 0
                  ? StatusCodes.Bad_CertificateRevoked
                  : StatusCodes.Bad_CertificateIssuerRevoked,
              path.get(i),
              "was revoked by " + Certificates.subject(issuer) + ", as " + each.file + " says",
              "don't trust this server until it has another certificate; ask why it was revoked");
        }
      }
    }
  }

  private static RefusedException refused(
      long status, X509Certificate certificate, String why, String todo) {
    return new RefusedException(
        status,
        "The server's certificate "
            + Certificates.called(certificate)
            + " "
            + why
            + (todo == null ? "" : "; " + todo));
  }

  /** Keeps a certificate for people to look at; the oldest give way. */
  private void reject(X509Certificate certificate) {
    try {
      byte[] der = encoded(certificate);
      if (der.length > MAX_CERTIFICATE) {
        return;
      }
      Path rejected = folder(State.REJECTED);
      Path file = rejected.resolve(fileName(certificate));
      if (Files.exists(file)) {
        Files.setLastModifiedTime(file, FileTime.from(clock.instant()));
        return;
      }
      synchronized (TrustStore.class) {
        List<Path> files = new ArrayList<>();
        try (Stream<Path> all = Files.list(rejected)) {
          all.filter(TrustStore::isCertificate).forEach(files::add);
        }
        files.sort(Comparator.comparing(TrustStore::modified));
        while (files.size() >= MAX_REJECTED) {
          Files.deleteIfExists(files.remove(0));
        }
        Disk.put(file, der, true);
        Files.setLastModifiedTime(file, FileTime.from(clock.instant()));
      }
    } catch (IOException e) {
      // The sentence about the certificate matters more; that it can't be kept is seen with the
      // command that it names.
      return;
    }
  }

  private static FileTime modified(Path file) {
    try {
      return Files.getLastModifiedTime(file);
    } catch (IOException e) {
      return FileTime.fromMillis(0);
    }
  }

  // The folders.

  private Path folder(State state) throws IOException {
    return Files.createDirectories(folder.resolve(state.folder));
  }

  /** What a person recognises, and what makes it unique. */
  private static String fileName(X509Certificate certificate) {
    String subject = certificate.getSubjectX500Principal().getName();
    String common =
        subject.replaceFirst("(?i)^(.*,)?CN=([^,]*).*$", "$2").replaceAll("[^A-Za-z0-9._-]+", "-");
    String start = common.substring(0, Math.min(common.length(), 40)).replaceFirst("^[.-]+", "");
    return (start.isEmpty() ? "" : start + "-") + Certificates.thumbprint(certificate) + ".der";
  }

  private static byte[] encoded(X509Certificate certificate) {
    try {
      return certificate.getEncoded();
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Reads the folders; revocation lists may be long, so not again if nothing has changed. */
  private Contents look() {
    List<String> unreadable = new ArrayList<>();
    Map<State, List<Path>> files = new EnumMap<>(State.class);
    for (State state : State.values()) {
      files.put(state, files(state, unreadable));
    }
    Map<Path, Stamp> stamps = new HashMap<>();
    files.values().forEach(some -> some.forEach(file -> stamps.put(file, stamp(file))));
    Seen last = seen;
    if (last == null || !unreadable.isEmpty() || !last.stamps.equals(stamps)) {
      last = new Seen(stamps, read(files, unreadable));
      seen = unreadable.isEmpty() ? last : null;
    }
    return last.contents;
  }

  private static Stamp stamp(Path file) {
    try {
      BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
      return new Stamp(now.size(), now.lastModifiedTime(), now.fileKey());
    } catch (IOException e) {
      return new Stamp(-1, null, null);
    }
  }

  private Contents read(Map<State, List<Path>> files, List<String> problems) {
    Contents contents =
        new Contents(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), problems);
    for (State state : State.values()) {
      for (Path file : files.get(state)) {
        try {
          if (isCertificate(file)) {
            for (X509Certificate each : Certificates.read(bytes(file, MAX_CERTIFICATE))) {
              contents.entries.add(new Entry(state, file, each));
            }
          } else if (state != State.REJECTED) {
            contents.lists.add(
                new Revocations(name(file), Certificates.readList(bytes(file, MAX_LIST))));
          }
        } catch (NoSuchFileException e) {
          // Gone meanwhile.
        } catch (IOException e) {
          String problem = name(file) + ": " + e.getMessage();
          contents.problems.add(problem + "; it isn't used until mended");
          if (!isCertificate(file)) {
            contents.lost.add(problem);
          }
        }
      }
    }
    return contents;
  }

  private List<Path> files(State state, List<String> problems) {
    Path directory = folder.resolve(state.folder);
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
      for (Path file : all) {
        if (isCertificate(file) || extension(file).equals(LIST)) {
          files.add(file);
        }
      }
    } catch (NoSuchFileException | NotDirectoryException e) {
      // There is nothing yet.
    } catch (IOException e) {
      problems.add(
          name(directory)
              + ": can't be read ("
              + e.getMessage()
              + "); give the gateway's user the right to");
    }
    files.sort(Comparator.naturalOrder());
    return files;
  }

  private static boolean isCertificate(Path file) {
    return CERTIFICATES.contains(extension(file));
  }

  private static String extension(Path file) {
    String name = file.getFileName().toString();
    return name.startsWith(".")
        ? ""
        : name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
  }

  /** As a person finds it. */
  private String name(Path file) {
    return "etc/opcua/" + folder.relativize(file);
  }

  private static byte[] bytes(Path file, int most) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(most + 1);
      if (bytes.length > most) {
        throw new IOException("found more than " + (most >> 10) + " KiB; expected less");
      }
      return bytes;
    }
  }

  /** Goes on a sentence about a certificate that has expired or soon will; empty otherwise. */
  static Optional<String> ending(X509Certificate certificate, Instant now) {
    Instant end = certificate.getNotAfter().toInstant();
    return end.isAfter(now.plus(AHEAD))
        ? Optional.empty()
        : Optional.of((end.isBefore(now) ? " has expired on " : " expires on ") + day(end));
  }

  static LocalDate day(Instant instant) {
    return instant.atZone(ZoneOffset.UTC).toLocalDate();
  }
}
