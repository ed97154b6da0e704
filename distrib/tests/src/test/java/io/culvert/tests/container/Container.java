package io.culvert.tests.container;

import static org.ops4j.pax.exam.CoreOptions.bootDelegationPackages;
import static org.ops4j.pax.exam.CoreOptions.bundle;
import static org.ops4j.pax.exam.CoreOptions.composite;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.frameworkStartLevel;
import static org.ops4j.pax.exam.CoreOptions.junitBundles;
import static org.ops4j.pax.exam.CoreOptions.systemPackages;
import static org.ops4j.pax.exam.CoreOptions.systemProperty;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.ops4j.pax.exam.Option;

/** The base as the archive ships it, in the framework of the test, on a home of its own. */
final class Container {
  static final Path SHIPPED = Path.of("../archive/target/culvert").toAbsolutePath().normalize();

  /** So that what a test needs from the class path is found without being a bundle. */
  private static final String[] OF_THE_TEST = {
    "org.assertj.*", "org.awaitility", "org.awaitility.*", "org.hamcrest", "org.hamcrest.*"
  };

  private Container() {}

  /** An empty inbox, no device, no platform. */
  static Option base() throws IOException {
    Path home = Files.createTempDirectory("culvert-container");
    Files.createDirectories(home.resolve("plugins"));
    Files.createDirectories(home.resolve("etc/profiles"));
    Files.writeString(home.resolve("etc/site.json"), "{\"gateway\": {\"id\": \"container\"}}\n");
    List<Option> options = new ArrayList<>();
    options.add(junitBundles());
    options.add(systemProperty("pax.exam.logging").value("none"));
    options.add(systemProperty("pax.exam.osgi.unresolved.fail").value("true"));
    options.add(frameworkProperty("culvert.home").value(home.toString()));
    options.add(frameworkProperty("culvert.data").value(home.resolve("data").toString()));
    options.add(frameworkProperty("org.osgi.framework.bundle.parent").value("app"));
    options.add(bootDelegationPackages(OF_THE_TEST));
    // As the launcher does.
    options.add(
        systemPackages(
            "org.slf4j;version=1.7.36",
            "org.slf4j;version=2.0.17",
            "org.slf4j.event;version=2.0.17",
            "org.slf4j.helpers;version=2.0.17",
            "org.slf4j.spi;version=2.0.17",
            "org.osgi.service.log;version=1.5.0",
            "sun.misc"));
    options.add(frameworkStartLevel(80));
    for (String line : Files.readAllLines(SHIPPED.resolve("features/base.feature"))) {
      if (!line.startsWith("#")) {
        String[] words = line.strip().split("\\s+");
        options.add(
            bundle(SHIPPED.resolve("system").resolve(words[1]).toUri().toString())
                .startLevel(Integer.parseInt(words[0])));
      }
    }
    return composite(options.toArray(Option[]::new));
  }

  /** The one jar whose name begins so. */
  static Path shippedPlugin(String prefix) throws IOException {
    try (var files = Files.list(SHIPPED.resolve("plugins"))) {
      return files
          .filter(f -> f.getFileName().toString().startsWith(prefix))
          .findFirst()
          .orElseThrow(() -> new IOException("no " + prefix + "*.jar in " + SHIPPED));
    }
  }
}
