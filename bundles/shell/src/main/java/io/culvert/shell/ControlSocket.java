package io.culvert.shell;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;
import java.util.Set;
import java.util.zip.CRC32;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the control socket lies: {@code data/run/control.sock}, or, as the kernel takes no longer
 * path than {@value #LONGEST_PATH} bytes, in a directory for run time files, with its path written
 * to {@code data/run/control.path}.
 */
final class ControlSocket {
  private static final Logger LOG = LoggerFactory.getLogger(ControlSocket.class);

  /** {@code sun_path} of unix(7) less its closing zero. */
  static final int LONGEST_PATH = 107;

  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");
  private static final Set<PosixFilePermission> OWNERS_DIRECTORY =
      PosixFilePermissions.fromString("rwx------");

  private final Path run;
  private final Path pointer;
  private Path path;

  ControlSocket(Path run) {
    this.run = run;
    this.pointer = run.resolve("control.path");
  }

  ServerSocketChannel bind() throws IOException {
    Files.createDirectories(run);
    Files.setPosixFilePermissions(run, OWNERS_DIRECTORY);
    Files.deleteIfExists(pointer);
    path = run.resolve("control.sock");
    boolean elsewhere = path.toString().getBytes(StandardCharsets.UTF_8).length > LONGEST_PATH;
    if (elsewhere) {
      path = elsewhere();
    }
    // Of a process that was killed: its lock on the data is ours now.
    Files.deleteIfExists(path);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(path));
      Files.setPosixFilePermissions(path, OWNER_ONLY);
      if (elsewhere) {
        Files.writeString(pointer, path + "\n");
        LOG.info("The path of {} is too long for a socket; it is {}", run, path);
      }
    } catch (IOException e) {
      server.close();
      throw e;
    }
    return server;
  }

  void unbind(ServerSocketChannel server) {
    try {
      server.close();
      Files.deleteIfExists(path);
      Files.deleteIfExists(pointer);
    } catch (IOException e) {
      LOG.debug("The control socket stays until the next start", e);
    }
  }

  private Path elsewhere() throws IOException {
    String runtime = System.getenv("XDG_RUNTIME_DIR");
    CRC32 hash = new CRC32();
    hash.update(run.toString().getBytes(StandardCharsets.UTF_8));
    Path directory =
        Path.of(runtime == null || runtime.isEmpty() ? "/tmp" : runtime)
            .resolve("culvert-" + HexFormat.of().toHexDigits((int) hash.getValue()));
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(OWNERS_DIRECTORY));
    }
    // In a directory that all may write to, another could have been first.
    if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
        || !Files.getOwner(directory, LinkOption.NOFOLLOW_LINKS).equals(Files.getOwner(run))
        || !Files.getPosixFilePermissions(directory, LinkOption.NOFOLLOW_LINKS)
            .equals(OWNERS_DIRECTORY)) {
      throw new IOException(
          directory + " isn't this user's alone; remove it, or use a shorter CULVERT_DATA");
    }
    return directory.resolve("control.sock");
  }
}
