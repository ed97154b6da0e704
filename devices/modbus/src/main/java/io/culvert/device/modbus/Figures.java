package io.culvert.device.modbus;

import io.culvert.api.southbound.Diagnosed;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/**
 * What is counted of one unit. Written by the link's loop alone, which so needs no atomic addition;
 * read by any thread.
 */
final class Figures {
  private final AtomicLong requests = new AtomicLong();
  private final AtomicLong answers = new AtomicLong();
  private final AtomicLong timeouts = new AtomicLong();
  private final AtomicLong checksumErrors = new AtomicLong();
  private final AtomicLong malformed = new AtomicLong();
  private final AtomicLong answerNanos = new AtomicLong();
  private final Map<Refusal, AtomicLong> refusals = new ConcurrentHashMap<>();

  static void add(AtomicLong figure, long more) {
    figure.setRelease(figure.getPlain() + more);
  }

  void request() {
    add(requests, 1);
  }

  void answer(long nanos) {
    add(answers, 1);
    add(answerNanos, nanos);
  }

  void refusal(Refusal refusal, long nanos) {
    answer(nanos);
    add(refusals.computeIfAbsent(refusal, r -> new AtomicLong()), 1);
  }

  void timeout() {
    add(timeouts, 1);
  }

  void checksumError() {
    add(checksumErrors, 1);
  }

  void malformed() {
    add(malformed, 1);
  }

  Diagnosed.Facts facts() {
    return new Diagnosed.Facts(
        requests.get(),
        answers.get(),
        timeouts.get(),
        checksumErrors.get(),
        malformed.get(),
        answerNanos.get(),
        refusals.entrySet().stream()
            .collect(Collectors.toMap(e -> e.getKey().toString(), e -> e.getValue().get())));
  }
}
