package io.culvert.plugins.hosting;

import io.culvert.api.southbound.Driver;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.namespace.PackageNamespace;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleRevision;

/**
 * What a plug-in's process is made of: the same jars that the gateway runs on.
 *
 * @param java the program
 * @param classPath of the process
 * @param bundles of the base that a plug-in may need
 * @param packages that its framework exports from the class path
 * @param home of the installation
 */
record Kit(Path java, List<Path> classPath, List<Path> bundles, String packages, Path home) {
  private static final String API = "io.culvert.api";

  /** Declarative Services with what it needs, and the libraries that plug-ins share. */
  private static final List<String> SHARED =
      List.of(
          "io.netty.",
          "org.apache.felix.scr",
          "org.osgi.service.component",
          "org.osgi.util.function",
          "org.osgi.util.promise");

  /** Of the gateway that this bundle runs in. */
  static Kit of(BundleContext context) throws IOException {
    List<Path> classPath =
        List.of(
            jar(Kit.class),
            jar(Driver.class),
            source(context.getBundle(0).getClass()),
            source(org.slf4j.Logger.class));
    List<Path> bundles = new ArrayList<>();
    for (Bundle bundle : context.getBundles()) {
      String name = bundle.getSymbolicName();
      if (name != null && SHARED.stream().anyMatch(name::startsWith)) {
        bundles.add(file(bundle.getLocation()));
      }
    }
    String extra = context.getProperty(Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA);
    // Sorted and once each: the API may be among the framework's own already.
    TreeSet<String> packages = new TreeSet<>();
    if (extra != null) {
      packages.addAll(List.of(extra.split("\\s*,\\s*")));
    }
    for (Bundle bundle : context.getBundles()) {
      for (BundleCapability each :
          bundle
              .adapt(BundleRevision.class)
              .getDeclaredCapabilities(PackageNamespace.PACKAGE_NAMESPACE)) {
        String name = (String) each.getAttributes().get(PackageNamespace.PACKAGE_NAMESPACE);
        if (name.equals(API) || name.startsWith(API + ".")) {
          Object version = each.getAttributes().get(PackageNamespace.CAPABILITY_VERSION_ATTRIBUTE);
          packages.add(name + ";version=" + version);
        }
      }
    }
    return new Kit(
        Path.of(System.getProperty("java.home"), "bin", "java"),
        classPath,
        List.copyOf(bundles),
        String.join(",", packages),
        Path.of(context.getProperty("culvert.home")));
  }

  /** Where a class lies: in a bundle that is read where it lies, or on the class path. */
  private static Path jar(Class<?> type) throws IOException {
    Bundle bundle = FrameworkUtil.getBundle(type);
    return bundle == null || bundle.getBundleId() == 0 ? source(type) : file(bundle.getLocation());
  }

  private static Path file(String location) throws IOException {
    String url = location.replaceFirst("^reference:", "");
    if (!url.startsWith("file:")) {
      throw new IOException("The bundle " + location + " isn't a file of this installation");
    }
    return Path.of(URI.create(url));
  }

  static Path source(Class<?> type) throws IOException {
    CodeSource source = type.getProtectionDomain().getCodeSource();
    URL location = source == null ? null : source.getLocation();
    if (location == null) {
      throw new IOException("It isn't known where " + type.getName() + " was loaded from");
    }
    try {
      return Path.of(location.toURI());
    } catch (URISyntaxException e) {
      throw new IOException(location + " can't be read", e);
    }
  }
}
