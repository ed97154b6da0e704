package io.culvert.core.site;

import io.culvert.core.document.Faults;
import io.culvert.core.document.Fields;
import io.culvert.core.document.Node;
import java.io.InputStream;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * What a bundle declares of one configuration in its Metatype resource (OSGi Compendium 105.8), and
 * the check of a JSON object against it. Read from the resource rather than through the Metatype
 * service, because that tells neither bounds nor anything outside a running framework.
 *
 * @param attributes by id
 */
record Metatype(Map<String, Attribute> attributes) {

  /** A password is named, never written: {@code secret:} and a file name in etc/secrets. */
  static final Pattern SECRET = Pattern.compile("secret:[A-Za-z0-9_][A-Za-z0-9._-]{0,63}");

  /** Longest list that an attribute without a bound of its own takes. */
  private static final int MANY = 10_000;

  /** The types of 105.8 that a document can give. */
  enum Type {
    STRING,
    PASSWORD,
    LONG,
    INTEGER,
    SHORT,
    BYTE,
    DOUBLE,
    FLOAT,
    CHARACTER,
    BOOLEAN
  }

  /**
   * @param cardinality 0 for a single value; otherwise an array of at most that size, a list if
   *     negative
   * @param min bound of a number or of a text's length; {@code null} for none
   * @param options values that are taken; empty for any
   * @param required whether it must be given, because it has no default
   */
  record Attribute(
      Type type,
      int cardinality,
      BigDecimal min,
      BigDecimal max,
      Set<String> options,
      boolean required) {}

  /**
   * Reads one resource.
   *
   * @return by PID or factory PID
   * @throws XMLStreamException if it isn't such a resource
   */
  static Map<String, Metatype> read(InputStream xml) throws XMLStreamException {
    XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
    factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
    XMLStreamReader reader = factory.createXMLStreamReader(xml);
    Map<String, Metatype> classes = new HashMap<>();
    Map<String, String> designated = new LinkedHashMap<>();
    Map<String, Attribute> attributes = new TreeMap<>();
    String id = null;
    String pid = null;
    Attribute attribute = null;
    while (reader.hasNext()) {
      int event = reader.next();
      if (event == XMLStreamConstants.START_ELEMENT) {
        switch (reader.getLocalName()) {
          case "OCD" -> {
            attributes = new TreeMap<>();
            classes.put(reader.getAttributeValue(null, "id"), new Metatype(attributes));
          }
          case "AD" -> {
            id = reader.getAttributeValue(null, "id");
            attribute = attribute(reader);
            attributes.put(id, attribute);
          }
          case "Option" -> attribute.options.add(reader.getAttributeValue(null, "value"));
          case "Designate" -> {
            String factoryPid = reader.getAttributeValue(null, "factoryPid");
            pid =
                factoryPid == null || factoryPid.isEmpty()
                    ? reader.getAttributeValue(null, "pid")
                    : factoryPid;
          }
          case "Object" -> designated.put(pid, reader.getAttributeValue(null, "ocdref"));
          default -> {
            // Icons and extensions say nothing of values.
          }
        }
      }
    }
    Map<String, Metatype> byPid = new LinkedHashMap<>();
    designated.forEach(
        (name, reference) -> {
          if (classes.containsKey(reference)) {
            byPid.put(name, classes.get(reference));
          }
        });
    return byPid;
  }

  private static Attribute attribute(XMLStreamReader reader) throws XMLStreamException {
    String type = reader.getAttributeValue(null, "type");
    String cardinality = reader.getAttributeValue(null, "cardinality");
    try {
      return new Attribute(
          switch (type) {
            case "Char", "Character" -> Type.CHARACTER;
            default -> Type.valueOf(type.toUpperCase(java.util.Locale.ROOT));
          },
          cardinality == null ? 0 : Integer.parseInt(cardinality),
          bound(reader.getAttributeValue(null, "min")),
          bound(reader.getAttributeValue(null, "max")),
          new java.util.LinkedHashSet<>(),
          !"false".equals(reader.getAttributeValue(null, "required"))
              && reader.getAttributeValue(null, "default") == null);
    } catch (RuntimeException e) {
      throw new XMLStreamException("Attribute " + reader.getAttributeValue(null, "id"), e);
    }
  }

  private static BigDecimal bound(String text) {
    return text == null || text.isEmpty() ? null : new BigDecimal(text);
  }

  /**
   * Checks an object and makes typed properties of it.
   *
   * @param given properties that the core adds itself; the document can't
   * @return only what is right; complete if no fault was added
   */
  Map<String, Object> check(
      Node.Obj object, String path, Map<String, Object> given, Faults faults) {
    Fields fields = Fields.of(object, path, faults);
    Map<String, Object> properties = new TreeMap<>();
    attributes.forEach(
        (id, attribute) -> {
          if (given.containsKey(id)) {
            return;
          }
          Node node = fields.any(id);
          if (node == null) {
            if (attribute.required) {
              fields.required(id, expected(attribute));
            }
            return;
          }
          Object value = value(node, attribute, fields.path(id), faults);
          if (value != null) {
            properties.put(id, value);
          }
        });
    // The document's own id of a platform is one of the given.
    given.keySet().stream().filter("id"::equals).forEach(fields::any);
    fields.refuseOthers();
    properties.putAll(given);
    return properties;
  }

  private static Object value(Node node, Attribute attribute, String path, Faults faults) {
    if (attribute.cardinality == 0) {
      return single(node, attribute, path, faults);
    }
    int most =
        attribute.cardinality == Integer.MIN_VALUE || attribute.cardinality == Integer.MAX_VALUE
            ? MANY
            : Math.abs(attribute.cardinality);
    if (!(node instanceof Node.Arr list) || list.items().size() > most) {
      faults.add(node, path, node.shown(), "a list of at most " + most + " values");
      return null;
    }
    List<Object> values = new ArrayList<>();
    for (int i = 0; i < list.items().size(); i++) {
      Object value = single(list.items().get(i), attribute, path + "[" + i + "]", faults);
      if (value != null) {
        values.add(value);
      }
    }
    if (attribute.cardinality < 0) {
      return values;
    }
    Object array = java.lang.reflect.Array.newInstance(boxed(attribute.type), values.size());
    for (int i = 0; i < values.size(); i++) {
      java.lang.reflect.Array.set(array, i, values.get(i));
    }
    return array;
  }

  private static Class<?> boxed(Type type) {
    return switch (type) {
      case STRING, PASSWORD -> String.class;
      case LONG -> Long.class;
      case INTEGER -> Integer.class;
      case SHORT -> Short.class;
      case BYTE -> Byte.class;
      case DOUBLE -> Double.class;
      case FLOAT -> Float.class;
      case CHARACTER -> Character.class;
      case BOOLEAN -> Boolean.class;
    };
  }

  private static Object single(Node node, Attribute attribute, String path, Faults faults) {
    Object value = convert(node, attribute);
    if (value == null) {
      faults.add(
          node,
          path,
          attribute.type == Type.PASSWORD ? "a value in clear" : node.shown(),
          expected(attribute));
    }
    return value;
  }

  private static Object convert(Node node, Attribute attribute) {
    if (!attribute.options.isEmpty() && !attribute.options.contains(plain(node))) {
      return null;
    }
    switch (attribute.type) {
      case BOOLEAN:
        return node instanceof Node.Bool bool ? bool.value() : null;
      case PASSWORD:
        return node instanceof Node.Text text && SECRET.matcher(text.value()).matches()
            ? text.value()
            : null;
      case STRING:
        return node instanceof Node.Text text && within(text.value().length(), attribute)
            ? text.value()
            : null;
      case CHARACTER:
        return node instanceof Node.Text text && text.value().length() == 1
            ? text.value().charAt(0)
            : null;
      default:
        BigDecimal number = node instanceof Node.Num num ? num.value() : null;
        if (number == null
            || attribute.min != null && number.compareTo(attribute.min) < 0
            || attribute.max != null && number.compareTo(attribute.max) > 0) {
          return null;
        }
        return number(number, attribute.type);
    }
  }

  private static boolean within(int length, Attribute attribute) {
    BigDecimal size = BigDecimal.valueOf(length);
    return (attribute.min == null || size.compareTo(attribute.min) >= 0)
        && (attribute.max == null || size.compareTo(attribute.max) <= 0);
  }

  private static Object number(BigDecimal number, Type type) {
    try {
      return switch (type) {
        case LONG -> number.longValueExact();
        case INTEGER -> number.intValueExact();
        case SHORT -> number.shortValueExact();
        case BYTE -> number.byteValueExact();
        case FLOAT -> Float.isFinite(number.floatValue()) ? number.floatValue() : null;
        default -> number.doubleValue();
      };
    } catch (ArithmeticException e) {
      return null;
    }
  }

  /** A value as an option of the resource is written. */
  private static String plain(Node node) {
    if (node instanceof Node.Text text) {
      return text.value();
    }
    return node instanceof Node.Num num ? num.text() : node.shown();
  }

  private static String expected(Attribute attribute) {
    if (attribute.type == Type.PASSWORD) {
      return "secret:name, with the value in the file etc/secrets/name (mode 0600)";
    }
    if (!attribute.options.isEmpty()) {
      return Fields.oneOf(attribute.options);
    }
    String kind =
        switch (attribute.type) {
          case BOOLEAN -> "true or false";
          case CHARACTER -> "a text of one character";
          case STRING -> "a text";
          case DOUBLE, FLOAT -> "a number";
          default -> "a whole number";
        };
    boolean text = attribute.type == Type.STRING;
    if (attribute.min != null && attribute.max != null) {
      return kind
          + (text ? " of " : " from ")
          + attribute.min.toPlainString()
          + " to "
          + attribute.max.toPlainString()
          + (text ? " characters" : "");
    }
    if (attribute.min != null || attribute.max != null) {
      return kind
          + (attribute.min != null
              ? " of at least " + attribute.min.toPlainString()
              : " of at most " + attribute.max.toPlainString())
          + (text ? " characters" : "");
    }
    return kind;
  }
}
