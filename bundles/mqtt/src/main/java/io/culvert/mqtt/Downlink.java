package io.culvert.mqtt;

import io.culvert.api.Quality;
import io.culvert.api.service.Buffer.Account;
import io.culvert.api.service.Commands;
import io.culvert.mqtt.Dialect.Message;
import io.culvert.mqtt.Dialect.Question;
import io.culvert.mqtt.Dialect.Request;
import io.culvert.mqtt.Dialect.Write;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out what the platform asks for, through {@link Commands}, or asks the buffer for it, and
 * answers. A request that comes twice, as QoS 1 allows, is carried out once and answered alike each
 * time. In the session's thread only.
 */
final class Downlink {

  private static final Logger LOG = LoggerFactory.getLogger(Downlink.class);

  /** So many requests are remembered to know one that comes again. */
  private static final int REMEMBERED = 1000;

  /** Their answers take at most so much; an answer may be as long as a message. */
  private static final int REMEMBERED_BYTES = 4 << 20;

  /** So many may wait for their devices at a time. */
  private static final int MAX_RUNNING = 200;

  private static final int EXCERPT = 200;

  private final String platform;
  private final Dialect dialect;
  private final Commands commands;
  private final Function<Question, CompletionStage<Account>> questions;
  private final Executor executor;
  private final Consumer<Message> answers;
  private final Map<String, Optional<Message>> recent = new LinkedHashMap<>();
  private int running;
  private int recentBytes;

  /**
   * @param questions asks the buffer; fails with what the platform may read
   * @param executor the session's
   * @param answers sends an answer, or drops it if there is no link
   */
  Downlink(
      String platform,
      Dialect dialect,
      Commands commands,
      Function<Question, CompletionStage<Account>> questions,
      Executor executor,
      Consumer<Message> answers) {
    this.platform = platform;
    this.dialect = dialect;
    this.commands = commands;
    this.questions = questions;
    this.executor = executor;
    this.answers = answers;
  }

  /** Takes what arrived on one of the dialect's topics. Never throws for what it holds. */
  void received(String topic, byte[] payload) {
    Request request = dialect.request(topic, payload).orElse(null);
    if (request == null) {
      return;
    }
    Optional<Message> known = recent.get(topic);
    if (known != null) {
      // Still running if there is no answer yet; then the one answer serves both.
      known.ifPresent(answers);
      return;
    }
    remember(topic, Optional.empty());
    if (!request.problem().isEmpty()) {
      LOG.warn(
          "{}: request {} can't be understood: {}. It begins: {}",
          platform,
          request.id(),
          request.problem(),
          excerpt(payload));
      answer(request, List.of());
    } else if (request.question() != null) {
      ask(request);
    } else if (running >= MAX_RUNNING) {
      answer(
          request,
          request.writes().stream()
              .map(w -> failed(request, "the gateway is busy with other commands; send it again"))
              .toList());
    } else {
      run(request);
    }
  }

  private void run(Request request) {
    running++;
    List<CompletableFuture<Commands.Result>> results = new ArrayList<>();
    for (Write write : request.writes()) {
      results.add(submit(request, write));
    }
    CompletableFuture.allOf(results.toArray(CompletableFuture[]::new))
        .thenRunAsync(
            () -> {
              running--;
              answer(request, results.stream().map(CompletableFuture::join).toList());
            },
            executor);
  }

  private CompletableFuture<Commands.Result> submit(Request request, Write write) {
    Commands.Command command =
        new Commands.Command(
            request.id(), request.device(), write.point(), write.value(), "platform:" + platform);
    CompletableFuture<Commands.Result> result;
    try {
      result = commands.submit(command).toCompletableFuture();
    } catch (RuntimeException e) {
      result = CompletableFuture.failedFuture(e);
    }
    return result.exceptionally(
        e -> {
          LOG.error("{}: command {} failed", platform, request.id(), e);
          return failed(request, "the gateway failed: " + e.getMessage());
        });
  }

  private void ask(Request request) {
    questions
        .apply(request.question())
        .whenCompleteAsync(
            (account, failure) -> {
              if (failure == null) {
                answered(request, dialect.answer(request, own(account)));
              } else {
                Throwable cause = failure instanceof CompletionException e ? e.getCause() : failure;
                LOG.warn("{}: question {}: {}", platform, request.id(), cause.getMessage());
                answer(request.failed(cause.getMessage()), List.of());
              }
            },
            executor);
  }

  /** What other platforms have is nothing to this one. */
  private Account own(Account account) {
    return new Account(
        account.accepted(),
        account.deliveries().stream().filter(d -> d.forwarder().equals(platform)).toList(),
        account.entries(),
        account.counts(),
        account.complete());
  }

  private void answer(Request request, List<Commands.Result> results) {
    answered(request, dialect.answer(request, results));
  }

  private void answered(Request request, Message answer) {
    remember(request.topic(), Optional.of(answer));
    answers.accept(answer);
  }

  private void remember(String topic, Optional<Message> answer) {
    recentBytes += bytes(answer) - bytes(recent.put(topic, answer));
    while (recent.size() > 1 && (recent.size() > REMEMBERED || recentBytes > REMEMBERED_BYTES)) {
      recentBytes -= bytes(recent.remove(recent.keySet().iterator().next()));
    }
  }

  /**
   * @param answer {@code null} if there was none
   */
  private static int bytes(Optional<Message> answer) {
    return answer == null ? 0 : answer.map(message -> message.payload().length).orElse(0);
  }

  private static Commands.Result failed(Request request, String message) {
    return new Commands.Result(request.id(), false, Quality.BAD, null, message);
  }

  /** The beginning of what arrived, fit for a log. */
  private static String excerpt(byte[] payload) {
    String text = new String(payload, 0, Math.min(payload.length, EXCERPT), StandardCharsets.UTF_8);
    return text.replaceAll("\\p{Cntrl}", " ");
  }
}
