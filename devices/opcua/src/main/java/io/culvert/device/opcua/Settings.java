package io.culvert.device.opcua;

import io.culvert.api.Problem;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;

/**
 * What the driver is told beyond the endpoint.
 *
 * @param security how the server is met, and as whom
 * @param mode whether the server tells by itself or is asked
 * @param publishing how often the server sends what it has to tell; 500 ms if not set
 * @param sampling how often the server looks at a point whose address says nothing; as {@code
 *     publishing} if not set. 0 is as fast as the server can
 * @param queue how many values of such a point the server keeps until it can send them, above all
 *     while the link is lost; 1 to 100,000, 100 if not set
 * @param deadband of such a point; {@code null} if not set
 * @param trigger of such a point; {@code VALUE} if not set
 * @param time whether a sample's time is that of the source, or of the server
 * @param root node that relative addresses start at; {@code null} if not set, which is the Objects
 *     folder
 * @param locales languages for texts, in the order of preference; {@code zh-CN} and {@code en} if
 *     not set
 * @param servers further ones that know the same, in order
 * @param keepAlive how often the link is looked at; lost, it is noticed after twice that at the
 *     latest. 1 s to 60 s, 5 s if not set
 * @param timeout how long a request may stay unanswered; 1 s to 60 s, 10 s if not set
 */
record Settings(
    SecuritySettings security,
    Mode mode,
    Duration publishing,
    Duration sampling,
    int queue,
    Deadband deadband,
    Trigger trigger,
    Time time,
    NodeRef root,
    List<String> locales,
    List<Endpoint> servers,
    Duration keepAlive,
    Duration timeout) {

  enum Mode {
    SUBSCRIBE,
    POLL
  }

  enum Time {
    SOURCE,
    SERVER
  }

  static final Duration LONGEST = Duration.ofMinutes(60);
  static final int MAX_QUEUE = 100_000;

  /** Beyond those of security. */
  private static final List<String> KEYS =
      List.of(
          "mode",
          "publishing",
          "sampling",
          "queue",
          "deadband",
          "trigger",
          "time",
          "root",
          "locale",
          "servers",
          "keepAlive",
          "timeout");

  private static final Pattern LOCALE = Pattern.compile("[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*");

  static Settings parse(Map<String, String> settings, Consumer<Problem> problems) {
    List<String> keys = new ArrayList<>(SecuritySettings.KEYS);
    keys.addAll(KEYS);
    for (String key : settings.keySet()) {
      if (!keys.contains(key)) {
        problems.accept(new Problem("settings." + key, key, "one of " + String.join(", ", keys)));
      }
    }
    return new Reader(settings, problems).read();
  }

  /** Those that devices on one session have in common; of the others, what is there if not set. */
  Settings ofSession() {
    return new Settings(
        security,
        Mode.SUBSCRIBE,
        Duration.ZERO,
        Duration.ZERO,
        1,
        null,
        Trigger.VALUE,
        Time.SOURCE,
        null,
        locales,
        List.of(),
        keepAlive,
        timeout);
  }

  /** A value with the time that counts. */
  DataValue timed(DataValue value) {
    return time == Time.SOURCE || value.getServerTime() == null
        ? value
        : new DataValue(
            value.getValue(),
            value.getStatusCode(),
            null,
            null,
            value.getServerTime(),
            value.getServerPicoseconds());
  }

  private record Reader(Map<String, String> settings, Consumer<Problem> problems) {
    Settings read() {
      Duration publishing =
          span("publishing", Duration.ofMillis(10), LONGEST, Duration.ofMillis(500));
      return new Settings(
          SecuritySettings.parse(settings, problems),
          choice("mode", Mode.SUBSCRIBE, Mode.POLL, "subscribe", "poll"),
          publishing,
          span("sampling", Duration.ZERO, LONGEST, publishing),
          queue(),
          deadband(),
          trigger(),
          choice("time", Time.SOURCE, Time.SERVER, "source", "server"),
          root(),
          locales(),
          servers(),
          span("keepAlive", Duration.ofSeconds(1), Duration.ofSeconds(60), Duration.ofSeconds(5)),
          span("timeout", Duration.ofSeconds(1), Duration.ofSeconds(60), Duration.ofSeconds(10)));
    }

    private void tell(String key, String found, String expected) {
      problems.accept(
          new Problem("settings." + key, found.isBlank() ? "nothing" : found, expected));
    }

    private Duration span(String key, Duration least, Duration most, Duration otherwise) {
      String text = settings.get(key);
      if (text == null) {
        return otherwise;
      }
      return Spans.parse(text, least, most)
          .orElseGet(
              () -> {
                tell(
                    key,
                    text,
                    Spans.words(least) + "–" + Spans.words(most) + ", such as 250ms or 5s");
                return otherwise;
              });
    }

    private <T> T choice(String key, T first, T second, String one, String other) {
      String text = settings.getOrDefault(key, one);
      if (!text.equals(one) && !text.equals(other)) {
        tell(key, text, one + " or " + other);
      }
      return text.equals(other) ? second : first;
    }

    private int queue() {
      String text = settings.getOrDefault("queue", "100");
      if (Pattern.matches("[0-9]{1,6}", text)) {
        int queue = Integer.parseInt(text);
        if (queue >= 1 && queue <= MAX_QUEUE) {
          return queue;
        }
      }
      tell("queue", text, "1–" + MAX_QUEUE + " values");
      return 1;
    }

    private Deadband deadband() {
      String text = settings.get("deadband");
      if (text == null) {
        return null;
      }
      return Deadband.parse(text)
          .orElseGet(
              () -> {
                tell("deadband", text, Deadband.EXPECTED);
                return null;
              });
    }

    private Trigger trigger() {
      String text = settings.getOrDefault("trigger", "value");
      return Trigger.parse(text)
          .orElseGet(
              () -> {
                tell("trigger", text, Trigger.EXPECTED);
                return Trigger.VALUE;
              });
    }

    private NodeRef root() {
      String text = settings.get("root");
      return text == null
          ? null
          : NodeRef.parse(text, (found, expected) -> tell("root", found, expected));
    }

    private List<String> locales() {
      List<String> locales = List.of(settings.getOrDefault("locale", "zh-CN,en").split(" *, *"));
      if (locales.size() > 10 || !locales.stream().allMatch(LOCALE.asMatchPredicate())) {
        tell("locale", settings.get("locale"), "languages in order, such as zh-CN,en");
      }
      return locales;
    }

    private List<Endpoint> servers() {
      String text = settings.getOrDefault("servers", "");
      List<Endpoint> servers = new ArrayList<>();
      for (String part : text.isBlank() ? new String[0] : text.split(",", -1)) {
        try {
          Endpoint server = Endpoint.parse(new URI(part.strip()), "settings.servers", problems);
          if (server != null) {
            servers.add(server);
          }
        } catch (URISyntaxException wrong) {
          tell(
              "servers",
              part.strip(),
              "endpoints separated by commas, such as opc.tcp://plc2:4840");
        }
      }
      return List.copyOf(servers);
    }
  }
}
