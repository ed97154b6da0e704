package io.culvert.core.run;

import java.util.HashMap;
import java.util.Map;

/** Lanes by name; each lives as long as somebody uses it. Used on the loop only. */
final class Lanes {
  private final Loop loop;
  private final Map<String, Shared> lanes = new HashMap<>();

  Lanes(Loop loop) {
    this.loop = loop;
  }

  private static final class Shared {
    private final Lane lane;
    private int users;

    Shared(Lane lane) {
      this.lane = lane;
    }
  }

  Lane use(String name) {
    Shared shared = lanes.computeIfAbsent(name, n -> new Shared(new Lane(n, loop)));
    shared.users++;
    return shared.lane;
  }

  void leave(Lane lane) {
    Shared shared = lanes.get(lane.name());
    if (shared != null && --shared.users == 0) {
      lanes.remove(lane.name());
    }
  }
}
