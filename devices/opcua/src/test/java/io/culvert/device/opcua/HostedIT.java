package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Value;
import io.culvert.api.service.Secrets;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Readable;
import io.culvert.device.opcua.Pki.Signed;
import io.culvert.plugins.hosting.Hosts;
import io.culvert.testkit.RecordingSink;
import java.io.File;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.felix.framework.FrameworkFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.launch.Framework;

/**
 * The jar in a process of its own, where the gateway's certificate, trust list and passwords are
 * the same as in the gateway's.
 */
@Timeout(300)
class HostedIT {
  private static final String PACKAGES =
      "io.culvert.api;version=1.1.0,io.culvert.api.service;version=1.1.0,"
          + "io.culvert.api.southbound;version=1.1.0,"
          + "org.slf4j;version=1.7.36,org.slf4j;version=2.0.17,org.slf4j.event;version=2.0.17,"
          + "org.slf4j.helpers;version=2.0.17,org.slf4j.spi;version=2.0.17,sun.misc";

  /** Of the server itself, which is all that is in the test's. */
  private static final Point STATE = new Point("state", "i=2259", DataType.INT32, Access.READ);

  @TempDir Path home;
  private Framework framework;
  private Hosts hosts;
  private Driver driver;
  private volatile String password = "another";

  @BeforeEach
  void start() throws Exception {
    framework =
        new FrameworkFactory()
            .newFramework(
                Map.of(
                    Constants.FRAMEWORK_STORAGE,
                    home.resolve("cache").toString(),
                    "culvert.home",
                    home.toString(),
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
    context.registerService(
        Secrets.class, name -> name.equals("plc") ? Optional.of(password) : Optional.empty(), null);
    hosts = new Hosts(context, home.resolve("data"));
    Path jar;
    try (var files = Files.newDirectoryStream(Path.of("target"), "culvert-device-opcua-*T.jar")) {
      jar = files.iterator().next();
    }
    Bundle shadow = context.installBundle("shadow", Hosts.shadow(jar));
    shadow.start();
    hosts.start(shadow, () -> jar, 96);
    driver =
        context.getService(
            context.getServiceReferences(Driver.class, "(scheme=opc.tcp)").iterator().next());
  }

  @AfterEach
  void stop() throws Exception {
    hosts.close();
    framework.stop();
    framework.waitForStop(10_000);
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private Connection open(SecureServer server) throws Exception {
    Device device =
        new Device(
            "plc-17",
            "p",
            URI.create(server.endpoint().url()),
            Map.of(
                "mode",
                "poll",
                "security",
                "Basic256Sha256/sign-and-encrypt",
                "user",
                SecureServer.USER,
                "password",
                "secret:plc"));
    assertThat(driver.validate(device, List.of(STATE))).isEmpty();
    return get(driver.open(device, new RecordingSink()));
  }

  @Test
  void sessionsAreAsSecureAsInTheGatewaysProcess() throws Exception {
    Signed certificate = Pki.server().selfSigned();
    Pki.Draft old = Pki.server();
    old.to = Instant.now().plus(Duration.ofDays(10));
    Pki.put(home.resolve("etc/opcua/trusted"), "old.der", old.selfSigned().certificate());
    try (SecureServer server = SecureServer.start(certificate)) {
      assertThatThrownBy(() -> open(server))
          .as("a server that nobody trusts")
          .hasMessageContaining("bin/culvert opcua trust");
      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () ->
                  assertThat(driver.warnings())
                      .singleElement(as(STRING))
                      .contains("old.der", "expires on"));
      Path opcua = home.resolve("etc/opcua");
      Pki.put(opcua.resolve("trusted"), "server.der", certificate.certificate());
      assertThatThrownBy(() -> open(server))
          .as("a wrong password")
          .hasMessageContaining("The server doesn't let user operator in");
      password = SecureServer.PASSWORD;
      try (Connection connection = open(server)) {
        assertThat(get(((Readable) connection).prepare(List.of(STATE)).read()))
            .singleElement()
            .satisfies(
                sample -> {
                  assertThat(sample.quality()).isEqualTo(Quality.GOOD);
                  assertThat(sample.value()).isEqualTo(Value.of(0L));
                });
        assertThat(get(((Browsable) connection).browse("", 5))).isNotEmpty();
      }
      assertThat(server.lastClient())
          .isEqualTo(
              new OwnCertificate(opcua, name -> Optional.empty(), Clock.systemUTC())
                  .certificate()
                  .orElseThrow());
    }
  }
}
