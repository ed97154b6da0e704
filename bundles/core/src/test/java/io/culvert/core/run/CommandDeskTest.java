package io.culvert.core.run;

import static io.culvert.core.run.Rig.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.Quality;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.service.Commands.Command;
import io.culvert.api.service.Commands.Result;
import io.culvert.core.model.Profile;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The one door to writing. */
class CommandDeskTest {
  private final Rig rig = new Rig().plug();

  private static final Profile GATE =
      new Profile(
          "plain",
          "fake",
          SECOND,
          Map.of(),
          List.of(
              Rig.model("level", Access.READ, StreamClass.TELEMETRY, null, null),
              Rig.model("set", Access.READ_WRITE, StreamClass.STATE, 0.0, 2.0),
              Rig.model("reset", Access.WRITE, StreamClass.STATE, null, null)));

  @BeforeEach
  void run() {
    rig.device(Rig.entry("gate", "one", SECOND, Duration.ofSeconds(2), GATE)).apply().seconds(3);
    rig.driver.log.clear();
  }

  private CompletableFuture<Result> submit(String device, String point, Value value) {
    CompletableFuture<Result> result =
        rig.engine
            .commands()
            .submit(new Command("c1", device, point, value, "platform:city"))
            .toCompletableFuture();
    rig.settle();
    return result;
  }

  private Result refused(String device, String point, Value value) {
    CompletableFuture<Result> result = submit(device, point, value);
    assertThat(result).isCompleted();
    assertThat(result.join().done()).isFalse();
    assertThat(rig.driver.log).describedAs("the driver isn't called").isEmpty();
    return result.join();
  }

  @Test
  void aCommandIsWrittenRawReadBackAndAnswered() {
    CompletableFuture<Result> result = submit("gate", "set", Value.of(1.5));

    assertThat(result.join()).isEqualTo(new Result("c1", true, Quality.GOOD, Value.of(1.5), ""));
    assertThat(rig.driver.log).containsExactly("write gate.set=15", "read gate");
    assertThat(rig.buffer.audit("gate"))
        .extracting(a -> a.get("phase").toString())
        .containsExactly("asked", "done");
    assertThat(rig.buffer.audit("gate").get(0))
        .containsEntry("id", Value.of("c1"))
        .containsEntry("target", Value.of("gate/set"))
        .containsEntry("value", Value.of(1.5))
        .containsEntry("origin", Value.of("platform:city"))
        .containsEntry("quality", Value.of("Good"));
  }

  @Test
  void theDriverIsCalledOnlyOnceTheCommandIsOnRecord() {
    rig.buffer.hold = true;
    CompletableFuture<Result> result = submit("gate", "set", Value.of(1));
    assertThat(result).isNotDone();
    assertThat(rig.driver.log).isEmpty();

    rig.buffer.waiting.forEach(f -> f.complete(null));
    rig.settle();
    assertThat(result.join().done()).isTrue();
  }

  @Test
  void aCommandThatCannotBeRecordedIsNotCarriedOut() {
    rig.buffer.refusal = new IOException("disk full");

    assertThat(refused("gate", "set", Value.of(1)).message())
        .isEqualTo(
            "Nothing was written, because the command can't be recorded: IOException: disk full");
  }

  @Test
  void aBufferThatNeverAnswersDoesNotKeepACommandForEver() {
    rig.buffer.hold = true;
    CompletableFuture<Result> result = submit("gate", "set", Value.of(1));
    rig.seconds(31);

    assertThat(result.join().message()).startsWith("Nothing was written");
    rig.buffer.waiting.forEach(f -> f.complete(null));
    rig.settle();
    assertThat(rig.driver.log).noneMatch(l -> l.startsWith("write"));
  }

  @Test
  void whatCannotBeWrittenIsRefusedWithWhatWasExpectedAndRecorded() {
    assertThat(refused("nobody", "set", Value.of(1)).message())
        .isEqualTo("There is no device nobody; expected the id of a device of the site");
    assertThat(rig.buffer.audit(Rig.GATEWAY)).hasSize(1);

    assertThat(refused("gate", "nothing", Value.of(1)).quality()).isEqualTo(Quality.BAD_NOT_FOUND);
    assertThat(refused("gate", "level", Value.of(1)).quality()).isEqualTo(Quality.BAD_NOT_WRITABLE);
    assertThat(refused("gate", "set", Value.of("open")).quality())
        .isEqualTo(Quality.BAD_TYPE_MISMATCH);
    Result range = refused("gate", "set", Value.of(2.5));
    assertThat(range.quality()).isEqualTo(Quality.BAD_OUT_OF_RANGE);
    assertThat(range.message()).isEqualTo("gate/set: found 2.5; expected 0.0 to 2.0 m");
    assertThat(refused("gate", null, null).quality()).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(rig.buffer.audit("gate"))
        .hasSize(5)
        .allMatch(a -> a.get("phase").equals(Value.of("refused")));
  }

  @Test
  void aDeviceThatCannotBeRunRefusesAtOnce() {
    rig.engine.removeDriver("fake");
    rig.driver.log.clear();

    assertThat(refused("gate", "set", Value.of(1)).message())
        .startsWith(
            "gate can't be commanded now: etc/site.json:7: endpoint: found no driver of fake");
  }

  @Test
  void theDevicesOwnRefusalIsPassedOn() {
    rig.driver.writes.put(
        "gate", (p, v) -> CompletableFuture.completedFuture(Quality.BAD_DEVICE_FAILURE));
    Result result = submit("gate", "set", Value.of(1)).join();

    assertThat(result.done()).isFalse();
    assertThat(result.quality()).isEqualTo(Quality.BAD_DEVICE_FAILURE);
    assertThat(rig.driver.log).containsExactly("write gate.set=10");
    assertThat(rig.buffer.audit("gate").get(1)).containsEntry("phase", Value.of("refused"));
  }

  @Test
  void aWriteThatNothingTellsOfIsNeitherDoneNorRefused() {
    rig.driver.writes.put("gate", (p, v) -> CompletableFuture.completedFuture(Quality.UNCERTAIN));
    Result result = submit("gate", "reset", Value.of(1)).join();

    assertThat(result.done()).isFalse();
    assertThat(result.quality()).isEqualTo(Quality.UNCERTAIN);
    assertThat(result.message())
        .isEqualTo("It was sent, but the device tells nothing of what became of it");
    assertThat(rig.driver.log).containsExactly("write gate.reset=10");
    assertThat(rig.buffer.audit("gate").get(1)).containsEntry("phase", Value.of("unknown"));
  }

  @Test
  void aDeviceOfWhichNothingCanBeReadIsCommandedAllTheSame() {
    Profile mute =
        new Profile(
            "mute",
            "fake",
            SECOND,
            Map.of(),
            List.of(Rig.model("reset", Access.WRITE, StreamClass.STATE, null, null)));
    rig.device(Rig.entry("all", "two", SECOND, Duration.ofSeconds(2), mute)).apply().seconds(3);
    rig.driver.log.clear();
    Result result = submit("all", "reset", Value.of(1)).join();

    assertThat(result.done()).isTrue();
    assertThat(rig.driver.log).containsExactly("write all.reset=10");
  }

  @Test
  void aWriteWithoutAnAnswerIsNeitherDoneNorRefused() {
    rig.driver.writes.put("gate", (p, v) -> new CompletableFuture<>());
    CompletableFuture<Result> result = submit("gate", "set", Value.of(1));
    rig.seconds(3);

    assertThat(result.join().quality()).isEqualTo(Quality.BAD_TIMEOUT);
    assertThat(result.join().message())
        .isEqualTo("no answer within 2s; it may or may not have been carried out: read the point");
    assertThat(rig.buffer.audit("gate").get(1)).containsEntry("phase", Value.of("unknown"));
    assertThat(rig.driver.log).filteredOn(l -> l.startsWith("write")).hasSize(1);
  }

  @Test
  void aDeviceThatShowsAnotherValueAfterwardsHasNotDoneIt() {
    rig.driver.writes.put(
        "gate",
        (p, v) -> {
          rig.driver.held.put("gate.set", Value.of(14));
          return CompletableFuture.completedFuture(Quality.GOOD);
        });
    Result result = submit("gate", "set", Value.of(1.5)).join();

    assertThat(result)
        .isEqualTo(
            new Result(
                "c1",
                false,
                Quality.UNCERTAIN,
                Value.of(1.4),
                "The device took 1.5, but shows 1.4 afterwards"));
  }

  @Test
  void aPointThatCannotBeReadIsDoneWhenTheDeviceSaysSo() {
    assertThat(submit("gate", "reset", Value.of(1)).join())
        .isEqualTo(new Result("c1", true, Quality.GOOD, null, ""));
    assertThat(rig.driver.log).containsExactly("write gate.reset=10");
  }

  @Test
  void aDriverThatGoesInTheMiddleLeavesNobodyWaiting() {
    rig.driver.writes.put("gate", (p, v) -> new CompletableFuture<>());
    CompletableFuture<Result> result = submit("gate", "set", Value.of(1));
    rig.engine.removeDriver("fake");
    rig.settle();

    assertThat(result).isCompleted();
    assertThat(result.join().done()).isFalse();
  }

  @Test
  void stoppingAnswersWhatIsUnderWayAndWhatComesAfter() {
    rig.driver.writes.put("gate", (p, v) -> new CompletableFuture<>());
    CompletableFuture<Result> result = submit("gate", "set", Value.of(1));
    CompletableFuture<Result> waits = submit("gate", "set", Value.of(1));
    rig.engine.close();

    assertThat(result.join().message()).isEqualTo("The gateway is stopping");
    assertThat(waits.join().message()).isEqualTo("The gateway is stopping");
    assertThat(submit("gate", "set", Value.of(1)).join().message())
        .isEqualTo("The gateway is stopping");
    assertThat(rig.buffer.audit("gate"))
        .extracting(a -> a.get("phase").toString())
        .containsExactly("asked", "asked", "refused", "unknown");
  }

  @Test
  void moreCommandsThanADeviceCanTakeAreRefused() {
    rig.driver.writes.put("gate", (p, v) -> new CompletableFuture<>());
    for (int i = 0; i < 16; i++) {
      submit("gate", "set", Value.of(1));
    }

    assertThat(submit("gate", "set", Value.of(1)).join().quality()).isEqualTo(Quality.BAD_BUSY);
  }

  @Test
  void aDeviceThatIsNotOpenYetIsOpenedForIt() {
    rig.device(Rig.entry("slow", "two", Duration.ofHours(1), Duration.ofSeconds(2), GATE)).apply();
    assertThat(submit("slow", "set", Value.of(1)).join().done()).isTrue();
    assertThat(rig.driver.log)
        .filteredOn(l -> l.contains("slow"))
        .containsExactly("open slow", "write slow.set=10", "read slow");
  }

  @Test
  void aListIsWrittenAndReadBackAsOne() {
    rig.driver.held.put("gate.set", new Value.Array(List.of(Value.of(0), Value.of(0))));
    rig.seconds(1);
    rig.driver.log.clear();
    Value wanted = new Value.Array(List.of(Value.of(1.5), Value.of(0.5)));

    assertThat(submit("gate", "set", wanted).join())
        .isEqualTo(new Result("c1", true, Quality.GOOD, wanted, ""));
    assertThat(rig.driver.log).containsExactly("write gate.set=[15, 5]", "read gate");

    rig.driver.writes.put(
        "gate", (point, value) -> CompletableFuture.completedFuture(Quality.GOOD));
    Result other =
        submit("gate", "set", new Value.Array(List.of(Value.of(1.5), Value.of(0.6)))).join();
    assertThat(other.done()).isFalse();
    assertThat(other.message()).contains("shows [1.5, 0.5] afterwards");
    assertThat(rig.buffer.audit("gate").get(0)).containsEntry("value", wanted);
  }
}
