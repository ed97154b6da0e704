package io.culvert.core.profile;

import io.culvert.core.document.Faults;
import io.culvert.core.model.Profile;
import java.util.List;
import java.util.Map;

/**
 * What came of one file.
 *
 * @param file as a person knows it
 * @param id {@code null} if it has none that can be used
 * @param profile {@code null} if anything in it is wrong and it never was right
 * @param places where its keys stand, such as {@code points.level.address}: file and line
 * @param faults what is wrong, one line each
 */
public record LoadedProfile(
    String file, String id, Profile profile, Map<String, String> places, List<String> faults) {
  public LoadedProfile {
    places = Map.copyOf(places);
    faults = List.copyOf(faults);
  }

  static LoadedProfile wrong(String id, Map<String, String> places, Faults faults) {
    return new LoadedProfile(faults.file(), id, null, places, faults.lines());
  }
}
