package io.culvert.core.run;

import java.util.HashMap;
import java.util.Map;

/** Lanes by name; each lives as long as somebody uses it. Used on the loop only. */
final class Lanes {
  private final Loop loop;
  private final Map<String, Lane> lanes = new HashMap<>();

  Lanes(Loop loop) {
    this.loop = loop;
  }

  Lane use(String name) {
    Lane lane = lanes.computeIfAbsent(name, n -> new Lane(n, loop));
    lane.join();
    return lane;
  }

  void leave(Lane lane) {
    if (!lane.leave()) {
      lanes.remove(lane.name());
    }
  }
}
