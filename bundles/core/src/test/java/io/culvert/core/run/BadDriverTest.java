package io.culvert.core.run;

import static io.culvert.core.run.Rig.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.service.Monitor.State;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever one device's driver does: it is named, and fifty good devices don't notice. */
class BadDriverTest {
  private final Rig rig = new Rig().plug();

  private interface Bad {
    CompletionStage<List<Sample>> read() throws Exception;
  }

  private static Arguments bad(String name, String told, Bad how) {
    return Arguments.of(name, told, how);
  }

  static Stream<Arguments> behaviours() {
    return Stream.of(
        bad(
            "throws",
            "threw IllegalStateException: oops",
            () -> {
              throw new IllegalStateException("oops");
            }),
        bad(
            "throws an error of linking",
            "threw NoClassDefFoundError: com/acme/Missing",
            () -> {
              throw new NoClassDefFoundError("com/acme/Missing");
            }),
        bad("overflows the stack", "threw StackOverflowError", BadDriverTest::overflow),
        bad(
            "throws an exception whose message throws",
            "the driver threw",
            () -> {
              throw new RuntimeException() {
                @Override
                public String getMessage() {
                  throw new IllegalStateException();
                }
              };
            }),
        bad("returns null", "returned null", () -> null),
        bad("answers null", "of no use", () -> CompletableFuture.completedFuture(null)),
        bad(
            "answers with nulls",
            "of no use",
            () -> CompletableFuture.completedFuture(Collections.singletonList(null))),
        bad(
            "answers with a list that throws",
            "of no use: UnsupportedOperationException: lazy",
            () -> CompletableFuture.completedFuture(new Lazy())),
        bad(
            "answers nothing that was asked for",
            "none of the points",
            () -> CompletableFuture.completedFuture(List.of(Sample.good("x", Value.of(1))))),
        bad(
            "fails",
            "the driver says: IOException: cable cut",
            () -> CompletableFuture.failedFuture(new java.io.IOException("cable cut"))),
        bad("never answers", "no answer within 2s", CompletableFuture::new),
        bad(
            "has a stage that throws",
            "threw UndeclaredThrowableException",
            BadDriverTest::hostileStage));
  }

  private static CompletionStage<List<Sample>> overflow() {
    return overflow().thenApply(x -> x);
  }

  private static final class Lazy extends AbstractList<Sample> {
    @Override
    public Sample get(int index) {
      throw new UnsupportedOperationException("lazy");
    }

    @Override
    public int size() {
      return 2;
    }
  }

  @SuppressWarnings("unchecked")
  private static CompletionStage<List<Sample>> hostileStage() {
    return (CompletionStage<List<Sample>>)
        Proxy.newProxyInstance(
            BadDriverTest.class.getClassLoader(),
            new Class<?>[] {CompletionStage.class},
            (proxy, method, args) -> {
              throw new Exception("hostile");
            });
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("behaviours")
  void isSurvivedAndNamed(String name, String told, Bad how) {
    rig.driver.reads.put(
        "bad",
        points -> {
          try {
            return how.read();
          } catch (RuntimeException e) {
            throw e;
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        });
    rig.device("bad", "bad");
    for (int i = 0; i < 50; i++) {
      rig.device("good" + i, "lane-" + i);
    }
    rig.apply().seconds(20);

    assertThat(rig.status("bad").state()).isEqualTo(State.OFFLINE);
    assertThat(rig.status("bad").message()).contains(told);
    goodOnesMissNothing(20);

    rig.driver.reads.remove("bad");
    rig.seconds(60);
    assertThat(rig.status("bad").state()).isEqualTo(State.ONLINE);
  }

  private void goodOnesMissNothing(int polls) {
    for (int i = 0; i < 50; i++) {
      assertThat(PollingTest.gaps(rig.driver.polls("good" + i)))
          .hasSize(polls - 1)
          .containsOnly(SECOND);
      assertThat(rig.status("good" + i).failures()).isZero();
      assertThat(rig.buffer.good("good" + i)).hasSize(2 * polls);
    }
  }

  @Test
  void anAnswerFromAForeignThreadIsTaken() {
    rig.driver.reads.put(
        "a",
        points -> {
          CompletableFuture<List<Sample>> answer = new CompletableFuture<>();
          Thread foreign = new Thread(() -> answer.complete(rig.driver.samples("a", points)));
          foreign.start();
          try {
            foreign.join();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
          return answer;
        });
    rig.device("a", "one").apply().seconds(5);

    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    assertThat(rig.buffer.good("a")).hasSize(10);
  }

  @Test
  void ofTwoAnswersToOneQuestionTheFirstCounts() {
    rig.driver.reads.put("a", points -> twice(rig.driver.samples("a", points)));
    rig.device("a", "one").apply().seconds(5);

    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    assertThat(rig.buffer.good("a")).hasSize(10);
  }

  @SuppressWarnings("unchecked")
  private static CompletionStage<List<Sample>> twice(List<Sample> samples) {
    return (CompletionStage<List<Sample>>)
        Proxy.newProxyInstance(
            BadDriverTest.class.getClassLoader(),
            new Class<?>[] {CompletionStage.class},
            (proxy, method, args) -> {
              if (method.getName().equals("whenComplete")) {
                BiConsumer<Object, Throwable> told = (BiConsumer<Object, Throwable>) args[0];
                told.accept(samples, null);
                told.accept(samples, null);
              }
              return null;
            });
  }

  @Test
  void anAnswerAfterTheDeadlineIsThrownAway() {
    List<CompletableFuture<List<Sample>>> stubborn = new ArrayList<>();
    rig.driver.reads.put(
        "a",
        points -> {
          CompletableFuture<List<Sample>> stage =
              new CompletableFuture<>() {
                @Override
                public boolean cancel(boolean interrupt) {
                  return false;
                }
              };
          stubborn.add(stage);
          return stage;
        });
    rig.device("a", "one").apply().advance(Duration.ofMillis(3500));
    stubborn.get(0).complete(List.of(Sample.good("p0", Value.of(99))));
    rig.settle();

    assertThat(rig.buffer.of("a")).isEmpty();
    assertThat(rig.engine.figures().read()).isZero();
  }

  @Test
  void aCheckThatThrowsMakesTheDeviceInvalidAndNamesTheDriver() {
    FakeDriver hostile =
        new FakeDriver(rig) {
          @Override
          public String lane(io.culvert.api.Device device) {
            throw new LinkageError("wrong library");
          }
        };
    rig.plug("hostile", hostile, 9, "2.0.0").device("a", "one").apply().seconds(1);

    assertThat(rig.status("a").state()).isEqualTo(State.INVALID);
    assertThat(rig.status("a").message())
        .isEqualTo(
            "The driver of fake failed to check it: the driver threw LinkageError: wrong library;"
                + " tell its maker");
  }

  @Test
  void aCloseThatThrowsHarmsNobody() {
    rig.driver.opens.put(
        "a",
        () ->
            CompletableFuture.completedFuture(
                () -> {
                  throw new IllegalStateException("can't");
                }));
    rig.device("a", "one").device("b", "one").apply().seconds(3);
    rig.without("a").apply().seconds(3);

    assertThat(rig.driver.polls("b")).hasSize(6);
  }
}
