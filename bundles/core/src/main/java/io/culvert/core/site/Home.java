package io.culvert.core.site;

import java.nio.file.Path;
import org.osgi.framework.BundleContext;

/**
 * Where the gateway is installed.
 *
 * @param etc what people write
 * @param data what the gateway writes
 */
public record Home(Path etc, Path data) {

  /** By the framework's properties {@code culvert.home} and {@code culvert.data}. */
  public static Home of(BundleContext context) {
    String home = context.getProperty("culvert.home");
    if (home == null) {
      throw new IllegalStateException(
          "The framework property culvert.home is missing; expected the installation's folder");
    }
    String data = context.getProperty("culvert.data");
    Path root = Path.of(home);
    return new Home(root.resolve("etc"), data == null ? root.resolve("data") : Path.of(data));
  }
}
