package io.culvert.launcher;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import org.osgi.framework.Bundle;
import org.osgi.service.log.FormatterLogger;
import org.osgi.service.log.Logger;
import org.osgi.service.log.LoggerConsumer;
import org.osgi.service.log.LoggerFactory;

/**
 * OSGi's log service (Compendium 8, 101) by way of SLF4J: what Declarative Services says of a
 * component that doesn't start belongs into the log, not on the console.
 */
final class OsgiLog implements LoggerFactory {

  @Override
  public Logger getLogger(String name) {
    return logger(name, Logger.class);
  }

  @Override
  public Logger getLogger(Class<?> type) {
    return getLogger(type.getName());
  }

  @Override
  public <L extends Logger> L getLogger(String name, Class<L> type) {
    return logger(name, type);
  }

  @Override
  public <L extends Logger> L getLogger(Class<?> clazz, Class<L> type) {
    return logger(clazz.getName(), type);
  }

  @Override
  public <L extends Logger> L getLogger(Bundle bundle, String name, Class<L> type) {
    return logger(name, type);
  }

  /** The two interfaces have fifty methods of five names: one handler for all. */
  private static <L extends Logger> L logger(String name, Class<L> type) {
    // OSGi's root logger is a name like any other here; SLF4J's would take no level of its own.
    org.slf4j.Logger to =
        org.slf4j.LoggerFactory.getLogger(name.equals(Logger.ROOT_LOGGER_NAME) ? "osgi" : name);
    boolean printf = type == FormatterLogger.class;
    InvocationHandler handler =
        (proxy, method, args) -> {
          if (method.getDeclaringClass() == Object.class) {
            return ofObject(proxy, name, method, args);
          }
          String level = method.getName();
          if (level.equals("getName")) {
            return name;
          }
          if (level.startsWith("is")) {
            return enabled(to, level.substring(2).replace("Enabled", ""));
          }
          if (args[0] instanceof LoggerConsumer<?> consumer) {
            if (enabled(to, level)) {
              accept(consumer, proxy);
            }
            return null;
          }
          write(to, level, printf, args);
          return null;
        };
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }

  private static boolean enabled(org.slf4j.Logger to, String level) {
    return to.isEnabledForLevel(level(level));
  }

  private static org.slf4j.event.Level level(String name) {
    return name.equalsIgnoreCase("audit")
        ? org.slf4j.event.Level.INFO
        : org.slf4j.event.Level.valueOf(name.toUpperCase(java.util.Locale.ROOT));
  }

  private static void write(org.slf4j.Logger to, String level, boolean printf, Object[] args) {
    if (!enabled(to, level)) {
      return;
    }
    Object[] values =
        args.length == 2 && args[1] instanceof Object[] many
            ? many
            : Arrays.copyOfRange(args, 1, args.length);
    Throwable cause =
        values.length > 0 && values[values.length - 1] instanceof Throwable t ? t : null;
    Throwable root = root(cause);
    String text =
        printf && values.length > 0
            ? String.format(String.valueOf(args[0]), values)
            : org.slf4j.helpers.MessageFormatter.arrayFormat(String.valueOf(args[0]), values)
                .getMessage();
    to.atLevel(level(level)).setCause(root).log(root == null ? text : text + ": " + root);
  }

  /** What a component threw, without the reflection around it. */
  private static Throwable root(Throwable cause) {
    Throwable t = cause;
    while (t instanceof InvocationTargetException && t.getCause() != null) {
      t = t.getCause();
    }
    return t;
  }

  @SuppressWarnings("unchecked")
  private static void accept(LoggerConsumer<?> consumer, Object proxy) throws Exception {
    ((LoggerConsumer<Exception>) consumer).accept((Logger) proxy);
  }

  private static Object ofObject(Object proxy, String name, Method method, Object[] args) {
    return switch (method.getName()) {
      case "equals" -> proxy == args[0];
      case "hashCode" -> System.identityHashCode(proxy);
      default -> "OsgiLog " + name;
    };
  }
}
