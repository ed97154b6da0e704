package io.culvert.device.opcua;

import static org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned.ubyte;
import static org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned.uint;

import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.eclipse.milo.opcua.sdk.core.AccessLevel;
import org.eclipse.milo.opcua.sdk.core.Reference;
import org.eclipse.milo.opcua.sdk.server.AddressSpace;
import org.eclipse.milo.opcua.sdk.server.EndpointConfig;
import org.eclipse.milo.opcua.sdk.server.ManagedNamespaceWithLifecycle;
import org.eclipse.milo.opcua.sdk.server.OpcUaServer;
import org.eclipse.milo.opcua.sdk.server.OpcUaServerConfig;
import org.eclipse.milo.opcua.sdk.server.OpcUaServerConfigLimits;
import org.eclipse.milo.opcua.sdk.server.Session;
import org.eclipse.milo.opcua.sdk.server.SessionListener;
import org.eclipse.milo.opcua.sdk.server.identity.DefaultUsernameIdentity;
import org.eclipse.milo.opcua.sdk.server.identity.Identity;
import org.eclipse.milo.opcua.sdk.server.identity.IdentityValidator;
import org.eclipse.milo.opcua.sdk.server.items.BaseMonitoredItem;
import org.eclipse.milo.opcua.sdk.server.items.DataItem;
import org.eclipse.milo.opcua.sdk.server.items.MonitoredItem;
import org.eclipse.milo.opcua.sdk.server.methods.AbstractMethodInvocationHandler;
import org.eclipse.milo.opcua.sdk.server.model.variables.AnalogItemType;
import org.eclipse.milo.opcua.sdk.server.nodes.UaFolderNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaMethodNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaVariableNode;
import org.eclipse.milo.opcua.sdk.server.nodes.filters.AttributeFilters;
import org.eclipse.milo.opcua.sdk.server.servicesets.impl.DefaultAttributeServiceSet;
import org.eclipse.milo.opcua.sdk.server.servicesets.impl.DefaultMonitoredItemServiceSet;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.security.DefaultCertificateManager;
import org.eclipse.milo.opcua.stack.core.security.MemoryCertificateQuarantine;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.eclipse.milo.opcua.stack.core.transport.TransportProfile;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MessageSecurityMode;
import org.eclipse.milo.opcua.stack.core.types.enumerated.TimestampsToReturn;
import org.eclipse.milo.opcua.stack.core.types.enumerated.UserTokenType;
import org.eclipse.milo.opcua.stack.core.types.structured.Argument;
import org.eclipse.milo.opcua.stack.core.types.structured.CreateMonitoredItemsRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.CreateMonitoredItemsResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryData;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryReadDetails;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryReadRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryReadResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryReadResult;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryReadValueId;
import org.eclipse.milo.opcua.stack.core.types.structured.Range;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadRawModifiedDetails;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadValueId;
import org.eclipse.milo.opcua.stack.core.types.structured.SignatureData;
import org.eclipse.milo.opcua.stack.core.types.structured.UserIdentityToken;
import org.eclipse.milo.opcua.stack.core.types.structured.UserTokenPolicy;
import org.eclipse.milo.opcua.stack.transport.server.ServiceRequestContext;
import org.eclipse.milo.opcua.stack.transport.server.tcp.OpcTcpServerTransport;
import org.eclipse.milo.opcua.stack.transport.server.tcp.OpcTcpServerTransportConfig;

/**
 * A small plant on a server in this process, without security. It can be stopped and started again
 * on the same port, and then has forgotten all sessions and subscriptions. What {@link #set} sets
 * is told to every subscription at once, so that nothing is lost between two samplings.
 */
final class PlantServer implements AutoCloseable {
  static final String NAMESPACE = "urn:culvert:test:plant";

  /** Values of a node's history that one answer holds. */
  static final int HISTORY_PAGE = 100;

  private final int port;
  private final OpcUaServerConfigLimits limits;
  private final Map<String, List<DataValue>> history = new ConcurrentHashMap<>();
  private volatile boolean failsLimits;
  private final AtomicInteger serviceLevelAsked = new AtomicInteger();
  private final AtomicInteger sessions = new AtomicInteger();

  /** The node whose value fits into no answer; {@code null} if all fit. */
  private volatile NodeId huge;

  private OpcUaServer server;
  private Plant plant;
  private NioEventLoopGroup loops;
  private ExecutorService executor;
  private ScheduledExecutorService scheduler;

  PlantServer() throws Exception {
    this(new OpcUaServerConfigLimits() {});
  }

  PlantServer(OpcUaServerConfigLimits limits) throws Exception {
    port = Pipe.freePort();
    this.limits = limits;
    start();
  }

  URI endpoint() {
    return URI.create("opc.tcp://127.0.0.1:" + port + "/plant");
  }

  int port() {
    return port;
  }

  OpcUaServer server() {
    return server;
  }

  /** An address of a node of the plant. */
  static String address(String name) {
    return "nsu=" + NAMESPACE + ";s=" + name;
  }

  void start() throws Exception {
    loops = new NioEventLoopGroup(2, new DefaultThreadFactory("junit-plant", true));
    executor = Executors.newFixedThreadPool(4, new DefaultThreadFactory("junit-plant-work", true));
    scheduler =
        Executors.newSingleThreadScheduledExecutor(
            new DefaultThreadFactory("junit-plant-times", true));
    EndpointConfig.Builder endpoint =
        EndpointConfig.newBuilder()
            .setTransportProfile(TransportProfile.TCP_UASC_UABINARY)
            .setBindAddress("127.0.0.1")
            .setBindPort(port)
            .setHostname("127.0.0.1")
            .setSecurityPolicy(SecurityPolicy.None)
            .setSecurityMode(MessageSecurityMode.None)
            .addTokenPolicies(OpcUaServerConfig.USER_TOKEN_POLICY_ANONYMOUS);
    OpcUaServerConfig config =
        OpcUaServerConfig.builder()
            .setApplicationName(LocalizedText.english("plant"))
            .setApplicationUri("urn:culvert:test:server")
            .setProductUri("urn:culvert:test")
            .setEndpoints(
                Set.of(
                    endpoint.copy().setPath("/plant").build(),
                    endpoint.copy().setPath("/plant/discovery").build()))
            .setCertificateManager(new DefaultCertificateManager(new MemoryCertificateQuarantine()))
            .setLimits(limits)
            .setIdentityValidator(new OneUser())
            .setExecutor(executor)
            .setScheduledExecutor(scheduler)
            .build();
    OpcTcpServerTransportConfig transport =
        OpcTcpServerTransportConfig.newBuilder().setEventLoop(loops).setExecutor(executor).build();
    server = new OpcUaServer(config, profile -> new OpcTcpServerTransport(transport));
    server.addServiceSet("/plant", new Attributes(server));
    server.addServiceSet("/plant", new Watches(server));
    plant = new Plant(server);
    plant.startup();
    server
        .getSessionManager()
        .addSessionListener(
            new SessionListener() {
              @Override
              public void onSessionCreated(Session session) {
                sessions.incrementAndGet();
              }
            });
    variable(NodeIds.Server_ServiceLevel)
        .getFilterChain()
        .addLast(
            AttributeFilters.getValue(
                context -> {
                  serviceLevelAsked.incrementAndGet();
                  return (DataValue) context.getAttribute(AttributeId.Value);
                }));
    server.startup().get(30, TimeUnit.SECONDS);
  }

  /** Closes everything at once and forgets sessions, subscriptions and values, but no history. */
  void stop() throws Exception {
    server.shutdown().get(30, TimeUnit.SECONDS);
    plant.shutdown();
    loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
    scheduler.shutdownNow();
    executor.shutdownNow();
  }

  @Override
  public void close() throws Exception {
    if (!executor.isShutdown()) {
      stop();
    }
  }

  /** Adds a variable below the plant. */
  void add(String name, NodeId type, Object value) {
    plant.variable(plant.top, name, type, value, AccessLevel.READ_WRITE);
  }

  /** Adds a variable with a range below the plant. */
  void addAnalog(String name, double value, double low, double high) {
    Set<AccessLevel> both = AccessLevel.READ_WRITE;
    plant.variable(plant.top, name, NodeIds.AnalogItemType, NodeIds.Double, value, both);
    plant.nodes.get(name).setProperty(AnalogItemType.EU_RANGE, new Range(low, high));
  }

  /** Sets a value as from now. */
  void set(String name, Object value) {
    set(name, new DataValue(new Variant(value), StatusCode.GOOD, DateTime.now()));
  }

  /** Sets a value; it goes into the history of a node that has one. */
  void set(String name, DataValue value) {
    plant.set(name, value);
  }

  /** How well the server does, 0 to 255, by its own word. */
  void serviceLevel(int level) {
    serviceLevelAsked.set(0);
    variable(NodeIds.Server_ServiceLevel).setValue(new DataValue(new Variant(ubyte(level))));
  }

  /** How often it was asked how well it does since it was told that. */
  int serviceLevelAsked() {
    return serviceLevelAsked.get();
  }

  /** Sessions that it had. */
  int sessions() {
    return sessions.get();
  }

  /** What it says of how many items a subscription may have; not that it would refuse more. */
  void mostItems(int most) {
    server
        .getOpcUaNamespace()
        .getNodeManager()
        .addNode(
            new UaVariableNode.UaVariableNodeBuilder(plant.getNodeContext())
                .setNodeId(NodeIds.Server_ServerCapabilities_MaxMonitoredItemsPerSubscription)
                .setBrowseName(new QualifiedName(0, "MaxMonitoredItemsPerSubscription"))
                .setDisplayName(LocalizedText.english("MaxMonitoredItemsPerSubscription"))
                .setDataType(NodeIds.UInt32)
                .setValue(new DataValue(new Variant(uint(most))))
                .build());
  }

  /** Says nothing more of one of its limits, which holds all the same. */
  void conceal(NodeId limit) {
    variable(limit).setValue(new DataValue(new Variant(uint(0))));
  }

  /** From now on this value fits into no answer. */
  void enlarge(String name) {
    huge = plant.nodes.get(name).getNodeId();
  }

  /** Gives no answer any more to who asks for its limits. */
  void failLimits() {
    failsLimits = true;
  }

  /** How many values it keeps of an item that is created from now on, whatever it is asked for. */
  void mostQueue(int most) {
    plant.mostQueue = uint(most);
  }

  private UaVariableNode variable(NodeId node) {
    return (UaVariableNode) server.getAddressSpaceManager().getManagedNode(node).orElseThrow();
  }

  Object value(String name) {
    return plant.nodes.get(name).getValue().getValue().getValue();
  }

  /** What the items of a node were asked for, by those who watch it. */
  List<BaseMonitoredItem<?>> items(String name) {
    return plant.items.getOrDefault(plant.nodes.get(name).getNodeId(), List.of()).stream()
        .<BaseMonitoredItem<?>>map(item -> (BaseMonitoredItem<?>) item)
        .toList();
  }

  /** How many points are watched by somebody. */
  int watched() {
    return (int) plant.items.values().stream().mapToLong(List::size).sum();
  }

  /** Histories that were begun to read, and neither read to the end nor given up. */
  int openHistories() {
    return plant.remainders.size();
  }

  /** What the calls of the method {@code Double} were given. */
  List<Integer> calls() {
    return plant.calls;
  }

  /**
   * Takes whoever comes without a name for one and the same user: Milo's server refuses to transfer
   * the subscriptions of nobody without security, which isn't what is to be tested.
   */
  private static final class OneUser implements IdentityValidator {
    @Override
    public Identity validateIdentityToken(
        Session session, UserIdentityToken token, UserTokenPolicy policy, SignatureData signature) {
      return new DefaultUsernameIdentity("anybody");
    }

    @Override
    public Set<UserTokenType> getSupportedTokenTypes() {
      return Set.of(UserTokenType.Anonymous);
    }
  }

  private static void refuseOver(UInteger most, Object[] questions) throws UaException {
    if (questions.length > most.longValue()) {
      throw new UaException(StatusCodes.Bad_TooManyOperations);
    }
  }

  /** Milo's server takes any number of items. */
  private final class Watches extends DefaultMonitoredItemServiceSet {
    Watches(OpcUaServer server) {
      super(server);
    }

    @Override
    public CreateMonitoredItemsResponse onCreateMonitoredItems(
        ServiceRequestContext context, CreateMonitoredItemsRequest request) throws UaException {
      refuseOver(limits.getMaxMonitoredItemsPerCall(), request.getItemsToCreate());
      return super.onCreateMonitoredItems(context, request);
    }
  }

  /** Milo's server takes any number of histories, and doesn't pass on that one is given up. */
  private final class Attributes extends DefaultAttributeServiceSet {
    Attributes(OpcUaServer server) {
      super(server);
    }

    @Override
    public ReadResponse onRead(ServiceRequestContext context, ReadRequest request)
        throws UaException {
      NodeId limit = NodeIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead;
      if (failsLimits
          && Stream.of(request.getNodesToRead()).anyMatch(n -> n.getNodeId().equals(limit))) {
        throw new UaException(StatusCodes.Bad_InternalError);
      }
      if (Stream.of(request.getNodesToRead()).anyMatch(n -> n.getNodeId().equals(huge))) {
        throw new UaException(StatusCodes.Bad_ResponseTooLarge);
      }
      return super.onRead(context, request);
    }

    @Override
    public HistoryReadResponse onHistoryRead(
        ServiceRequestContext context, HistoryReadRequest request) throws UaException {
      refuseOver(limits.getMaxNodesPerHistoryReadData(), request.getNodesToRead());
      if (request.getReleaseContinuationPoints()) {
        for (HistoryReadValueId node : request.getNodesToRead()) {
          plant.remainders.remove(node.getContinuationPoint());
        }
      }
      return super.onHistoryRead(context, request);
    }
  }

  private final class Plant extends ManagedNamespaceWithLifecycle {
    final Map<String, UaVariableNode> nodes = new ConcurrentHashMap<>();
    final Map<NodeId, List<DataItem>> items = new ConcurrentHashMap<>();
    final List<Integer> calls = new CopyOnWriteArrayList<>();
    final Map<ByteString, Remainder> remainders = new ConcurrentHashMap<>();
    final AtomicLong remainderIds = new AtomicLong();
    UaFolderNode top;
    volatile UInteger mostQueue = UInteger.MAX;

    private record Remainder(List<DataValue> values) {}

    Plant(OpcUaServer server) {
      super(server, NAMESPACE);
      getLifecycleManager().addStartupTask(this::build);
    }

    private void build() {
      top = folder(null, "Plant");
      Set<AccessLevel> both = AccessLevel.READ_WRITE;
      Set<AccessLevel> kept = Set.of(AccessLevel.CurrentRead, AccessLevel.HistoryRead);
      variable(top, "Boolean", NodeIds.Boolean, true, both);
      variable(top, "SByte", NodeIds.SByte, (byte) -8, both);
      variable(top, "Byte", NodeIds.Byte, Unsigned.ubyte(8), both);
      variable(top, "Int16", NodeIds.Int16, (short) -16, both);
      variable(top, "UInt16", NodeIds.UInt16, Unsigned.ushort(16), both);
      variable(top, "Int32", NodeIds.Int32, -32, both);
      variable(top, "UInt32", NodeIds.UInt32, uint(32), both);
      variable(top, "Int64", NodeIds.Int64, -64L, both);
      variable(top, "UInt64", NodeIds.UInt64, Unsigned.ulong(64L), both);
      variable(top, "Float", NodeIds.Float, 1.5f, both);
      variable(top, "Double", NodeIds.Double, 2.5, both);
      variable(top, "String", NodeIds.String, "text", both);
      variable(top, "DateTime", NodeIds.DateTime, new DateTime(Instant.EPOCH), both);
      variable(top, "Guid", NodeIds.Guid, new UUID(1, 2), both);
      variable(top, "ByteString", NodeIds.ByteString, ByteString.of(new byte[] {1, 2}), both);
      variable(top, "LocalizedText", NodeIds.LocalizedText, LocalizedText.english("words"), both);
      variable(top, "Ints", NodeIds.Int32, new Integer[] {1, 2, 3, 4}, both);
      variable(top, "Fixed", NodeIds.Double, 1.0, AccessLevel.READ_ONLY);
      variable(top, "Kept", NodeIds.Double, 0.0, kept);
      variable(top, "Tick", NodeIds.Int32, 0, kept);
      UaFolderNode pump = folder(top, "Pump1");
      variable(pump, "Pump1/Level", NodeIds.Double, 0.5, both);
      method(pump);
    }

    private UaFolderNode folder(UaFolderNode parent, String name) {
      UaFolderNode folder =
          new UaFolderNode(
              getNodeContext(), newNodeId(name), newQualifiedName(name), new LocalizedText(name));
      getNodeManager().addNode(folder);
      if (parent == null) {
        folder.addReference(
            new Reference(
                folder.getNodeId(),
                NodeIds.Organizes,
                NodeIds.ObjectsFolder.expanded(),
                Reference.Direction.INVERSE));
      } else {
        parent.addOrganizes(folder);
      }
      return folder;
    }

    void variable(
        UaFolderNode parent, String name, NodeId type, Object value, Set<AccessLevel> access) {
      variable(parent, name, NodeIds.BaseDataVariableType, type, value, access);
    }

    void variable(
        UaFolderNode parent,
        String name,
        NodeId definition,
        NodeId type,
        Object value,
        Set<AccessLevel> access) {
      String last = name.substring(name.lastIndexOf('/') + 1);
      UaVariableNode node =
          new UaVariableNode.UaVariableNodeBuilder(getNodeContext())
              .setNodeId(newNodeId(name))
              .setAccessLevel(access)
              .setUserAccessLevel(access)
              .setBrowseName(newQualifiedName(last))
              .setDisplayName(LocalizedText.english(last))
              .setDataType(type)
              .setValueRank(value instanceof Object[] ? 1 : -1)
              .setHistorizing(access.contains(AccessLevel.HistoryRead))
              .setTypeDefinition(definition)
              .build();
      node.setValue(new DataValue(new Variant(value), StatusCode.GOOD, DateTime.now()));
      node.addAttributeObserver(
          (changed, attribute, now) -> {
            if (now instanceof DataValue written) {
              tell(changed.getNodeId(), written);
            }
          });
      getNodeManager().addNode(node);
      parent.addOrganizes(node);
      nodes.put(name, node);
    }

    private void method(UaFolderNode parent) {
      UaMethodNode method =
          UaMethodNode.builder(getNodeContext())
              .setNodeId(newNodeId("Pump1/Twice"))
              .setBrowseName(newQualifiedName("Twice"))
              .setDisplayName(new LocalizedText("Twice"))
              .build();
      Argument in =
          new Argument("Number", NodeIds.Int32, -1, null, LocalizedText.english("any number"));
      Argument out = new Argument("Twice", NodeIds.Int32, -1, null, LocalizedText.NULL_VALUE);
      method.setInputArguments(new Argument[] {in});
      method.setOutputArguments(new Argument[] {out});
      method.setInvocationHandler(
          new AbstractMethodInvocationHandler(method) {
            @Override
            public Argument[] getInputArguments() {
              return new Argument[] {in};
            }

            @Override
            public Argument[] getOutputArguments() {
              return new Argument[] {out};
            }

            @Override
            protected Variant[] invoke(InvocationContext context, Variant[] inputs) {
              int number = (Integer) inputs[0].getValue();
              calls.add(number);
              return new Variant[] {new Variant(2 * number)};
            }
          });
      getNodeManager().addNode(method);
      method.addReference(
          new Reference(
              method.getNodeId(),
              NodeIds.HasComponent,
              parent.getNodeId().expanded(),
              Reference.Direction.INVERSE));
    }

    void set(String name, DataValue value) {
      UaVariableNode node = nodes.get(name);
      if (Boolean.TRUE.equals(node.getHistorizing())) {
        history.computeIfAbsent(name, n -> new CopyOnWriteArrayList<>()).add(value);
      }
      node.setValue(value);
    }

    private void tell(NodeId node, DataValue value) {
      List<DataItem> watching = items.getOrDefault(node, List.of());
      watching.forEach(item -> item.setValue(value));
    }

    @Override
    public RevisedDataItemParameters onCreateDataItem(
        ReadValueId item, Double sampling, UInteger queue) {
      return new RevisedDataItemParameters(
          sampling, queue.compareTo(mostQueue) > 0 ? mostQueue : queue);
    }

    @Override
    public void onDataItemsCreated(List<DataItem> created) {
      for (DataItem item : created) {
        NodeId node = item.getReadValueId().getNodeId();
        items.computeIfAbsent(node, n -> new CopyOnWriteArrayList<>()).add(item);
        UaVariableNode variable = (UaVariableNode) getNodeManager().get(node);
        if (variable != null) {
          item.setValue(variable.getValue());
        }
      }
    }

    @Override
    public void onDataItemsModified(List<DataItem> modified) {}

    @Override
    public void onDataItemsDeleted(List<DataItem> deleted) {
      for (DataItem item : deleted) {
        items.getOrDefault(item.getReadValueId().getNodeId(), new ArrayList<>()).remove(item);
      }
    }

    @Override
    public void onMonitoringModeChanged(List<MonitoredItem> changed) {}

    @Override
    public List<HistoryReadResult> historyRead(
        AddressSpace.HistoryReadContext context,
        HistoryReadDetails details,
        TimestampsToReturn timestamps,
        List<HistoryReadValueId> nodesToRead) {
      ReadRawModifiedDetails raw = (ReadRawModifiedDetails) details;
      return nodesToRead.stream().map(node -> page(raw, node)).toList();
    }

    private HistoryReadResult page(ReadRawModifiedDetails raw, HistoryReadValueId node) {
      List<DataValue> values;
      if (node.getContinuationPoint() == null || node.getContinuationPoint().isNull()) {
        UaVariableNode variable = (UaVariableNode) getNodeManager().get(node.getNodeId());
        if (variable == null) {
          return none(StatusCodes.Bad_NodeIdUnknown);
        }
        if (!variable.getHistorizing()) {
          return none(StatusCodes.Bad_HistoryOperationUnsupported);
        }
        Instant from = raw.getStartTime().getJavaInstant();
        Instant to = raw.getEndTime().getJavaInstant();
        values =
            history.getOrDefault((String) node.getNodeId().getIdentifier(), List.of()).stream()
                .filter(value -> !value.getSourceTime().getJavaInstant().isBefore(from))
                .filter(value -> !value.getSourceTime().getJavaInstant().isAfter(to))
                .toList();
      } else {
        Remainder remainder = remainders.remove(node.getContinuationPoint());
        if (remainder == null) {
          return none(StatusCodes.Bad_ContinuationPointInvalid);
        }
        values = remainder.values;
      }
      int most = raw.getNumValuesPerNode().intValue();
      int size = Math.min(values.size(), most == 0 ? HISTORY_PAGE : Math.min(most, HISTORY_PAGE));
      ByteString more = null;
      if (size < values.size()) {
        byte[] id = ByteBuffer.allocate(8).putLong(remainderIds.incrementAndGet()).array();
        more = ByteString.of(id);
        remainders.put(more, new Remainder(values.subList(size, values.size())));
      }
      HistoryData data = new HistoryData(values.subList(0, size).toArray(new DataValue[0]));
      return new HistoryReadResult(
          StatusCode.GOOD,
          more,
          ExtensionObject.encode(getServer().getStaticEncodingContext(), data));
    }

    private HistoryReadResult none(long status) {
      return new HistoryReadResult(new StatusCode(status), null, null);
    }
  }
}
