package io.culvert.tools.registermap;

import io.culvert.core.profile.ProfileReader;
import io.culvert.tools.registermap.ProfileYaml.Comments;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Makes a profile of what a driver has found below a node, in the words of {@code
 * io.culvert.api.southbound.Browsable}: a point of each value that can be one, a comment of
 * everything else.
 */
final class TreeImport {
  static final String INTERVAL = "1s";
  private static final int MOST_POINTS = 2000;
  private static final int LONGEST_TITLE = 200;
  private static final int LONGEST_COMMENT = 160;

  /** Nodes that are no points, each with its reason. */
  private static final int MOST_REASONS = 500;

  private static final Pattern ADDRESS = Pattern.compile("\\S(.{0,254}\\S)?");

  /** What spoils a line, turns it round, or is no character. */
  private static final Pattern UNSOUND =
      Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Cn}\\p{Zl}\\p{Zp}]+");

  private static final Pattern ALARM = Pattern.compile("(?i).*(alarm|warning|fault|报警|告警|故障).*");
  private static final Set<String> NUMBERS =
      Set.of("int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64");

  /**
   * Something found.
   *
   * @param facts as the driver tells them
   */
  record Found(String address, String title, Map<String, String> facts) {
    private String fact(String key) {
      return facts.getOrDefault(key, "");
    }

    /** Its name as the device has it: what people see may be a sentence. */
    private String name() {
      return fact("name").isEmpty() ? title : fact("name");
    }
  }

  /**
   * What the person says beyond what was found.
   *
   * @param node where the tree begins
   * @param scheme of the endpoints
   * @param id of the profile, {@code null} for the node's name
   * @param title in English, {@code null} for the id
   * @param interval between polls, {@code null} for {@value #INTERVAL}
   */
  record Options(String node, String scheme, String id, String title, String interval) {}

  /**
   * What came of it.
   *
   * @param profile as {@link ProfileYaml} has it
   * @param notes what a person should know, a line each
   */
  record Draft(Map<String, Object> profile, Comments comments, List<String> notes) {
    byte[] yaml() {
      return ProfileYaml.write(profile, comments);
    }
  }

  private final Map<String, List<Found>> below = new LinkedHashMap<>();
  private final List<Found> apart = new ArrayList<>();
  private final Map<String, Integer> names = new HashMap<>();
  private final List<Map<String, Object>> points = new ArrayList<>();
  private final Map<String, List<String>> comments = new HashMap<>();
  private final List<String> notes = new ArrayList<>();
  private final Set<String> ids = new HashSet<>();
  private List<String> pending = new ArrayList<>();

  /** Of the node whose values come next; told only if any do. */
  private List<String> heading = List.of();

  private int writable;
  private int others;

  private TreeImport() {}

  /**
   * @throws UnreadableException if no profile can be made of it
   */
  static Draft of(List<Found> found, Options options) throws UnreadableException {
    return new TreeImport().draft(found, options);
  }

  private Draft draft(List<Found> found, Options options) throws UnreadableException {
    for (Found one : found) {
      String path = one.fact("path");
      int slash = lastSlash(path);
      if (slash < 0) {
        apart.add(one);
      } else {
        below.computeIfAbsent(path.substring(0, slash), parent -> new ArrayList<>()).add(one);
      }
      names.merge(key(one.name()), 1, Integer::sum);
    }
    walk(".");
    below.values().forEach(apart::addAll);
    apart.forEach(this::take);
    if (points.isEmpty()) {
      throw new UnreadableException(
          "no value that can be a point", "name another node; culvert shell scan shows them");
    }
    if (points.size() > MOST_POINTS) {
      throw new UnreadableException(
          points.size() + " points below this node",
          "name one that is nearer: a profile has at most " + MOST_POINTS);
    }
    String id = options.id() == null ? id(options.node()) : options.id();
    Map<String, Object> profile = new LinkedHashMap<>();
    profile.put("schema", ProfileReader.SCHEMA);
    profile.put("id", id);
    profile.put("title", Map.of("en", options.title() == null ? id : options.title()));
    profile.put("scheme", options.scheme());
    profile.put("interval", options.interval() == null ? INTERVAL : options.interval());
    profile.put("points", points);
    List<String> head =
        List.of(
            "Made of what lies below " + comment(options.node()),
            "Addresses begin there: a device names such a node in its setting root.");
    if (writable > 0) {
      notes.add(
          (writable == 1 ? "1 point" : writable + " points")
              + " can be written; take access away where nobody should");
    }
    if (others > 0) {
      notes.add(
          (others == 1 ? "1 node is" : others + " nodes are") + " no point; comments tell why");
    }
    return new Draft(profile, new Comments(head, comments, pending), notes);
  }

  /** Where the last name of a path begins, less one; an ampersand escapes what follows it. */
  private static int lastSlash(String path) {
    int last = -1;
    for (int i = 0; i < path.length(); i++) {
      if (path.charAt(i) == '&') {
        i++;
      } else if (path.charAt(i) == '/') {
        last = i;
      }
    }
    return last;
  }

  /** Values of a node first, then what lies deeper. */
  private void walk(String path) {
    List<Found> own = below.remove(path);
    if (own == null) {
      return;
    }
    own.stream().filter(one -> !container(one)).forEach(this::take);
    for (Found one : own) {
      if (container(one)) {
        take(one);
      }
      walk(one.fact("path"));
    }
  }

  private static boolean container(Found one) {
    return !Set.of("variable", "property", "method").contains(one.fact("kind"));
  }

  private void take(Found one) {
    switch (one.fact("kind")) {
      case "variable", "property" -> value(one);
      case "method" -> method(one);
      default -> container(one, where(one));
    }
  }

  private static String where(Found one) {
    return one.fact("path").isEmpty()
        ? one.address().isEmpty() ? one.title() : one.address()
        : one.fact("path");
  }

  private void container(Found one, String where) {
    String type = one.fact("typeDefinition");
    heading =
        List.of(
            "",
            comment(
                where
                    + (type.isEmpty() || type.equals("FolderType") ? "" : ", " + type)
                    + (one.fact("description").isEmpty() ? "" : ": " + one.fact("description"))));
    if (addressable(one.fact("point"))) {
      head();
      proposal(one.name() + " events", one.fact("point"), "struct", "read", "alarm");
    }
  }

  private void head() {
    pending.addAll(heading);
    heading = List.of();
  }

  /** Room for one more reason why something is no point. */
  private boolean told() {
    others++;
    if (others == MOST_REASONS) {
      pending.add("More nodes are no points; these are not listed.");
    }
    return others >= MOST_REASONS;
  }

  /** A point in a comment, for a person to take or leave. */
  private void proposal(String name, String address, String type, String access, String kind) {
    String id = Names.id(words(name), "node_" + (ids.size() + 1), ids);
    ids.add(id);
    Map<String, Object> point = new LinkedHashMap<>();
    point.put("id", id);
    point.put("address", address);
    point.put("type", type);
    point.put("access", access);
    point.put("class", kind);
    String yaml =
        new String(ProfileYaml.write(Map.of("points", List.of(point))), StandardCharsets.UTF_8);
    yaml.lines().skip(1).forEach(line -> pending.add(comment(line.substring(2))));
  }

  private void method(Found one) {
    if (told()) {
      return;
    }
    head();
    String arguments = one.fact("arguments");
    String[] each = arguments.isEmpty() ? new String[0] : arguments.split(", ");
    pending.add(
        comment(
            where(one)
                + ": a method of ("
                + arguments
                + ")"
                + (one.fact("results").isEmpty() ? "" : ", which gives " + one.fact("results"))
                + (one.fact("description").isEmpty() ? "" : ": " + one.fact("description"))));
    String last = each.length == 1 ? each[0].substring(each[0].lastIndexOf(' ') + 1) : "";
    String type =
        each.length == 0
            ? "bool"
            : NUMBERS.contains(last) || Set.of("bool", "text", "bytes").contains(last)
                ? last
                : "struct";
    if (one.fact("access").equals("none")) {
      pending.add("This user may not call it.");
    } else if (addressable(one.fact("point"))) {
      proposal(unique(one), one.fact("point"), type, "write", "telemetry");
    }
  }

  private void value(Found one) {
    String reason = reason(one);
    if (reason != null) {
      if (!told()) {
        head();
        pending.add(comment(where(one) + " is no point: " + reason));
      }
      return;
    }
    head();
    Map<String, Object> point = new LinkedHashMap<>();
    String id = Names.id(words(unique(one)), "node_" + (ids.size() + 1), ids);
    ids.add(id);
    point.put("id", id);
    Map<String, Object> title = title(one);
    if (!title.isEmpty()) {
      point.put("title", title);
    }
    point.put("address", address(one));
    String type = one.fact("type");
    point.put("type", type);
    point.put("access", one.fact("access"));
    if (!one.fact("access").equals("read")) {
      writable++;
    }
    if (NUMBERS.contains(type)) {
      if (!one.fact("unit").isEmpty()) {
        point.put("unit", one.fact("unit"));
      }
      range(one, point);
    }
    boolean alarm = type.equals("bool") && ALARM.matcher(one.name() + one.title()).matches();
    point.put(
        "class", alarm ? "alarm" : one.fact("class").isEmpty() ? "telemetry" : one.fact("class"));
    explain(one);
    points.add(point);
    comments.put(id, pending);
    pending = new ArrayList<>();
  }

  /** Why it can't be a point; {@code null} if it can. */
  private static String reason(Found one) {
    String type = one.fact("type");
    if (type.isEmpty()) {
      String named = one.fact("dataType");
      return "its type is " + (named.isEmpty() ? "not told" : named);
    }
    if (one.fact("access").equals("none") || one.fact("access").isEmpty()) {
      return "this user may neither read nor write it";
    }
    return address(one) == null ? "its address can't be written in 256 characters" : null;
  }

  /** As a profile takes it. */
  private static boolean addressable(String address) {
    return ADDRESS.matcher(address).matches() && !UNSOUND.matcher(address).find();
  }

  /** From the node where the tree begins, or by its own id where that can't be written. */
  private static String address(Found one) {
    for (String address : List.of(one.fact("path"), one.address())) {
      if (addressable(address)) {
        return address;
      }
    }
    return null;
  }

  private static void range(Found one, Map<String, Object> point) {
    String[] bounds = one.fact("range").split("\\.\\.");
    if (bounds.length == 2) {
      point.put("range", List.of(new BigDecimal(bounds[0]), new BigDecimal(bounds[1])));
    }
  }

  private void explain(Found one) {
    String description = one.fact("description");
    if (!description.isEmpty() && !description.equals(one.title())) {
      pending.add(comment(description));
    }
    if (!one.fact("states").isEmpty()) {
      pending.add(comment("states: " + one.fact("states")));
    }
    if (one.fact("unit").isEmpty() && !one.fact("unitOriginal").isEmpty()) {
      pending.add(comment("unit on the server: " + one.fact("unitOriginal")));
    }
    if (!one.fact("array").isEmpty()) {
      pending.add("a list of values");
    }
  }

  private static Map<String, Object> title(Found one) {
    Map<String, Object> title = new LinkedHashMap<>();
    Names.Title names = Names.title(visible(one.title()), "");
    String other = visible(one.fact("otherTitle"));
    String english =
        names.chinese() != null && !other.isEmpty()
            ? other
            : names.english() == null ? visible(one.name()) : names.english();
    if (!english.isEmpty()) {
      title.put("en", cut(english, LONGEST_TITLE));
      if (names.chinese() != null) {
        title.put("zh-CN", cut(names.chinese(), LONGEST_TITLE));
      }
    }
    return title;
  }

  /** A name that is a node's alone, with those above it if need be. */
  private String unique(Found one) {
    if (names.getOrDefault(key(one.name()), 0) <= 1 || one.fact("path").isEmpty()) {
      return one.name();
    }
    return one.fact("path").substring(1).replaceAll("\\{[^{}]*}", "");
  }

  private static String key(String name) {
    return Text.key(name);
  }

  /** Names of programs as words: WaterLevel is Water Level; Chinese ones in English if known. */
  private static String words(String name) {
    String english = Names.title(name, "").english();
    return (english == null ? name : english)
        .replaceAll("(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", " ");
  }

  private static String id(String node) {
    String name = node.replaceFirst("^.*[;.:/=]", "");
    String id =
        words(name)
            .toLowerCase(Locale.ROOT)
            .replaceAll("[^a-z0-9]+", "-")
            .replaceAll("^-|(?<=.{60}).*|-$", "");
    return id.isEmpty() ? "tree" : id.matches("[0-9]+") ? "node-" + id : id;
  }

  /** For people, on a line. */
  private static String visible(String text) {
    return UNSOUND.matcher(text).replaceAll(" ").replaceAll("\\s+", " ").strip();
  }

  private static String comment(String text) {
    return cut(UNSOUND.matcher(text).replaceAll(" "), LONGEST_COMMENT);
  }

  private static String cut(String text, int longest) {
    int count = text.codePointCount(0, text.length());
    return count <= longest
        ? text
        : text.substring(0, text.offsetByCodePoints(0, longest - 1)).stripTrailing() + "…";
  }
}
