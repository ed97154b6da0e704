package io.culvert.core.profile;

import io.culvert.core.document.Fault;
import io.culvert.core.document.Faults;
import io.culvert.core.document.Fields;
import io.culvert.core.document.Node;
import io.culvert.core.document.YamlReader;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Profile;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Reads a profile: YAML of the form {@value #SCHEMA}, whose JSON Schema is published with the
 * profiles. Beyond the schema it checks what that can't say: units, ranges that are upside down,
 * points that come twice, scales that lead to no point or round in a circle. Safe in any thread.
 */
public final class ProfileReader {
  /** What the key {@code schema} says. */
  public static final String SCHEMA = "culvert-profile/1";

  static final Duration MIN_INTERVAL = Duration.ofMillis(10);
  static final Duration MAX_INTERVAL = Duration.ofHours(24);
  private static final int MAX_POINTS = 2000;
  private static final int MAX_TITLE = 200;

  private static final Pattern ID = Pattern.compile("[a-z0-9][a-z0-9._-]{0,63}");
  private static final Pattern SCHEME = Pattern.compile("[a-z][a-z0-9.+-]{0,31}");
  private static final Pattern LANGUAGE = Pattern.compile("[a-z]{2,3}(-[A-Za-z0-9]{2,8})*");

  private final Units units = new Units();

  /** Reads what the first profile needs; takes a few hundred milliseconds. */
  void prepare() {
    units.load();
  }

  /**
   * Reads one file.
   *
   * @param file as a person knows it, for the messages
   */
  public LoadedProfile read(String file, byte[] yaml) {
    return read(yaml, new Faults(file));
  }

  /**
   * Reads one file.
   *
   * @param faults for its name, and where each fault goes besides with its place and its parts
   */
  public LoadedProfile read(byte[] yaml, Faults faults) {
    String file = faults.file();
    Node document = YamlReader.read(yaml, faults);
    if (document == null) {
      return LoadedProfile.wrong(null, Map.of(), faults);
    }
    Fields fields = Fields.of(document, "", faults);
    if (fields == null) {
      return LoadedProfile.wrong(null, Map.of(), faults);
    }
    fields.text("schema", Pattern.compile(Pattern.quote(SCHEMA)), SCHEMA);
    String id =
        fields.text(
            "id",
            ID,
            "1 to 64 lower-case letters, digits, hyphens, dots and underscores, such as"
                + " underpass-water");
    title(fields, true, faults);
    String scheme = fields.text("scheme", SCHEME, "the scheme of its endpoints, such as modbus");
    Node interval = fields.required("interval", "a duration such as 250ms, 1s, 5m");
    Duration every =
        interval == null ? null : fields.duration("interval", MIN_INTERVAL, MAX_INTERVAL, null);
    Map<String, String> settings = fields.settings("settings");
    Map<String, String> places = new HashMap<>();
    places(file, "", fields.node(), places);
    List<PointModel> points = points(fields, faults, places);
    fields.refuseOthers();
    if (!faults.none()) {
      return LoadedProfile.wrong(id, places, faults);
    }
    return new LoadedProfile(
        file, id, new Profile(id, scheme, every, settings, points), places, List.of());
  }

  private List<PointModel> points(Fields fields, Faults faults, Map<String, String> places) {
    Node node = fields.required("points", "a list of points");
    if (node == null) {
      return List.of();
    }
    if (!(node instanceof Node.Arr list) || list.items().isEmpty()) {
      fields.wrong("points", "a list of 1 to " + MAX_POINTS + " points");
      return List.of();
    }
    if (list.items().size() > MAX_POINTS) {
      faults.add(
          node, "points", list.items().size() + " points", "at most " + MAX_POINTS + " points");
      return List.of();
    }
    List<PointModel> points = new ArrayList<>();
    Map<String, Node> ids = new HashMap<>();
    Map<PointModel, Factors.Place> scaled = new LinkedHashMap<>();
    PointReader reader = new PointReader(units, faults);
    for (int i = 0; i < list.items().size(); i++) {
      String path = "points[" + i + "]";
      if (!(list.items().get(i) instanceof Node.Obj point)) {
        faults.add(list.items().get(i), path, list.items().get(i).shown(), "an object");
        continue;
      }
      PointModel model = reader.read(point, path);
      String id = reader.id();
      if (id != null) {
        Node own = point.members().get("id");
        Node first = ids.putIfAbsent(id, own);
        if (first != null) {
          faults.add(
              own,
              path + ".id",
              own.shown(),
              "an id of its own: the point in line " + first.line() + " has this one");
        } else {
          places(faults.file(), "points." + id, point, places);
        }
      }
      if (model != null) {
        points.add(model);
        if (model.factor() != null) {
          scaled.put(model, new Factors.Place(path, point));
        }
      }
    }
    Factors.check(points, ids.keySet(), scaled, faults);
    return points;
  }

  /** Where the members of an object stand, two levels deep. */
  private static void places(
      String file, String path, Node.Obj object, Map<String, String> places) {
    if (!path.isEmpty()) {
      places.put(path, new Fault(file, object.line(), 0, path, "", "").place());
    }
    object
        .members()
        .forEach(
            (key, value) -> {
              String below = path.isEmpty() ? key : path + "." + key;
              places.put(below, new Fault(file, value.line(), 0, below, "", "").place());
              if (value instanceof Node.Obj inner && path.isEmpty()) {
                places(file, below, inner, places);
              }
            });
  }

  /** A title by language; nothing of it is needed to run. */
  static void title(Fields fields, boolean required, Faults faults) {
    String expected = "a title by language, such as {en: Water depth, zh-CN: 积水深度}";
    Node title = required ? fields.required("title", expected) : fields.any("title");
    if (title == null) {
      return;
    }
    if (!(title instanceof Node.Obj languages)) {
      fields.wrong("title", expected);
      return;
    }
    Fields texts = Fields.of(title, fields.path("title"), faults);
    texts.required("en", "the title in English");
    for (Map.Entry<String, Node> text : languages.members().entrySet()) {
      if (!LANGUAGE.matcher(text.getKey()).matches()) {
        faults.add(
            languages.keys().get(text.getKey()),
            texts.path(text.getKey()),
            "a key that is no language",
            "a language tag (BCP 47) such as en or zh-CN");
      }
      if (!(text.getValue() instanceof Node.Text words)
          || words.value().isBlank()
          || words.value().codePointCount(0, words.value().length()) > MAX_TITLE) {
        texts.wrong(text.getKey(), "a text of 1 to " + MAX_TITLE + " characters");
      }
    }
  }
}
