package io.culvert.api.service;

import io.culvert.api.southbound.Diagnosed;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The doctor: how each lane and the devices on it fare, what is wrong there, and what to do.
 *
 * <p>Figures are of a sliding window of five to ten minutes, longer for devices that are polled
 * rarely; they outlive the connections that they come from, and begin anew when the configuration
 * of the device changes.
 */
@ProviderType
public interface Doctor {

  /**
   * Looks at every lane that has devices. Any thread; doesn't block.
   *
   * @return those in trouble first; completes within two seconds, and doesn't fail
   */
  CompletionStage<List<Lane>> examine();

  /** What is the matter, the worst first. */
  enum Cause {
    /** None of several devices answers: cable, converter or supply of the line. */
    DEAD_LINE,
    /** Something comes back, but never a whole answer: baud, parity, or the wires swapped. */
    SPEED,
    /** Somebody else asks on this line. */
    SECOND_MASTER,
    /** Answers or requests are damaged on their way. */
    WIRING,
    /** A unit number that nobody has, or that two have. */
    ADDRESS,
    /** A device that answered before is silent, while others answer. */
    DEAD_DEVICE,
    /** More is asked of the lane or of a device than it can do. */
    OVERLOAD,
    /** Answers come near the deadline, or after it. */
    SLOW_DEVICE,
    /** Answers are missing or of no use now and then, and nothing tells why. */
    UNSTEADY,
    /** The device answers, but refuses points: its profile doesn't fit. */
    REFUSED,
    /** Too little was heard to judge. */
    UNHEARD,
    HEALTHY
  }

  /**
   * @param devices whom it concerns; empty if it is the lane as a whole
   * @param evidence what was seen, in one sentence
   * @param advice what to do; {@code ""} if nothing
   */
  record Finding(Cause cause, List<String> devices, String evidence, String advice) {
    public Finding {
      Objects.requireNonNull(cause, "cause");
      devices = List.copyOf(devices);
    }
  }

  /**
   * @param name as the driver names it, such as {@code serial:/dev/ttyS1}
   * @param devices in the order of the site
   * @param findings the worst first; never empty
   */
  record Lane(String name, Figures figures, List<Patient> devices, List<Finding> findings) {
    public Lane {
      devices = List.copyOf(devices);
      findings = List.copyOf(findings);
    }
  }

  /**
   * Figures of a lane. A share is of the time, 0 to 1.
   *
   * @param span of these figures
   * @param busy share taken by exchanges
   * @param unanswered share taken by exchanges that stayed unanswered
   * @param wanted share that all polls would take at their intervals, if every device that ever
   *     answered did; above 1, they don't fit
   * @param round how long it takes to poll everything once: the shortest interval that all devices
   *     of the lane could have; zero if nothing has been measured yet
   * @param meanWait for a turn
   * @param longestWait for a turn
   * @param line what drivers counted in the span; {@code null} if they count nothing
   */
  record Figures(
      Duration span,
      double busy,
      double unanswered,
      double wanted,
      Duration round,
      Duration meanWait,
      Duration longestWait,
      Diagnosed.LineFacts line) {}

  /**
   * Figures of one device.
   *
   * @param state as {@link Monitor} tells it
   * @param timeout deadline of an exchange
   * @param span of these figures
   * @param cycles what it is asked, and how often
   * @param latency {@code null} if nothing was answered in the span
   * @param meanWait for a turn on the lane
   * @param longestWait for a turn on the lane
   * @param busy share of the lane's time that its exchanges took
   * @param facts what its driver counted in the span; {@code null} if it counts nothing
   * @param refused points without a value though the device answers, by the quality they have
   *     instead
   * @param lastAnswer {@code null} if never
   * @param lastTrouble when it last failed to answer, or something broken came; {@code null} if
   *     never
   * @param lastFailure how the last exchange that brought nothing failed; {@code ""} if none did
   */
  record Patient(
      String device,
      Monitor.State state,
      Duration timeout,
      Duration span,
      List<Cycle> cycles,
      Exchanges exchanges,
      Latency latency,
      Duration meanWait,
      Duration longestWait,
      double busy,
      Diagnosed.Facts facts,
      Map<String, List<String>> refused,
      Instant lastAnswer,
      Instant lastTrouble,
      String lastFailure) {
    public Patient {
      cycles = List.copyOf(cycles);
      refused = Map.copyOf(refused);
    }
  }

  /**
   * Exchanges of the core with one device, each of which may be several requests.
   *
   * @param made openings that failed among them
   * @param answered brought an answer, if only a refusal
   * @param timeouts ended by their deadline
   * @param missed polls that weren't made, because an earlier one was still under way or waited
   * @param unansweredInARow so many of the last ones brought nothing; not bounded by the span
   */
  record Exchanges(long made, long answered, long timeouts, long missed, long unansweredInARow) {}

  /** Times from asking to the answer of an exchange; right to an eighth, the longest exactly. */
  record Latency(Duration median, Duration percentile95, Duration longest) {}

  /**
   * Points that are read together.
   *
   * @param interval between two readings
   * @param takes how long one takes of the lane on average; zero if none has been answered yet
   */
  record Cycle(Duration interval, Duration takes) {}
}
