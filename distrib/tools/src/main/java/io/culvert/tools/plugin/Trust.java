package io.culvert.tools.plugin;

import io.culvert.plugins.TrustList;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;

/** Whose plug-ins an installation takes: the files of {@code etc/trust}. */
final class Trust {
  private static final int MAX_BYTES = 1 << 20;

  private final Path folder;
  private final PrintStream out;

  Trust(Path home, PrintStream out) {
    this.folder = home.resolve("etc/trust");
    this.out = out;
  }

  /**
   * Trusts whoever these certificates belong to.
   *
   * @param name {@code null} for that of the file
   */
  void add(Path file, String name) throws IOException, Refusal, UsageException {
    String own = name == null ? file.getFileName().toString().replaceFirst("\\.[^.]*$", "") : name;
    if (!TrustList.NAME.matcher(own).matches()) {
      throw new UsageException(
          "found the name " + own + "; expected letters, digits, '.', '_' and '-', such as acme");
    }
    byte[] bytes;
    try (var in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_BYTES);
    }
    StringBuilder pem = new StringBuilder();
    List<X509Certificate> certificates;
    try {
      certificates = TrustList.certificates(bytes);
      for (X509Certificate each : certificates) {
        pem.append("-----BEGIN CERTIFICATE-----\n")
            .append(Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(each.getEncoded()))
            .append("\n-----END CERTIFICATE-----\n");
      }
    } catch (CertificateException e) {
      throw new Refusal(List.of(file + ": " + e.getMessage()));
    }
    byte[] text = pem.toString().getBytes(StandardCharsets.US_ASCII);
    Path target = file(own);
    if (Files.exists(target) && !Arrays.equals(Files.readAllBytes(target), text)) {
      throw new Refusal(
          target + ", which holds other certificates",
          "give another name, or first take that one away: culvert plugin trust remove " + own);
    }
    Files.createDirectories(folder);
    Path beside = Files.createTempFile(folder, "." + own, ".new");
    try {
      Files.write(beside, text);
      beside.toFile().setReadable(true, false);
      Files.move(
          beside, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(beside);
    }
    out.println("trusted as " + own + ", after comparing with what the vendor says:");
    certificates.forEach(this::show);
  }

  void list() {
    TrustList trust = TrustList.read(folder);
    String before = null;
    for (TrustList.Trusted each : trust.certificates()) {
      if (!each.name().equals(before)) {
        out.println(each.name());
        before = each.name();
      }
      show(each.certificate());
    }
    if (trust.certificates().isEmpty()) {
      out.println("nobody is trusted; add a vendor: culvert plugin trust add <certificate.pem>");
    }
    trust.problems(Instant.now()).forEach(problem -> out.println("to mend: " + problem));
  }

  void remove(String name) throws IOException, Refusal {
    if (!TrustList.NAME.matcher(name).matches() || !Files.exists(file(name))) {
      throw new Refusal(
          "no " + name + " on the trust list", "culvert plugin trust list shows who is");
    }
    Files.delete(file(name));
    out.println("no longer trusted: " + name);
    out.println("what is in force of theirs stays, until its jar goes from plugins/");
  }

  private Path file(String name) {
    return folder.resolve(name + ".pem");
  }

  private void show(X509Certificate certificate) {
    try {
      String fingerprint =
          HexFormat.ofDelimiter(":")
              .withUpperCase()
              .formatHex(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded()));
      out.println("  " + certificate.getSubjectX500Principal());
      out.println(
          "    valid from "
              + certificate.getNotBefore().toInstant()
              + " to "
              + certificate.getNotAfter().toInstant());
      out.println("    SHA-256 " + fingerprint);
    } catch (CertificateEncodingException | NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
