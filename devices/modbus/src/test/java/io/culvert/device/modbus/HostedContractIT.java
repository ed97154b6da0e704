package io.culvert.device.modbus;

import io.culvert.api.southbound.Driver;
import io.culvert.plugins.hosting.Hosts;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.felix.framework.FrameworkFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.launch.Framework;

/** The contract of all drivers, by the shipped bundle in a process of its own. */
class HostedContractIT extends LibmodbusContractTest {
  private static final String PACKAGES =
      "io.culvert.api;version=1.1.0,io.culvert.api.southbound;version=1.1.0,"
          + "org.slf4j;version=1.7.36,org.slf4j;version=2.0.17,org.slf4j.event;version=2.0.17,"
          + "org.slf4j.helpers;version=2.0.17,org.slf4j.spi;version=2.0.17,sun.misc";

  @TempDir static Path folder;
  private static Framework framework;
  private static Hosts hosts;
  private Bundle shadow;

  @BeforeAll
  static void startGateway() throws Exception {
    framework =
        new FrameworkFactory()
            .newFramework(
                Map.of(
                    "culvert.home",
                    folder.toString(),
                    Constants.FRAMEWORK_STORAGE,
                    folder.resolve("framework").toString(),
                    Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA,
                    PACKAGES));
    framework.start();
    BundleContext context = framework.getBundleContext();
    // Not started here: what the process needs is found among the gateway's bundles.
    for (String part : System.getProperty("java.class.path").split(File.pathSeparator)) {
      String name = Path.of(part).getFileName().toString();
      if (name.matches(
              "(netty-|org\\.osgi\\.(service\\.component|util)|org\\.apache\\.felix\\.scr).*jar")
          && !name.contains("annotations")) {
        context.installBundle("reference:" + Path.of(part).toUri());
      }
    }
    hosts = new Hosts(context, folder.resolve("data"));
  }

  @AfterAll
  static void stopGateway() throws Exception {
    hosts.close();
    framework.stop();
    framework.waitForStop(10_000);
  }

  @Override
  protected Driver activate() throws Exception {
    Path jar;
    try (var files = Files.newDirectoryStream(Path.of("target"), "culvert-device-modbus-*T.jar")) {
      jar = files.iterator().next();
    }
    BundleContext context = framework.getBundleContext();
    shadow = context.installBundle("shadow", Hosts.shadow(jar));
    shadow.start();
    hosts.start(shadow, () -> jar, 64);
    return context.getService(
        context.getServiceReferences(Driver.class, "(scheme=modbus-tcp)").iterator().next());
  }

  @Override
  protected void deactivate(Driver driver) throws Exception {
    hosts.stop(shadow.getSymbolicName());
    shadow.uninstall();
  }
}
