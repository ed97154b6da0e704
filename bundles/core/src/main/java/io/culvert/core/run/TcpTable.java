package io.culvert.core.run;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * The TCP connections of this process, as Linux tells them: {@code /proc/self/net/tcp} and {@code
 * tcp6} have those of the whole network name space, {@code /proc/self/fd} says which are ours.
 */
final class TcpTable {
  private static final String SOCKET = "socket:[";

  private TcpTable() {}

  /**
   * The far end of each; in any state, as long as the process holds it open.
   *
   * @param proc where the kernel's files are
   * @return empty where there are none
   */
  static List<InetSocketAddress> of(Path proc) throws IOException {
    Set<String> own = own(proc.resolve("self/fd"));
    List<InetSocketAddress> all = new ArrayList<>();
    if (!own.isEmpty()) {
      for (String file : List.of("tcp", "tcp6")) {
        Path table = proc.resolve("self/net").resolve(file);
        if (Files.exists(table)) {
          for (String line : Files.readAllLines(table, StandardCharsets.ISO_8859_1)) {
            InetSocketAddress remote = remote(line, own);
            if (remote != null) {
              all.add(remote);
            }
          }
        }
      }
    }
    return all;
  }

  /** Inodes of the sockets that are open here. */
  private static Set<String> own(Path descriptors) throws IOException {
    Set<String> inodes = new HashSet<>();
    if (!Files.isDirectory(descriptors)) {
      return inodes;
    }
    try (DirectoryStream<Path> all = Files.newDirectoryStream(descriptors)) {
      for (Path descriptor : all) {
        try {
          String target = Files.readSymbolicLink(descriptor).toString();
          if (target.startsWith(SOCKET)) {
            inodes.add(target.substring(SOCKET.length(), target.length() - 1));
          }
        } catch (IOException e) {
          // Closed meanwhile.
        }
      }
    }
    return inodes;
  }

  /**
   * One line of the table.
   *
   * @param own inodes of those to tell
   * @return {@code null} if it is another's, one that listens, or no such line
   */
  static InetSocketAddress remote(String line, Set<String> own) {
    String[] fields = line.strip().split("\\s+");
    if (fields.length < 10 || !own.contains(fields[9])) {
      return null;
    }
    int colon = fields[2].indexOf(':');
    try {
      byte[] address = HexFormat.of().parseHex(fields[2].substring(0, Math.max(0, colon)));
      int port = HexFormat.fromHexDigits(fields[2], colon + 1, fields[2].length());
      if (port == 0) {
        return null;
      }
      if (ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN) {
        swap(address);
      }
      return new InetSocketAddress(InetAddress.getByAddress(address), port);
    } catch (IllegalArgumentException | UnknownHostException e) {
      return null;
    }
  }

  /** Each word of 32 bits is written as the machine has it. */
  private static void swap(byte[] address) {
    for (int i = 0; i + 3 < address.length; i += 4) {
      byte first = address[i];
      byte second = address[i + 1];
      address[i] = address[i + 3];
      address[i + 1] = address[i + 2];
      address[i + 2] = second;
      address[i + 3] = first;
    }
  }
}
