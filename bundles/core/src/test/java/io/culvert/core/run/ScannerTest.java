package io.culvert.core.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Device;
import io.culvert.api.southbound.Browsable.Found;
import io.culvert.core.model.Site;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** Looking around behind an endpoint. */
class ScannerTest {
  private final Rig rig = new Rig().plug();

  private CompletableFuture<List<Found>> scan(String endpoint, int limit) {
    CompletableFuture<List<Found>> found =
        rig.engine.scan().scan(endpoint, "", limit).toCompletableFuture();
    rig.settle();
    return found;
  }

  private String problem(CompletableFuture<List<Found>> found) {
    assertThat(found).isCompletedExceptionally();
    try {
      found.join();
      throw new AssertionError();
    } catch (CompletionException e) {
      return e.getCause().getMessage();
    }
  }

  @Test
  void whatIsFoundIsAnsweredAndTheConnectionClosed() {
    assertThat(scan("fake://line/", 3).join()).hasSize(3);
    assertThat(rig.driver.log).containsExactly("open scan", "browse scan", "close scan");
  }

  @Test
  void aScanTakesItsTurnOnTheLane() {
    rig.driver.reads.put(
        "a", points -> rig.driver.after(Duration.ofMillis(700), rig.driver.samples("a", points)));
    rig.device("a", "line").apply().seconds(5);
    while (rig.driver.log.size() < 8) {
      rig.advance(Duration.ofMillis(100));
    }
    CompletableFuture<List<Found>> found = scan("fake://line/", 3);
    assertThat(found).isNotDone();

    rig.seconds(1);
    assertThat(found).isCompleted();
    assertThat(rig.status("a").failures()).isZero();
  }

  @Test
  void whatCannotBeScannedIsToldInWords() {
    assertThat(problem(scan("opc.tcp://plc:4840", 3)))
        .isEqualTo(
            "Scan of opc.tcp://plc:4840: No driver serves opc.tcp; put its jar into plugins/");
    assertThat(problem(scan("no url", 3))).contains("is no URL");
    assertThat(problem(scan("plc", 3))).contains("expected scheme://place");
    assertThat(problem(scan("fake://line/", 0))).contains("limit of 1 or more");
    rig.driver.subscribable.add("scan");
    assertThat(problem(scan("fake://line/", 3))).contains("can't look around");
  }

  /** With what the site says of it, as a server may let nobody else look around. */
  @Test
  void aDeviceOfTheSiteIsScannedByItsId() {
    Site.Entry entry =
        Rig.entry("a", "line", Rig.SECOND, Duration.ofSeconds(2), Rig.profile("plain", 1));
    Device device =
        new Device("a", "plain", entry.device().endpoint(), Map.of("password", "secret:line"));
    rig.device(new Site.Entry(device, entry.profile(), entry.interval(), entry.timeout(), ""))
        .apply()
        .seconds(3);
    rig.driver.log.clear();

    assertThat(scan("a", 3).join()).hasSize(3);
    assertThat(rig.driver.log).containsExactly("open a", "browse a", "close a");
    assertThat(rig.driver.devices.get(rig.driver.devices.size() - 1)).isEqualTo(device);
    rig.seconds(5);
    assertThat(rig.status("a").failures()).isZero();
  }

  @Test
  void aDeviceThatIsWronglyConfiguredIsNot() {
    Site.Entry entry =
        Rig.entry("a", "line", Rig.SECOND, Duration.ofSeconds(2), Rig.profile("plain", 1));
    rig.device(
            new Site.Entry(
                entry.device(), entry.profile(), entry.interval(), entry.timeout(), "line 7: no"))
        .apply();

    assertThat(problem(scan("a", 3))).isEqualTo("a: line 7: no");
    assertThat(problem(scan("b", 3))).contains("nor the id of one of the site");
  }

  @Test
  void aScanThatNothingAnswersEndsAndFreesTheLane() {
    rig.driver.opens.put("scan", CompletableFuture::new);
    CompletableFuture<List<Found>> found = scan("fake://line/", 3);
    rig.device("a", "line").apply().seconds(31);

    assertThat(problem(found)).isEqualTo("Scan of fake://line/: no answer within 30s");
    rig.seconds(5);
    assertThat(rig.driver.polls("a")).isNotEmpty();
  }

  @Test
  void aDriverThatGoesEndsItsScans() {
    rig.driver.opens.put("scan", CompletableFuture::new);
    CompletableFuture<List<Found>> found = scan("fake://line/", 3);
    rig.engine.removeDriver("fake");

    assertThat(problem(found)).contains("has gone");
  }
}
