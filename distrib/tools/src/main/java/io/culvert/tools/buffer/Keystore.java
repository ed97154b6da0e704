package io.culvert.tools.buffer;

import io.culvert.api.service.Secrets;
import io.culvert.core.document.Faults;
import io.culvert.core.document.JsonReader;
import io.culvert.core.document.Node;
import io.culvert.core.site.FileSecrets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where the site has the key of encrypted readings, as the buffer's settings say. */
record Keystore(Path file, char[] password) {

  static Keystore of(Path home) throws IOException {
    Path site = home.resolve("etc/site.json");
    Node document =
        Files.exists(site)
            ? JsonReader.read(Files.readAllBytes(site), new Faults("site.json"))
            : null;
    Node buffer = member(document, "buffer");
    String password = text(buffer, "keystorePassword", Secrets.PREFIX + "keystore");
    if (password.startsWith(Secrets.PREFIX)) {
      password =
          FileSecrets.of(home.resolve("etc/secrets"))
              .get(password.substring(Secrets.PREFIX.length()))
              .orElse("");
    }
    return new Keystore(
        home.resolve(text(buffer, "keystore", "etc/keystore.p12")), password.toCharArray());
  }

  private static String text(Node object, String key, String otherwise) {
    return member(object, key) instanceof Node.Text text ? text.value() : otherwise;
  }

  private static Node member(Node object, String key) {
    return object instanceof Node.Obj obj ? obj.members().get(key) : null;
  }
}
