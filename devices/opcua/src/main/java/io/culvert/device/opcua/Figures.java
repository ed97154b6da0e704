package io.culvert.device.opcua;

import io.culvert.api.southbound.Diagnosed;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;

/** What is counted of one device. Safe in any thread. */
final class Figures {
  private final LongAdder requests = new LongAdder();
  private final LongAdder answers = new LongAdder();
  private final LongAdder timeouts = new LongAdder();
  private final LongAdder malformed = new LongAdder();
  private final LongAdder answerNanos = new LongAdder();
  private final Map<Long, LongAdder> refusals = new ConcurrentHashMap<>();

  void request() {
    requests.increment();
  }

  void answer(long nanos) {
    answers.increment();
    answerNanos.add(nanos);
  }

  void timeout() {
    timeouts.increment();
  }

  void malformed() {
    malformed.increment();
  }

  /** The server, or one of its nodes, said no. */
  void refusal(long status) {
    refusals.computeIfAbsent(status, s -> new LongAdder()).increment();
  }

  Diagnosed.Facts facts() {
    return new Diagnosed.Facts(
        requests.sum(),
        answers.sum(),
        timeouts.sum(),
        0,
        malformed.sum(),
        answerNanos.sum(),
        refusals.entrySet().stream()
            .collect(Collectors.toMap(e -> Failures.name(e.getKey()), e -> e.getValue().sum())));
  }
}
