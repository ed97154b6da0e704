package io.culvert.tools.plugin;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.Enumeration;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import jdk.security.jarsigner.JarSigner;

/** Signs a jar with a vendor's key, in place of whatever signature it had. */
final class Signing {
  /** Name of the signature's files in the jar. */
  private static final String SIGNATURE = "VENDOR";

  private static final Pattern SIGNATURES =
      Pattern.compile("META-INF/(SIG-[^/]*|[^/]*\\.(SF|RSA|DSA|EC))");

  private Signing() {}

  /**
   * Signs a jar, whole or not at all. Blocks for the disk, and for the network if there is an
   * authority.
   *
   * @param authority for time-stamps (RFC 3161), {@code null} for none
   */
  static void sign(Path jar, Key key, URI authority) throws IOException, Refusal {
    if (ModuleLayer.boot().findModule("jdk.jartool").isEmpty()) {
      throw new Refusal(
          "a Java without the module jdk.jartool, which signs",
          "install a JDK, on Debian: apt-get install openjdk-17-jdk-headless");
    }
    Instant now = Instant.now();
    if (key.certificate().getNotAfter().toInstant().isBefore(now)
        || key.certificate().getNotBefore().toInstant().isAfter(now)) {
      throw new Refusal(
          "a certificate that holds from "
              + key.certificate().getNotBefore().toInstant()
              + " to "
              + key.certificate().getNotAfter().toInstant(),
          "take a key whose certificate holds today");
    }
    if (!Files.isRegularFile(jar)) {
      throw new Refusal("no file " + jar, "name the jar of a plug-in");
    }
    Path folder = jar.toAbsolutePath().getParent();
    Path bare = Files.createTempFile(folder, "." + jar.getFileName(), ".bare");
    Path signed = Files.createTempFile(folder, "." + jar.getFileName(), ".signed");
    try {
      copyBare(jar, bare);
      JarSigner.Builder builder =
          new JarSigner.Builder(key.secret(), key.path()).signerName(SIGNATURE);
      if (authority != null) {
        builder.tsa(authority);
      }
      try (ZipFile in = new ZipFile(bare.toFile());
          OutputStream out = Files.newOutputStream(signed)) {
        builder.build().sign(in, out);
      }
      signed.toFile().setReadable(true, false);
      Files.move(signed, jar, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } catch (RuntimeException e) {
      // JarSigner's own kind, or whatever the way to an authority brought.
      throw refusal(jar, authority, e);
    } finally {
      Files.deleteIfExists(bare);
      Files.deleteIfExists(signed);
    }
  }

  private static Refusal refusal(Path jar, URI authority, RuntimeException e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return authority == null
        ? new Refusal(jar + ", which can't be signed: " + root, "look at jar and key")
        : new Refusal(
            "no time-stamp from " + authority + ": " + root,
            "try again, or another authority, or without --tsa");
  }

  /** Everything but signatures: of two, gateways would judge both. */
  private static void copyBare(Path jar, Path bare) throws IOException, Refusal {
    try (ZipFile in = new ZipFile(jar.toFile());
        ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(bare))) {
      if (in.getEntry("META-INF/MANIFEST.MF") == null) {
        throw new Refusal(jar + ", a jar without manifest", "name the jar of a plug-in");
      }
      for (Enumeration<? extends ZipEntry> entries = in.entries(); entries.hasMoreElements(); ) {
        ZipEntry entry = entries.nextElement();
        if (SIGNATURES.matcher(entry.getName().toUpperCase(Locale.ROOT)).matches()) {
          continue;
        }
        ZipEntry copy = new ZipEntry(entry.getName());
        copy.setTimeLocal(entry.getTimeLocal());
        out.putNextEntry(copy);
        try (InputStream content = in.getInputStream(entry)) {
          content.transferTo(out);
        }
      }
    } catch (ZipException e) {
      throw new Refusal(jar + ", which is no jar: " + e.getMessage(), "name the jar of a plug-in");
    }
  }
}
