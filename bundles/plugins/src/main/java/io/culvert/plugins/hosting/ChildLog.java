package io.culvert.plugins.hosting;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
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
 * SLF4J in a plug-in's process: a line on standard error for each message, which the gateway reads
 * and puts into its own log. Named by the system property {@code slf4j.provider}.
 */
public final class ChildLog implements SLF4JServiceProvider, ILoggerFactory {
  /** Begins a line that is a message; any other line is something printed. */
  static final char MARK = '\u0001';

  /** Between level, logger and text. */
  static final char FIELD = '\u001f';

  /** A new line within a message. */
  static final char LINE = '\u001e';

  private static final PrintStream OUT = System.err;
  private final Map<String, Logger> loggers = new ConcurrentHashMap<>();
  private final IMarkerFactory markers = new BasicMarkerFactory();
  private final MDCAdapter mdc = new NOPMDCAdapter();

  /** Called by SLF4J. */
  public ChildLog() {}

  @Override
  public ILoggerFactory getLoggerFactory() {
    return this;
  }

  @Override
  public IMarkerFactory getMarkerFactory() {
    return markers;
  }

  @Override
  public MDCAdapter getMDCAdapter() {
    return mdc;
  }

  @Override
  public String getRequestedApiVersion() {
    return "2.0.99";
  }

  @Override
  public void initialize() {}

  @Override
  public Logger getLogger(String name) {
    return loggers.computeIfAbsent(name, Line::new);
  }

  private static final class Line extends LegacyAbstractLogger {
    private static final long serialVersionUID = 1;

    Line(String name) {
      this.name = name;
    }

    @Override
    protected String getFullyQualifiedCallerName() {
      return null;
    }

    @Override
    protected void handleNormalizedLoggingCall(
        Level level, Marker marker, String pattern, Object[] arguments, Throwable thrown) {
      StringBuilder text = new StringBuilder().append(MARK).append(level).append(FIELD);
      text.append(name).append(FIELD);
      text.append(MessageFormatter.basicArrayFormat(pattern, arguments));
      if (thrown != null) {
        StringWriter trace = new StringWriter();
        thrown.printStackTrace(new PrintWriter(trace));
        text.append('\n').append(trace.toString().strip());
      }
      OUT.println(text.toString().replace("\r", "").replace('\n', LINE));
    }

    @Override
    public boolean isTraceEnabled() {
      return false;
    }

    @Override
    public boolean isDebugEnabled() {
      return Agent.debug();
    }

    @Override
    public boolean isInfoEnabled() {
      return true;
    }

    @Override
    public boolean isWarnEnabled() {
      return true;
    }

    @Override
    public boolean isErrorEnabled() {
      return true;
    }
  }
}
