package io.culvert.core.run;

import org.osgi.framework.Version;

/**
 * Whose a driver is. All drivers of one plug-in are judged together: they share classes, statics
 * and threads.
 *
 * @param name symbolic name of the bundle
 * @param version of the bundle
 * @param revision tells a bundle from the one of the same name and version that it replaced
 * @param connects whether it may open TCP connections, as far as its manifest tells
 */
record PlugIn(String name, Version version, long revision, boolean connects) {
  @Override
  public String toString() {
    return name + " " + version;
  }
}
