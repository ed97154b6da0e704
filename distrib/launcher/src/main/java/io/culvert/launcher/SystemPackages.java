package io.culvert.launcher;

/** What bundles get from the class path of the launcher. {@code features/*.bndrun} say the same. */
final class SystemPackages {
  private static final String SLF4J = "2.0.17";

  /**
   * One SLF4J for all: bundles built against 1.7 and against 2 find their range, and both log into
   * the same Logback.
   */
  static final String EXTRA =
      String.join(
          ",",
          "org.slf4j;version=1.7.36",
          "org.slf4j;version=" + SLF4J,
          "org.slf4j.event;version=" + SLF4J,
          "org.slf4j.helpers;version=" + SLF4J,
          "org.slf4j.spi;version=" + SLF4J,
          "org.osgi.service.log;version=1.5.0",
          "sun.misc");

  private SystemPackages() {}
}
