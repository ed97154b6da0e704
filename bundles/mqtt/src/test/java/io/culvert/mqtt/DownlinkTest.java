package io.culvert.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Quality;
import io.culvert.api.Value;
import io.culvert.api.service.Commands;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class DownlinkTest {
  private static final int LONG = 60_000;

  private final List<String> carriedOut = new ArrayList<>();
  private final List<Dialect.Message> answers = new ArrayList<>();
  private final Downlink downlink =
      new Downlink(
          "p",
          new IotDa("gw", 1 << 20),
          commands("x".repeat(LONG)),
          question -> CompletableFuture.failedFuture(new IllegalStateException("not asked for")),
          Runnable::run,
          answers::add);

  private Commands commands(String message) {
    return command -> {
      carriedOut.add(command.id());
      return CompletableFuture.completedFuture(
          new Commands.Result(command.id(), false, Quality.BAD, Value.of(true), message));
    };
  }

  @Test
  void aRequestThatComesTwiceIsCarriedOutOnceAndAnsweredTwice() {
    request(1);
    request(1);

    assertThat(carriedOut).containsExactly("1");
    assertThat(answers).hasSize(2);
    assertThat(answers.get(1)).isEqualTo(answers.get(0));
  }

  @Test
  void longAnswersAreRememberedWithinABoundTheNewestLongest() {
    for (int i = 1; i <= 100; i++) {
      request(i);
    }
    carriedOut.clear();

    request(100);
    request(50);
    assertThat(carriedOut).as("within 4 MiB").isEmpty();
    request(1);
    assertThat(carriedOut).as("beyond it").containsExactly("1");
  }

  private void request(int id) {
    downlink.received(
        "$oc/devices/gw/sys/commands/request_id=" + id,
        "{\"command_name\": \"valve\", \"paras\": {\"value\": true}}"
            .getBytes(StandardCharsets.UTF_8));
  }
}
