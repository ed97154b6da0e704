package io.culvert.plugins;

import io.culvert.api.service.Generations.Plugin;

/**
 * Where a plug-in runs.
 *
 * @param hosted whether in a process of its own
 * @param memory of its heap, in MiB; 0 if it isn't hosted
 */
record Place(boolean hosted, int memory) {
  static final Place GATEWAY = new Place(false, 0);

  /** Says where plug-ins run. */
  interface Choice {
    Place of(String name, Plugin plugin);
  }
}
