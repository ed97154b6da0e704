package io.culvert.device.opcua;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.UserPrincipal;

/** Writes the files of {@code etc/opcua}. */
final class Disk {
  private Disk() {}

  /**
   * Writes a file whole or not at all, also if the power goes meanwhile.
   *
   * @param everybody whether others may read it; if not, they can't even while it is written
   */
  static void put(Path file, byte[] bytes, boolean everybody) throws IOException {
    Path part = Files.createTempFile(file.toAbsolutePath().getParent(), ".new", null);
    try {
      try (FileChannel out = FileChannel.open(part, StandardOpenOption.WRITE)) {
        out.write(ByteBuffer.wrap(bytes));
        out.force(true);
      }
      likeFolder(part);
      if (everybody) {
        part.toFile().setReadable(true, false);
      }
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /** What root makes at the cabinet is the gateway's all the same. */
  static void likeFolder(Path file) throws IOException {
    UserPrincipal owner = Files.getOwner(file.toAbsolutePath().getParent());
    if (!Files.getOwner(file).equals(owner)) {
      Files.setOwner(file, owner);
    }
  }
}
