package io.culvert.serial;

import io.culvert.api.southbound.SerialLine;
import io.culvert.api.southbound.SerialLines;
import io.culvert.api.southbound.SerialTaps;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/**
 * The serial lines of this machine. A line that nobody joins costs nothing: the library with its
 * native part is loaded when the first port is opened.
 *
 * <p>Threads: two for an open line, one that reads and one that opens, sends and closes; the latter
 * ends when idle. All end with this component.
 */
@Component(service = {SerialLines.class, SerialTaps.class})
public final class SharedLines implements SerialLines, SerialTaps, AutoCloseable {
  private final Map<String, Line> lines = new HashMap<>();
  private boolean closed;

  @Activate
  public SharedLines() {}

  @Override
  public SerialLine join(String device, Settings settings, Listener listener) {
    Objects.requireNonNull(settings, "settings");
    Objects.requireNonNull(listener, "listener");
    return line(device).join(settings, listener);
  }

  @Override
  public Listening tap(String device, Tap tap) {
    Objects.requireNonNull(tap, "tap");
    return line(device).tap(tap);
  }

  private Line line(String device) {
    synchronized (lines) {
      if (closed) {
        throw new IllegalStateException("The serial lines have been stopped");
      }
      // Kept for good: as few as the site has names for, and each must close before it opens anew.
      return lines.computeIfAbsent(device, Line::new);
    }
  }

  /** Closes every port and ends every thread; waits for them, at most a few seconds. */
  @Deactivate
  @Override
  public void close() {
    List<Line> all;
    synchronized (lines) {
      closed = true;
      all = List.copyOf(lines.values());
    }
    all.forEach(Line::end);
    all.forEach(Line::awaitEnd);
  }
}
