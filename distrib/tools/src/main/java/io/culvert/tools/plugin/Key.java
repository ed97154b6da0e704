package io.culvert.tools.plugin;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.UnrecoverableKeyException;
import java.security.cert.CertPath;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import javax.security.auth.x500.X500Principal;

/**
 * A vendor's key with the certificate that goes with it.
 *
 * @param path from the vendor's certificate up
 */
record Key(PrivateKey secret, CertPath path) {
  private static final String ALIAS = "vendor";

  /** Long enough that a vendor isn't surprised; a time-stamp keeps what was signed for longer. */
  private static final String DAYS = "3650";

  /**
   * Makes a key (EC, P-256) and a certificate of its own for signing code, and beside it the
   * certificate alone for operators. Blocks for about a second.
   *
   * @param name distinguished, such as {@code CN=Example Ltd}
   * @return the file of the certificate
   */
  static Path make(Path file, String name, Passwords passwords) throws IOException, Refusal {
    try {
      new X500Principal(name);
    } catch (IllegalArgumentException e) {
      throw new Refusal(
          "--name " + name, "write a distinguished name such as \"CN=Example Ltd, C=DE\"");
    }
    Path pem = pem(file);
    for (Path there : List.of(file, pem)) {
      if (Files.exists(there)) {
        throw new Refusal(
            there + ", which is there already",
            "keep it: what it has signed stands and falls with it; name another file");
      }
    }
    char[] password = passwords.password(file.toString(), true);
    Path folder = Files.createDirectories(file.toAbsolutePath().getParent());
    // Nobody else may read it, not even while it is made.
    Path made = Files.createTempDirectory(folder, ".key");
    try {
      Path store = made.resolve("key.p12");
      keytool(store, name, password);
      Key key = read(store, password);
      if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
        Files.setPosixFilePermissions(store, PosixFilePermissions.fromString("rw-------"));
      }
      Files.writeString(pem, text(key.path.getCertificates().get(0)));
      Files.move(store, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Arrays.fill(password, ' ');
      Files.deleteIfExists(made.resolve("key.p12"));
      Files.delete(made);
    }
    return pem;
  }

  /** The file of the certificate that goes with a key's. */
  static Path pem(Path file) {
    String name = file.getFileName().toString().replaceFirst("\\.(p12|pfx)$", "");
    return file.resolveSibling(name + ".pem");
  }

  /** The JDK makes certificates by its tool alone, which is there in every Java. */
  private static void keytool(Path store, String name, char[] password)
      throws IOException, Refusal {
    ProcessBuilder tool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                ALIAS,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-sigalg",
                "SHA256withECDSA",
                "-validity",
                DAYS,
                "-dname",
                name,
                "-ext",
                "KeyUsage:critical=digitalSignature",
                "-ext",
                "ExtendedKeyUsage=codeSigning",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass:env",
                Passwords.VARIABLE)
            .redirectErrorStream(true);
    tool.environment().put(Passwords.VARIABLE, new String(password));
    Process process = tool.start();
    process.getOutputStream().close();
    String said;
    try (InputStream in = process.getInputStream()) {
      said = new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    }
    try {
      if (process.waitFor() != 0) {
        throw new Refusal("keytool in trouble: " + said, "mend that and try again");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while keytool makes the key", e);
    }
  }

  /** Opens a key of any maker: PKCS #12 with one key and its certificates. */
  static Key open(Path file, Passwords passwords) throws IOException, Refusal {
    if (!Files.isRegularFile(file)) {
      throw new Refusal("no file " + file, "make a key with: culvert plugin key " + file);
    }
    char[] password = passwords.password(file.toString(), false);
    try {
      return read(file, password);
    } finally {
      Arrays.fill(password, ' ');
    }
  }

  private static Key read(Path file, char[] password) throws IOException, Refusal {
    try (InputStream in = Files.newInputStream(file)) {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(in, password);
      List<String> keys =
          Collections.list(store.aliases()).stream().filter(alias -> isKey(store, alias)).toList();
      if (keys.size() != 1) {
        throw new Refusal(keys.size() + " keys in " + file, "name a file that holds one");
      }
      Certificate[] chain = store.getCertificateChain(keys.get(0));
      PrivateKey secret = (PrivateKey) store.getKey(keys.get(0), password);
      CertPath path =
          CertificateFactory.getInstance("X.509").generateCertPath(Arrays.asList(chain));
      return new Key(secret, path);
    } catch (IOException e) {
      if (e.getCause() instanceof UnrecoverableKeyException) {
        throw new Refusal("a password that isn't that of " + file, "try again with the right one");
      }
      throw new Refusal(
          file + ", which is no PKCS #12 file",
          "make a key with culvert plugin key, or convert yours with keytool -importkeystore"
              + " -deststoretype pkcs12");
    } catch (GeneralSecurityException e) {
      throw new Refusal(
          "a key in " + file + " that this Java can't use: " + e.getMessage(),
          "make one with culvert plugin key");
    }
  }

  private static boolean isKey(KeyStore store, String alias) {
    try {
      return store.entryInstanceOf(alias, KeyStore.PrivateKeyEntry.class);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  X509Certificate certificate() {
    return (X509Certificate) path.getCertificates().get(0);
  }

  private static String text(Certificate certificate) throws IOException {
    try {
      return "-----BEGIN CERTIFICATE-----\n"
          + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(certificate.getEncoded())
          + "\n-----END CERTIFICATE-----\n";
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }
}
