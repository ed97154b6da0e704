package io.culvert.simulator.evil;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** The plug-ins of the gallery, by how they fail. */
public enum Evil {
  HANGS("hangs", "Hangs", false),
  THROWS("throws", "Throws", false),
  FLOODS("floods", "Floods", false),
  THREADS("threads", "LeaksThreads", false),
  SOCKETS("sockets", "LeaksSockets", false),
  BLOCKS_CLOSE("blocks-close", "BlocksClose", false),
  BLOCKS_STOP("blocks-stop", "BlocksStop", false),
  WRONG_THREAD("wrong-thread", "WrongThread", false),
  NONSENSE("nonsense", "Nonsense", false),
  SLOW_VALIDATE("slow-validate", "SlowValidate", false),
  SPINS("spins", "Spins", true),
  HEAP("heap", "EatsHeap", true),
  EXITS("exits", "Exits", true),
  HALTS("halts", "Halts", true),
  CRASHES("crashes", "Crashes", true);

  private final String key;
  private final String driver;
  private final boolean hosted;

  Evil(String key, String driver, boolean hosted) {
    this.key = key;
    this.driver = driver;
    this.hosted = hosted;
  }

  /** Its name on the command line and in reports. */
  public String key() {
    return key;
  }

  /** Symbolic name of its plug-in. */
  public String plugin() {
    return "com.example.evil." + key;
  }

  /** Scheme of its endpoints, and id of its profile. */
  public String scheme() {
    return "evil-" + key;
  }

  /** Whether one process isn't enough for it and the gateway: it belongs in one of its own. */
  public boolean hosted() {
    return hosted;
  }

  /** Simple name of its driver's class. Not the class: nobody here loads it. */
  String driver() {
    return driver;
  }

  static Optional<Evil> named(String key) {
    return Arrays.stream(values()).filter(evil -> evil.key.equals(key)).findFirst();
  }

  static String keys() {
    return Arrays.stream(values()).map(Evil::key).collect(Collectors.joining(", "));
  }
}
