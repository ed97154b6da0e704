package io.culvert.core.site;

import io.culvert.core.document.Faults;
import io.culvert.core.document.Fields;
import io.culvert.core.document.JsonReader;
import io.culvert.core.document.Node;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The site document as it was read, before profiles and Metatype have their say.
 *
 * @param gateway its id
 * @param buffer {@code null} if the document has no such section
 * @param plugins likewise
 * @param platforms those with an id and a scheme that can be used
 * @param platformIds ids of all platforms that it names, also of those with something wrong; {@code
 *     null} if a slip hides some, so that nothing can be told from an id that is missing
 * @param devices those with an id that can be used, each once
 * @param faults everything that is wrong in it
 */
record SiteDocument(
    String gateway,
    Node.Obj buffer,
    Node.Obj plugins,
    List<Platform> platforms,
    Set<String> platformIds,
    List<DeviceEntry> devices,
    Faults faults) {
  static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(1);
  static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(2);

  private static final Duration MIN_INTERVAL = Duration.ofMillis(10);
  private static final Duration MAX_INTERVAL = Duration.ofHours(24);
  private static final Duration MAX_TIMEOUT = Duration.ofMinutes(10);
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  private static final String ID_EXPECTED =
      "1 to 128 letters, digits, hyphens, dots and underscores, such as uw-001";
  private static final Pattern PROFILE = Pattern.compile("[a-z0-9][a-z0-9._-]{0,63}");
  private static final String ENDPOINT_EXPECTED =
      "a URL such as modbus-tcp://192.168.3.17:502?unit=3";

  /** URL schemes of platforms that a forwarder speaks. */
  private static final Set<String> PLATFORM_SCHEMES = Set.of("mqtt", "mqtts");

  /**
   * A platform.
   *
   * @param path {@code platforms[0]}
   */
  record Platform(String id, String path, Node.Obj node) {}

  /**
   * A device.
   *
   * @param path {@code devices[3]}
   * @param profile {@code ""} if it names none
   * @param interval {@code null} if it leaves that to the profile
   * @param problem what is wrong with it, {@code ""} if nothing
   */
  record DeviceEntry(
      String id,
      String path,
      Node.Obj node,
      String profile,
      URI endpoint,
      Duration interval,
      Duration timeout,
      Map<String, String> settings,
      String problem) {}

  /**
   * Reads a document. One wrong device or platform doesn't stop the others.
   *
   * @param faults collects what is wrong
   * @return {@code null} if the whole can't be used: no JSON, or no identity of the gateway
   */
  static SiteDocument read(byte[] json, Faults faults) {
    Node root = JsonReader.read(json, faults);
    if (root == null) {
      return null;
    }
    Fields fields = Fields.of(root, "", faults);
    if (fields == null) {
      return null;
    }
    String gateway = gateway(fields, faults);
    Node.Obj buffer = section(fields, "buffer");
    Node.Obj plugins = section(fields, "plugins");
    Map<String, Node> platformIds = new HashMap<>();
    List<Platform> platforms = platforms(items(fields, "platforms"), platformIds, faults);
    List<DeviceEntry> devices = devices(items(fields, "devices"), gateway, faults);
    fields.refuseOthers();
    if (gateway == null || root instanceof Node.Obj o && !o.repeated().isEmpty()) {
      return null;
    }
    return new SiteDocument(
        gateway,
        buffer,
        plugins,
        platforms,
        hidden(fields.any("platforms"), platformIds) ? null : platformIds.keySet(),
        devices,
        faults);
  }

  private static Node.Obj section(Fields fields, String key) {
    Node node = fields.any(key);
    if (node != null && !(node instanceof Node.Obj)) {
      fields.wrong(key, "an object");
    }
    return node instanceof Node.Obj object ? object : null;
  }

  private static String gateway(Fields fields, Faults faults) {
    Node node = fields.required("gateway", "an object such as {\"id\": \"cabinet-17\"}");
    Fields gateway = node == null ? null : Fields.of(node, "gateway", faults);
    if (gateway == null) {
      return null;
    }
    String id =
        gateway.text(
            "id",
            ID,
            "1 to 128 letters, digits, hyphens, dots and underscores, such as cabinet-17");
    gateway.refuseOthers();
    return id;
  }

  private static List<Node> items(Fields fields, String key) {
    Node node = fields.any(key);
    if (node == null) {
      return List.of();
    }
    if (node instanceof Node.Arr list) {
      return list.items();
    }
    fields.wrong(key, "a list");
    return List.of();
  }

  /** Whether a platform stands in the document whose id can't be read. */
  private static boolean hidden(Node platforms, Map<String, Node> ids) {
    if (platforms == null) {
      return false;
    }
    return !(platforms instanceof Node.Arr list)
        || !list.items().stream()
            .allMatch(
                item ->
                    item instanceof Node.Obj platform
                        && platform.members().get("id") instanceof Node.Text id
                        && ids.containsKey(id.value()));
  }

  private static List<Platform> platforms(List<Node> items, Map<String, Node> ids, Faults faults) {
    List<Platform> platforms = new ArrayList<>();
    for (int i = 0; i < items.size(); i++) {
      String path = "platforms[" + i + "]";
      Faults own = new Faults(faults.file());
      Fields fields = Fields.of(items.get(i), path, own);
      if (fields != null) {
        String id = fields.text("id", ID, ID_EXPECTED);
        platformUrl(fields, own);
        if (id != null) {
          once(ids, id, fields.any("id"), path, own);
        }
        if (own.none()) {
          platforms.add(new Platform(id, path, fields.node()));
        }
      }
      faults.addAll(own);
    }
    return platforms;
  }

  private static void platformUrl(Fields fields, Faults faults) {
    String expected =
        "a URL that begins with mqtt:// or mqtts://, such as mqtts://iot.example:8883";
    Node node = fields.required("url", expected);
    if (node == null) {
      return;
    }
    URI url = node instanceof Node.Text text ? uri(text.value()) : null;
    if (url == null
        || url.getScheme() == null
        || !PLATFORM_SCHEMES.contains(url.getScheme())
        || url.getHost() == null) {
      faults.add(node, fields.path("url"), shownUrl(node), expected);
    } else if (url.getRawUserInfo() != null) {
      faults.add(
          node,
          fields.path("url"),
          "a URL with a user in it",
          "one without: the name under user, the password under password as secret:name");
    }
  }

  /** A URL may hold a password before its @; then it isn't repeated. */
  private static String shownUrl(Node node) {
    return node instanceof Node.Text text && text.value().contains("@")
        ? "a URL with an @ in it"
        : node.shown();
  }

  private static URI uri(String text) {
    try {
      return new URI(text);
    } catch (URISyntaxException e) {
      return null;
    }
  }

  private static List<DeviceEntry> devices(List<Node> items, String gateway, Faults faults) {
    List<DeviceEntry> devices = new ArrayList<>();
    Map<String, Node> ids = new HashMap<>();
    for (int i = 0; i < items.size(); i++) {
      Faults own = new Faults(faults.file());
      DeviceEntry device = device(items.get(i), "devices[" + i + "]", gateway, ids, own);
      if (device != null) {
        devices.add(device);
      }
      faults.addAll(own);
    }
    return devices;
  }

  private static DeviceEntry device(
      Node node, String path, String gateway, Map<String, Node> ids, Faults faults) {
    Fields fields = Fields.of(node, path, faults);
    if (fields == null) {
      return null;
    }
    String id = fields.text("id", ID, ID_EXPECTED);
    String profile =
        fields.text("profile", PROFILE, "the id of a profile, such as underpass-water");
    URI endpoint = endpoint(fields, faults);
    Duration interval = fields.duration("interval", MIN_INTERVAL, MAX_INTERVAL, null);
    Duration timeout = fields.duration("timeout", MIN_INTERVAL, MAX_TIMEOUT, DEFAULT_TIMEOUT);
    Map<String, String> settings = fields.settings("settings");
    fields.refuseOthers();
    if (id == null) {
      return null;
    }
    if (id.equals(gateway)) {
      fields.wrong("id", "an id of its own: the gateway has this one");
      return null;
    }
    if (!once(ids, id, fields.any("id"), path, faults)) {
      return null;
    }
    return new DeviceEntry(
        id,
        path,
        fields.node(),
        profile == null ? "" : profile,
        endpoint,
        interval,
        timeout == null ? DEFAULT_TIMEOUT : timeout,
        settings == null ? Map.of() : settings,
        faults.none() ? "" : String.join("; ", faults.lines()));
  }

  private static boolean once(
      Map<String, Node> ids, String id, Node node, String path, Faults faults) {
    Node first = ids.putIfAbsent(id, node);
    if (first != null) {
      faults.add(
          node,
          path + ".id",
          node.shown(),
          "an id of its own: line " + first.line() + " has this one already");
    }
    return first == null;
  }

  /** The endpoint, or something to show in its place. */
  private static URI endpoint(Fields fields, Faults faults) {
    URI nothing = URI.create("invalid:endpoint");
    Node node = fields.required("endpoint", ENDPOINT_EXPECTED);
    if (node == null) {
      return nothing;
    }
    URI endpoint = node instanceof Node.Text text ? uri(text.value()) : null;
    if (endpoint == null || endpoint.getScheme() == null) {
      faults.add(node, fields.path("endpoint"), shownUrl(node), ENDPOINT_EXPECTED);
      return nothing;
    }
    String authority = endpoint.getRawAuthority();
    if (authority != null && authority.contains("@")) {
      faults.add(
          node,
          fields.path("endpoint"),
          "a URL with a user in it",
          "one without: what the driver must know belongs under settings, a password as"
              + " secret:name");
      return nothing;
    }
    return endpoint;
  }
}
