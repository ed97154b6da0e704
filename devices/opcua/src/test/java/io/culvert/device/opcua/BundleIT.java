package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.service.Secrets;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The jar as a gateway has it, which holds only a part of the libraries: what Milo needs to run is
 * there, beside what the gateway shares.
 */
class BundleIT {

  /** They make certificates in a way that isn't used here, with Bouncy Castle's provider. */
  private static final Set<String> UNUSED =
      Set.of(
          "org.eclipse.milo.opcua.stack.core.util.SelfSignedCertificateGenerator",
          "org.eclipse.milo.opcua.stack.core.util."
              + "SelfSignedHttpsCertificateBuilder$HttpsCertificateGenerator");

  @TempDir Path folder;

  private static Path jar() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("target"))) {
      return files
          .filter(f -> f.getFileName().toString().matches("culvert-device-opcua-.*\\.jar"))
          .findFirst()
          .orElseThrow();
    }
  }

  /** The jar, and of this class path what is a bundle of its own in a gateway. */
  private static URLClassLoader gateway() throws IOException {
    List<URL> path = new ArrayList<>(List.of(jar().toUri().toURL()));
    for (String each : System.getProperty("java.class.path").split(File.pathSeparator)) {
      String name = each.replace('\\', '/');
      if (name.contains("/netty-")
          || name.contains("/slf4j-api")
          || name.contains("/osgi")
          || name.contains("/org.osgi")
          || name.contains("culvert-api")
          || name.contains("/api/target/")) {
        path.add(Path.of(each).toUri().toURL());
      }
    }
    return new URLClassLoader(path.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
  }

  @Test
  void everyClassOfTheLibraryCanBeLinked() throws IOException {
    Set<String> broken = new TreeSet<>();
    int count = 0;
    try (URLClassLoader gateway = gateway();
        JarFile jar = new JarFile(jar().toFile())) {
      for (JarEntry entry : jar.stream().toList()) {
        String name = entry.getName();
        if (name.endsWith(".class")
            && (name.startsWith("org/eclipse/milo/opcua/") || name.startsWith("io/culvert/"))) {
          String type = name.substring(0, name.length() - 6).replace('/', '.');
          count++;
          try {
            Class.forName(type, true, gateway);
          } catch (ClassNotFoundException | LinkageError e) {
            broken.add(type);
          }
        }
      }
    }
    assertThat(count).isGreaterThan(1000);
    assertThat(broken).isEqualTo(UNUSED);
  }

  @Test
  void theGatewaysCertificateIsMadeWithWhatIsInTheJar() throws Exception {
    try (URLClassLoader gateway = gateway()) {
      Class<?> type = gateway.loadClass(OwnCertificate.class.getName());
      Class<?> secrets = gateway.loadClass(Secrets.class.getName());
      Object none =
          Proxy.newProxyInstance(
              gateway, new Class<?>[] {secrets}, (proxy, method, arguments) -> Optional.empty());
      Object own =
          type.getConstructor(Path.class, secrets, Clock.class)
              .newInstance(folder, none, Clock.systemUTC());
      Method renew = type.getMethod("renew");
      renew.invoke(own);
    }
    assertThat(
            new OwnCertificate(folder, name -> Optional.empty(), Clock.systemUTC()).certificate())
        .isPresent();
  }

  @Test
  void noProviderOfCryptographyIsInTheJar() throws IOException {
    try (JarFile jar = new JarFile(jar().toFile())) {
      assertThat(jar.stream().map(JarEntry::getName))
          .noneMatch(name -> name.startsWith("org/bouncycastle/jce/provider/"));
    }
  }
}
