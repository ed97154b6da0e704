package io.culvert.plugins;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JarContentTest {
  @TempDir Path base;

  private interface Filling {
    void into(ZipOutputStream zip) throws IOException;
  }

  private static byte[] zip(Filling filling) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      filling.into(zip);
    }
    return bytes.toByteArray();
  }

  private static byte[] zip(String entry, byte[] content) throws IOException {
    return zip(
        zip -> {
          zip.putNextEntry(new ZipEntry(entry));
          zip.write(content);
        });
  }

  private JarContent read(byte[] jar) throws Exception {
    Path file = Files.write(base.resolve("x.jar"), jar);
    try {
      return JarContent.read(file);
    } finally {
      try (var left = Files.list(base)) {
        assertThat(left).as("nothing is left behind").containsExactly(file);
      }
    }
  }

  private String refusal(byte[] jar) {
    Refused refused = catchThrowableOfType(Refused.class, () -> read(jar));
    assertThat(refused).as("not refused").isNotNull();
    return refused.getMessage();
  }

  private void unreadable(byte[] jar, String reason) {
    assertThat(catchThrowableOfType(JarContent.Unreadable.class, () -> read(jar)))
        .hasMessageContaining(reason);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../evil",
        "a/../../evil",
        "/etc/passwd",
        "a\\..\\evil",
        "C:/evil",
        "a/./b",
        "a\u0007b",
        "meta-inf/MANIFEST.MF",
        "META-INF/manifest.mf",
        ".."
      })
  void aNameThatLeavesTheJarOrMisleadsIsRefused(String name) throws Exception {
    assertThat(refusal(zip(name, new byte[] {1}))).startsWith("found the entry ");
  }

  @Test
  void oneNameTwiceIsRefused() throws Exception {
    byte[] jar =
        zip(
            zip -> {
              zip.putNextEntry(new ZipEntry("aaaa.class"));
              zip.write(1);
              zip.putNextEntry(new ZipEntry("bbbb.class"));
              zip.write(2);
            });
    String text = new String(jar, StandardCharsets.ISO_8859_1).replace("bbbb.class", "aaaa.class");
    assertThat(refusal(text.getBytes(StandardCharsets.ISO_8859_1)))
        .contains("the entry aaaa.class twice");
  }

  @Test
  void capitalsMakeNoDifferenceBelowMetaInf() throws Exception {
    byte[] jar =
        zip(
            zip -> {
              zip.putNextEntry(new ZipEntry("META-INF/A.SF"));
              zip.putNextEntry(new ZipEntry("META-INF/a.sf"));
            });
    assertThat(refusal(jar)).contains("the entry META-INF/a.sf twice");
  }

  @Test
  void aManifestThatOnlyTheFrameworkReadsIsRefused() throws Exception {
    assertThat(refusal(zip("META-INF/versions/11/OSGI-INF/MANIFEST.MF", new byte[] {1})))
        .startsWith("found the entry META-INF/versions/11/OSGI-INF/MANIFEST.MF; expected META-INF");
  }

  @Test
  void aBombIsRefusedBeforeItIsUnpackedWhole() throws Exception {
    byte[] megabyte = new byte[1 << 20];
    byte[] jar =
        zip(
            zip -> {
              zip.setLevel(1);
              zip.putNextEntry(new ZipEntry("zeros"));
              for (long n = 0; n <= JarContent.MAX_UNPACKED; n += megabyte.length) {
                zip.write(megabyte);
              }
            });
    assertThat(refusal(jar)).contains("more than 1024 MiB unpacked");
  }

  @ParameterizedTest
  @ValueSource(strings = {"META-INF/MANIFEST.MF", "META-INF/X.SF", "META-INF/X.RSA"})
  void whatIsTakenIntoMemoryIsBounded(String name) throws Exception {
    byte[] jar = zip(name, new byte[JarContent.MAX_MANIFEST + 1]);
    assertThat(refusal(jar)).contains("more than 8 MiB in " + name);
  }

  @Test
  void moreEntriesThanAPluginHasAreRefused() throws Exception {
    byte[] jar =
        zip(
            zip -> {
              for (int i = 0; i <= JarContent.MAX_ENTRIES; i++) {
                zip.putNextEntry(new ZipEntry("e" + i));
              }
            });
    assertThat(refusal(jar)).contains("more than 60000 entries");
    byte[] within = zip("lib/many.jar", jar);
    assertThat(refusal(within)).contains("more than 60000 entries");
  }

  @Test
  void entriesOfAllJarsWithinAreCountedTogether() throws Exception {
    byte[] half =
        zip(
            zip -> {
              for (int i = 0; i <= JarContent.MAX_ENTRIES / 2; i++) {
                zip.putNextEntry(new ZipEntry("e" + i));
              }
            });
    byte[] jar =
        zip(
            zip -> {
              zip.putNextEntry(new ZipEntry("lib/one.jar"));
              zip.write(half);
              zip.putNextEntry(new ZipEntry("lib/two.jar"));
              zip.write(half);
            });
    assertThat(refusal(jar)).contains("more than 60000 entries");
  }

  @Test
  void contentThatIsNotPackedIsHeldAgainstItsChecksumToo() throws Exception {
    byte[] content = "as it was".getBytes(StandardCharsets.UTF_8);
    byte[] jar =
        zip(
            zip -> {
              ZipEntry entry = new ZipEntry("a");
              entry.setMethod(ZipEntry.STORED);
              entry.setSize(content.length);
              java.util.zip.CRC32 crc = new java.util.zip.CRC32();
              crc.update(content);
              entry.setCrc(crc.getValue());
              zip.putNextEntry(entry);
              zip.write(content);
            });
    assertThat(read(jar).entries()).containsExactly("a");
    String altered = new String(jar, StandardCharsets.ISO_8859_1).replace("as it was", "as it is ");
    unreadable(altered.getBytes(StandardCharsets.ISO_8859_1), "checksum of a is wrong");
  }

  /** Two names of 64 KiB each make an index of any size of few entries. */
  @Test
  void anIndexLargerThanAnyPluginNeedsIsNotTakenIntoMemory() throws Exception {
    byte[] jar = zip("a", new byte[] {1});
    ByteBuffer.wrap(jar)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(jar.length - 22 + 12, Integer.MAX_VALUE);
    assertThat(refusal(jar)).contains("longer names than any plug-in needs");
  }

  @Test
  void bytesBeforeTheJarAreRefused() throws Exception {
    byte[] jar = zip("a", new byte[] {1});
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.write("#!/bin/sh\n".getBytes(StandardCharsets.UTF_8));
    all.write(jar);
    assertThat(refusal(all.toByteArray())).contains("bytes that belong to no entry");
  }

  @Test
  void bytesBehindTheJarMakeItNone() throws Exception {
    byte[] jar = zip("a", new byte[] {1});
    unreadable(java.util.Arrays.copyOf(jar, jar.length + 1), "its end is missing");
    unreadable(java.util.Arrays.copyOf(jar, jar.length - 1), "its end is missing");
    unreadable(new byte[0], "its end is missing");
  }

  @Test
  void contentInAFolderIsRefused() throws Exception {
    byte[] jar =
        new String(zip("folder_", new byte[] {1}), StandardCharsets.ISO_8859_1)
            .replace("folder_", "folder/")
            .getBytes(StandardCharsets.ISO_8859_1);
    assertThat(refusal(jar)).contains("content in the folder folder/");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a/libx.so", "libx.so.1.2", "x.DLL", "mac/libx.dylib", "libx.jnilib", "tool.exe"})
  void machineCodeIsKnownByItsName(String name) throws Exception {
    assertThat(read(zip(name, new byte[] {1})).nativeCode()).isEqualTo(name);
    byte[] within = zip("lib/inner.jar", zip(name, new byte[] {1}));
    assertThat(read(within).nativeCode()).isEqualTo("lib/inner.jar!/" + name);
  }

  @Test
  void machineCodeIsKnownByItsBeginningUnderAnyName() throws Exception {
    byte[] elf = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    assertThat(read(zip("data/blob", elf)).nativeCode()).isEqualTo("data/blob");
    assertThat(read(zip("lib/inner", zip("blob", elf))).nativeCode()).isEqualTo("lib/inner!/blob");
    byte[] mach = {(byte) 0xcf, (byte) 0xfa, (byte) 0xed, (byte) 0xfe};
    assertThat(read(zip("blob", mach)).nativeCode()).isEqualTo("blob");
  }

  @Test
  void classesAndTextsAreNoMachineCode() throws Exception {
    JarContent content =
        read(
            zip(
                zip -> {
                  zip.putNextEntry(new ZipEntry("A.class"));
                  zip.write(new byte[] {(byte) 0xca, (byte) 0xfe, (byte) 0xba, (byte) 0xbe});
                  zip.putNextEntry(new ZipEntry("so.txt"));
                  zip.putNextEntry(new ZipEntry("folder/"));
                }));
    assertThat(content.nativeCode()).isEmpty();
    assertThat(content.entries()).containsExactly("A.class", "so.txt");
    assertThat(content.manifest()).isNull();
  }

  @Test
  void aJarWithinThatIsNoneIsRefusedAndOtherDataIsNot() throws Exception {
    assertThat(refusal(zip("lib/inner.jar", new byte[] {1, 2, 3})))
        .contains("the jar lib/inner.jar within that can't be read");
    byte[] beginning = {'P', 'K', 3, 4, 0, 0};
    assertThat(read(zip("data.bin", beginning)).entries()).containsExactly("data.bin");
  }

  @Test
  void aJarOfMoreBytesThanAllowedIsNotRead() throws Exception {
    Path file = base.resolve("x.jar");
    try (OutputStream out = Files.newOutputStream(file)) {
      out.write(1);
    }
    try (var channel =
        java.nio.channels.FileChannel.open(file, java.nio.file.StandardOpenOption.WRITE)) {
      // A hole takes no room.
      channel.write(ByteBuffer.wrap(new byte[1]), JarContent.MAX_FILE);
    }
    assertThat(catchThrowableOfType(Refused.class, () -> JarContent.read(file)))
        .hasMessageContaining("a jar of 512 MiB; expected one of at most 512 MiB");
  }
}
