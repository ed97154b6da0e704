package io.culvert.plugins.hosting;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a process is told when it starts, on its standard input: not on the command line, where
 * every user of the machine can read it.
 *
 * @param socket where the gateway listens
 * @param word by which the gateway knows whom it started
 * @param plugin the jar
 * @param bundles what it may need from the gateway's base
 * @param packages what the framework exports from the class path, as in {@code
 *     org.osgi.framework.system.packages.extra}
 * @param storage a folder of its own
 * @param home of the gateway's installation
 * @param debug whether messages of that level are wanted
 */
record Start(
    Path socket,
    String word,
    Path plugin,
    List<Path> bundles,
    String packages,
    Path storage,
    String home,
    boolean debug) {

  void write(OutputStream stream) throws IOException {
    DataOutputStream out = new DataOutputStream(stream);
    out.writeUTF(socket.toString());
    out.writeUTF(word);
    out.writeUTF(plugin.toString());
    out.writeInt(bundles.size());
    for (Path bundle : bundles) {
      out.writeUTF(bundle.toString());
    }
    out.writeUTF(packages);
    out.writeUTF(storage.toString());
    out.writeUTF(home);
    out.writeBoolean(debug);
    out.flush();
  }

  static Start read(InputStream stream) throws IOException {
    DataInputStream in = new DataInputStream(stream);
    Path socket = Path.of(in.readUTF());
    String word = in.readUTF();
    Path plugin = Path.of(in.readUTF());
    List<Path> bundles = new ArrayList<>();
    for (int i = in.readInt(); i > 0; i--) {
      bundles.add(Path.of(in.readUTF()));
    }
    return new Start(
        socket,
        word,
        plugin,
        bundles,
        in.readUTF(),
        Path.of(in.readUTF()),
        in.readUTF(),
        in.readBoolean());
  }
}
