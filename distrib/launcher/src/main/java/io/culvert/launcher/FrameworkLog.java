package io.culvert.launcher;

import org.apache.felix.framework.Logger;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.ServiceReference;
import org.slf4j.LoggerFactory;

/** The framework's own messages, in the same log as all others. */
final class FrameworkLog extends Logger {
  private final org.slf4j.Logger log = LoggerFactory.getLogger("org.apache.felix.framework");

  @Override
  @SuppressWarnings("rawtypes") // as the framework declares it
  protected void doLog(
      Bundle bundle, ServiceReference reference, int level, String message, Throwable cause) {
    if (cause instanceof BundleException) {
      // Told by the framework event of the same failure.
      log.debug("{}", message, cause);
      return;
    }
    String about = bundle == null ? message : bundle.getSymbolicName() + ": " + message;
    switch (level) {
      case LOG_ERROR -> log.error(about, cause);
      case LOG_WARNING -> log.warn(about, cause);
      case LOG_INFO -> log.info(about, cause);
      default -> log.debug(about, cause);
    }
  }
}
