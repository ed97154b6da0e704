package io.culvert.mqtt;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * An authority of our own, and keys that it signed: {@code good}, {@code elsewhere}, {@code
 * expired}; {@code self} signed itself.
 */
final class Certificates {
  private static final char[] PASSWORD = "changeit".toCharArray();
  private final Path folder;
  private final KeyStore store;

  Certificates(Path folder) throws Exception {
    this.folder = folder;
    Path file = folder.resolve("keys.p12");
    generate(file, "authority", "-ext", "bc:c", "-validity", "3650");
    generate(file, "good", "-signer", "authority", "-ext", "san=dns:localhost,ip:127.0.0.1");
    generate(file, "elsewhere", "-signer", "authority", "-ext", "san=dns:mqtt.elsewhere.example");
    generate(
        file,
        "expired",
        "-signer",
        "authority",
        "-ext",
        "san=dns:localhost,ip:127.0.0.1",
        "-startdate",
        "-10d",
        "-validity",
        "5");
    generate(file, "self", "-ext", "san=dns:localhost,ip:127.0.0.1");
    store = KeyStore.getInstance(file.toFile(), PASSWORD);
  }

  private static void generate(Path file, String alias, String... more) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of("-genkeypair", "-alias", alias, "-dname", "CN=" + alias));
    command.addAll(List.of("-keyalg", "EC", "-storetype", "PKCS12", "-storepass", "changeit"));
    command.addAll(List.of("-keystore", file.toString()));
    command.addAll(List.of(more));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new IOException("keytool failed: " + said);
    }
  }

  /** The authority's certificate as PEM. */
  Path authority() throws Exception {
    return write(
        "authority.pem", pem("CERTIFICATE", store.getCertificate("authority").getEncoded()));
  }

  /** The authority's certificate as PKCS#12 without a password. */
  Path authorityAsPkcs12() throws Exception {
    KeyStore trust = KeyStore.getInstance("PKCS12");
    trust.load(null, null);
    trust.setCertificateEntry("authority", store.getCertificate("authority"));
    Path file = folder.resolve("authority.p12");
    try (var out = Files.newOutputStream(file)) {
      trust.store(out, new char[0]);
    }
    return file;
  }

  /** A certificate with its chain as PEM. */
  Path chain(String alias) throws Exception {
    StringBuilder all = new StringBuilder();
    for (Certificate certificate : store.getCertificateChain(alias)) {
      all.append(pem("CERTIFICATE", certificate.getEncoded()));
    }
    return write(alias + ".pem", all.toString());
  }

  Path key(String alias) throws Exception {
    return write(alias + ".key", pem("PRIVATE KEY", store.getKey(alias, PASSWORD).getEncoded()));
  }

  /** For a server that shows this certificate. */
  SSLContext server(String alias) throws Exception {
    KeyStore one = KeyStore.getInstance("PKCS12");
    one.load(null, null);
    one.setKeyEntry(
        alias, store.getKey(alias, PASSWORD), PASSWORD, store.getCertificateChain(alias));
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(one, PASSWORD);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    return context;
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private static String pem(String type, byte[] bytes) {
    return "-----BEGIN "
        + type
        + "-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes)
        + "\n-----END "
        + type
        + "-----\n";
  }
}
