package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import aQute.bnd.osgi.Builder;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.service.component.annotations.Component;

/** Plug-ins that were made for another version of the API than this gateway has. */
class ApiVersionsIT {
  /** The API released last: what a vendor had when this driver was written. */
  private static final Path RELEASED =
      Path.of("../../bundles/api/baseline/culvert-api-1.0.jar").toAbsolutePath().normalize();

  private static final String SITE =
      """
      {
        "gateway": {"id": "city-gw"},
        "plugins": {"allowUnsigned": true},
        "platforms": [],
        "devices": [
          {"id": "tank-1", "profile": "old-tank", "endpoint": "tank://asks"},
          {"id": "tank-2", "profile": "old-tank", "endpoint": "tank://tells"}
        ]
      }
      """;

  private static final String PROFILE =
      """
      schema: culvert-profile/1
      id: old-tank
      title: {en: Tank}
      scheme: tank
      interval: 200ms
      points:
        - {id: level, title: {en: Level}, address: "1", type: float64, unit: m, access: read-write}
        - {id: absent, title: {en: Absent}, address: "2", type: float64, unit: m}
        - {id: inflow, title: {en: Inflow}, address: "3", type: bool, class: state}
      """;

  /** Uses all of the SPI that a driver without a serial line can use. */
  private static final String DRIVER =
      """
      package com.example.tank;

      import io.culvert.api.*;
      import io.culvert.api.southbound.*;
      import io.culvert.api.southbound.Readable;
      import java.util.*;
      import java.util.concurrent.*;
      import org.osgi.service.component.annotations.Component;

      @Component(property = Driver.SCHEME + "=tank")
      public final class TankDriver implements Driver {
        @Override
        public List<Problem> validate(Device device, List<Point> points) {
          return device.endpoint().getHost() == null
              ? List.of(new Problem("endpoint", "nothing", "tank://name"))
              : List.of();
        }

        @Override
        public String lane(Device device) {
          return "tank:" + device.endpoint().getHost();
        }

        @Override
        public CompletionStage<Connection> open(Device device, Sink sink) {
          return CompletableFuture.completedFuture(
              device.endpoint().getHost().equals("tells") ? new Teller(sink) : new Tank());
        }

        private static final class Tank implements Readable, Writable, Browsable, Diagnosed {
          private volatile double level = 4.25;
          private volatile long requests;

          @Override
          public Plan prepare(List<Point> points) {
            return () -> {
              requests++;
              List<Sample> samples = new ArrayList<>();
              for (Point point : points) {
                samples.add(
                    switch (point.id()) {
                      case "level" -> Sample.good("level", Value.of(level));
                      case "inflow" -> Sample.good("inflow", Value.of(true));
                      default -> Sample.bad(point.id(), Quality.BAD_NOT_FOUND);
                    });
              }
              return CompletableFuture.completedFuture(samples);
            };
          }

          @Override
          public CompletionStage<Quality> write(Point point, Value value) {
            level = value.number();
            return CompletableFuture.completedFuture(Quality.GOOD);
          }

          @Override
          public CompletionStage<List<Found>> browse(String from, int limit) {
            return CompletableFuture.completedFuture(List.of(new Found("1", "Level", Map.of())));
          }

          @Override
          public Facts facts() {
            return new Facts(requests, requests, 0, 0, 0, 0, Map.of());
          }

          @Override
          public LineFacts line() {
            return new LineFacts(0, 0, 0, 0, 0);
          }

          @Override
          public void close() {}
        }

        private record Teller(Sink sink) implements Subscribable {
          @Override
          public CompletionStage<Void> subscribe(List<Point> points) {
            return sink.accept(List.of(Sample.good("inflow", Value.of(true))));
          }

          @Override
          public void close() {}
        }
      }
      """;

  @TempDir Path folder;

  @Test
  void oneMadeForAnEarlierVersionRunsUnchanged() throws Exception {
    try (InstalledGateway gateway = InstalledGateway.unpack(folder.resolve("gateway"), SITE)) {
      Path jar = bundle("tank.jar", "io.culvert.api*;version=\"[1.0,2)\",*");
      Files.copy(jar, gateway.home().resolve("plugins/tank.jar"));
      gateway.start();
      await("readings by way of the old plug-in")
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () ->
                  assertThat(gateway.command("shell", "read", "tank-1").oneLine())
                      .as(gateway::log)
                      .contains("level 4.25 m Good")
                      .contains("absent")
                      .contains("BadNotFound")
                      .contains("inflow true Good"));
      await("what the old plug-in's device tells by itself")
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () ->
                  assertThat(gateway.command("shell", "read", "tank-2").oneLine())
                      .as(gateway::log)
                      .contains("inflow true Good"));
      assertThat(gateway.command("shell", "write", "tank-1", "level", "1.5").text())
          .contains("the device shows 1.5");
      assertThat(gateway.command("shell", "scan", "tank://asks").text()).contains("Level");
      assertThat(gateway.command("doctor").oneLine()).contains("tank");
    }
  }

  @Test
  void oneThatNeedsALaterVersionIsRefusedWithAPlainSentence() throws Exception {
    try (InstalledGateway gateway = InstalledGateway.unpack(folder.resolve("gateway"), SITE)) {
      Path jar =
          bundle(
              "tank.jar",
              "io.culvert.api.southbound;version=\"[1.9,2)\",io.culvert.api;version=\"[1.0,2)\",*");
      Files.copy(jar, gateway.home().resolve("plugins/tank.jar"));
      gateway.start();
      await("the refusal")
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () ->
                  assertThat(gateway.command("status").oneLine())
                      .as(gateway::log)
                      .contains("tank.jar")
                      .contains("it needs io.culvert.api.southbound 1.9")
                      .contains("this gateway has 1.")
                      .contains("upgrade the gateway or take an older version of the plug-in"));
      assertThat(gateway.command("shell", "devices").oneLine()).contains("tank-1 waiting");
    }
  }

  /** Compiles and packs against the released API alone. */
  private Path bundle(String name, String imports) throws Exception {
    Path source =
        Files.writeString(
            Files.createDirectories(folder.resolve("src")).resolve("TankDriver.java"), DRIVER);
    Path classes = Files.createDirectories(folder.resolve("classes"));
    Path annotations =
        Path.of(Component.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    int result =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "--release",
                "17",
                "-proc:none",
                "-d",
                classes.toString(),
                "-cp",
                RELEASED + File.pathSeparator + annotations,
                source.toString());
    assertThat(result).isZero();
    Files.writeString(
        Files.createDirectories(classes.resolve("profiles")).resolve("old-tank.yaml"), PROFILE);
    Path jar = folder.resolve(name);
    try (Builder builder = new Builder()) {
      builder.set("Bundle-SymbolicName", "com.example.tank");
      builder.set("Bundle-Version", "1.0.0");
      builder.set("Bundle-Vendor", "Example Ltd");
      builder.set("Bundle-License", "Apache-2.0");
      builder.set("Culvert-Schemes", "tank");
      builder.set("Culvert-Opens", "none");
      builder.set("Culvert-Profiles", "profiles");
      builder.set("Import-Package", imports);
      builder.set("-privatepackage", "com.example.tank");
      builder.set("-includeresource", "profiles=" + classes.resolve("profiles"));
      builder.set("-noimportjava", "true");
      builder.addClasspath(List.of(classes.toFile(), RELEASED.toFile(), annotations.toFile()));
      builder.build().write(jar.toFile());
      assertThat(builder.getErrors()).isEmpty();
    }
    return jar;
  }
}
