package io.culvert.plugins;

import io.culvert.plugins.JarContent.Unreadable;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.CodeSigner;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Enumeration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipFile;

/**
 * Who signed the whole of a jar (JAR File Specification, Signed JAR File). Stricter than the JDK,
 * which tells of single entries only: the manifest must be as it was signed to the last byte, every
 * entry must be in it, and everything in it must be there.
 */
final class Signatures {
  private static final Pattern DIGEST =
      Pattern.compile("(?<name>[A-Z0-9-]+)-DIGEST(?<manifest>-MANIFEST)?");

  private static final Set<String> STRONG =
      Set.of("SHA-256", "SHA-384", "SHA-512", "SHA3-256", "SHA3-384", "SHA3-512");

  /** Object identifiers of digests in signature blocks, by NIST's and RFC 8419's lists. */
  private static final Set<String> STRONG_IDS =
      Set.of(
          "2.16.840.1.101.3.4.2.1",
          "2.16.840.1.101.3.4.2.2",
          "2.16.840.1.101.3.4.2.3",
          "2.16.840.1.101.3.4.2.8",
          "2.16.840.1.101.3.4.2.9",
          "2.16.840.1.101.3.4.2.10",
          "2.16.840.1.101.3.4.2.12");

  private static final Map<String, String> WEAK_IDS =
      Map.of(
          "1.2.840.113549.2.2", "MD2",
          "1.2.840.113549.2.5", "MD5",
          "1.3.14.3.2.26", "SHA-1",
          "1.2.840.113549.1.1.2", "MD2 with RSA",
          "1.2.840.113549.1.1.4", "MD5 with RSA",
          "1.2.840.113549.1.1.5", "SHA-1 with RSA",
          "1.2.840.10040.4.3", "SHA-1 with DSA",
          "1.2.840.10045.4.1", "SHA-1 with ECDSA");

  private Signatures() {}

  /**
   * Verifies the signatures against the content; whether their certificates are trusted is another
   * question.
   *
   * @return those who signed every entry; empty if the jar isn't signed
   */
  static List<CodeSigner> read(Path jar, JarContent content) throws Unreadable, Refused {
    Map<String, String> files = new TreeMap<>();
    Map<String, String> blocks = new TreeMap<>();
    for (String entry : content.entries()) {
      if (JarContent.signatureFile(entry)) {
        int dot = entry.lastIndexOf('.');
        String upper = entry.toUpperCase(Locale.ROOT);
        if (upper.endsWith(".SF")) {
          files.put(upper.substring(0, dot), entry);
        } else if (dot < 0
            || upper.startsWith("META-INF/SIG-")
            || blocks.put(upper.substring(0, dot), entry) != null) {
          throw altered(entry, "is a file of a signature that belongs to none");
        }
      }
    }
    for (String each : files.keySet()) {
      if (!blocks.containsKey(each)) {
        throw altered(files.get(each), "lacks the block with its signature");
      }
    }
    for (String each : blocks.keySet()) {
      if (!files.containsKey(each)) {
        throw altered(blocks.get(each), "lacks the file that it signs");
      }
    }
    if (files.isEmpty()) {
      return List.of();
    }
    try (ZipFile file = new ZipFile(jar.toFile())) {
      for (String block : blocks.values()) {
        block(block, bytes(file, block));
      }
      for (String signature : files.values()) {
        signature(signature, bytes(file, signature), content.manifest());
      }
    } catch (IOException | IllegalArgumentException e) {
      throw new Unreadable(e);
    }
    sections(content);
    try (JarFile file = new JarFile(jar.toFile(), true)) {
      return signers(file);
    } catch (SecurityException e) {
      throw altered("", e.getMessage());
    } catch (IOException | IllegalArgumentException e) {
      throw new Unreadable(e);
    }
  }

  private static byte[] bytes(ZipFile file, String entry) throws IOException {
    try (InputStream in = file.getInputStream(file.getEntry(entry))) {
      return in.readAllBytes();
    }
  }

  private static void block(String name, byte[] der) throws Refused {
    List<SignatureBlock.Algorithms> signers;
    try {
      signers = SignatureBlock.read(der);
    } catch (IOException e) {
      throw altered(name, "is no signature block (" + e.getMessage() + ")");
    }
    if (signers.isEmpty()) {
      throw altered(name, "holds no signature");
    }
    for (SignatureBlock.Algorithms each : signers) {
      String weak = WEAK_IDS.getOrDefault(each.signature(), WEAK_IDS.get(each.digest()));
      if (weak == null && !STRONG_IDS.contains(each.digest())) {
        weak = each.digest();
      }
      if (weak != null) {
        throw weak(weak);
      }
    }
  }

  /** The manifest as a whole, against the digest of it that was signed. */
  private static void signature(String name, byte[] text, byte[] manifest) throws Refused {
    Attributes main = parse(name, text).getMainAttributes();
    Set<String> weak = new TreeSet<>();
    boolean covered = false;
    for (Map.Entry<Object, Object> each : main.entrySet()) {
      Matcher digest = DIGEST.matcher(each.getKey().toString().toUpperCase(Locale.ROOT));
      if (!digest.matches() || digest.group("manifest") == null) {
        continue;
      }
      if (!STRONG.contains(digest.group("name"))) {
        weak.add(digest.group("name"));
      } else if (same(digest.group("name"), manifest, each.getValue().toString())) {
        covered = true;
      } else {
        throw altered(JarContent.MANIFEST, "isn't what was signed");
      }
    }
    if (!covered) {
      throw weak.isEmpty()
          ? Refused.because(
              "its signature "
                  + JarContent.shown(name)
                  + " doesn't cover the whole manifest: it must be signed anew with jarsigner as it"
                  + " is, without -sectionsonly")
          : weak(String.join(", ", weak));
    }
  }

  private static Manifest parse(String name, byte[] text) throws Refused {
    try {
      return new Manifest(new ByteArrayInputStream(text));
    } catch (IOException | IllegalArgumentException e) {
      throw altered(name, "can't be read (" + e.getMessage() + ")");
    }
  }

  private static boolean same(String algorithm, byte[] content, String base64) {
    try {
      return MessageDigest.isEqual(
          MessageDigest.getInstance(algorithm).digest(content),
          Base64.getDecoder().decode(base64.strip()));
    } catch (IllegalArgumentException e) {
      return false;
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Every entry stands in the manifest with its digest, and the other way round. */
  private static void sections(JarContent content) throws Refused {
    Set<String> listed = new TreeSet<>();
    for (Map.Entry<String, Attributes> section :
        parse(JarContent.MANIFEST, content.manifest()).getEntries().entrySet()) {
      Set<String> digests = new TreeSet<>();
      for (Object key : section.getValue().keySet()) {
        Matcher digest = DIGEST.matcher(key.toString().toUpperCase(Locale.ROOT));
        if (digest.matches() && digest.group("manifest") == null) {
          digests.add(digest.group("name"));
        }
      }
      if (digests.isEmpty()) {
        continue;
      }
      String name = section.getKey();
      if (digests.stream().noneMatch(STRONG::contains)) {
        throw weak(String.join(", ", digests));
      }
      if (!content.entries().contains(name)) {
        throw altered(name, "was removed");
      }
      listed.add(name);
    }
    for (String entry : content.entries()) {
      if (!unsigned(entry) && !listed.contains(entry)) {
        throw altered(entry, "was added");
      }
    }
  }

  private static boolean unsigned(String entry) {
    return entry.equals(JarContent.MANIFEST) || JarContent.signatureFile(entry);
  }

  /** Reading an entry to its end is what verifies it. */
  private static List<CodeSigner> signers(JarFile file) throws IOException, Refused {
    byte[] chunk = new byte[1 << 16];
    Set<CodeSigner> everywhere = null;
    for (Enumeration<JarEntry> entries = file.entries(); entries.hasMoreElements(); ) {
      JarEntry entry = entries.nextElement();
      if (entry.isDirectory() || unsigned(entry.getName())) {
        continue;
      }
      try (InputStream in = file.getInputStream(entry)) {
        while (in.read(chunk) >= 0) {
          // Only for the digest.
        }
      } catch (SecurityException e) {
        throw altered(entry.getName(), "isn't what was signed (" + e.getMessage() + ")");
      }
      CodeSigner[] signers = entry.getCodeSigners();
      if (signers == null || signers.length == 0) {
        // Signed it is, but in a way that the JDK doesn't take, and doesn't say why.
        throw Refused.because(
            "its signature can't be verified, as Java refuses its algorithm or what its certificate"
                + " says it is for: its vendor must sign it anew");
      }
      if (everywhere == null) {
        everywhere = new LinkedHashSet<>(List.of(signers));
      } else {
        everywhere.retainAll(List.of(signers));
      }
    }
    if (everywhere != null && everywhere.isEmpty()) {
      throw Refused.because(
          "nobody signed all of it, one signed this and another that: one vendor must sign the"
              + " whole");
    }
    return everywhere == null ? List.of() : new ArrayList<>(everywhere);
  }

  private static Refused altered(String entry, String how) {
    return Refused.because(
        "it was altered after it was signed: "
            + (entry.isEmpty() ? "" : JarContent.shown(entry) + " ")
            + JarContent.shown(how)
            + "; get it anew from its vendor, and ask how this came to be");
  }

  private static Refused weak(String algorithms) {
    return Refused.because(
        "it is signed with "
            + JarContent.shown(algorithms)
            + ", which is too weak to trust: its vendor must sign it with SHA-256 or better");
  }
}
