package io.culvert.device.opcua;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.Logger;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/**
 * Everything that anybody in this process logs, at every level and with whatever hangs on it, while
 * a test listens; nothing otherwise.
 */
public final class LogCapture implements SLF4JServiceProvider {
  private static final Queue<String> LINES = new ConcurrentLinkedQueue<>();
  private static volatile boolean listening;

  static void start() {
    LINES.clear();
    listening = true;
  }

  /** What was logged since the start. */
  static List<String> stop() {
    listening = false;
    return List.copyOf(LINES);
  }

  private static final class Listener extends LegacyAbstractLogger {
    private static final long serialVersionUID = 1;

    Listener(String name) {
      this.name = name;
    }

    @Override
    protected String getFullyQualifiedCallerName() {
      return null;
    }

    @Override
    protected void handleNormalizedLoggingCall(
        Level level, Marker marker, String message, Object[] arguments, Throwable thrown) {
      StringWriter line = new StringWriter();
      line.append(level.name()).append(' ').append(name).append(' ');
      line.append(MessageFormatter.basicArrayFormat(message, arguments));
      if (thrown != null) {
        thrown.printStackTrace(new PrintWriter(line));
      }
      LINES.add(line.toString());
    }

    @Override
    public boolean isTraceEnabled() {
      return listening;
    }

    @Override
    public boolean isDebugEnabled() {
      return listening;
    }

    @Override
    public boolean isInfoEnabled() {
      return listening;
    }

    @Override
    public boolean isWarnEnabled() {
      return listening;
    }

    @Override
    public boolean isErrorEnabled() {
      return listening;
    }
  }

  private final ILoggerFactory loggers =
      new ILoggerFactory() {
        @Override
        public Logger getLogger(String name) {
          return new Listener(name);
        }
      };

  private final IMarkerFactory markers = new BasicMarkerFactory();
  private final MDCAdapter context = new NOPMDCAdapter();

  @Override
  public ILoggerFactory getLoggerFactory() {
    return loggers;
  }

  @Override
  public IMarkerFactory getMarkerFactory() {
    return markers;
  }

  @Override
  public MDCAdapter getMDCAdapter() {
    return context;
  }

  @Override
  public String getRequestedApiVersion() {
    return "2.0.99";
  }

  @Override
  public void initialize() {
    // Nothing to read.
  }
}
