package io.culvert.tools.registermap;

import java.util.List;
import java.util.Map;

/**
 * What came of a map.
 *
 * @param profile as a tree of maps, lists, texts and numbers, in the order of {@link ProfileYaml}
 * @param sources where each of the profile's points came from, in their order
 * @param troubles what couldn't be taken; a map with any makes no profile
 * @param notes what a person should know, one line each
 */
record Draft(
    Map<String, Object> profile, List<Source> sources, List<Trouble> troubles, List<String> notes) {

  /**
   * Where a point came from.
   *
   * @param row from 1
   * @param columns by key of the point: letters and header
   */
  record Source(int row, Map<String, String> columns) {}
}
