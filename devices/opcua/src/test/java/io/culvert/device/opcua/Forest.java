package io.culvert.device.opcua;

import static org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned.ubyte;
import static org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned.uint;
import static org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned.ushort;

import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.eclipse.milo.opcua.sdk.core.AccessLevel;
import org.eclipse.milo.opcua.sdk.core.Reference;
import org.eclipse.milo.opcua.sdk.server.EndpointConfig;
import org.eclipse.milo.opcua.sdk.server.ManagedNamespaceWithLifecycle;
import org.eclipse.milo.opcua.sdk.server.OpcUaServer;
import org.eclipse.milo.opcua.sdk.server.OpcUaServerConfig;
import org.eclipse.milo.opcua.sdk.server.OpcUaServerConfigLimits;
import org.eclipse.milo.opcua.sdk.server.identity.AnonymousIdentityValidator;
import org.eclipse.milo.opcua.sdk.server.items.DataItem;
import org.eclipse.milo.opcua.sdk.server.items.MonitoredItem;
import org.eclipse.milo.opcua.sdk.server.nodes.UaDataTypeNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaFolderNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaMethodNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaObjectNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaVariableNode;
import org.eclipse.milo.opcua.sdk.server.nodes.filters.AttributeFilter;
import org.eclipse.milo.opcua.sdk.server.nodes.filters.AttributeFilterContext;
import org.eclipse.milo.opcua.sdk.server.servicesets.impl.DefaultViewServiceSet;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.encoding.DefaultEncodingContext;
import org.eclipse.milo.opcua.stack.core.security.DefaultCertificateManager;
import org.eclipse.milo.opcua.stack.core.security.MemoryCertificateQuarantine;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.eclipse.milo.opcua.stack.core.transport.TransportProfile;
import org.eclipse.milo.opcua.stack.core.types.UaStructuredType;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UShort;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MessageSecurityMode;
import org.eclipse.milo.opcua.stack.core.types.structured.Argument;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowseNextRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowseNextResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowseRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.BrowseResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.EUInformation;
import org.eclipse.milo.opcua.stack.core.types.structured.Range;
import org.eclipse.milo.opcua.stack.transport.server.ServiceRequestContext;
import org.eclipse.milo.opcua.stack.transport.server.tcp.OpcTcpServerTransport;
import org.eclipse.milo.opcua.stack.transport.server.tcp.OpcTcpServerTransportConfig;

/**
 * A server in this process with many nodes, that answers in small pieces: a plant with pumps, a
 * flat folder, a deep one, one that rounds in a circle, and one with names that nobody should give.
 */
final class Forest implements AutoCloseable {
  static final String URI = "urn:test:forest";
  static final String OTHER = "urn:test:other;50%";
  static final int FLAT = 5_000;
  static final int DEEP = 150;

  /** Folders whose children don't fit into one answer, beside each other. */
  static final int WIDE = 8;

  /** References that this server gives in one answer, and nodes that it takes in one question. */
  static final int PIECE = 100;

  /** Ends of answers that it keeps for a session. */
  static final int POINTS = 3;

  static final List<String> HOSTILE =
      List.of(
          "- {a: [b, c]} # d",
          "yes",
          "0x1F",
          "a: b",
          "'single' and \"double\"",
          "back\\slash",
          "new\nline\rand\ttab",
          "\u001b[31mred\u001b[0m",
          "bell\u0007 and null\u0000 and delete\u007f",
          "right-to-left \u202eevil",
          "one/two&three{four}",
          "7:eleven",
          " blank at the ends ",
          "level deadband=5%",
          "../../../etc/passwd",
          "%s %n ${jndi:x}",
          "\ud83d\ude80 rocket",
          "\ud800 half a character",
          "水位",
          "x".repeat(10_000));

  private final OpcUaServer server;
  private final Space space;
  private final int port;
  private final AtomicInteger browses = new AtomicInteger();
  private final AtomicInteger released = new AtomicInteger();
  private final AtomicBoolean forgetful = new AtomicBoolean();
  private volatile Runnable beforeBrowse = () -> {};

  Forest() throws Exception {
    port = Pipe.freePort();
    EndpointConfig endpoint =
        EndpointConfig.newBuilder()
            .setTransportProfile(TransportProfile.TCP_UASC_UABINARY)
            .setBindAddress("127.0.0.1")
            .setBindPort(port)
            .setHostname("127.0.0.1")
            .setPath("/forest")
            .setSecurityPolicy(SecurityPolicy.None)
            .setSecurityMode(MessageSecurityMode.None)
            .addTokenPolicies(OpcUaServerConfig.USER_TOKEN_POLICY_ANONYMOUS)
            .build();
    OpcUaServerConfig config =
        OpcUaServerConfig.builder()
            .setApplicationName(LocalizedText.english("Forest"))
            .setApplicationUri(URI)
            .setProductUri(URI)
            .setEndpoints(Set.of(endpoint))
            .setCertificateManager(new DefaultCertificateManager(new MemoryCertificateQuarantine()))
            .setIdentityValidator(AnonymousIdentityValidator.INSTANCE)
            .setLimits(new Limited())
            .build();
    server =
        new OpcUaServer(
            config,
            profile -> new OpcTcpServerTransport(OpcTcpServerTransportConfig.newBuilder().build()));
    server.addServiceSet("/forest", new InPieces());
    server.getNamespaceTable().add(OTHER);
    space = new Space(server);
    space.startup();
    server.startup().get(60, TimeUnit.SECONDS);
  }

  /** Less than the default of everything. */
  private static final class Limited implements OpcUaServerConfigLimits {
    @Override
    public UInteger getMaxNodesPerBrowse() {
      return uint(PIECE);
    }

    @Override
    public UInteger getMaxNodesPerRead() {
      return uint(PIECE);
    }

    @Override
    public UShort getMaxBrowseContinuationPoints() {
      return ushort(POINTS);
    }
  }

  /** Gives no more than a piece at once, whatever it is asked for. */
  private final class InPieces extends DefaultViewServiceSet {
    InPieces() {
      super(server);
    }

    @Override
    public BrowseResponse onBrowse(ServiceRequestContext context, BrowseRequest request)
        throws UaException {
      beforeBrowse.run();
      browses.incrementAndGet();
      long asked = request.getRequestedMaxReferencesPerNode().longValue();
      return super.onBrowse(
          context,
          new BrowseRequest(
              request.getRequestHeader(),
              request.getView(),
              uint(asked == 0 ? PIECE : Math.min(asked, PIECE)),
              request.getNodesToBrowse()));
    }

    @Override
    public BrowseNextResponse onBrowseNext(ServiceRequestContext context, BrowseNextRequest request)
        throws UaException {
      browses.incrementAndGet();
      if (forgetful.getAndSet(false)) {
        server
            .getSessionManager()
            .getAllSessions()
            .forEach(session -> session.getBrowseContinuationPoints().clear());
      }
      if (request.getReleaseContinuationPoints()) {
        released.addAndGet(request.getContinuationPoints().length);
      }
      return super.onBrowseNext(context, request);
    }
  }

  String endpoint() {
    return "opc.tcp://127.0.0.1:" + port + "/forest";
  }

  /** Browse requests so far, those that go on included. */
  int browses() {
    return browses.get();
  }

  /** Ends of answers that were given back. */
  int released() {
    return released.get();
  }

  /** Ends of answers that it keeps at present, for all sessions. */
  int kept() {
    return server.getSessionManager().getAllSessions().stream()
        .mapToInt(session -> session.getBrowseContinuationPoints().size())
        .sum();
  }

  /** Has it forget, once, all that it keeps when it is next asked to go on. */
  void forget() {
    forgetful.set(true);
  }

  /** Done before each browse, on a thread of the server. */
  void beforeBrowse(Runnable action) {
    beforeBrowse = action;
  }

  /** Adds or changes nodes. */
  void change(Consumer<Space> change) {
    change.accept(space);
  }

  static String node(String id) {
    return "nsu=" + URI + ";s=" + id;
  }

  @Override
  public void close() throws Exception {
    space.shutdown();
    server.shutdown().get(60, TimeUnit.SECONDS);
  }

  /** The nodes. */
  static final class Space extends ManagedNamespaceWithLifecycle {
    private final int other;

    private Space(OpcUaServer server) {
      super(server, URI);
      other = server.getNamespaceTable().getIndex(OTHER).intValue();
      getLifecycleManager().addStartupTask(this::grow);
    }

    private void grow() {
      UaNode objects =
          getServer().getAddressSpaceManager().getManagedNode(NodeIds.ObjectsFolder).orElseThrow();
      UaNode plant = folder(objects, "Plant", "Plant");
      for (int i = 1; i <= 3; i++) {
        pump(plant, i);
      }
      UaNode flat = folder(plant, "Flat", "Flat");
      for (int i = 0; i < FLAT; i++) {
        variable(flat, "Flat.%04d".formatted(i), "V%04d".formatted(i), NodeIds.Int32, i);
      }
      UaNode wide = folder(plant, "Wide", "Wide");
      for (int i = 0; i < WIDE; i++) {
        UaNode full = folder(wide, "Wide." + i, "W" + i);
        for (int j = 0; j < PIECE + 5; j++) {
          variable(full, "Wide." + i + "." + j, "X" + j, NodeIds.Int32, j);
        }
      }
      UaNode deep = folder(plant, "Deep", "Deep");
      for (int i = 0; i < DEEP; i++) {
        deep = folder(deep, "Deep." + i, "D" + i);
        variable(deep, "Deep." + i + ".Mark", "Mark", NodeIds.Int32, i);
      }
      UaNode ring = folder(plant, "Ring", "Ring");
      UaNode first = folder(ring, "Ring.A", "A");
      UaNode second = folder(first, "Ring.B", "B");
      variable(second, "Ring.Value", "Value", NodeIds.Int32, 7);
      refer(second, NodeIds.Organizes, first);
      refer(second, NodeIds.Organizes, ring);
      refer(ring, NodeIds.HasComponent, first);
      UaNode hostile = folder(plant, "Hostile", "Hostile");
      for (int i = 0; i < HOSTILE.size(); i++) {
        variable(hostile, "Hostile." + i, HOSTILE.get(i), NodeIds.Int32, i);
      }
      variable(hostile, "i".repeat(5_000), "Unspeakable", NodeIds.Int32, 1);
      types(plant);
    }

    private void pump(UaNode plant, int number) {
      String id = "Pump" + number;
      UaObjectNode pump = object(plant, id, id);
      UaVariableNode level = variable(pump, id + ".Level", "Level", NodeIds.Double, 1.25 * number);
      level.setDescription(LocalizedText.english("Water above the floor of the well"));
      level.setAccessLevel(AccessLevel.toValue(AccessLevel.CurrentRead, AccessLevel.HistoryRead));
      level.setUserAccessLevel(level.getAccessLevel());
      property(level, "EURange", NodeIds.Range, encoded(new Range(0.0, 6.5)));
      property(level, "EngineeringUnits", NodeIds.EUInformation, encoded(unit("MTR", "m")));
      UaVariableNode flow = variable(pump, id + ".Flow", "Flow", NodeIds.Float, 12.5f);
      property(
          flow,
          "EngineeringUnits",
          NodeIds.EUInformation,
          encoded(unit(null, "furlongs/fortnight")));
      UaVariableNode speed = variable(pump, id + ".Speed", "Speed", NodeIds.UInt16, ushort(1450));
      writable(speed);
      property(speed, "EURange", NodeIds.Range, encoded(new Range(0.0, 3000.0)));
      property(speed, "EngineeringUnits", NodeIds.EUInformation, encoded(unit(null, "rpm")));
      writable(variable(pump, id + ".Running", "Running", NodeIds.Boolean, true));
      UaVariableNode mode = variable(pump, id + ".Mode", "Mode", NodeIds.Int32, 1);
      property(
          mode,
          "EnumStrings",
          NodeIds.LocalizedText,
          new LocalizedText[] {LocalizedText.english("off"), LocalizedText.english("automatic")});
      UaMethodNode start =
          UaMethodNode.builder(getNodeContext())
              .setNodeId(newNodeId(id + ".Start"))
              .setBrowseName(newQualifiedName("Start"))
              .setDisplayName(LocalizedText.english("Start"))
              .build();
      getNodeManager().addNode(start);
      start.setInputArguments(
          new Argument[] {
            new Argument("speed", NodeIds.UInt16, -1, null, LocalizedText.english("rpm")),
            new Argument("ramp", NodeIds.Duration, -1, null, LocalizedText.NULL_VALUE)
          });
      refer(pump, NodeIds.HasComponent, start);
    }

    /** A variable of each data type that says something of its own. */
    private void types(UaNode plant) {
      UaNode types = folder(plant, "Types", "Types");
      UaDataTypeNode state =
          new UaDataTypeNode(
              getNodeContext(),
              newNodeId("ValveState"),
              newQualifiedName("ValveState"),
              LocalizedText.english("ValveState"),
              LocalizedText.NULL_VALUE,
              uint(0),
              uint(0),
              false);
      getNodeManager().addNode(state);
      refer(
          getServer().getAddressSpaceManager().getManagedNode(NodeIds.Enumeration).orElseThrow(),
          NodeIds.HasSubtype,
          state);
      property(
          state,
          "EnumStrings",
          NodeIds.LocalizedText,
          new LocalizedText[] {LocalizedText.english("shut"), LocalizedText.english("open")});
      variable(types, "Types.Valve", "Valve", state.getNodeId(), 1);
      variable(types, "Types.Number", "Number", NodeIds.Number, 2.5);
      variable(types, "Types.Any", "Any", NodeIds.BaseDataType, ubyte(3));
      variable(types, "Types.Nothing", "Nothing", NodeIds.BaseDataType, null);
      variable(types, "Types.Time", "Time", NodeIds.Duration, 1500.0);
      variable(types, "Types.Range", "Range", NodeIds.Range, encoded(new Range(1.0, 2.0)));
      variable(types, "Types.Diagnostics", "Diagnostics", NodeIds.DiagnosticInfo, null);
      variable(types, "Types.Text", "Text", NodeIds.LocalizedText, LocalizedText.english("hello"));
      variable(types, "Types.Small", "Small", NodeIds.Byte, ubyte(200));
      UaVariableNode list =
          variable(types, "Types.List", "List", NodeIds.Double, new Double[] {1.5, 2.5});
      list.setValueRank(1);
      variable(types, "Types.Spoken", "Spoken", NodeIds.Int32, 1)
          .getFilterChain()
          .addLast(
              new AttributeFilter() {
                @Override
                public Object getAttribute(AttributeFilterContext context, AttributeId attribute) {
                  // References are told without regard to who asks.
                  return attribute == AttributeId.DisplayName && context.getSession().isPresent()
                      ? new LocalizedText("zh-CN", "流量")
                      : context.getAttribute(attribute);
                }
              });
      UaVariableNode secret = variable(types, "Types.Secret", "Secret", NodeIds.Int32, 1);
      secret.setUserAccessLevel(ubyte(0));
      UaVariableNode foreign = variable(types, "Types.Foreign", "Foreign", NodeIds.Int32, 5);
      foreign.setBrowseName(new QualifiedName(other, "Foreign"));
    }

    private static ExtensionObject encoded(UaStructuredType value) {
      return ExtensionObject.encode(DefaultEncodingContext.INSTANCE, value);
    }

    static EUInformation unit(String code, String name) {
      int id = -1;
      if (code != null) {
        id = 0;
        for (char c : code.toCharArray()) {
          id = id << 8 | c;
        }
      }
      return new EUInformation(
          code == null ? null : Units.UNECE,
          id,
          LocalizedText.english(name),
          LocalizedText.NULL_VALUE);
    }

    UaNode folder(UaNode parent, String id, String name) {
      UaFolderNode folder =
          new UaFolderNode(
              getNodeContext(), newNodeId(id), newQualifiedName(name), LocalizedText.english(name));
      getNodeManager().addNode(folder);
      refer(parent, NodeIds.Organizes, folder);
      return folder;
    }

    private UaObjectNode object(UaNode parent, String id, String name) {
      UaObjectNode object =
          UaObjectNode.builder(getNodeContext())
              .setNodeId(newNodeId(id))
              .setBrowseName(newQualifiedName(name))
              .setDisplayName(LocalizedText.english(name))
              .setTypeDefinition(NodeIds.BaseObjectType)
              .build();
      getNodeManager().addNode(object);
      refer(parent, NodeIds.Organizes, object);
      return object;
    }

    UaVariableNode variable(UaNode parent, String id, String name, NodeId type, Object value) {
      UaVariableNode variable =
          UaVariableNode.builder(getNodeContext())
              .setNodeId(newNodeId(id))
              .setBrowseName(newQualifiedName(name.substring(0, Math.min(512, name.length()))))
              .setDisplayName(LocalizedText.english(name))
              .setDataType(type)
              .setTypeDefinition(NodeIds.BaseDataVariableType)
              .setAccessLevel(AccessLevel.READ_ONLY)
              .setUserAccessLevel(AccessLevel.READ_ONLY)
              .setValue(new DataValue(new Variant(value)))
              .build();
      getNodeManager().addNode(variable);
      refer(parent, NodeIds.HasComponent, variable);
      return variable;
    }

    private void property(UaNode of, String name, NodeId type, Object value) {
      UaVariableNode property =
          UaVariableNode.builder(getNodeContext())
              .setNodeId(newNodeId(of.getNodeId().getIdentifier() + "#" + name))
              .setBrowseName(new QualifiedName(0, name))
              .setDisplayName(LocalizedText.english(name))
              .setDataType(type)
              .setTypeDefinition(NodeIds.PropertyType)
              .setAccessLevel(AccessLevel.READ_ONLY)
              .setUserAccessLevel(AccessLevel.READ_ONLY)
              .setValue(new DataValue(new Variant(value)))
              .build();
      getNodeManager().addNode(property);
      refer(of, NodeIds.HasProperty, property);
    }

    private static void writable(UaVariableNode variable) {
      variable.setAccessLevel(AccessLevel.toValue(AccessLevel.READ_WRITE));
      variable.setUserAccessLevel(AccessLevel.toValue(AccessLevel.READ_WRITE));
    }

    private static void refer(UaNode from, NodeId type, UaNode to) {
      from.addReference(new Reference(from.getNodeId(), type, to.getNodeId().expanded(), true));
    }

    @Override
    public void onDataItemsCreated(List<DataItem> items) {}

    @Override
    public void onDataItemsModified(List<DataItem> items) {}

    @Override
    public void onDataItemsDeleted(List<DataItem> items) {}

    @Override
    public void onMonitoringModeChanged(List<MonitoredItem> items) {}
  }
}
