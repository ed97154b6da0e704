package io.culvert.testkit;

import java.io.IOException;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Finds threads, sockets, pipes, devices and files that are left behind. As an extension of JUnit,
 * {@code @ExtendWith(LeakDetector.class)}, it fails each test that leaves any after its {@code
 * AfterEach}; or {@linkplain #mark mark} a moment and compare with it later.
 *
 * <p>Looks at the whole process, so nothing else may run in it. Descriptors are found on Linux
 * only; what the Java runtime keeps for itself doesn't count.
 */
public final class LeakDetector implements BeforeEachCallback, AfterEachCallback {
  /** How long what has been told to end may take. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** What one look and the pause before it count at most. */
  private static final Duration LONGEST_ROUND = Duration.ofMillis(100);

  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  /** The Java runtime's, JUnit's and Maven's own. */
  private static final Pattern RUNTIME_THREADS =
      Pattern.compile(
          "process reaper.*|junit-.*|surefire-.*|Common-Cleaner|Cleaner-.*|Finalizer"
              + "|Reference Handler|Signal Dispatcher|Attach Listener|CompletableFutureDelayScheduler"
              + "|ForkJoinPool\\.commonPool-.*|Keep-Alive-Timer|Notification Thread");

  /** Classes that are loaded, and what the runtime takes its chance from. */
  private static final Pattern RUNTIME_FILES =
      Pattern.compile(
          ".*\\.(jar|jmod|so|class)( \\(deleted\\))?|.*/lib/modules|/dev/u?random|/dev/null|/proc/.*");

  private static final String[] TCP_STATES = {
    "",
    "established",
    "connecting",
    "connecting",
    "closing",
    "closing",
    "closing",
    "closed",
    "closed by the other side",
    "closing",
    "listening",
    "closing"
  };

  private static final ExtensionContext.Namespace STORE =
      ExtensionContext.Namespace.create(LeakDetector.class);

  static {
    try {
      // What the runtime opens once and keeps.
      SocketChannel.open().close();
      Selector.open().close();
    } catch (IOException none) {
      throw new ExceptionInInitializerError(none);
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    context.getStore(STORE).put(Mark.class, mark());
  }

  @Override
  public void afterEach(ExtensionContext context) {
    context.getStore(STORE).get(Mark.class, Mark.class).nothingLeft();
  }

  /** What there is now. */
  public static Mark mark() {
    return new Mark(Set.copyOf(Thread.getAllStackTraces().keySet()), descriptors());
  }

  /** What there was at a moment. */
  public static final class Mark {
    private final Set<Thread> threads;
    private final Map<String, Integer> descriptors;

    private Mark(Set<Thread> threads, Map<String, Integer> descriptors) {
      this.threads = threads;
      this.descriptors = descriptors;
    }

    /**
     * Waits until nothing is left that came since, some seconds at most.
     *
     * @throws AssertionError that names what is left: threads and where they are, sockets and whom
     *     they reach
     */
    public void nothingLeft() {
      none(true, PATIENCE);
    }

    /** Waits so long; and threads may be left if they don't count. */
    void none(boolean andThreads, Duration patience) {
      long waited = 0;
      long last = System.nanoTime();
      List<String> left = left(andThreads);
      while (!left.isEmpty()) {
        if (waited > patience.toNanos()) {
          throw new AssertionError(
              "Left behind after "
                  + patience.toSeconds()
                  + " s: "
                  + String.join(System.lineSeparator() + "  and ", left));
        }
        // Some of the runtime's objects end what they hold when they are collected.
        System.gc();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        // A machine that stands still meanwhile gives nobody the time to end.
        long now = System.nanoTime();
        waited += Math.min(now - last, LONGEST_ROUND.toNanos());
        last = now;
        left = left(andThreads);
      }
    }

    private List<String> left(boolean andThreads) {
      List<String> left = new ArrayList<>();
      if (andThreads) {
        Set<Thread> now = new HashSet<>(Thread.getAllStackTraces().keySet());
        now.removeAll(threads);
        now.remove(Thread.currentThread());
        now.stream()
            .filter(thread -> thread.isAlive())
            .filter(thread -> !RUNTIME_THREADS.matcher(thread.getName()).matches())
            .forEach(thread -> left.add(described(thread)));
      }
      Map<String, Integer> now = descriptors();
      Map<String, String> sockets = null;
      for (Map.Entry<String, Integer> one : now.entrySet()) {
        int more = one.getValue() - descriptors.getOrDefault(one.getKey(), 0);
        if (more > 0) {
          sockets = sockets == null ? sockets() : sockets;
          left.add(
              sockets.getOrDefault(one.getKey(), one.getKey())
                  + (more > 1 ? ", " + more + " times" : ""));
        }
      }
      return left;
    }
  }

  private static String described(Thread thread) {
    String stack =
        Stream.of(thread.getStackTrace())
            .map(frame -> System.lineSeparator() + "      at " + frame)
            .collect(Collectors.joining());
    return "the thread "
        + thread.getName()
        + ", which stands"
        + (stack.isEmpty() ? " still" : stack);
  }

  /** What the descriptors of this process stand for, and how many for each. */
  private static Map<String, Integer> descriptors() {
    Map<String, Integer> found = new TreeMap<>();
    if (!Files.isDirectory(DESCRIPTORS)) {
      return found;
    }
    try (DirectoryStream<Path> all = Files.newDirectoryStream(DESCRIPTORS)) {
      for (Path one : all) {
        try {
          String target = Files.readSymbolicLink(one).toString();
          if (!RUNTIME_FILES.matcher(target).matches()) {
            found.merge(target, 1, Integer::sum);
          }
        } catch (IOException closedMeanwhile) {
          // Then it isn't left.
        }
      }
    } catch (IOException unreadable) {
      throw new IllegalStateException(
          "The descriptors of this process can't be listed", unreadable);
    }
    return found;
  }

  /** The TCP sockets of this machine in words, by the name that a descriptor gives them. */
  private static Map<String, String> sockets() {
    Map<String, String> sockets = new HashMap<>();
    for (String table : new String[] {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
      try (Stream<String> lines = Files.lines(Path.of(table))) {
        lines
            .skip(1)
            .map(line -> line.strip().split("\\s+"))
            .forEach(
                words ->
                    sockets.put(
                        "socket:[" + words[9] + "]",
                        "a TCP socket from port "
                            + port(words[1])
                            + " to port "
                            + port(words[2])
                            + ", "
                            + TCP_STATES[
                                Math.min(
                                    HexFormat.fromHexDigits(words[3]), TCP_STATES.length - 1)]));
      } catch (IOException none) {
        // Then they stay without a name.
      }
    }
    return sockets;
  }

  private static int port(String address) {
    return HexFormat.fromHexDigits(address.substring(address.lastIndexOf(':') + 1));
  }
}
