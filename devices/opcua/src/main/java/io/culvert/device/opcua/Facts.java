package io.culvert.device.opcua;

import io.culvert.api.southbound.Browsable.Found;
import java.io.IOException;
import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.UaSerializationException;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.enumerated.NodeClass;
import org.eclipse.milo.opcua.stack.core.types.structured.Argument;
import org.eclipse.milo.opcua.stack.core.types.structured.EUInformation;
import org.eclipse.milo.opcua.stack.core.types.structured.EnumValueType;
import org.eclipse.milo.opcua.stack.core.types.structured.Range;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadValueId;
import org.eclipse.milo.opcua.stack.core.types.structured.ReferenceDescription;

/**
 * What a server tells of its nodes, as facts of what was found: attributes (Part 3, 5), and the
 * properties that say unit, range and states (Part 8, 5.3). Used by one thread at a time.
 */
final class Facts {
  /** Bits of an access level (Part 3, 8.57). */
  private static final int READ = 1;

  private static final int WRITE = 2;
  private static final int HISTORY = 4;

  /** Bit of an event notifier (Part 3, 8.59). */
  private static final int EVENTS = 1;

  /** Characters of a description or a list of states. */
  private static final int LONGEST = 1000;

  private static final int LONGEST_VALUE = 60;
  static final int MOST_STATES = 100;

  private static final List<AttributeId> OF_VARIABLES =
      List.of(
          AttributeId.DataType,
          AttributeId.ValueRank,
          AttributeId.AccessLevel,
          AttributeId.UserAccessLevel,
          AttributeId.DisplayName,
          AttributeId.Description);
  private static final List<AttributeId> OF_OBJECTS =
      List.of(AttributeId.EventNotifier, AttributeId.DisplayName, AttributeId.Description);
  private static final List<AttributeId> OF_METHODS =
      List.of(AttributeId.UserExecutable, AttributeId.DisplayName, AttributeId.Description);

  /** Properties whose values are read. */
  private static final Set<String> PROPERTIES =
      Set.of(
          "EURange",
          "EngineeringUnits",
          "EnumStrings",
          "EnumValues",
          "TrueState",
          "FalseState",
          "InputArguments",
          "OutputArguments");

  private final Requests requests;
  private final TypeWords types;
  private final boolean tree;

  /**
   * @param tree whether the nodes are those of a tree, which have a path; values of scalars are
   *     told of others only
   */
  Facts(Requests requests, TypeWords types, boolean tree) {
    this.requests = requests;
    this.types = types;
    this.tree = tree;
  }

  /** What is read of a node: attributes by id, properties by name. */
  private static final class Told {
    private final Map<AttributeId, Object> attributes = new HashMap<>();
    private final Map<String, Object> properties = new HashMap<>();
    private Object value;

    private NodeId dataType() {
      return attributes.get(AttributeId.DataType) instanceof NodeId type ? type : null;
    }

    /** Whether it is a single value; a server that doesn't tell means that. */
    private boolean scalar() {
      return !(attributes.get(AttributeId.ValueRank) instanceof Number rank)
          || rank.intValue() == -1;
    }

    private int bits(AttributeId attribute) {
      return attributes.get(attribute) instanceof Number number ? number.intValue() : 0;
    }
  }

  /**
   * Describes nodes.
   *
   * @param references of those that have properties
   */
  List<Found> describe(List<Seen> nodes, Map<NodeId, List<ReferenceDescription>> references)
      throws IOException, Deadline.OverException {
    List<Told> told = read(nodes, references);
    Set<NodeId> used = new LinkedHashSet<>();
    Set<NodeId> definitions = new LinkedHashSet<>();
    for (int i = 0; i < nodes.size(); i++) {
      used.add(told.get(i).dataType());
      definitions.add(nodes.get(i).type());
      arguments(told.get(i), "InputArguments").forEach(one -> used.add(one.getDataType()));
      arguments(told.get(i), "OutputArguments").forEach(one -> used.add(one.getDataType()));
    }
    used.remove(null);
    definitions.remove(null);
    types.learn(used, definitions, requests);
    values(nodes, told);
    List<Found> found = new ArrayList<>();
    for (int i = 0; i < nodes.size(); i++) {
      found.add(found(nodes.get(i), told.get(i)));
    }
    return found;
  }

  private List<Told> read(List<Seen> nodes, Map<NodeId, List<ReferenceDescription>> references)
      throws IOException, Deadline.OverException {
    List<ReadValueId> what = new ArrayList<>();
    List<Consumer<Object>> into = new ArrayList<>();
    List<Told> all = new ArrayList<>();
    for (Seen node : nodes) {
      Told told = new Told();
      all.add(told);
      List<AttributeId> attributes =
          node.nodeClass() == NodeClass.Variable
              ? OF_VARIABLES
              : node.nodeClass() == NodeClass.Object
                  ? OF_OBJECTS
                  : node.nodeClass() == NodeClass.Method
                      ? OF_METHODS
                      : List.of(AttributeId.Description);
      for (AttributeId attribute : attributes) {
        what.add(DataTypes.attribute(node.id(), attribute));
        into.add(value -> told.attributes.put(attribute, value));
      }
      for (ReferenceDescription reference : references.getOrDefault(node.id(), List.of())) {
        Seen property = node.child(reference, requests.namespaces()).orElse(null);
        if (property != null
            && property.standardProperty()
            && PROPERTIES.contains(property.browseName().getName())) {
          what.add(DataTypes.attribute(property.id(), AttributeId.Value));
          into.add(value -> told.properties.put(property.browseName().getName(), value));
        }
      }
    }
    List<DataValue> answers = requests.read(what);
    for (int i = 0; i < answers.size(); i++) {
      into.get(i).accept(good(answers.get(i)));
    }
    return all;
  }

  private static Object good(DataValue value) {
    return value.getStatusCode().isBad() ? null : value.getValue().getValue();
  }

  /** Values of scalars, and of nodes whose type leaves open what they are. */
  private void values(List<Seen> nodes, List<Told> told)
      throws IOException, Deadline.OverException {
    List<Told> readable = new ArrayList<>();
    List<ReadValueId> what = new ArrayList<>();
    for (int i = 0; i < nodes.size(); i++) {
      Told own = told.get(i);
      NodeId type = own.dataType();
      boolean wanted =
          type != null
              && (own.bits(AttributeId.UserAccessLevel) & READ) != 0
              && (types.open(type) || !tree && own.scalar() && small(types.word(type, null)));
      if (wanted) {
        readable.add(own);
        what.add(DataTypes.attribute(nodes.get(i).id(), AttributeId.Value));
      }
    }
    List<DataValue> answers = requests.read(what);
    for (int i = 0; i < answers.size(); i++) {
      readable.get(i).value = good(answers.get(i));
    }
  }

  private static boolean small(String word) {
    return word != null && !word.equals("bytes") && !word.equals("struct");
  }

  private Found found(Seen node, Told told) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("kind", kind(node));
    put(facts, "typeDefinition", node.type() == null ? "" : types.name(node.type()));
    put(facts, "path", tree && node.path() != null ? node.path().toString() : "");
    // Some servers speak the session's language in attributes only.
    String spoken = cut(text(told.attributes.get(AttributeId.DisplayName)), Seen.TITLE);
    String title = spoken.isBlank() ? node.title() : spoken;
    put(facts, "otherTitle", title.equals(node.title()) ? "" : node.title());
    String name = node.browseName().getName();
    put(facts, "name", name.equals(title) ? "" : name);
    put(facts, "description", text(told.attributes.get(AttributeId.Description)));
    switch (node.nodeClass()) {
      case Variable -> variable(told, facts);
      case Object -> {
        if ((told.bits(AttributeId.EventNotifier) & EVENTS) != 0) {
          put(facts, "point", point("events:", reference(node.id(), node.path())));
        }
      }
      case Method -> {
        NodeRef.Path own = node.path();
        boolean relative = tree && own != null;
        List<NodeRef.Step> steps = relative ? own.steps() : List.of();
        int last = steps.size() - 1;
        String object =
            reference(node.parent(), relative ? new NodeRef.Path(steps.subList(0, last)) : null);
        String method =
            reference(node.id(), relative ? new NodeRef.Path(steps.subList(last, last + 1)) : null);
        put(facts, "point", point("method:", object, method));
        put(facts, "arguments", arguments(arguments(told, "InputArguments")));
        put(facts, "results", arguments(arguments(told, "OutputArguments")));
        if (Boolean.FALSE.equals(told.attributes.get(AttributeId.UserExecutable))) {
          facts.put("access", "none");
        }
      }
      default -> {
        // Types and views have nothing else to tell.
      }
    }
    return new Found(Seen.address(node.id(), requests.namespaces()), title, facts);
  }

  /** A node as an address names it; {@code ""} if none can. */
  private String reference(NodeId node, NodeRef.Path path) {
    return tree && path != null ? path.toString() : Seen.address(node, requests.namespaces());
  }

  private static String point(String kind, String... nodes) {
    return List.of(nodes).contains("") ? "" : kind + String.join(" ", nodes);
  }

  private static String kind(Seen node) {
    if (node.property()) {
      return "property";
    }
    String kind = node.nodeClass().name();
    return kind.substring(0, 1).toLowerCase(Locale.ROOT) + kind.substring(1);
  }

  private void variable(Told told, Map<String, String> facts) {
    NodeId type = told.dataType();
    if (type != null) {
      String word = types.word(type, told.value);
      put(facts, "type", word);
      put(facts, "dataType", types.name(type));
      put(facts, "array", told.scalar() ? "" : "true");
      put(facts, "states", cut(types.states(type), LONGEST));
      put(facts, "states", states(told));
      boolean state = "bool".equals(word) || facts.containsKey("states");
      put(facts, "class", state ? "state" : "");
    }
    int level = told.bits(AttributeId.UserAccessLevel);
    facts.put("access", access(level));
    boolean history = (level & HISTORY) != 0 || (told.bits(AttributeId.AccessLevel) & HISTORY) != 0;
    put(facts, "history", truth(history ? 1 : 0));
    if (decoded(told.properties.get("EURange")) instanceof Range range) {
      put(facts, "range", range(range.getLow(), range.getHigh()));
    }
    if (decoded(told.properties.get("EngineeringUnits")) instanceof EUInformation unit) {
      unit(unit, facts);
    }
    if (!tree && told.value != null && told.scalar()) {
      put(facts, "value", shown(told.value));
    }
  }

  private static String access(int level) {
    boolean read = (level & READ) != 0;
    boolean write = (level & WRITE) != 0;
    return read ? write ? "read-write" : "read" : write ? "write" : "none";
  }

  private static void unit(EUInformation unit, Map<String, String> facts) {
    String name = text(unit.getDisplayName());
    int id = unit.getUnitId() == null ? -1 : unit.getUnitId();
    String ucum = Units.table().ucum(unit.getNamespaceUri(), id, name);
    put(facts, "unit", ucum);
    if (ucum == null || !ucum.equals(name)) {
      String described = text(unit.getDescription());
      String code = Units.UNECE.equals(unit.getNamespaceUri()) ? Units.code(id) : "";
      put(
          facts,
          "unitOriginal",
          cut(
              (name.isEmpty() ? described : name)
                  + (code.isEmpty() || ucum != null ? "" : " (code " + code + ")"),
              LONGEST_VALUE));
    }
  }

  /** Two finite numbers, the lesser first; {@code ""} if they are none. */
  private static String range(Double low, Double high) {
    return low == null
            || high == null
            || !Double.isFinite(low)
            || !Double.isFinite(high)
            || low >= high
        ? ""
        : number(low) + ".." + number(high);
  }

  private static String number(double number) {
    BigDecimal plain = new BigDecimal(Double.toString(number)).stripTrailingZeros();
    return Math.abs(number) >= 1e15 || number != 0 && Math.abs(number) < 1e-9
        ? plain.toString()
        : plain.toPlainString();
  }

  /** What a variable's own properties say that its values mean (Part 8, 5.3.3). */
  private String states(Told told) {
    List<String> states = new ArrayList<>();
    Object texts = told.properties.get("EnumStrings");
    if (texts instanceof LocalizedText[] names) {
      for (int i = 0; i < names.length && i < MOST_STATES; i++) {
        states.add(i + " " + text(names[i]));
      }
    }
    if (told.properties.get("EnumValues") instanceof ExtensionObject[] pairs) {
      states.clear();
      for (ExtensionObject pair : pairs) {
        if (decoded(pair) instanceof EnumValueType value && states.size() < MOST_STATES) {
          states.add(value.getValue() + " " + text(value.getDisplayName()));
        }
      }
    }
    if (told.properties.containsKey("FalseState") || told.properties.containsKey("TrueState")) {
      states.add("false " + text(told.properties.get("FalseState")));
      states.add("true " + text(told.properties.get("TrueState")));
    }
    return cut(String.join(", ", states), LONGEST);
  }

  private List<Argument> arguments(Told told, String property) {
    List<Argument> arguments = new ArrayList<>();
    if (told.properties.get(property) instanceof ExtensionObject[] all) {
      for (ExtensionObject one : all) {
        if (decoded(one) instanceof Argument argument && argument.getDataType() != null) {
          arguments.add(argument);
        }
      }
    }
    return arguments;
  }

  private String arguments(List<Argument> arguments) {
    List<String> words = new ArrayList<>();
    for (Argument argument : arguments) {
      String word = types.word(argument.getDataType(), null);
      boolean array = argument.getValueRank() != null && argument.getValueRank() >= 0;
      words.add(
          argument.getName()
              + " "
              + (word == null ? types.name(argument.getDataType()) : word)
              + (array ? "[]" : ""));
    }
    return cut(String.join(", ", words), LONGEST);
  }

  private Object decoded(Object value) {
    try {
      return value instanceof ExtensionObject object ? object.decode(requests.encoding()) : null;
    } catch (UaSerializationException e) {
      // Of another type than the standard has for it.
      return null;
    }
  }

  private static String text(Object value) {
    return value instanceof LocalizedText text && text.getText() != null
        ? cut(text.getText(), LONGEST)
        : "";
  }

  /** A value for a person. */
  private static String shown(Object value) {
    if (value.getClass().isArray()) {
      return Array.getLength(value) + " values";
    }
    if (value instanceof LocalizedText text) {
      return cut(text(text), LONGEST_VALUE);
    }
    if (value instanceof DateTime time) {
      return time.getJavaInstant().toString();
    }
    if (value instanceof ByteString bytes) {
      return bytes.length() + " bytes";
    }
    if (value instanceof Double || value instanceof Float) {
      double number = Double.parseDouble(value.toString());
      return Double.isFinite(number) ? number(number) : value.toString();
    }
    return value instanceof Number || value instanceof Boolean || value instanceof String
        ? cut(value.toString(), LONGEST_VALUE)
        : "";
  }

  private static String cut(String text, int longest) {
    if (text.length() <= longest) {
      return text;
    }
    int end = Character.isHighSurrogate(text.charAt(longest - 2)) ? longest - 2 : longest - 1;
    return text.substring(0, end) + "…";
  }

  private static String truth(int bit) {
    return bit == 0 ? "" : "true";
  }

  private static void put(Map<String, String> facts, String key, String value) {
    if (value != null && !value.isBlank()) {
      facts.put(key, value);
    }
  }
}
