package io.culvert.device.opcua;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.enumerated.StructureType;
import org.eclipse.milo.opcua.stack.core.types.structured.DataTypeDefinition;
import org.eclipse.milo.opcua.stack.core.types.structured.EnumDefinition;
import org.eclipse.milo.opcua.stack.core.types.structured.EnumField;
import org.eclipse.milo.opcua.stack.core.types.structured.StructureDefinition;
import org.eclipse.milo.opcua.stack.core.types.structured.StructureField;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A type dictionary in OPC Binary (OPC 10000-3, Annex C; OPC 10000-5, Annex D): how servers from
 * before OPC UA 1.04 say what their structures are made of.
 *
 * <p>OPC Binary can describe more than OPC UA's encoding has. What doesn't fit that, and what is
 * made of it, is left out: better no value than a wrong one. Not thread-safe.
 */
final class Dictionary {
  private static final Logger LOG = LoggerFactory.getLogger(Dictionary.class);

  private static final String OPC_BINARY = "http://opcfoundation.org/BinarySchema/";
  private static final String OPC_UA = "http://opcfoundation.org/UA/";

  private static final String BYTE_ORDER_MARK = "\uFEFF";

  /** Before a structure with optional fields: a bit for each, and the rest unused. */
  private static final int MASK_BITS = 32;

  /** OPC Binary's own types. */
  private static final Map<String, NodeId> PLAIN =
      Map.ofEntries(
          Map.entry("Boolean", NodeIds.Boolean),
          Map.entry("SByte", NodeIds.SByte),
          Map.entry("Byte", NodeIds.Byte),
          Map.entry("Int16", NodeIds.Int16),
          Map.entry("UInt16", NodeIds.UInt16),
          Map.entry("Int32", NodeIds.Int32),
          Map.entry("UInt32", NodeIds.UInt32),
          Map.entry("Int64", NodeIds.Int64),
          Map.entry("UInt64", NodeIds.UInt64),
          Map.entry("Float", NodeIds.Float),
          Map.entry("Double", NodeIds.Double),
          Map.entry("DateTime", NodeIds.DateTime),
          Map.entry("Guid", NodeIds.Guid),
          Map.entry("ByteString", NodeIds.ByteString),
          Map.entry("String", NodeIds.String),
          Map.entry("CharArray", NodeIds.String));

  /** OPC UA's types that are called otherwise here. */
  private static final Map<String, NodeId> RENAMED =
      Map.of("Variant", NodeIds.BaseDataType, "ExtensionObject", NodeIds.Structure);

  /** It is described, but not as OPC UA encodes. */
  private static final class UnlikeException extends Exception {
    private static final long serialVersionUID = 1;
  }

  /**
   * A field as it is written.
   *
   * @param space namespace of its type
   * @param length of a list, the field that says how many; {@code null} if it is none
   * @param when the field that says whether this one is there; {@code null} if it always is
   * @param value what {@code when} says then; {@code null} for a bit
   * @param units how many there are of it; {@code null} for one
   */
  private record Field(
      String name,
      String space,
      String type,
      String length,
      String when,
      String value,
      String units) {
    boolean is(String plain) {
      return OPC_BINARY.equals(space) && plain.equals(type);
    }
  }

  private final Function<String, NodeId> own;
  private final Function<String, NodeId> ids;
  private final Map<String, List<Field>> structures = new HashMap<>();
  private final Map<String, List<EnumField>> enumerations = new HashMap<>();
  private String target = "";

  private Dictionary(Function<String, NodeId> own, Function<String, NodeId> ids) {
    this.own = own;
    this.ids = ids;
  }

  /**
   * Reads a dictionary.
   *
   * @param own finds OPC UA's own data types by name; {@code null} for none
   * @param ids makes the ids of the dictionary's types out of their names
   * @return what the types are made of, by name
   * @throws IOException if it can't be read
   */
  static Map<String, DataTypeDefinition> read(
      byte[] xml, Function<String, NodeId> own, Function<String, NodeId> ids) throws IOException {
    XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
    // Nothing from elsewhere, and no entities that blow themselves up.
    factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
    try {
      Dictionary dictionary = new Dictionary(own, ids);
      // Dictionaries are UTF-8. The parser would print what isn't, besides saying so.
      String text = new String(xml, StandardCharsets.UTF_8);
      XMLStreamReader reader =
          factory.createXMLStreamReader(
              new StringReader(text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text));
      try {
        dictionary.parse(reader);
      } finally {
        reader.close();
      }
      return dictionary.defined();
    } catch (XMLStreamException | RuntimeException malformed) {
      throw new IOException("The type dictionary can't be read: " + malformed.getMessage());
    }
  }

  private void parse(XMLStreamReader reader) throws XMLStreamException {
    List<Field> fields = new ArrayList<>();
    List<EnumField> values = new ArrayList<>();
    while (reader.hasNext()) {
      if (reader.next() != XMLStreamReader.START_ELEMENT
          || !OPC_BINARY.equals(reader.getNamespaceURI())) {
        continue;
      }
      switch (reader.getLocalName()) {
        case "TypeDictionary" -> target = required(reader, "TargetNamespace");
        case "StructuredType" -> {
          fields = new ArrayList<>();
          structures.put(required(reader, "Name"), fields);
        }
        case "EnumeratedType" -> {
          values = new ArrayList<>();
          if ("32".equals(attribute(reader, "LengthInBits"))) {
            enumerations.put(required(reader, "Name"), values);
          }
        }
        case "Field" -> fields.add(field(reader));
        case "EnumeratedValue" -> {
          String name = required(reader, "Name");
          values.add(
              new EnumField(
                  Long.parseLong(required(reader, "Value")),
                  LocalizedText.english(name),
                  LocalizedText.NULL_VALUE,
                  name));
        }
        default -> {
          // Words, imports, and types without form.
        }
      }
    }
  }

  private static String attribute(XMLStreamReader reader, String name) {
    return reader.getAttributeValue(null, name);
  }

  private static String required(XMLStreamReader reader, String name) throws XMLStreamException {
    String value = attribute(reader, name);
    if (value == null) {
      throw new XMLStreamException(
          reader.getLocalName() + " without " + name, reader.getLocation());
    }
    return value;
  }

  private static Field field(XMLStreamReader reader) throws XMLStreamException {
    String type = required(reader, "TypeName");
    int colon = type.indexOf(':');
    String space = reader.getNamespaceURI(colon < 0 ? "" : type.substring(0, colon));
    return new Field(
        required(reader, "Name"),
        space == null ? "" : space,
        type.substring(colon + 1),
        attribute(reader, "LengthField"),
        attribute(reader, "SwitchField"),
        attribute(reader, "SwitchValue"),
        attribute(reader, "Length"));
  }

  private Map<String, DataTypeDefinition> defined() {
    Map<String, DataTypeDefinition> all = new HashMap<>();
    enumerations.forEach(
        (name, values) -> all.put(name, new EnumDefinition(values.toArray(new EnumField[0]))));
    structures.forEach(
        (name, fields) -> {
          try {
            all.put(name, structure(fields));
          } catch (UnlikeException leftOut) {
            LOG.debug("The type {} of a dictionary isn't as OPC UA encodes", name);
          }
        });
    boolean fewer = true;
    while (fewer) {
      fewer = all.keySet().removeIf(name -> !whole(name, all));
    }
    return all;
  }

  /** Whether all that a type is made of is there. */
  private boolean whole(String name, Map<String, DataTypeDefinition> all) {
    return structures.getOrDefault(name, List.of()).stream()
        .allMatch(field -> !field.space.equals(target) || all.containsKey(field.type));
  }

  private StructureDefinition structure(List<Field> fields) throws UnlikeException {
    List<String> bits = new ArrayList<>();
    int mask = 0;
    int at = 0;
    for (; at < fields.size() && fields.get(at).is("Bit"); at++) {
      String units = fields.get(at).units;
      int wide = units == null ? 1 : Integer.parseInt(units);
      // After one of several bits, the others aren't where OPC UA has them.
      if (wide == 1 && bits.size() == mask) {
        bits.add(fields.get(at).name);
      }
      mask += wide;
    }
    require(mask == 0 || mask == MASK_BITS);
    Field choice =
        mask == 0 && fields.size() > 1 && fields.get(0).is("UInt32") ? fields.get(0) : null;
    boolean union =
        choice != null && fields.stream().skip(1).allMatch(field -> choice.name.equals(field.when));
    StructureType kind =
        union
            ? StructureType.Union
            : mask == 0 ? StructureType.Structure : StructureType.StructureWithOptionalFields;
    List<StructureField> made = new ArrayList<>();
    int optional = 0;
    for (int i = union ? 1 : at; i < fields.size(); i++) {
      Field field = fields.get(i);
      String length = field.name;
      boolean list = i + 1 < fields.size() && length.equals(fields.get(i + 1).length);
      if (list) {
        require(field.is("Int32") && field.length == null && field.units == null);
        Field of = fields.get(++i);
        require(Objects.equals(field.when, of.when) && Objects.equals(field.value, of.value));
        field = of;
      }
      // A length that stands elsewhere, a fixed one, bits among the bytes: all unlike OPC UA.
      require(list == (field.length != null) && field.units == null);
      if (union) {
        require(Integer.toString(made.size() + 1).equals(field.value));
      } else if (field.when != null) {
        require(optional < bits.size() && field.when.equals(bits.get(optional++)));
        require(field.value == null);
      }
      made.add(
          new StructureField(
              field.name,
              LocalizedText.NULL_VALUE,
              type(field),
              list ? 1 : -1,
              null,
              UInteger.MIN,
              !union && field.when != null));
    }
    return new StructureDefinition(
        NodeId.NULL_VALUE, NodeIds.Structure, kind, made.toArray(new StructureField[0]));
  }

  private NodeId type(Field field) throws UnlikeException {
    NodeId id = null;
    if (field.space.equals(OPC_BINARY)) {
      id = PLAIN.get(field.type);
    } else if (field.space.equals(target)) {
      id = ids.apply(field.type);
    } else if (field.space.equals(OPC_UA)) {
      NodeId renamed = RENAMED.get(field.type);
      id = renamed == null ? own.apply(field.type) : renamed;
    }
    require(id != null);
    return id;
  }

  private static void require(boolean likeOpcUa) throws UnlikeException {
    if (!likeOpcUa) {
      throw new UnlikeException();
    }
  }
}
