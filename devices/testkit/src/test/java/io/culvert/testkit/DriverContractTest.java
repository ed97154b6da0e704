package io.culvert.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Value;
import io.culvert.api.southbound.Driver;
import io.culvert.testkit.TallyDriver.Can;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.UniqueId;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * The contract can fail: for each rule there is a driver that breaks just that one, and just the
 * case of that rule says so, in words that its author understands.
 */
class DriverContractTest {
  private static final Point LEVEL = point("level", Access.READ);
  private static final Point FLOW = point("flow", Access.READ);
  private static final Point HOLE = point("hole", Access.READ);
  private static final Point SETPOINT = point("setpoint", Access.READ_WRITE);

  private static Flaw flaw;
  private static Can can;

  private static Point point(String name, Access access) {
    return new Point(name, name, DataType.INT64, access);
  }

  /** What is run within the test. */
  static class Tally extends DriverContract {
    @Override
    Duration patience() {
      return Duration.ofSeconds(3);
    }

    @Override
    protected Peer peer() throws Exception {
      Script script = Script.beside(Tally.class, "tally.script").sum("crc", TallyDriver::sum);
      ScriptedPeer peer = ScriptedPeer.tcp("tally://%s", script).hasCheckSum();
      if (can != Can.WRITE) {
        peer.shows(LEVEL, Value.of(1234567)).shows(FLOW, Value.of(98765)).refuses(HOLE);
        peer.neighbour("tally://%s/2", Map.of(LEVEL, Value.of(222)));
      }
      if (can == Can.WRITE || can == Can.EVERYTHING && flaw != Flaw.CAN_WRITE_MORE) {
        peer.writes(SETPOINT, Value.of(17), Value.of(4));
      }
      if (can == Can.SUBSCRIBE || can == Can.EVERYTHING) {
        peer.tells((point, value) -> "'0000 " + point.address() + " " + value + " ' <crc> 0A");
      }
      return can == Can.EVERYTHING
          ? new Remembering(peer, FLOW, flaw != Flaw.COMPLETE_THOUGH_FORGOTTEN)
          : peer;
    }

    @Override
    protected Driver activate() {
      return new TallyDriver(flaw, can);
    }

    @Override
    protected void deactivate(Driver driver) {
      ((TallyDriver) driver).deactivate();
    }
  }

  /** What came of a run, by case. */
  private static final class Outcome implements TestExecutionListener {
    final Map<String, List<String>> failures = new LinkedHashMap<>();
    final TreeSet<String> passed = new TreeSet<>();
    final List<String> skipped = new ArrayList<>();

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
      skipped.add(test.getDisplayName());
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
      String name =
          test.getUniqueIdObject().getSegments().stream()
              .filter(segment -> segment.getType().matches("method|test-factory"))
              .map(UniqueId.Segment::getValue)
              .map(value -> value.substring(0, value.indexOf('(')))
              .findFirst()
              .orElse("");
      if (result.getStatus() == TestExecutionResult.Status.ABORTED) {
        skipped.add(name);
      } else if (result.getStatus() == TestExecutionResult.Status.FAILED) {
        failures
            .computeIfAbsent(name, n -> new ArrayList<>())
            .add(String.valueOf(result.getThrowable().orElseThrow().getMessage()));
      } else if (test.isTest()) {
        passed.add(name);
      }
    }
  }

  private static Outcome run(Flaw with, Can what, boolean hostile) {
    flaw = with;
    can = what;
    Outcome outcome = new Outcome();
    PostDiscoveryFilter filter =
        test ->
            FilterResult.includedIf(
                hostile
                    || !(test.getSource().orElse(null) instanceof MethodSource source)
                    || !source.getMethodName().equals(Flaw.HOSTILE));
    LauncherFactory.create()
        .execute(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(Tally.class))
                .filters(filter)
                .build(),
            outcome);
    return outcome;
  }

  @ParameterizedTest
  @EnumSource
  void aDriverThatDoesAsItShouldPasses(Can can) {
    Outcome outcome = run(null, can, can == Can.EVERYTHING || can == Can.SUBSCRIBE);
    assertThat(outcome.failures).isEmpty();
    assertThat(outcome.skipped).isEmpty();
    if (can == Can.EVERYTHING) {
      assertThat(outcome.passed).containsExactlyInAnyOrderElementsOf(cases());
    } else {
      assertThat(outcome.passed)
          .contains("closingFromAnotherThreadEndsWhatIsPending")
          .hasSizeBetween(16, cases().size() - 1);
    }
  }

  private static List<String> cases() {
    return Stream.of(DriverContract.class.getDeclaredMethods())
        .filter(
            method ->
                method.isAnnotationPresent(Test.class)
                    || method.isAnnotationPresent(TestFactory.class))
        .map(Method::getName)
        .toList();
  }

  @ParameterizedTest
  @EnumSource
  void eachFlawIsFoundByItsCase(Flaw flaw) {
    Outcome outcome = run(flaw, Can.EVERYTHING, flaw.found().contains(Flaw.HOSTILE));
    String first = flaw.found().get(0);
    if (flaw.found().contains("*")) {
      assertThat(outcome.failures).containsKey(first);
    } else {
      assertThat(outcome.failures.keySet())
          .as("%s", outcome.failures)
          .containsExactlyInAnyOrderElementsOf(flaw.found());
    }
    assertThat(outcome.failures.get(first))
        .anySatisfy(message -> assertThat(message).containsPattern("(?s)" + flaw.message()));
  }
}
