package io.culvert.simulator.evil;

import io.culvert.simulator.platform.JsonTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * What the gateway says of its plug-ins, asked now and then as a person at the cabinet would: by
 * {@code bin/culvert status --json}. What it said once is kept, for a quarantine comes and goes.
 */
public final class GatewayWord implements AutoCloseable {
  private static final long BETWEEN_SECONDS = 5;
  private static final long PATIENCE_SECONDS = 30;

  private final Path home;
  private final Path file;
  private final Map<String, Said> plugins = new TreeMap<>();
  private final Thread asking;
  private final CountDownLatch closed = new CountDownLatch(1);
  private int answers;
  private int silences;

  /**
   * What it said of one plug-in.
   *
   * @param stage of its life, at last; {@code ""} if it doesn't know it
   * @param hosted whether it runs in a process of its own
   * @param message at last, {@code ""} if all is well with it
   * @param process what was wrong with its process, at last; {@code ""} if nothing ever was
   * @param ends how often its process ended by itself
   * @param quarantine why it was in quarantine, each reason once
   * @param times how often it was
   * @param threads at most
   * @param stuck calls at most that held a thread
   * @param errors so far
   * @param devices what it says of each device, at last
   */
  public record Said(
      String stage,
      boolean hosted,
      String message,
      String process,
      long ends,
      List<String> quarantine,
      long times,
      long threads,
      long stuck,
      long errors,
      Map<String, String> devices) {
    static final Said NOTHING = new Said("", false, "", "", 0, List.of(), 0, 0, 0, 0, Map.of());

    /** The same in which what is new has come to what was said before. */
    private Said with(
        Map<?, ?> plugin, Map<?, ?> host, Map<?, ?> driver, Map<String, String> present) {
      String word = text(plugin, "message");
      int trouble = word.indexOf("its process ");
      List<String> reasons = new ArrayList<>(quarantine);
      Map<?, ?> now = driver.get("quarantine") instanceof Map<?, ?> map ? map : Map.of();
      if (now.get("reason") instanceof String reason && !reasons.contains(reason)) {
        reasons.add(reason);
      }
      return new Said(
          text(plugin, "stage"),
          Boolean.TRUE.equals(plugin.get("hosted")),
          word,
          trouble < 0 ? process : word.substring(trouble),
          Math.max(ends, number(host, "ends")),
          List.copyOf(reasons),
          Math.max(times, number(now, "times")),
          Math.max(threads, number(driver, "threads")),
          Math.max(stuck, number(driver, "stuck")),
          Math.max(errors, number(driver, "errors")),
          present);
    }
  }

  /**
   * @param home of the gateway
   * @param file for its answers
   */
  public GatewayWord(Path home, Path file) {
    this.home = home;
    this.file = file;
    this.asking = new Thread(this::run, "gateway-word");
    asking.setDaemon(true);
  }

  /** Begins to ask. */
  public void begin() {
    asking.start();
  }

  private void run() {
    try {
      while (!closed.await(BETWEEN_SECONDS, TimeUnit.SECONDS)) {
        ask();
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  private void ask() throws InterruptedException {
    Object answer = null;
    Process client = null;
    try {
      client =
          new ProcessBuilder(home.resolve("bin/culvert").toString(), "status", "--json")
              .redirectOutput(file.toFile())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (client.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        answer = JsonTree.read(Files.readAllBytes(file));
      }
    } catch (IOException e) {
      // It doesn't run yet, or is too busy to answer; counted.
    } finally {
      if (client != null) {
        client.destroyForcibly();
      }
    }
    hear(answer);
  }

  private synchronized void hear(Object answer) {
    if (!(answer instanceof Map<?, ?> status)) {
      silences++;
      return;
    }
    answers++;
    Map<String, Map<?, ?>> drivers = by("plugin", status.get("drivers"));
    Map<String, Map<?, ?>> hosts = by("plugin", status.get("processes"));
    Map<String, Map<?, ?>> devices = by("id", status.get("devices"));
    by("symbolicName", status.get("plugins"))
        .forEach(
            (name, plugin) -> {
              Map<String, String> present = new TreeMap<>();
              devices.forEach(
                  (id, device) -> {
                    if (name.equals(pluginOf(id))) {
                      present.put(
                          id, (text(device, "state") + " " + text(device, "message")).strip());
                    }
                  });
              Said before = plugins.getOrDefault(name, Said.NOTHING);
              plugins.put(
                  name,
                  before.with(
                      plugin,
                      hosts.getOrDefault(name, Map.of()),
                      drivers.getOrDefault(name, Map.of()),
                      present));
            });
  }

  private static String pluginOf(String device) {
    for (Evil evil : Evil.values()) {
      if (device.matches(evil.scheme() + "-\\d+")) {
        return evil.plugin();
      }
    }
    return "";
  }

  private static Map<String, Map<?, ?>> by(String key, Object list) {
    Map<String, Map<?, ?>> all = new TreeMap<>();
    if (list instanceof List<?> items) {
      for (Object item : items) {
        if (item instanceof Map<?, ?> map && map.get(key) instanceof String name) {
          all.put(name, map);
        }
      }
    }
    return all;
  }

  private static String text(Map<?, ?> map, String key) {
    return map.get(key) instanceof String text ? text : "";
  }

  private static long number(Map<?, ?> map, String key) {
    return map.get(key) instanceof Double number ? number.longValue() : 0;
  }

  /** What it has said of a plug-in so far. */
  public synchronized Said of(Evil evil) {
    return plugins.getOrDefault(evil.plugin(), Said.NOTHING);
  }

  /** How often it answered. */
  public synchronized int answers() {
    return answers;
  }

  /** How often it didn't. */
  public synchronized int silences() {
    return silences;
  }

  /** Asks no more. */
  @Override
  public void close() {
    closed.countDown();
    asking.interrupt();
  }
}
