package io.culvert.plugins;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/** Alters entries of a jar and makes a whole one again, whose checksums are right. */
final class ZipEdit {
  private record Entry(String name, byte[] content) {}

  private ZipEdit() {}

  static byte[] damage(byte[] jar, Random random) throws IOException {
    List<Entry> entries = new ArrayList<>();
    try (ZipInputStream in = new ZipInputStream(new ByteArrayInputStream(jar))) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        entries.add(new Entry(entry.getName(), in.readAllBytes()));
      }
    }
    for (int n = 1 + random.nextInt(3); n > 0; n--) {
      int at = random.nextInt(entries.size());
      Entry entry = entries.get(at);
      switch (random.nextInt(5)) {
        case 0 -> entries.remove(at);
        case 1 -> entries.add(at, new Entry("new" + random.nextInt(), entry.content));
        case 2 -> entries.set(at, new Entry(entry.name + "x", entry.content));
        case 3 ->
            entries.set(
                at, new Entry(entry.name, entries.get(random.nextInt(entries.size())).content));
        default -> {
          byte[] content = entry.content.clone();
          if (content.length > 0) {
            content[random.nextInt(content.length)] ^= (byte) (1 << random.nextInt(8));
          }
          entries.set(at, new Entry(entry.name, content));
        }
      }
      if (entries.isEmpty()) {
        break;
      }
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream out = new ZipOutputStream(bytes)) {
      for (Entry each : entries) {
        out.putNextEntry(new ZipEntry(each.name));
        out.write(each.content);
      }
    }
    return bytes.toByteArray();
  }
}
