package io.culvert.core.profile;

import io.culvert.core.document.Faults;
import io.culvert.core.document.Node;
import io.culvert.core.model.PointModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Checks what the scales of points say of other points, once all of them are read. */
final class Factors {
  private final Map<String, PointModel> models = new HashMap<>();
  private final Set<String> ids;
  private final Faults faults;

  /** A point of the document. */
  record Place(String path, Node.Obj node) {}

  private Factors(List<PointModel> points, Set<String> ids, Faults faults) {
    points.forEach(model -> models.putIfAbsent(model.point().id(), model));
    this.ids = ids;
    this.faults = faults;
  }

  /**
   * @param points those with nothing wrong in themselves
   * @param ids of all points: of one with a fault nothing more is said
   * @param scaled points that are scaled by others
   */
  static void check(
      List<PointModel> points, Set<String> ids, Map<PointModel, Place> scaled, Faults faults) {
    Factors factors = new Factors(points, ids, faults);
    scaled.forEach(factors::check);
  }

  private void check(PointModel model, Place place) {
    Node.Obj scale = (Node.Obj) place.node().members().get("scale");
    Node named = scale.members().get("point");
    for (String id : model.factor().points()) {
      Node at = node(named, id);
      PointModel factor = models.get(id);
      if (!ids.contains(id)) {
        wrong(at, place, "the id of a point of this profile");
      } else if (factor == null) {
        continue;
      } else if (!factor.point().type().numeric() || !factor.point().access().readable()) {
        wrong(at, place, "a point that is a number and can be read");
      } else if (factor.counter() != null) {
        wrong(at, place, "a point that is no counter");
      } else {
        List<String> way = new ArrayList<>(List.of(model.point().id()));
        if (leads(id, model.point().id(), way, new HashSet<>())) {
          wrong(
              at,
              place,
              "a point whose own scale doesn't depend on this one, as in "
                  + Node.shorten(String.join(" > ", way)));
        }
      }
    }
  }

  private static Node node(Node named, String id) {
    if (named instanceof Node.Arr list) {
      for (Node item : list.items()) {
        if (item instanceof Node.Text text && text.value().equals(id)) {
          return item;
        }
      }
    }
    return named;
  }

  private void wrong(Node at, Place place, String expected) {
    faults.add(at, place.path() + ".scale.point", at.shown(), expected);
  }

  /**
   * The way from a point by what scales it to another.
   *
   * @param seen points from which it was looked for already
   * @return whether there is one; then it is in {@code way}
   */
  private boolean leads(String from, String to, List<String> way, Set<String> seen) {
    if (!seen.add(from)) {
      return false;
    }
    way.add(from);
    if (from.equals(to)) {
      return true;
    }
    PointModel model = models.get(from);
    if (model != null && model.factor() != null) {
      for (String next : model.factor().points()) {
        if (leads(next, to, way, seen)) {
          return true;
        }
      }
    }
    way.remove(way.size() - 1);
    return false;
  }
}
