package io.culvert.core.run;

import static io.culvert.core.run.Rig.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Problem;
import io.culvert.api.service.Monitor.DeviceStatus;
import io.culvert.api.service.Monitor.State;
import io.culvert.core.model.Site;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Devices follow the site and the drivers that there are. */
class RegistryTest {
  private final Rig rig = new Rig();

  @Test
  void oneOfTwoHundredChangesAddsOrGoesAndTheOthersMissNoPoll() {
    rig.plug();
    for (int i = 0; i < 200; i++) {
      rig.device("d" + i, "lane-" + i % 20);
    }
    rig.apply().seconds(5);

    rig.device(Rig.entry("d7", "lane-7", Duration.ofMillis(500), SECOND, Rig.profile("plain", 2)))
        .apply()
        .advance(Duration.ofMillis(2300));
    rig.without("d8").apply().advance(Duration.ofMillis(1700));
    rig.device("new", "lane-1").apply().seconds(3);

    for (int i = 0; i < 200; i++) {
      if (i != 7 && i != 8) {
        assertThat(PollingTest.gaps(rig.driver.polls("d" + i)))
            .describedAs("polls of d%d", i)
            .hasSize(11)
            .containsOnly(SECOND);
        assertThat(rig.driver.opened("d" + i)).isEqualTo(1);
      }
    }
    assertThat(rig.driver.opened("d7")).isEqualTo(2);
    assertThat(rig.driver.closed("d7")).isEqualTo(1);
    List<Duration> changed = rig.driver.polls("d7");
    assertThat(PollingTest.gaps(changed.subList(5, changed.size())))
        .containsOnly(Duration.ofMillis(500));
    assertThat(rig.driver.closed("d8")).isEqualTo(1);
    assertThat(rig.driver.polls("d8").size()).isBetween(7, 8);
    assertThat(rig.driver.polls("new")).hasSize(3);
    assertThat(rig.engine.devices()).hasSize(200).noneMatch(s -> s.id().equals("d8"));
    assertThat(rig.engine.figures().missed()).isZero();
  }

  @Test
  void aDeviceWaitsForItsDriverAndFollowsIt() {
    rig.device("a", "one").apply();
    assertThat(rig.status("a").state()).isEqualTo(State.WAITING);
    assertThat(rig.status("a").message())
        .isEqualTo(
            "etc/site.json:7: endpoint: found no driver of fake; expected its jar in plugins/");

    rig.plug().seconds(2);
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    assertThat(rig.status("a").message()).isEmpty();
    assertThat(rig.status("a").lane()).isEqualTo("fake:one");

    rig.engine.removeDriver("fake");
    assertThat(rig.driver.closed("a")).describedAs("when removal returns").isEqualTo(1);
    assertThat(rig.status("a").state()).isEqualTo(State.WAITING);

    rig.plug().seconds(2);
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
  }

  @Test
  void ofSeveralDriversTheHighestRankedThenTheNewestServes() {
    FakeDriver newer = new FakeDriver(rig);
    FakeDriver ranked = new FakeDriver(rig);
    rig.device("a", "one").apply().plug().seconds(2);
    assertThat(rig.driver.opened("a")).isEqualTo(1);

    rig.plug("newer", newer, 0, "1.10.0").seconds(2);
    assertThat(rig.driver.closed("a")).isEqualTo(1);
    assertThat(newer.opened("a")).isEqualTo(1);

    rig.plug("ranked", ranked, 5, "0.1.0").seconds(2);
    assertThat(ranked.opened("a")).isEqualTo(1);

    rig.engine.removeDriver("ranked");
    rig.seconds(2);
    assertThat(newer.opened("a")).isEqualTo(2);
    rig.engine.removeDriver("fake");
    rig.seconds(2);
    assertThat(newer.closed("a")).describedAs("a worse one may go unnoticed").isEqualTo(1);
  }

  @Test
  void whatTheDriverFindsWrongIsToldWithItsPlace() {
    rig.plug();
    rig.driver.problems =
        List.of(new Problem("points.p0.address", "holding:70000", "holding:0 to holding:65535"));
    rig.device("a", "one").apply().seconds(3);

    assertThat(rig.status("a").state()).isEqualTo(State.INVALID);
    assertThat(rig.status("a").message())
        .isEqualTo(
            "etc/site.json:7: points.p0.address: found holding:70000;"
                + " expected holding:0 to holding:65535");
    assertThat(rig.driver.log).isEmpty();
  }

  @Test
  void aDeviceWithoutProfileWaitsAndOneWithAProblemIsNotRun() {
    rig.plug();
    Site.Entry sound = Rig.entry("a", "one", SECOND, SECOND, null);
    rig.device(sound)
        .device(
            new Site.Entry(
                Rig.entry("b", "one", SECOND, SECOND, null).device(),
                Rig.profile("plain", 1),
                SECOND,
                SECOND,
                "etc/site.json:9: wrong"))
        .apply()
        .seconds(3);

    assertThat(rig.status("a").state()).isEqualTo(State.WAITING);
    assertThat(rig.status("a").message())
        .isEqualTo(
            "etc/site.json:7: profile: found no profile plain; expected one of that id in"
                + " etc/profiles/ or in a jar in plugins/");
    assertThat(rig.status("b").state()).isEqualTo(State.INVALID);
    assertThat(rig.status("b").message()).isEqualTo("etc/site.json:9: wrong");
    assertThat(rig.driver.log).isEmpty();
  }

  @Test
  void listenersHearThePresentThenEachChangeInOrder() {
    rig.plug().device("a", "one").apply();
    List<String> heard = new ArrayList<>();
    var watch = rig.engine.watch(s -> heard.add(s.id() + " " + s.state()));
    rig.settle();
    assertThat(heard).containsExactly("a STARTING");

    rig.seconds(2);
    rig.device("b", "two").apply().seconds(2);
    rig.without("a").apply();
    assertThat(heard)
        .containsExactly("a STARTING", "a ONLINE", "b STARTING", "b ONLINE", "a REMOVED");

    watch.close();
    rig.without("b").apply();
    assertThat(heard).hasSize(5);
    assertThat(rig.engine.devices()).extracting(DeviceStatus::id).isEmpty();
  }
}
