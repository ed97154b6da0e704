package io.culvert.device.opcua;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.eclipse.milo.opcua.sdk.core.AccessLevel;
import org.eclipse.milo.opcua.sdk.core.Reference;
import org.eclipse.milo.opcua.sdk.server.ManagedNamespaceWithLifecycle;
import org.eclipse.milo.opcua.sdk.server.OpcUaServer;
import org.eclipse.milo.opcua.sdk.server.items.DataItem;
import org.eclipse.milo.opcua.sdk.server.items.MonitoredItem;
import org.eclipse.milo.opcua.sdk.server.nodes.UaDataTypeNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaMethodNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaObjectNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaVariableNode;
import org.eclipse.milo.opcua.sdk.server.util.SubscriptionModel;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.encoding.binary.OpcUaBinaryEncoder;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DiagnosticInfo;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UShort;
import org.eclipse.milo.opcua.stack.core.types.enumerated.StructureType;
import org.eclipse.milo.opcua.stack.core.types.structured.Argument;
import org.eclipse.milo.opcua.stack.core.types.structured.CallMethodResult;
import org.eclipse.milo.opcua.stack.core.types.structured.DataTypeDefinition;
import org.eclipse.milo.opcua.stack.core.types.structured.EnumDefinition;
import org.eclipse.milo.opcua.stack.core.types.structured.EnumField;
import org.eclipse.milo.opcua.stack.core.types.structured.StructureDefinition;
import org.eclipse.milo.opcua.stack.core.types.structured.StructureField;

/** Data types of a plant's own on a server, variables of them, and methods. */
final class TypesPlant extends ManagedNamespaceWithLifecycle {
  static final String NAMESPACE = "urn:culvert:test:types";

  static final String DICTIONARY =
      """
      <opc:TypeDictionary xmlns:opc="http://opcfoundation.org/BinarySchema/"
          xmlns:ua="http://opcfoundation.org/UA/" xmlns:tns="urn:culvert:test:types"
          DefaultByteOrder="LittleEndian" TargetNamespace="urn:culvert:test:types">
        <opc:Import Namespace="http://opcfoundation.org/UA/"/>
        <opc:StructuredType Name="OldPlace" BaseType="ua:ExtensionObject">
          <opc:Documentation>Where it is</opc:Documentation>
          <opc:Field Name="X" TypeName="opc:Double"/>
          <opc:Field Name="Y" TypeName="opc:Double"/>
        </opc:StructuredType>
        <opc:EnumeratedType Name="OldMode" LengthInBits="32">
          <opc:EnumeratedValue Name="Off" Value="0"/>
          <opc:EnumeratedValue Name="Auto" Value="1"/>
        </opc:EnumeratedType>
        <opc:StructuredType Name="OldReport" BaseType="ua:ExtensionObject">
          <opc:Field Name="Name" TypeName="opc:CharArray"/>
          <opc:Field Name="At" TypeName="tns:OldPlace"/>
          <opc:Field Name="NoOfLevels" TypeName="opc:Int32"/>
          <opc:Field Name="Levels" TypeName="opc:Float" LengthField="NoOfLevels"/>
          <opc:Field Name="NoOfPlaces" TypeName="opc:Int32"/>
          <opc:Field Name="Places" TypeName="tns:OldPlace" LengthField="NoOfPlaces"/>
          <opc:Field Name="Mode" TypeName="tns:OldMode"/>
          <opc:Field Name="Range" TypeName="ua:Range"/>
          <opc:Field Name="Any" TypeName="ua:Variant"/>
        </opc:StructuredType>
        <opc:StructuredType Name="OldSometimes" BaseType="ua:ExtensionObject">
          <opc:Field Name="BSpecified" TypeName="opc:Bit"/>
          <opc:Field Name="CSpecified" TypeName="opc:Bit"/>
          <opc:Field Name="Reserved1" TypeName="opc:Bit" Length="30"/>
          <opc:Field Name="A" TypeName="opc:Int32"/>
          <opc:Field Name="B" TypeName="tns:OldPlace" SwitchField="BSpecified"/>
          <opc:Field Name="NoOfC" TypeName="opc:Int32" SwitchField="CSpecified"/>
          <opc:Field Name="C" TypeName="opc:String" SwitchField="CSpecified"
              LengthField="NoOfC"/>
        </opc:StructuredType>
        <opc:StructuredType Name="OldEither" BaseType="ua:Union">
          <opc:Field Name="SwitchField" TypeName="opc:UInt32"/>
          <opc:Field Name="Number" TypeName="opc:Double" SwitchField="SwitchField"
              SwitchValue="1"/>
          <opc:Field Name="Words" TypeName="opc:String" SwitchField="SwitchField"
              SwitchValue="2"/>
        </opc:StructuredType>
        <opc:StructuredType Name="OldPacked" BaseType="ua:ExtensionObject">
          <opc:Field Name="Inner" TypeName="tns:OldBits"/>
        </opc:StructuredType>
        <opc:StructuredType Name="OldBits">
          <opc:Field Name="Low" TypeName="opc:Bit" Length="4"/>
          <opc:Field Name="High" TypeName="opc:Bit" Length="4"/>
        </opc:StructuredType>
      </opc:TypeDictionary>
      """;

  final Map<String, UaVariableNode> variables = new ConcurrentHashMap<>();

  /** What methods were called with. */
  final List<List<Object>> calls = new CopyOnWriteArrayList<>();

  private final SubscriptionModel subscriptions;
  private UaObjectNode top;

  TypesPlant(OpcUaServer server) {
    super(server, NAMESPACE);
    subscriptions = new SubscriptionModel(server, this);
    getLifecycleManager().addLifecycle(subscriptions);
    getLifecycleManager().addStartupTask(this::build);
  }

  static String address(String name) {
    return "nsu=" + NAMESPACE + ";s=" + name;
  }

  NodeId id(String name) {
    return newNodeId(name);
  }

  private void build() {
    top = object("Types", NodeIds.ObjectsFolder);

    enumeration("Mode", NodeIds.Enumeration, "Off", "Auto", "Manual");
    variable("Mode1", id("Mode"), 1);
    variable("ModeList", id("Mode"), new Integer[] {2, 0, 7});
    type("OldState", NodeIds.Enumeration, null);
    property(id("OldState"), "EnumStrings", NodeIds.LocalizedText, texts("Idle", "Busy"));
    variable("OldState1", id("OldState"), 1);
    enumeration("Flags", NodeIds.UInt16, "Low", "Dry", "High");
    variable("Flags1", id("Flags"), UShort.valueOf(5));
    variable("Discrete", NodeIds.UInt32, UInteger.valueOf(2));
    property(
        id("Discrete"), "EnumStrings", NodeIds.LocalizedText, texts("Closed", "Moving", "Open"));
    variable("Switch", NodeIds.Boolean, true);
    property(id("Switch"), "FalseState", NodeIds.LocalizedText, LocalizedText.english("Off"));
    property(id("Switch"), "TrueState", NodeIds.LocalizedText, LocalizedText.english("On"));
    type("Kilos", NodeIds.Double, null);

    structure(
        "Place",
        StructureType.Structure,
        field("X", NodeIds.Double, -1),
        field("Y", NodeIds.Double, -1));
    structure(
        "Report",
        StructureType.Structure,
        field("Name", NodeIds.String, -1),
        field("At", id("Place"), -1),
        field("Levels", NodeIds.Float, 1),
        field("Places", id("Place"), 1),
        field("Mode", id("Mode"), -1),
        field("Weight", id("Kilos"), -1),
        field("When", NodeIds.UtcTime, -1),
        field("Any", NodeIds.BaseDataType, -1),
        field("Range", NodeIds.Range, -1),
        field("Table", NodeIds.Int32, 2));
    structure(
        "Sometimes",
        StructureType.StructureWithOptionalFields,
        field("A", NodeIds.Int32, -1),
        optional("B", NodeIds.String),
        optional("C", id("Place")));
    structure(
        "Either",
        StructureType.Union,
        field("Number", NodeIds.Double, -1),
        field("Words", NodeIds.String, -1));
    structure("Endless", StructureType.Structure, field("Inner", id("Endless"), -1));
    structure("Holder", StructureType.Structure, field("Content", NodeIds.Structure, -1));
    variable("Place1", id("Place"), struct("Place", e -> place(e, 1.5, -2)));
    variable(
        "PlaceList",
        id("Place"),
        new ExtensionObject[] {
          struct("Place", e -> place(e, 1, 2)), struct("Place", e -> place(e, 3, 4))
        });
    variable("Anything", NodeIds.Structure, struct("Place", e -> place(e, 7, 8)));
    // Of a type that only the value of a field leads to.
    structure(
        "Late",
        StructureType.Structure,
        field("Y", NodeIds.Double, -1),
        field("Z", NodeIds.Double, -1));
    variable(
        "Holder1",
        id("Holder"),
        struct(
            "Holder",
            e -> e.encodeExtensionObject(struct("Late", inner -> place(inner, 6.5, 7.5)))));
    variable(
        "Wrapped",
        id("Holder"),
        struct(
            "Holder", e -> e.encodeExtensionObject(struct("Place", inner -> place(inner, 5, 6)))));
    variable(
        "Spare",
        id("Sometimes"),
        struct(
            "Sometimes",
            e -> {
              e.encodeUInt32(UInteger.valueOf(2));
              e.encodeInt32(-4);
              place(e, 0.25, 0.5);
            }));
    variable(
        "Either1",
        id("Either"),
        struct(
            "Either",
            e -> {
              e.encodeUInt32(UInteger.valueOf(2));
              e.encodeString("words");
            }));
    variable("Endless1", id("Endless"), struct("Endless", e -> {}));
    variable(
        "Broken",
        id("Place"),
        ExtensionObject.of(ByteString.of(new byte[] {1, 2, 3}), id("Place.Binary")));
    variable(
        "Stranger",
        id("Place"),
        ExtensionObject.of(ByteString.of(new byte[] {1, 2, 3}), new NodeId(0, 77_777)));
    variable("Report1", id("Report"), struct("Report", this::report));

    dictionary();
    method(
        "Blend",
        inputs -> new Variant[] {new Variant(6.5), new Variant("mixed")},
        List.of(
            argument("Name", NodeIds.String, -1),
            argument("Amounts", NodeIds.Double, 1),
            argument("Mode", id("Mode"), -1),
            argument("At", id("Place"), -1)),
        List.of(argument("Total", NodeIds.Double, -1), argument("Note", NodeIds.String, -1)));
    method("Reset", inputs -> new Variant[0], List.of(), List.of());
    method(
        "Half",
        inputs -> {
          int number = (Integer) inputs[0].value();
          if (number % 2 != 0) {
            throw new UaException(StatusCodes.Bad_OutOfRange);
          }
          return new Variant[] {new Variant(number / 2)};
        },
        List.of(argument("Number", NodeIds.Int32, -1)),
        List.of(argument("Half", NodeIds.Int32, -1)));
  }

  /** Types as servers before OPC UA 1.04 have them: nothing at their nodes, all in a dictionary. */
  private void dictionary() {
    UaVariableNode dictionary =
        description(
            "Dictionary",
            ByteString.of(DICTIONARY.getBytes(UTF_8)),
            NodeIds.OPCBinarySchema_TypeSystem);
    for (String name : List.of("OldPlace", "OldReport", "OldSometimes", "OldEither", "OldPacked")) {
      type(name, NodeIds.Structure, null);
      UaObjectNode encoding = encoding(name);
      UaVariableNode description = description(name + ".Description", name, dictionary.getNodeId());
      encoding.addReference(
          new Reference(
              encoding.getNodeId(),
              NodeIds.HasDescription,
              description.getNodeId().expanded(),
              Reference.Direction.FORWARD));
    }
    variable("OldPlace1", id("OldPlace"), struct("OldPlace", e -> place(e, 1.5, -2)));
    variable(
        "OldReport1",
        id("OldReport"),
        struct(
            "OldReport",
            e -> {
              e.encodeString("R1");
              place(e, 1, 2);
              e.encodeInt32(2);
              e.encodeFloat(0.5f);
              e.encodeFloat(1.5f);
              e.encodeInt32(1);
              place(e, 3, 4);
              e.encodeInt32(1);
              place(e, 0, 100);
              e.encodeVariant(new Variant(7));
            }));
    variable(
        "OldSometimes1",
        id("OldSometimes"),
        struct(
            "OldSometimes",
            e -> {
              e.encodeUInt32(UInteger.valueOf(2));
              e.encodeInt32(-4);
              e.encodeInt32(1);
              e.encodeString("words");
            }));
    variable(
        "OldEither1",
        id("OldEither"),
        struct(
            "OldEither",
            e -> {
              e.encodeUInt32(UInteger.valueOf(2));
              e.encodeString("words");
            }));
    variable("OldPacked1", id("OldPacked"), struct("OldPacked", e -> place(e, 1, 2)));
  }

  private UaVariableNode description(String name, Object value, NodeId parent) {
    return node(
        newQualifiedName(name),
        id(name),
        value instanceof String ? NodeIds.String : NodeIds.ByteString,
        value,
        AccessLevel.READ_ONLY,
        NodeIds.BaseDataVariableType,
        NodeIds.HasComponent,
        parent);
  }

  static void place(OpcUaBinaryEncoder encoder, double x, double y) {
    encoder.encodeDouble(x);
    encoder.encodeDouble(y);
  }

  private void report(OpcUaBinaryEncoder e) {
    e.encodeString("R1");
    place(e, 1, 2);
    e.encodeInt32(2);
    e.encodeFloat(0.5f);
    e.encodeFloat(1.5f);
    e.encodeInt32(2);
    place(e, 3, 4);
    place(e, 5, 6);
    e.encodeInt32(2);
    e.encodeDouble(12.5);
    e.encodeInt64(134_000_000_000_000_000L);
    e.encodeVariant(new Variant(new Integer[] {7, 8}));
    place(e, 0, 100);
    e.encodeInt32(2);
    e.encodeInt32(2);
    e.encodeInt32(2);
    for (int i = 1; i <= 4; i++) {
      e.encodeInt32(i);
    }
  }

  /** A structure of a type, its body written by hand. */
  ExtensionObject struct(String type, Consumer<OpcUaBinaryEncoder> body) {
    ByteBuf buffer = Unpooled.buffer();
    body.accept(new OpcUaBinaryEncoder(getServer().getStaticEncodingContext()).setBuffer(buffer));
    return ExtensionObject.of(ByteString.of(ByteBufUtil.getBytes(buffer)), id(type + ".Binary"));
  }

  private static LocalizedText[] texts(String... texts) {
    LocalizedText[] all = new LocalizedText[texts.length];
    for (int i = 0; i < texts.length; i++) {
      all[i] = LocalizedText.english(texts[i]);
    }
    return all;
  }

  private UaObjectNode object(String name, NodeId parent) {
    UaObjectNode node =
        new UaObjectNode(
            getNodeContext(),
            id(name),
            newQualifiedName(name),
            LocalizedText.english(name),
            LocalizedText.NULL_VALUE,
            UInteger.MIN,
            UInteger.MIN);
    getNodeManager().addNode(node);
    link(node, NodeIds.Organizes, parent);
    node.addReference(
        new Reference(
            node.getNodeId(),
            NodeIds.HasTypeDefinition,
            NodeIds.FolderType.expanded(),
            Reference.Direction.FORWARD));
    return node;
  }

  private void link(UaNode node, NodeId reference, NodeId parent) {
    node.addReference(
        new Reference(node.getNodeId(), reference, parent.expanded(), Reference.Direction.INVERSE));
  }

  void variable(String name, NodeId type, Object value) {
    variables.put(
        name,
        node(
            newQualifiedName(name),
            id(name),
            type,
            value,
            AccessLevel.READ_WRITE,
            NodeIds.BaseDataVariableType,
            NodeIds.HasComponent,
            top.getNodeId()));
  }

  private void property(NodeId of, String name, NodeId type, Object value) {
    node(
        new QualifiedName(0, name),
        id(of.getIdentifier() + "." + name),
        type,
        value,
        AccessLevel.READ_ONLY,
        NodeIds.PropertyType,
        NodeIds.HasProperty,
        of);
  }

  private UaVariableNode node(
      QualifiedName name,
      NodeId id,
      NodeId type,
      Object value,
      Set<AccessLevel> access,
      NodeId kind,
      NodeId reference,
      NodeId parent) {
    UaVariableNode node =
        new UaVariableNode.UaVariableNodeBuilder(getNodeContext())
            .setNodeId(id)
            .setAccessLevel(access)
            .setUserAccessLevel(access)
            .setBrowseName(name)
            .setDisplayName(LocalizedText.english(name.name()))
            .setDataType(type)
            .setValueRank(value instanceof Object[] ? 1 : -1)
            .setTypeDefinition(kind)
            .build();
    node.setValue(new DataValue(new Variant(value)));
    getNodeManager().addNode(node);
    link(node, reference, parent);
    return node;
  }

  private void type(String name, NodeId above, DataTypeDefinition definition) {
    UaDataTypeNode node =
        new UaDataTypeNode(
            getNodeContext(),
            id(name),
            newQualifiedName(name),
            LocalizedText.english(name),
            LocalizedText.NULL_VALUE,
            UInteger.MIN,
            UInteger.MIN,
            null,
            null,
            null,
            false,
            definition);
    getNodeManager().addNode(node);
    link(node, NodeIds.HasSubtype, above);
  }

  private void enumeration(String name, NodeId above, String... names) {
    List<EnumField> fields = new ArrayList<>();
    for (String one : names) {
      fields.add(
          new EnumField(
              (long) fields.size(),
              LocalizedText.english(one + "!"),
              LocalizedText.NULL_VALUE,
              one));
    }
    type(name, above, new EnumDefinition(fields.toArray(new EnumField[0])));
  }

  private void structure(String name, StructureType kind, StructureField... fields) {
    NodeId encoding = id(name + ".Binary");
    NodeId above = kind == StructureType.Union ? NodeIds.Union : NodeIds.Structure;
    type(name, above, new StructureDefinition(encoding, above, kind, fields));
    encoding(name);
  }

  private UaObjectNode encoding(String name) {
    UaObjectNode node =
        new UaObjectNode(
            getNodeContext(),
            id(name + ".Binary"),
            new QualifiedName(0, "Default Binary"),
            LocalizedText.english("Default Binary"),
            LocalizedText.NULL_VALUE,
            UInteger.MIN,
            UInteger.MIN);
    getNodeManager().addNode(node);
    link(node, NodeIds.HasEncoding, id(name));
    return node;
  }

  private static StructureField field(String name, NodeId type, int rank) {
    return new StructureField(
        name, LocalizedText.NULL_VALUE, type, rank, null, UInteger.MIN, false);
  }

  private static StructureField optional(String name, NodeId type) {
    return new StructureField(name, LocalizedText.NULL_VALUE, type, -1, null, UInteger.MIN, true);
  }

  private static Argument argument(String name, NodeId type, int rank) {
    return new Argument(name, type, rank, null, LocalizedText.NULL_VALUE);
  }

  /** What a method does. */
  private interface Body {
    Variant[] call(Variant[] inputs) throws UaException;
  }

  private void method(String name, Body body, List<Argument> in, List<Argument> out) {
    UaMethodNode method =
        UaMethodNode.builder(getNodeContext())
            .setNodeId(id(name))
            .setBrowseName(newQualifiedName(name))
            .setDisplayName(LocalizedText.english(name))
            .build();
    if (!in.isEmpty()) {
      method.setInputArguments(in.toArray(new Argument[0]));
    }
    if (!out.isEmpty()) {
      method.setOutputArguments(out.toArray(new Argument[0]));
    }
    method.setInvocationHandler(
        (context, request) -> {
          Variant[] inputs = request.getInputArguments();
          List<Object> given = new ArrayList<>();
          for (int i = 0; inputs != null && i < inputs.length; i++) {
            given.add(inputs[i].value());
          }
          calls.add(given);
          try {
            return result(StatusCode.GOOD, body.call(inputs));
          } catch (UaException refused) {
            return result(refused.getStatusCode(), new Variant[0]);
          }
        });
    getNodeManager().addNode(method);
    link(method, NodeIds.HasComponent, top.getNodeId());
  }

  private static CallMethodResult result(StatusCode status, Variant[] outputs) {
    return new CallMethodResult(status, new StatusCode[0], new DiagnosticInfo[0], outputs);
  }

  @Override
  public void onDataItemsCreated(List<DataItem> items) {
    subscriptions.onDataItemsCreated(items);
  }

  @Override
  public void onDataItemsModified(List<DataItem> items) {
    subscriptions.onDataItemsModified(items);
  }

  @Override
  public void onDataItemsDeleted(List<DataItem> items) {
    subscriptions.onDataItemsDeleted(items);
  }

  @Override
  public void onMonitoringModeChanged(List<MonitoredItem> items) {
    subscriptions.onMonitoringModeChanged(items);
  }
}
