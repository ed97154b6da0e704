package io.culvert.simulator.street;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/** Reads how a quantity behaves: parts, each a model with its parameters, added up. */
final class Behaviour {
  private static final double QUARTER_HOUR = 900;
  private static final List<String> MODELS =
      List.of(
          "constant",
          "daily",
          "peaks",
          "rain",
          "walk",
          "noise",
          "sawtooth",
          "running",
          "counter",
          "follow",
          "above",
          "spikes",
          "absent",
          "choice");

  private Behaviour() {}

  /**
   * The behaviour below {@code key}: a list of parts, or {@code {min, max, parts}}.
   *
   * @param index finds another quantity of the device, −1 if there is none
   */
  static Signal read(Section at, String key, ToIntFunction<String> index) {
    if (at.isList(key)) {
      return Signal.sum(parts(at.sections(key), index), Double.NaN, Double.NaN);
    }
    Section bounds = at.section(key).orElseThrow();
    double min = bounds.number("min", Double.NaN);
    double max = bounds.number("max", Double.NaN);
    Signal[] parts = parts(bounds.sections("parts"), index);
    bounds.refuseOthers();
    return Signal.sum(parts, min, max);
  }

  private static Signal[] parts(List<Section> sections, ToIntFunction<String> index) {
    List<Signal> parts = new ArrayList<>();
    for (Section part : sections) {
      if (part.keys().size() != 1 || !MODELS.contains(part.keys().get(0))) {
        part.wrong(
            part.keys().isEmpty() ? "" : part.keys().get(0),
            "found " + part.keys() + ", expected one of " + String.join(", ", MODELS));
        continue;
      }
      String model = part.keys().get(0);
      Section parameters = part.section(model).orElseThrow();
      parts.add(part(model, parameters, index));
      parameters.refuseOthers();
    }
    return parts.toArray(Signal[]::new);
  }

  private static Signal part(String model, Section p, ToIntFunction<String> index) {
    return switch (model) {
      case "constant" -> Signal.constant(p.number("value"));
      case "daily" ->
          Signal.daily(p.number("mean"), p.number("amplitude"), p.clocks("peak", 50_400)[0]);
      case "peaks" ->
          Signal.peaks(
              p.number("height"), p.clocks("at", 28_800, 72_000), seconds(p, "width", 5_400));
      case "rain" ->
          Signal.rain(
              p.number("height"),
              seconds(p, "every", 21_600),
              seconds(p, "rise", 600),
              seconds(p, "fall", 1_800));
      case "walk" -> Signal.walk(p.number("amplitude"), seconds(p, "period", QUARTER_HOUR));
      case "noise" -> Signal.noise(p.number("sd"));
      case "sawtooth" ->
          Signal.sawtooth(
              p.number("low"),
              p.number("high"),
              seconds(p, "period", QUARTER_HOUR),
              share(p, "fall", 0.3));
      case "running" ->
          Signal.running(
              p.number("value", 1), seconds(p, "period", QUARTER_HOUR), share(p, "fall", 0.3));
      case "counter" -> Signal.counter(p.number("start", 0), p.number("rate"));
      case "follow" -> Signal.follow(other(p, index), p.number("factor", 1), p.number("offset", 0));
      case "above" -> Signal.above(other(p, index), p.number("limit"));
      case "spikes" ->
          Signal.spikes(
              p.number("low"), p.number("high"), seconds(p, "every", 60), seconds(p, "decay", 1));
      case "absent" -> Signal.absent(seconds(p, "every", 600), seconds(p, "for", 30));
      default -> Signal.choice(p.numbers("values"), seconds(p, "every", QUARTER_HOUR));
    };
  }

  private static int other(Section p, ToIntFunction<String> index) {
    int found = index.applyAsInt(p.text("point"));
    if (found < 0) {
      p.wrong("point", "found '" + p.text("point") + "', which the device doesn't have");
      return 0;
    }
    return found;
  }

  private static double share(Section p, String key, double absent) {
    double share = p.number(key, absent);
    if (!(share > 0 && share < 1)) {
      p.wrong(key, "found " + share + " for '" + key + "', expected a share between 0 and 1");
      return absent;
    }
    return share;
  }

  private static double seconds(Section p, String key, double absent) {
    Duration duration = p.duration(key, Duration.ofMillis(Math.round(absent * 1000)));
    if (duration.isZero()) {
      p.wrong(key, "found 0 for '" + key + "', expected a time longer than that");
      return 1;
    }
    return duration.toMillis() / 1000.0;
  }
}
