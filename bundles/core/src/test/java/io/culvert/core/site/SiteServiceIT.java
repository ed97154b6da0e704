package io.culvert.core.site;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Reading;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.Generations;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Secrets;
import io.culvert.core.run.FakeBuffer;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Dictionary;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.felix.framework.FrameworkFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** The core's bundle in Felix, with the real Configuration Admin. */
class SiteServiceIT {
  private static final String SITE =
      """
      {"gateway": {"id": "g"},
       "platforms": [{"id": "city", "url": "mqtt://h", "window": 64},
                     {"id": "county", "url": "mqtt://h", "password": "secret:county"}],
       "devices": [{"id": "a", "profile": "water", "endpoint": "modbus-tcp://h"}]}
      """;

  @TempDir Path home;
  private Framework framework;

  @BeforeEach
  void start() throws IOException, BundleException {
    Files.createDirectories(home.resolve("etc/secrets"));
    Files.writeString(home.resolve("etc/secrets/county"), "x\n");
    Files.writeString(home.resolve("etc/site.json"), SITE);
    framework =
        new FrameworkFactory()
            .newFramework(
                Map.of(
                    "culvert.home",
                    home.toString(),
                    Constants.FRAMEWORK_STORAGE,
                    home.resolve("data/cache").toString(),
                    Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA,
                    "io.culvert.api;version=1.1.0,io.culvert.api.service;version=1.1.0,"
                        + "io.culvert.api.southbound;version=1.1.0,"
                        + "io.culvert.api.northbound;version=1.0.0,"
                        + "org.osgi.service.cm;version=1.6.1,"
                        + "org.slf4j;version=1.7.36,org.slf4j;version=2.0.17"));
    framework.start();
    for (String name :
        List.of(
            "org.osgi.util.function",
            "org.osgi.util.promise",
            "org.osgi.service.component-",
            "org.apache.felix.configadmin",
            "org.apache.felix.scr",
            "jackson-core",
            "snakeyaml-engine")) {
      Path jar =
          Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
              .map(Path::of)
              .filter(entry -> entry.getFileName().toString().startsWith(name))
              .findFirst()
              .orElseThrow(() -> new IllegalStateException(name + " is not on the class path"));
      install(jar);
    }
    for (Bundle bundle : framework.getBundleContext().getBundles()) {
      if (bundle.getHeaders().get(Constants.FRAGMENT_HOST) == null) {
        bundle.start();
      }
    }
    install(Path.of(System.getProperty("core.jar"))).start();
  }

  @AfterEach
  void stop() throws BundleException, InterruptedException {
    framework.stop();
    framework.waitForStop(10_000);
  }

  private Bundle install(Path jar) throws BundleException {
    return framework.getBundleContext().installBundle(jar.toUri().toString());
  }

  private <T> T service(Class<T> type) {
    ServiceReference<T> reference =
        await()
            .atMost(Duration.ofSeconds(30))
            .until(
                () -> framework.getBundleContext().getServiceReference(type),
                java.util.Objects::nonNull);
    return framework.getBundleContext().getService(reference);
  }

  private Map<String, Dictionary<String, Object>> platforms() throws Exception {
    Configuration[] found =
        service(ConfigurationAdmin.class)
            .listConfigurations("(service.factoryPid=io.culvert.mqtt)");
    return Arrays.stream(found == null ? new Configuration[0] : found)
        .collect(Collectors.toMap(Configuration::getPid, Configuration::getProperties));
  }

  @SuppressWarnings("unchecked")
  private Iterable<String> bufferPlatforms() throws Exception {
    return (Iterable<String>)
        service(ConfigurationAdmin.class)
            .getConfiguration("io.culvert.buffer", "?")
            .getProperties()
            .get("platforms");
  }

  @Test
  void derivesConfigurationsFromWhatBundlesDeclareAndTheSiteSays() throws Exception {
    Bundle mqtt =
        install(
            Jars.bundle(
                home.resolve("mqtt.jar"),
                Map.of("Bundle-SymbolicName", "mqtt"),
                Map.of("OSGI-INF/metatype/m.xml", MetatypeTest.XML)));
    mqtt.start();
    await().until(() -> platforms().size() == 2);

    Dictionary<String, Object> city = platforms().get("io.culvert.mqtt~city");
    assertThat(city.get("id")).isEqualTo("city");
    assertThat(city.get("gateway")).isEqualTo("g");
    assertThat(city.get("window")).isEqualTo(64);
    assertThat(platforms().get("io.culvert.mqtt~county").get("password"))
        .isEqualTo("secret:county");
    assertThat(service(Secrets.class).get("county")).contains("x");

    Files.writeString(
        home.resolve("etc/site.json"),
        SITE.replace("64}", "32}").replaceFirst("(?s),\\s*\\{\"id\": \"county\".*?}", ""));
    await()
        .untilAsserted(
            () -> {
              assertThat(platforms()).containsOnlyKeys("io.culvert.mqtt~city");
              assertThat(platforms().get("io.culvert.mqtt~city").get("window")).isEqualTo(32);
            });
    assertThat(service(Generations.class).current().number()).isEqualTo(2);
    await().untilAsserted(() -> assertThat(bufferPlatforms()).containsExactly("city"));

    Files.writeString(home.resolve("etc/site.json"), SITE.replace("64}", "0}"));
    await()
        .untilAsserted(
            () ->
                assertThat(service(Generations.class).problems())
                    .containsExactly(
                        "etc/site.json:2: platforms[0].window: found 0; expected a whole number from 1"
                            + " to 1000"));
    await().until(() -> platforms().size() == 2);
    assertThat(platforms().get("io.culvert.mqtt~city").get("window"))
        .as("a slip leaves the platform as it was")
        .isEqualTo(32);
    await().untilAsserted(() -> assertThat(bufferPlatforms()).containsExactly("city", "county"));

    Files.writeString(
        home.resolve("etc/site.json"),
        SITE.replace("\"county\"", "7").replaceFirst("\\{", "{\"buffer\": {\"commitMillis\": 1},"));
    await().untilAsserted(() -> assertThat(bufferPlatforms()).isNull());
    assertThat(platforms()).as("an id that can't be read takes none away").hasSize(2);
    Files.writeString(
        home.resolve("etc/site.json"),
        SITE.replaceFirst("(?s),\\s*\\{\"id\": \"county\".*?}", "")
            .replaceFirst("\\{", "{\"buffer\": {\"commitMillis\": 1},"));
    await()
        .untilAsserted(
            () ->
                assertThat(bufferPlatforms())
                    .as("though the rest of its section is wrong")
                    .containsExactly("city"));
  }

  @Test
  void profilesComeAndGoWithTheirBundle() throws Exception {
    Generations generations = service(Generations.class);
    await().untilAsserted(() -> assertThat(message()).contains(": found no profile water"));

    Path jar =
        Jars.bundle(
            home.resolve("water.jar"),
            Map.of("Bundle-SymbolicName", "water", "Culvert-Profiles", "profiles"),
            Map.of("profiles/water.yaml", SiteKeeperTest.PROFILE, "profiles/bad.yaml", "id: ["));
    Bundle bundle = install(jar);
    bundle.start();
    await().untilAsserted(() -> assertThat(message()).contains("modbus-tcp"));
    assertThat(generations.problems())
        .containsExactly(
            "water!/profiles/bad.yaml:1:6: found '<stream end>'; expected the node content (while parsing"
                + " a flow node)");

    bundle.uninstall();
    await().untilAsserted(() -> assertThat(message()).contains(": found no profile water"));
    assertThat(generations.problems()).isEmpty();
  }

  /** Nothing but the core is installed here: no bundle of profiles. */
  @Test
  void theGatewaysOwnProfileComesWithTheCore() throws Exception {
    framework.getBundleContext().registerService(Buffer.class, new FakeBuffer(), null);

    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(service(Monitor.class).latest("g"))
                    .extracting(Reading::point)
                    .contains("clock_state", "disk_free", "buffer_oldest", "lanes"));
  }

  private String message() {
    return service(Monitor.class).devices().stream()
        .map(Monitor.DeviceStatus::message)
        .findFirst()
        .orElse("");
  }
}
