package io.culvert.simulator.plant;

import static org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned.ubyte;
import static org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned.uint;

import io.culvert.simulator.plant.Station.Shown;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.milo.opcua.sdk.core.AccessLevel;
import org.eclipse.milo.opcua.sdk.core.Reference;
import org.eclipse.milo.opcua.sdk.server.ManagedNamespaceWithLifecycle;
import org.eclipse.milo.opcua.sdk.server.OpcUaServer;
import org.eclipse.milo.opcua.sdk.server.Session;
import org.eclipse.milo.opcua.sdk.server.items.DataItem;
import org.eclipse.milo.opcua.sdk.server.items.EventItem;
import org.eclipse.milo.opcua.sdk.server.items.MonitoredItem;
import org.eclipse.milo.opcua.sdk.server.methods.MethodInvocationHandler;
import org.eclipse.milo.opcua.sdk.server.model.variables.AnalogItemType;
import org.eclipse.milo.opcua.sdk.server.model.variables.MultiStateDiscreteType;
import org.eclipse.milo.opcua.sdk.server.nodes.UaFolderNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaMethodNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaObjectNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaVariableNode;
import org.eclipse.milo.opcua.sdk.server.nodes.filters.AttributeFilter;
import org.eclipse.milo.opcua.sdk.server.nodes.filters.AttributeFilterContext;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.DiagnosticInfo;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.enumerated.TimestampsToReturn;
import org.eclipse.milo.opcua.stack.core.types.structured.Argument;
import org.eclipse.milo.opcua.stack.core.types.structured.CallMethodRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.CallMethodResult;
import org.eclipse.milo.opcua.stack.core.types.structured.EUInformation;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryData;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryReadDetails;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryReadResult;
import org.eclipse.milo.opcua.stack.core.types.structured.HistoryReadValueId;
import org.eclipse.milo.opcua.stack.core.types.structured.Range;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadRawModifiedDetails;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadValueId;

/**
 * The plant's name space on one server: a folder of devices, each an object with its variables,
 * methods and alarms. Values are pushed into the queues of those who subscribed as they change, so
 * that each change goes into them, whatever sampling interval was asked for.
 */
final class AddressSpace extends ManagedNamespaceWithLifecycle {
  static final String URI = "urn:culvert:plant";

  private static final String UNITS = "http://www.opcfoundation.org/UA/units/un/cefact";
  private static final int MOST_IN_A_PAGE = 1_000;
  private static final int MOST_IN_A_QUEUE = 10_000;
  private static final String CHINESE = "zh-CN";
  private static final String ENGLISH = "en";

  private final List<Station> stations;
  private final InstantSource clock;
  private final double cycleMillis;
  private final Map<NodeId, Place> places = new HashMap<>();
  private final Map<NodeId, Station> notifiers = new HashMap<>();
  private final Map<NodeId, Condition> conditions = new HashMap<>();
  private final Map<NodeId, Set<DataItem>> dataItems = new ConcurrentHashMap<>();
  private final Map<NodeId, Set<EventItem>> eventItems = new ConcurrentHashMap<>();

  private record Place(Station station, int variable) {}

  private record Condition(Station station, Alarm alarm) {}

  AddressSpace(OpcUaServer server, List<Station> stations, InstantSource clock, long cycleMillis) {
    super(server, URI);
    this.stations = stations;
    this.clock = clock;
    this.cycleMillis = cycleMillis;
    getLifecycleManager().addStartupTask(this::build);
  }

  // Nodes

  private void build() {
    UaFolderNode folder =
        new UaFolderNode(
            getNodeContext(),
            newNodeId("plant"),
            newQualifiedName("Plant"),
            new LocalizedText(ENGLISH, "Plant"));
    folder.setEventNotifier(ubyte(1));
    getNodeManager().addNode(folder);
    folder.addReference(
        new Reference(
            folder.getNodeId(), NodeIds.Organizes, NodeIds.ObjectsFolder.expanded(), false));
    folder.addReference(
        new Reference(folder.getNodeId(), NodeIds.HasNotifier, NodeIds.Server.expanded(), false));
    for (Station station : stations) {
      folder.addOrganizes(device(station, folder));
    }
  }

  private UaObjectNode device(Station station, UaFolderNode folder) {
    NodeId id = newNodeId(station.id());
    UaObjectNode device =
        UaObjectNode.build(
            getNodeContext(),
            b ->
                b.setNodeId(id)
                    .setBrowseName(newQualifiedName(station.id()))
                    .setDisplayName(new LocalizedText(ENGLISH, station.id()))
                    .setTypeDefinition(NodeIds.BaseObjectType)
                    .setEventNotifier(ubyte(1))
                    .build());
    getNodeManager().addNode(device);
    device.addReference(
        new Reference(id, NodeIds.HasNotifier, folder.getNodeId().expanded(), false));
    notifiers.put(id, station);
    for (int i = 0; i < station.variables().size(); i++) {
      device.addComponent(variable(station, i));
    }
    station.works().orders().forEach((name, order) -> order(station, device, name, order));
    for (Alarm alarm : station.alarms()) {
      conditions.put(condition(station, alarm), new Condition(station, alarm));
    }
    return device;
  }

  private NodeId condition(Station station, Alarm alarm) {
    return newNodeId(station.id() + "/Alarms/" + alarm.warning().name());
  }

  private NodeId node(Station station, int variable) {
    return newNodeId(station.id() + "/" + station.variables().get(variable).name());
  }

  private UaVariableNode variable(Station station, int index) {
    Variable variable = station.variables().get(index);
    NodeId id = node(station, index);
    Set<AccessLevel> access = new HashSet<>(Set.of(AccessLevel.CurrentRead));
    if (variable.writable()) {
      access.add(AccessLevel.CurrentWrite);
    }
    if (station.keeps()) {
      access.add(AccessLevel.HistoryRead);
    }
    UaVariableNode node =
        UaVariableNode.build(
            getNodeContext(),
            b ->
                b.setNodeId(id)
                    .setBrowseName(newQualifiedName(variable.name()))
                    .setDisplayName(text(variable.title(), ENGLISH))
                    .setDescription(text(variable.title(), ENGLISH))
                    .setDataType(dataType(variable.type()))
                    .setTypeDefinition(typeDefinition(variable))
                    .setAccessLevel(access)
                    .setUserAccessLevel(access)
                    .setHistorizing(station.keeps())
                    .setMinimumSamplingInterval(cycleMillis)
                    .addAttributeFilter(new Holds(station, index))
                    .addAttributeFilter(new Speaks(variable.title()))
                    .build());
    getNodeManager().addNode(node);
    if (variable.unit() != null) {
      node.setProperty(AnalogItemType.EU_RANGE, new Range(variable.low(), variable.high()));
      node.setProperty(AnalogItemType.ENGINEERING_UNITS, units(variable.unit()));
    } else if (variable.texts().length > 0) {
      LocalizedText[] texts = new LocalizedText[variable.texts().length];
      for (int i = 0; i < texts.length; i++) {
        texts[i] = text(variable.texts()[i], ENGLISH);
      }
      node.setProperty(MultiStateDiscreteType.ENUM_STRINGS, texts);
    }
    places.put(id, new Place(station, index));
    return node;
  }

  private static EUInformation units(Variable.Unit unit) {
    return new EUInformation(
        UNITS,
        unit.id(),
        new LocalizedText(ENGLISH, unit.symbol()),
        new LocalizedText(ENGLISH, unit.name()));
  }

  private static NodeId typeDefinition(Variable variable) {
    if (variable.unit() != null) {
      return NodeIds.AnalogItemType;
    }
    return variable.texts().length > 0
        ? NodeIds.MultiStateDiscreteType
        : NodeIds.BaseDataVariableType;
  }

  private static NodeId dataType(Variable.Type type) {
    return switch (type) {
      case DOUBLE -> NodeIds.Double;
      case FLOAT -> NodeIds.Float;
      case INT32 -> NodeIds.Int32;
      case UINT32 -> NodeIds.UInt32;
      case BOOLEAN -> NodeIds.Boolean;
    };
  }

  private static LocalizedText text(Variable.Words words, String locale) {
    return locale.startsWith("zh")
        ? new LocalizedText(CHINESE, words.zh())
        : new LocalizedText(ENGLISH, words.en());
  }

  /** Speaks the first of the session's languages that it knows (OPC 10000-4, 5.7.3). */
  private record Speaks(Variable.Words words) implements AttributeFilter {
    @Override
    public Object getAttribute(AttributeFilterContext context, AttributeId attribute) {
      return attribute == AttributeId.DisplayName || attribute == AttributeId.Description
          ? text(words, locale(context.getSession()))
          : context.getAttribute(attribute);
    }

    private static String locale(Optional<Session> session) {
      String[] locales = session.map(Session::getLocaleIds).orElse(null);
      for (String locale : locales == null ? new String[0] : locales) {
        if (locale != null && (locale.startsWith("zh") || locale.startsWith("en"))) {
          return locale;
        }
      }
      return ENGLISH;
    }
  }

  /** The value, as the device has it; written, it is the device that decides. */
  private final class Holds implements AttributeFilter {
    private final Station station;
    private final int variable;

    Holds(Station station, int variable) {
      this.station = station;
      this.variable = variable;
    }

    @Override
    public Object getAttribute(AttributeFilterContext context, AttributeId attribute) {
      if (attribute != AttributeId.Value) {
        return context.getAttribute(attribute);
      }
      synchronized (station.truth()) {
        return dataValue(station.variables().get(variable), station.present(variable));
      }
    }

    @Override
    public void writeAttribute(AttributeFilterContext context, AttributeId attribute, Object value)
        throws UaException {
      if (attribute != AttributeId.Value) {
        throw new UaException(StatusCodes.Bad_NotWritable);
      }
      Object written = ((DataValue) value).value().value();
      double number =
          written instanceof Boolean flag
              ? (flag ? 1 : 0)
              : written instanceof Number n ? n.doubleValue() : Double.NaN;
      Variable of = station.variables().get(variable);
      if (!(number >= of.low() && number <= of.high())
          || !station.write(variable, number, clock.millis())) {
        throw new UaException(StatusCodes.Bad_OutOfRange);
      }
    }
  }

  private static DataValue dataValue(Variable variable, Shown shown) {
    DateTime time = new DateTime(Instant.ofEpochMilli(shown.at()));
    boolean none = Double.isNaN(shown.value());
    return new DataValue(
        none ? Variant.NULL_VALUE : Variant.of(variable.held(shown.value())),
        none ? new StatusCode(StatusCodes.Bad_OutOfService) : StatusCode.GOOD,
        time,
        DateTime.now());
  }

  // Methods

  private void order(Station station, UaObjectNode device, String name, Works.Order order) {
    UaMethodNode method =
        UaMethodNode.build(
            getNodeContext(),
            b ->
                b.setNodeId(newNodeId(station.id() + "/" + name))
                    .setBrowseName(newQualifiedName(name))
                    .setDisplayName(text(order.title(), ENGLISH))
                    .setDescription(text(order.title(), ENGLISH))
                    .addAttributeFilter(new Speaks(order.title()))
                    .build());
    Argument[] in =
        order.argument() == null
            ? new Argument[0]
            : new Argument[] {
              new Argument(order.argument(), NodeIds.Double, -1, null, text(order.title(), ENGLISH))
            };
    Argument[] out = {
      new Argument(
          "Accepted", NodeIds.Boolean, -1, null, new LocalizedText(ENGLISH, "Whether it does so"))
    };
    method.setInputArguments(in);
    method.setOutputArguments(out);
    method.setInvocationHandler(
        (context, request) -> {
          Variant[] given = request.getInputArguments();
          int count = given == null ? 0 : given.length;
          if (count != in.length) {
            return result(
                count < in.length
                    ? StatusCodes.Bad_ArgumentsMissing
                    : StatusCodes.Bad_TooManyArguments);
          }
          if (count == 1 && !(given[0].value() instanceof Double)) {
            return new CallMethodResult(
                new StatusCode(StatusCodes.Bad_InvalidArgument),
                new StatusCode[] {new StatusCode(StatusCodes.Bad_TypeMismatch)},
                new DiagnosticInfo[0],
                new Variant[0]);
          }
          double argument = count == 1 ? (Double) given[0].value() : 0;
          boolean done = station.order(order, argument, clock.millis());
          return new CallMethodResult(
              StatusCode.GOOD,
              new StatusCode[in.length > 0 ? 1 : 0],
              new DiagnosticInfo[0],
              new Variant[] {Variant.of(done)});
        });
    getNodeManager().addNode(method);
    device.addComponent(method);
  }

  private static CallMethodResult result(long status) {
    return new CallMethodResult(
        new StatusCode(status), new StatusCode[0], new DiagnosticInfo[0], new Variant[0]);
  }

  /** Conditions have no nodes; their methods are those of their type (OPC 10000-9, 5.7.3). */
  @Override
  protected MethodInvocationHandler getInvocationHandler(NodeId object, NodeId method)
      throws UaException {
    Condition condition = conditions.get(object);
    if (condition == null) {
      return super.getInvocationHandler(object, method);
    }
    if (method.equals(NodeIds.AcknowledgeableConditionType_Acknowledge)) {
      return (context, request) -> acknowledge(condition, request);
    }
    throw new UaException(StatusCodes.Bad_MethodInvalid);
  }

  private CallMethodResult acknowledge(Condition condition, CallMethodRequest request) {
    Variant[] given = request.getInputArguments();
    if (given == null
        || given.length != 2
        || !(given[0].value() instanceof ByteString event)
        || !(given[1].value() instanceof LocalizedText comment)) {
      return result(StatusCodes.Bad_InvalidArgument);
    }
    synchronized (condition.station().truth()) {
      if (!event.equals(Conditions.id(condition.alarm().event()))) {
        return result(StatusCodes.Bad_EventIdUnknown);
      }
      String why = comment.text() == null ? "" : comment.text();
      boolean news = condition.station().acknowledge(condition.alarm(), why, clock.millis());
      return result(news ? 0 : StatusCodes.Bad_ConditionBranchAlreadyAcked);
    }
  }

  // Whoever has subscribed

  @Override
  public RevisedDataItemParameters onCreateDataItem(
      ReadValueId item, Double sampling, UInteger queue) {
    return new RevisedDataItemParameters(cycleMillis, queue(queue));
  }

  @Override
  public RevisedDataItemParameters onModifyDataItem(
      ReadValueId item, Double sampling, UInteger queue) {
    return new RevisedDataItemParameters(cycleMillis, queue(queue));
  }

  @Override
  public RevisedEventItemParameters onCreateEventItem(ReadValueId item, UInteger queue) {
    return new RevisedEventItemParameters(queue(queue));
  }

  private static UInteger queue(UInteger wanted) {
    return uint(Math.max(1, Math.min(MOST_IN_A_QUEUE, wanted.longValue())));
  }

  @Override
  public void onDataItemsCreated(List<DataItem> created) {
    for (DataItem item : created) {
      Place place = place(item);
      if (place == null) {
        item.setValue(attribute(item));
      } else {
        synchronized (place.station().truth()) {
          dataItems
              .computeIfAbsent(
                  item.getReadValueId().getNodeId(), id -> ConcurrentHashMap.newKeySet())
              .add(item);
          place.station().ask(place.variable());
          item.setValue(
              dataValue(
                  place.station().variables().get(place.variable()),
                  place.station().present(place.variable())));
        }
      }
    }
  }

  private Place place(MonitoredItem item) {
    return AttributeId.Value.isEqual(item.getReadValueId().getAttributeId())
        ? places.get(item.getReadValueId().getNodeId())
        : null;
  }

  /** What else may be asked for never changes. */
  private DataValue attribute(DataItem item) {
    return read(
            new ReadContext(getServer(), item.getSession()),
            0.0,
            TimestampsToReturn.Both,
            List.of(item.getReadValueId()))
        .get(0);
  }

  @Override
  public void onDataItemsModified(List<DataItem> modified) {
    // They stay where they are.
  }

  @Override
  public void onDataItemsDeleted(List<DataItem> deleted) {
    for (DataItem item : deleted) {
      Set<DataItem> others = dataItems.get(item.getReadValueId().getNodeId());
      if (others != null) {
        others.remove(item);
      }
    }
  }

  @Override
  public void onEventItemsCreated(List<EventItem> created) {
    for (EventItem item : created) {
      NodeId id = item.getReadValueId().getNodeId();
      stations.stream()
          .filter(station -> notifies(id, station))
          .forEach(
              station -> {
                synchronized (station.truth()) {
                  station.askForEvents();
                }
              });
      eventItems.computeIfAbsent(id, any -> ConcurrentHashMap.newKeySet()).add(item);
    }
  }

  private boolean notifies(NodeId id, Station station) {
    return id.equals(newNodeId("plant")) || notifiers.get(id) == station;
  }

  @Override
  public void onEventItemsDeleted(List<EventItem> deleted) {
    for (EventItem item : deleted) {
      Set<EventItem> others = eventItems.get(item.getReadValueId().getNodeId());
      if (others != null) {
        others.remove(item);
      }
    }
  }

  @Override
  public void onMonitoringModeChanged(List<MonitoredItem> items) {
    // Those that are disabled throw away what they are given.
  }

  /** What a transfer may send again: the present values (OPC 10000-4, 5.14.7). */
  void givesAgain(MonitoredItem item) {
    Place place = place(item);
    if (place != null) {
      synchronized (place.station().truth()) {
        place.station().give(place.variable(), place.station().present(place.variable()));
      }
    }
  }

  /** Where a device hands its values on to. */
  Station.Client client(Station station) {
    return new Station.Client() {
      @Override
      public boolean followed(int variable) {
        return !dataItems.getOrDefault(node(station, variable), Set.of()).isEmpty();
      }

      @Override
      public boolean value(int variable, Shown shown) {
        Set<DataItem> items = dataItems.getOrDefault(node(station, variable), Set.of());
        boolean taken = false;
        for (DataItem item : items) {
          if (item.isSamplingEnabled()) {
            item.setValue(dataValue(station.variables().get(variable), shown));
            taken = true;
          }
        }
        return taken;
      }

      @Override
      public boolean event(Alarm alarm) {
        List<EventItem> items = new ArrayList<>();
        eventItems.forEach(
            (id, all) -> {
              if (notifies(id, station)) {
                all.stream().filter(EventItem::isSamplingEnabled).forEach(items::add);
              }
            });
        Conditions.tell(
            getNodeFactory(),
            condition(station, alarm),
            newNodeId(station.id()),
            station.id(),
            alarm,
            event -> {
              items.forEach(item -> item.onEvent(event));
              getServer().getEventNotifier().fire(event);
            });
        return !items.isEmpty();
      }
    };
  }

  /** Tells one subscription of every alarm that is still of interest (OPC 10000-9, 5.5.7). */
  void refresh(Set<EventItem> wanted) {
    for (Station station : stations) {
      synchronized (station.truth()) {
        List<EventItem> items =
            wanted.stream()
                .filter(item -> notifies(item.getReadValueId().getNodeId(), station))
                .toList();
        for (Alarm alarm : station.alarms()) {
          if (!items.isEmpty() && alarm.retained()) {
            station.giveEvent(alarm);
            Conditions.tell(
                getNodeFactory(),
                condition(station, alarm),
                newNodeId(station.id()),
                station.id(),
                alarm,
                event -> items.forEach(item -> item.onEvent(event)));
          }
        }
      }
    }
  }

  // History

  @Override
  public List<HistoryReadResult> historyRead(
      HistoryReadContext context,
      HistoryReadDetails details,
      TimestampsToReturn timestamps,
      List<HistoryReadValueId> nodes) {
    return nodes.stream().map(node -> historyRead(details, node)).toList();
  }

  private HistoryReadResult historyRead(HistoryReadDetails details, HistoryReadValueId node) {
    Place place = places.get(node.getNodeId());
    if (place == null) {
      return unread(StatusCodes.Bad_NodeIdUnknown);
    }
    if (!place.station().keeps()
        || !(details instanceof ReadRawModifiedDetails raw)
        || raw.getIsReadModified()) {
      return unread(StatusCodes.Bad_HistoryOperationUnsupported);
    }
    long from = raw.getStartTime().getJavaTime();
    long to = raw.getEndTime().isNull() ? Long.MAX_VALUE : raw.getEndTime().getJavaTime();
    ByteString point = node.getContinuationPoint();
    if (point != null && point.isNotNull() && point.length() > 0) {
      // It says where the next page begins, so that nothing needs to be kept for it.
      try {
        from = Long.parseLong(new String(point.bytes(), StandardCharsets.US_ASCII));
      } catch (NumberFormatException e) {
        return unread(StatusCodes.Bad_ContinuationPointInvalid);
      }
    }
    long most = raw.getNumValuesPerNode().longValue();
    int page = (int) (most == 0 ? MOST_IN_A_PAGE : Math.min(most, MOST_IN_A_PAGE));
    synchronized (place.station().truth()) {
      List<Shown> all = place.station().kept(place.variable(), from, to);
      List<Shown> here = all.subList(0, Math.min(page, all.size()));
      here.forEach(shown -> place.station().recall(place.variable(), shown));
      DataValue[] values =
          here.stream()
              .map(shown -> dataValue(place.station().variables().get(place.variable()), shown))
              .toArray(DataValue[]::new);
      ByteString next =
          all.size() > here.size()
              ? ByteString.of(
                  Long.toString(all.get(here.size()).at()).getBytes(StandardCharsets.US_ASCII))
              : ByteString.NULL_VALUE;
      return new HistoryReadResult(
          new StatusCode(values.length == 0 ? StatusCodes.Good_NoData : StatusCodes.Good),
          next,
          ExtensionObject.encode(getServer().getStaticEncodingContext(), new HistoryData(values)));
    }
  }

  private static HistoryReadResult unread(long status) {
    return new HistoryReadResult(new StatusCode(status), ByteString.NULL_VALUE, null);
  }
}
