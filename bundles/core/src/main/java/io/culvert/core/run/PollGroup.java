package io.culvert.core.run;

import io.culvert.api.Point;
import io.culvert.api.StreamClass;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Site;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Points of one device that are read together, because they have the same interval. */
final class PollGroup {
  private final Duration interval;
  private final List<Point> points = new ArrayList<>();
  private final long[] byClass = new long[StreamClass.values().length];

  private PollGroup(Duration interval) {
    this.interval = interval;
  }

  /**
   * The groups of a device, the one of the shortest interval first. A device of which nothing can
   * be read has one without points, by which its link is kept.
   */
  static List<PollGroup> of(Site.Entry entry) {
    Map<Duration, PollGroup> groups = new TreeMap<>();
    if (entry.profile() != null) {
      for (PointModel model : entry.profile().points()) {
        if (model.point().access().readable()) {
          PollGroup group = groups.computeIfAbsent(entry.interval(model), PollGroup::new);
          group.points.add(model.point());
          group.byClass[model.streamClass().ordinal()]++;
        }
      }
    }
    return groups.isEmpty()
        ? List.of(new PollGroup(entry.interval()))
        : List.copyOf(groups.values());
  }

  Duration interval() {
    return interval;
  }

  /** In the profile's order. */
  List<Point> points() {
    return points;
  }

  /** How many readings of a class one poll should bring. */
  long readings(StreamClass streamClass) {
    return byClass[streamClass.ordinal()];
  }
}
