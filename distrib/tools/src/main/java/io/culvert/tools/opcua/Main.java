package io.culvert.tools.opcua;

import io.culvert.core.site.FileSecrets;
import io.culvert.device.opcua.OwnCertificate;
import io.culvert.device.opcua.TrustStore;
import io.culvert.device.opcua.TrustStore.Entry;
import io.culvert.device.opcua.TrustStore.State;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * {@code culvert opcua}: whose servers are trusted, and the gateway's own certificate. Works on the
 * files of {@code etc/opcua}, so also without a running gateway; one that runs looks at them with
 * each connection.
 */
public final class Main {
  private static final String USAGE =
      """
      usage: culvert opcua <command>

        trust list              certificates of servers: trusted ones, issuers of chains, and
                                those that were refused because nobody trusts them yet
        trust show THUMBPRINT   all that one says; eight digits of the thumb-print are enough
        trust add THUMBPRINT    trusts a server, or an authority with all that it issues, at the
                                next connection; compare the thumb-print first
        trust remove THUMBPRINT trusts it no more; one that was refused is forgotten
        own [show]              this gateway's certificate, which servers have to trust
        own export FILE         the certificate for a server: as text if FILE ends in .pem
        own renew               makes a new key and certificate, and keeps the old ones aside

      Files in etc/opcua/trusted and issuers (.der, .crt, .cer, .pem, and revocation lists, .crl)
      may be put there by hand too.
      exit: 0 done, 1 something is wrong, 2 not understood
      """;

  private static final int WRONG = 1;
  private static final int NOT_UNDERSTOOD = 2;

  private final Path folder;
  private final Clock clock;
  private final TrustStore trust;
  private final OwnCertificate own;
  private final PrintStream out;

  private Main(Path home, Clock clock, PrintStream out) {
    this.folder = home.resolve("etc/opcua");
    this.clock = clock;
    this.trust = new TrustStore(folder, clock);
    this.own = new OwnCertificate(folder, FileSecrets.of(home.resolve("etc/secrets")), clock);
    this.out = out;
  }

  /** Runs a command and exits with its status. */
  public static void main(String[] args) {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
    Path home = Path.of(System.getProperty("culvert.home"));
    System.exit(run(List.of(args), home, Clock.systemUTC(), out, err));
  }

  static int run(List<String> args, Path home, Clock clock, PrintStream out, PrintStream err) {
    try {
      if (new Main(home, clock, out).done(args)) {
        return 0;
      }
      err.println(
          "culvert opcua: found \""
              + String.join(" ", args)
              + "\"; expected trust list, trust show, add or remove with a thumb-print, own, own"
              + " export FILE or own renew; see culvert opcua help");
      return NOT_UNDERSTOOD;
    } catch (FileSystemException e) {
      err.println(
          "culvert opcua: "
              + e.getFile()
              + ": "
              + (e.getReason() == null ? e.getClass().getSimpleName() : e.getReason()));
    } catch (IOException e) {
      err.println("culvert opcua: " + e.getMessage());
    }
    return WRONG;
  }

  /**
   * @return whether that is a command
   */
  private boolean done(List<String> args) throws IOException {
    String command = args.isEmpty() ? "help" : String.join(" ", args.subList(0, words(args)));
    List<String> names = args.subList(Math.min(args.size(), words(args)), args.size());
    switch (command + " " + names.size()) {
      case "help 0", "--help 0", "-h 0" -> out.print(USAGE);
      case "trust list 0" -> list();
      case "trust show 1" -> show(trust.find(names.get(0)));
      case "trust add 1" -> add(names.get(0));
      case "trust remove 1" -> remove(names.get(0));
      case "own 0", "own show 0" -> showOwn();
      case "own export 1" -> export(Path.of(names.get(0)));
      case "own renew 0" -> renew();
      default -> {
        return false;
      }
    }
    return true;
  }

  /** How many words a command has, where the second is no name. */
  private static int words(List<String> args) {
    return Math.min(args.size(), 2);
  }

  private void list() {
    List<Entry> entries = trust.entries();
    if (entries.isEmpty()) {
      out.println("no certificates yet; a server's comes here when a device first connects to it");
    }
    for (Entry entry : entries) {
      out.printf("%-9s %s%n", state(entry.state()), entry.subject());
      line(10, "application", words(entry.applicationUri()));
      line(10, "valid until", until(entry.certificate()));
      line(10, "thumb-print", entry.thumbprint());
      line(10, "SHA-256", entry.sha256());
    }
    if (entries.stream().anyMatch(entry -> entry.state() == State.REJECTED)) {
      out.println(
          "to trust one, compare its thumb-print, then: culvert opcua trust add <its first"
              + " "
              + TrustStore.SHORTEST
              + " digits>");
    }
    problems();
  }

  private void problems() {
    List<String> problems = new ArrayList<>(own.problem().stream().toList());
    problems.addAll(trust.problems());
    problems.forEach(problem -> out.println("to mend: " + problem));
  }

  private static String state(State state) {
    return switch (state) {
      case TRUSTED -> "trusted";
      case ISSUER -> "issuer";
      case REJECTED -> "rejected";
    };
  }

  private static String words(String uri) {
    return uri == null ? "none" : uri;
  }

  private String until(X509Certificate certificate) {
    Instant end = certificate.getNotAfter().toInstant();
    return end + (end.isBefore(clock.instant()) ? " (expired)" : "");
  }

  private void line(int indent, String key, String value) {
    out.printf("%s%-12s %s%n", " ".repeat(indent), key, value);
  }

  private void show(Entry entry) {
    show(entry, state(entry.state()) + (entry.authority() ? ", an authority" : ""));
  }

  private void show(Entry entry, String state) {
    out.println(entry.subject());
    line(2, "state", state);
    line(2, "application", words(entry.applicationUri()));
    line(2, "hosts", entry.hosts().isEmpty() ? "none" : String.join(", ", entry.hosts()));
    line(2, "issuer", entry.issuer());
    line(2, "valid from", entry.certificate().getNotBefore().toInstant().toString());
    line(2, "valid until", until(entry.certificate()));
    line(2, "signature", entry.certificate().getSigAlgName());
    line(2, "thumb-print", entry.thumbprint());
    line(2, "SHA-256", entry.sha256());
    line(2, "file", entry.file().toString());
  }

  private void add(String thumbprint) throws IOException {
    Entry entry = trust.trust(thumbprint);
    out.println(
        "trusted from the next connection on; compare with what the server or its maker"
            + " says:");
    show(entry);
  }

  private void remove(String thumbprint) throws IOException {
    Entry entry = trust.remove(thumbprint);
    out.println(
        entry.state() == State.REJECTED
            ? "forgotten: " + entry.subject()
            : "no longer trusted from the next connection on: " + entry.subject());
  }

  private X509Certificate certificate() throws IOException {
    return own.certificate()
        .orElseThrow(
            () ->
                new IOException(
                    "there is no certificate of this gateway yet; it is made when a device first"
                        + " connects with security, or now with: culvert opcua own renew"));
  }

  private void showOwn() throws IOException {
    X509Certificate certificate = certificate();
    show(new Entry(State.TRUSTED, folder.resolve("own.p12"), certificate), "this gateway's own");
    out.println("servers get etc/opcua/own.der, never own.p12");
    own.problem().ifPresent(problem -> out.println("to mend: " + problem));
  }

  private void export(Path file) throws IOException {
    X509Certificate certificate = certificate();
    try {
      byte[] bytes =
          file.toString().endsWith(".pem")
              ? OwnCertificate.pem(certificate).getBytes(StandardCharsets.US_ASCII)
              : certificate.getEncoded();
      Files.write(file, bytes, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    } catch (FileAlreadyExistsException e) {
      throw new IOException(file + " is there already; name another file, or delete it");
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException(e);
    }
    out.println("certificate of this gateway, without its key: " + file);
  }

  private void renew() throws IOException {
    Optional<Path> aside = own.renew();
    showOwn();
    aside.ifPresent(
        file ->
            out.println(
                "the old key is kept in "
                    + file
                    + "; servers don't know the new certificate yet: have them trust it, or put"
                    + " the old file back until they do"));
  }
}
