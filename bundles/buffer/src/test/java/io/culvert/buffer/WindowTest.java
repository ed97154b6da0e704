package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WindowTest {
  private final Window window = new Window(10, 1000);
  private final List<Window.Call> givenUp = new ArrayList<>();
  private int number;

  /** Adds so many readings of a class, numbered on; whether they were taken. */
  private boolean add(StreamClass streamClass, int count) {
    List<Reading> readings = Readings.numbered("a", number, number + count);
    number += count;
    return window.add(readings, streamClass, 10L * count, givenUp) != null;
  }

  private static List<String> names(List<Window.Call> calls) {
    return calls.stream()
        .map(
            call ->
                call.streamClass()
                    + " "
                    + (call.readings().get(0).eventTime().toEpochMilli()
                        - Readings.T0.toEpochMilli()))
        .toList();
  }

  @Test
  void theOldestOfTheLeastImportantGo() {
    add(StreamClass.ALARM, 1);
    add(StreamClass.TELEMETRY, 2);
    add(StreamClass.EVENT, 1);
    add(StreamClass.STATE, 2);
    add(StreamClass.TELEMETRY, 2);
    add(StreamClass.STATE, 2);
    assertThat(givenUp).isEmpty();

    add(StreamClass.TELEMETRY, 1);
    assertThat(names(givenUp)).containsExactly("TELEMETRY 1");
    add(StreamClass.EVENT, 5);
    assertThat(names(givenUp))
        .containsExactly("TELEMETRY 1", "TELEMETRY 6", "TELEMETRY 10", "STATE 4");
    assertThat(names(window.take(1000)))
        .as("the rest in the order of arrival")
        .containsExactly("ALARM 0", "EVENT 3", "STATE 8", "EVENT 11");
  }

  @Test
  void nothingGoesForWhatIsLessImportantOrCanNotFit() {
    add(StreamClass.ALARM, 8);
    assertThat(add(StreamClass.EVENT, 2)).isTrue();
    assertThat(add(StreamClass.TELEMETRY, 1)).isFalse();
    assertThat(add(StreamClass.EVENT, 3)).as("there aren't so many of them").isFalse();
    assertThat(add(StreamClass.ALARM, 11)).as("more than fit at all").isFalse();
    assertThat(givenUp).isEmpty();
    assertThat(window.readings()).isEqualTo(10);
  }

  @Test
  void bytesAreABoundToo() {
    assertThat(window.add(Readings.numbered("a", 0, 1), StreamClass.STATE, 900, givenUp))
        .isNotNull();
    assertThat(window.add(Readings.numbered("a", 1, 2), StreamClass.STATE, 101, givenUp))
        .isNotNull();
    assertThat(names(givenUp)).containsExactly("STATE 0");
    assertThat(window.bytes()).isEqualTo(101);
  }

  @Test
  void whatIsTakenCountsAndIsNotGivenUpUntilItIsDone() {
    add(StreamClass.TELEMETRY, 4);
    add(StreamClass.TELEMETRY, 4);
    assertThat(window.take(1)).as("one at least").hasSize(1);
    assertThat(window.readings()).isEqualTo(8);
    add(StreamClass.ALARM, 4);
    assertThat(names(givenUp)).containsExactly("TELEMETRY 4");
    assertThat(add(StreamClass.TELEMETRY, 4)).isFalse();
    window.done();
    assertThat(window.readings()).isEqualTo(4);
    assertThat(add(StreamClass.TELEMETRY, 4)).isTrue();
  }
}
