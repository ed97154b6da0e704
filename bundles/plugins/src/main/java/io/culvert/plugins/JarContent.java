package io.culvert.plugins;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * What is in a jar, read from end to end within stated bounds. Memory stays small whatever the jar
 * says of itself.
 *
 * @param entries names, without folders
 * @param manifest bytes of {@code META-INF/MANIFEST.MF}; {@code null} if there is none
 * @param nativeCode name of the first machine code found, here or in a jar within; {@code ""} if
 *     there is none
 */
record JarContent(Set<String> entries, byte[] manifest, String nativeCode) {

  /** Bytes of the jar file. */
  static final long MAX_FILE = 512L << 20;

  /** Bytes unpacked. */
  static final long MAX_UNPACKED = 1L << 30;

  /** Entries, with those of jars within. */
  static final int MAX_ENTRIES = 60_000;

  /** Bytes of the manifest, and of each file of a signature. */
  static final int MAX_MANIFEST = 8 << 20;

  static final String MANIFEST = "META-INF/MANIFEST.MF";

  private static final String META_INF = "META-INF/";

  /** Bytes of the index; 400 for an entry are plenty. */
  private static final long MAX_INDEX = 400L * MAX_ENTRIES;

  private static final int END_BYTES = 22;
  private static final int END_SIGNATURE = 0x06054b50;
  private static final int LOCAL_SIGNATURE = 0x04034b50;
  private static final int MAX_COMMENT = 0xffff;

  private static final Pattern NATIVE =
      Pattern.compile(".*\\.(so|so\\.[0-9.]+|dll|exe|dylib|jnilib)", Pattern.CASE_INSENSITIVE);

  /** Files of a signature, directly below META-INF (JAR File Specification, Signed JAR File). */
  private static final Pattern SIGNATURE =
      Pattern.compile("META-INF/(SIG-[^/]*|[^/]*\\.(SF|RSA|DSA|EC))");

  /** From where a framework takes other imports than the manifest's (OSGi Core 8, 3.2.7). */
  private static final Pattern SUPPLEMENT =
      Pattern.compile("META-INF/VERSIONS/[^/]+/OSGI-INF/MANIFEST\\.MF");

  /** Not a whole jar. */
  static final class Unreadable extends Exception {
    private static final long serialVersionUID = 1;

    Unreadable(Exception cause) {
      super(cause.getMessage() == null ? cause.toString() : cause.getMessage(), cause);
    }
  }

  /** What may still be read. */
  private static final class Budget {
    private long bytes = MAX_UNPACKED;
    private int entries = MAX_ENTRIES;

    void entry() throws Refused {
      if (--entries < 0) {
        throw new Refused("more than " + MAX_ENTRIES + " entries", "a plug-in of a sensible size");
      }
    }

    void bytes(int n) throws Refused {
      bytes -= n;
      if (bytes < 0) {
        throw new Refused(
            "more than " + (MAX_UNPACKED >> 20) + " MiB unpacked", "a plug-in of a sensible size");
      }
    }
  }

  static boolean signatureFile(String entry) {
    return SIGNATURE.matcher(entry.toUpperCase(Locale.ROOT)).matches();
  }

  /**
   * Reads every entry.
   *
   * @param jar in a folder that can be written to, as jars within are unpacked beside it
   * @throws Unreadable if it isn't a whole jar, which it may yet become while it is copied
   */
  static JarContent read(Path jar) throws Unreadable, Refused {
    try {
      index(jar);
      Set<String> names = new HashSet<>();
      Set<String> entries = new TreeSet<>();
      String machine = "";
      byte[] manifest = null;
      Budget budget = new Budget();
      byte[] chunk = new byte[1 << 16];
      try (ZipFile file = new ZipFile(jar.toFile())) {
        Iterator<? extends ZipEntry> all = file.entries().asIterator();
        while (all.hasNext()) {
          ZipEntry entry = all.next();
          String name = entry.getName();
          budget.entry();
          name(name, names);
          if (entry.isDirectory()) {
            if (read(file, entry, OutputStream.nullOutputStream(), budget, chunk) > 0) {
              throw new Refused("content in the folder " + shown(name), "content in files only");
            }
            continue;
          }
          entries.add(name);
          int head = head(file, entry);
          if (name.equals(MANIFEST) || signatureFile(name)) {
            byte[] text = small(file, entry, budget, chunk);
            manifest = name.equals(MANIFEST) ? text : manifest;
          } else if (head == LOCAL_SIGNATURE || name.toLowerCase(Locale.ROOT).endsWith(".jar")) {
            String within = within(jar, file, entry, budget, chunk);
            machine = machine.isEmpty() ? within : machine;
          } else {
            read(file, entry, OutputStream.nullOutputStream(), budget, chunk);
          }
          if (machine.isEmpty() && machineCode(name, head)) {
            machine = name;
          }
        }
      }
      return new JarContent(entries, manifest, machine);
    } catch (IOException | IllegalArgumentException | SecurityException e) {
      throw new Unreadable(e);
    }
  }

  /**
   * The index of a zip is taken into memory as a whole by whoever opens it, so its size is looked
   * at before (APPNOTE 4.3.16).
   */
  private static void index(Path jar) throws IOException, Refused {
    try (RandomAccessFile file = new RandomAccessFile(jar.toFile(), "r")) {
      long length = file.length();
      if (length > MAX_FILE) {
        throw new Refused(
            "a jar of " + (length >> 20) + " MiB", "one of at most " + (MAX_FILE >> 20) + " MiB");
      }
      byte[] tail = new byte[(int) Math.min(length, END_BYTES + MAX_COMMENT)];
      file.seek(length - tail.length);
      file.readFully(tail);
      ByteBuffer end = ByteBuffer.wrap(tail).order(ByteOrder.LITTLE_ENDIAN);
      int at = tail.length - END_BYTES;
      while (at >= 0 && end.getInt(at) != END_SIGNATURE) {
        at--;
      }
      if (at < 0 || at + END_BYTES + (end.getShort(at + 20) & 0xffff) != tail.length) {
        throw new IOException("its end is missing");
      }
      int count = end.getShort(at + 10) & 0xffff;
      long size = end.getInt(at + 12) & 0xffffffffL;
      long from = end.getInt(at + 16) & 0xffffffffL;
      if (count > MAX_ENTRIES || size > MAX_INDEX) {
        throw new Refused(
            "more than " + MAX_ENTRIES + " entries, or longer names than any plug-in needs",
            "a plug-in of a sensible size");
      }
      if (from + size != length - tail.length + at) {
        throw new Refused(
            "bytes that belong to no entry", "a jar as jar and jarsigner write it, and no more");
      }
    }
  }

  private static void name(String name, Set<String> names) throws Refused {
    if (name.isEmpty()
        || name.startsWith("/")
        || name.indexOf('\\') >= 0
        || name.chars().anyMatch(Character::isISOControl)
        || name.matches("[A-Za-z]:.*")
        || ("/" + name + "/").contains("/../")
        || ("/" + name + "/").contains("/./")) {
      throw new Refused("the entry " + shown(name), "names that stay within the jar");
    }
    String upper = name.toUpperCase(Locale.ROOT);
    boolean meta = upper.startsWith(META_INF);
    if (meta && !name.startsWith(META_INF) || upper.equals(MANIFEST) && !name.equals(MANIFEST)) {
      throw new Refused("the entry " + shown(name), "META-INF/ and MANIFEST.MF in capitals");
    }
    if (SUPPLEMENT.matcher(upper).matches()) {
      throw new Refused(
          "the entry " + shown(name),
          "META-INF/MANIFEST.MF only: leave out what a library brought");
    }
    // Below META-INF some read capitals and small letters alike.
    if (!names.add(meta ? upper : name)) {
      throw new Refused("the entry " + shown(name) + " twice", "each entry once");
    }
  }

  private static long read(
      ZipFile file, ZipEntry entry, OutputStream out, Budget budget, byte[] chunk)
      throws IOException, Refused {
    CRC32 crc = new CRC32();
    long size = 0;
    try (InputStream in = file.getInputStream(entry)) {
      for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
        budget.bytes(n);
        crc.update(chunk, 0, n);
        out.write(chunk, 0, n);
        size += n;
      }
    }
    // ZipFile itself doesn't hold content against its checksum.
    if (entry.getCrc() != -1 && entry.getCrc() != crc.getValue()) {
      throw new IOException("checksum of " + shown(entry.getName()) + " is wrong");
    }
    // Nor against its length, where the JDK's check of signatures ends, and no reader after it.
    if (entry.getSize() != size) {
      throw new IOException("length of " + shown(entry.getName()) + " is wrong");
    }
    return size;
  }

  private static byte[] small(ZipFile file, ZipEntry entry, Budget budget, byte[] chunk)
      throws IOException, Refused {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    boolean[] full = {false};
    read(
        file,
        entry,
        new OutputStream() {
          @Override
          public void write(int b) {
            throw new UnsupportedOperationException();
          }

          @Override
          public void write(byte[] b, int from, int n) {
            full[0] |= bytes.size() + n > MAX_MANIFEST;
            if (!full[0]) {
              bytes.write(b, from, n);
            }
          }
        },
        budget,
        chunk);
    if (full[0]) {
      throw new Refused(
          "more than " + (MAX_MANIFEST >> 20) + " MiB in " + shown(entry.getName()),
          "a plug-in of a sensible size");
    }
    return bytes.toByteArray();
  }

  /** First machine code in a jar within this one. */
  private static String within(Path jar, ZipFile file, ZipEntry entry, Budget budget, byte[] chunk)
      throws IOException, Refused {
    Path unpacked = Files.createTempFile(jar.toAbsolutePath().getParent(), "within", ".tmp");
    try {
      try (OutputStream out = Files.newOutputStream(unpacked)) {
        read(file, entry, out, budget, chunk);
      }
      String machine = "";
      try {
        index(unpacked);
        try (ZipFile inner = new ZipFile(unpacked.toFile())) {
          Iterator<? extends ZipEntry> all = inner.entries().asIterator();
          while (all.hasNext()) {
            ZipEntry each = all.next();
            budget.entry();
            if (machine.isEmpty()
                && !each.isDirectory()
                && machineCode(each.getName(), head(inner, each))) {
              machine = entry.getName() + "!/" + shown(each.getName());
            }
          }
        }
      } catch (IOException | IllegalArgumentException e) {
        // Something else that looks like one from its beginning is content like any other.
        if (entry.getName().toLowerCase(Locale.ROOT).endsWith(".jar")) {
          throw new Refused(
              "the jar " + shown(entry.getName()) + " within that can't be read (" + e + ")",
              "whole jars");
        }
      }
      return machine;
    } finally {
      Files.deleteIfExists(unpacked);
    }
  }

  private static int head(ZipFile file, ZipEntry entry) throws IOException {
    if (entry.isDirectory()) {
      return 0;
    }
    try (InputStream in = file.getInputStream(entry)) {
      byte[] head = in.readNBytes(4);
      return head.length < 4 ? 0 : ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }
  }

  /** By its name, or as Linux and macOS begin theirs. */
  private static boolean machineCode(String name, int head) {
    return NATIVE.matcher(name).matches()
        || head == 0x464c457f
        || head == 0xfeedface
        || head == 0xfeedfacf;
  }

  /** A name of the jar as it may be printed. */
  static String shown(String name) {
    String plain = name.replaceAll("[\\p{Cc}\\p{Cf}]", "?");
    return plain.length() > 120 ? plain.substring(0, 120) + "…" : plain;
  }
}
