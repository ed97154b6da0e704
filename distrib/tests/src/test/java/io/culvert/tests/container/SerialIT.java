package io.culvert.tests.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.southbound.SerialLine;
import io.culvert.api.southbound.SerialLines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.wiring.FrameworkWiring;

/** The service of serial lines inside the framework, with its library's native part. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class SerialIT {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  @Inject private BundleContext context;

  @Configuration
  public static Option[] configuration() throws IOException {
    return new Option[] {Container.base()};
  }

  @Test
  public void theNativePartIsLoadedWithTheFirstLineAndAgainAfterARefresh() throws Exception {
    Path folder = Files.createTempDirectory("serial");
    Path file = folder.resolve("line");
    Process socat =
        new ProcessBuilder("socat", "pty,raw,echo=0,link=" + file, "pty,raw,echo=0")
            .inheritIO()
            .start();
    try {
      await().atMost(LIMIT).until(() -> Files.exists(file));
      assertThat(loaded()).as("before a line is opened").isEmpty();
      open(file);
      Set<String> first = loaded();
      assertThat(first).hasSize(1).allMatch(SerialIT::isBelowTheTemporaryFolder);
      // An update of the library gives it another class loader, which may not load the same file.
      refresh("com.fazecast.jSerialComm");
      open(file);
      assertThat(loaded()).hasSize(2).containsAll(first);
      refresh("io.culvert.serial");
      open(file);
      assertThat(loaded()).hasSize(2);
    } finally {
      socat.destroy();
      socat.waitFor();
      Files.deleteIfExists(file);
      Files.delete(folder);
    }
  }

  private static boolean isBelowTheTemporaryFolder(String library) {
    return library.startsWith(System.getProperty("java.io.tmpdir"));
  }

  /** Files of the native library that this process has loaded. */
  private static Set<String> loaded() throws IOException {
    try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
      return maps.filter(line -> line.contains("libjSerialComm.so"))
          // The library deletes the file of an earlier loading, which goes on to work.
          .map(line -> line.substring(line.indexOf('/')).replace(" (deleted)", ""))
          .collect(Collectors.toSet());
    }
  }

  private void open(Path file) throws Exception {
    await().atMost(LIMIT).until(() -> context.getServiceReference(SerialLines.class) != null);
    ServiceReference<SerialLines> reference = context.getServiceReference(SerialLines.class);
    SerialLines.Settings settings =
        new SerialLines.Settings(
            9600, 8, SerialLines.Parity.NONE, 1, false, false, Duration.ofMillis(4));
    SerialLine line =
        context
            .getService(reference)
            .join(
                file.toString(),
                settings,
                new SerialLines.Listener() {
                  @Override
                  public void received(byte[] bytes, long nanos) {}

                  @Override
                  public void lost(IOException cause) {}
                });
    line.send(new byte[] {1}).toCompletableFuture().get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    line.close();
    context.ungetService(reference);
  }

  private void refresh(String name) throws Exception {
    Bundle bundle =
        Stream.of(context.getBundles())
            .filter(b -> name.equals(b.getSymbolicName()))
            .findFirst()
            .orElseThrow();
    CountDownLatch refreshed = new CountDownLatch(1);
    context
        .getBundle(0)
        .adapt(FrameworkWiring.class)
        .refreshBundles(
            List.of(bundle),
            event -> {
              if (event.getType() == FrameworkEvent.PACKAGES_REFRESHED) {
                refreshed.countDown();
              }
            });
    assertThat(refreshed.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
  }
}
