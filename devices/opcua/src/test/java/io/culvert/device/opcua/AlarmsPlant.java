package io.culvert.device.opcua;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.eclipse.milo.opcua.sdk.server.ManagedNamespaceWithLifecycle;
import org.eclipse.milo.opcua.sdk.server.OpcUaServer;
import org.eclipse.milo.opcua.sdk.server.items.DataItem;
import org.eclipse.milo.opcua.sdk.server.items.MonitoredItem;
import org.eclipse.milo.opcua.sdk.server.model.objects.BaseEventTypeNode;
import org.eclipse.milo.opcua.sdk.server.model.objects.ExclusiveLevelAlarmTypeNode;
import org.eclipse.milo.opcua.sdk.server.nodes.UaMethodNode;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.DiagnosticInfo;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UShort;
import org.eclipse.milo.opcua.stack.core.types.structured.CallMethodRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.CallMethodResult;

/**
 * Alarms of levels on a server, which tells of them through the Server object, tells those that
 * aren't over again when asked, and takes acknowledgements.
 */
final class AlarmsPlant extends ManagedNamespaceWithLifecycle {
  static final String NAMESPACE = "urn:culvert:test:alarms";

  /** An alarm's state. */
  record State(String event, Instant time, boolean active, boolean acked, String limit) {}

  /** What was acknowledged or confirmed: condition, method, event, comment. */
  final List<String> calls = new CopyOnWriteArrayList<>();

  private final Map<String, State> alarms = new LinkedHashMap<>();
  private int refreshes;

  /** A comment in place of the usual one; {@code null} for that. */
  volatile Object comment;

  AlarmsPlant(OpcUaServer server) {
    super(server, NAMESPACE);
    getLifecycleManager().addStartupTask(this::takeOverRefresh);
  }

  private void takeOverRefresh() {
    UaMethodNode refresh =
        (UaMethodNode)
            getServer()
                .getAddressSpaceManager()
                .getManagedNode(NodeIds.ConditionType_ConditionRefresh)
                .orElseThrow();
    refresh.setInvocationHandler(
        (context, request) -> {
          try {
            refresh();
            return result(StatusCode.GOOD);
          } catch (UaException e) {
            return result(e.getStatusCode());
          }
        });
  }

  private synchronized void refresh() throws UaException {
    fire(NodeIds.RefreshStartEventType, "start");
    for (Map.Entry<String, State> alarm : alarms.entrySet()) {
      tell(alarm.getKey(), alarm.getValue());
    }
    fire(NodeIds.RefreshEndEventType, "end");
    refreshes++;
  }

  /** How often all alarms were told again. */
  synchronized int refreshes() {
    return refreshes;
  }

  /** Changes an alarm's state and tells it. */
  synchronized void set(String name, State state) throws UaException {
    alarms.put(name, state);
    tell(name, state);
  }

  private void tell(String name, State state) throws UaException {
    NodeId condition = newNodeId(name);
    ExclusiveLevelAlarmTypeNode alarm =
        (ExclusiveLevelAlarmTypeNode)
            getServer().getEventFactory().createEvent(condition, NodeIds.ExclusiveLevelAlarmType);
    fill(alarm, NodeIds.ExclusiveLevelAlarmType, state.event, state.time);
    alarm.setSourceNode(newNodeId("Tank"));
    alarm.setSourceName("Tank");
    alarm.setSeverity(UShort.valueOf(700));
    alarm.setMessage(LocalizedText.english("Level of " + name));
    alarm.setConditionName(name);
    alarm.setBranchId(NodeId.NULL_VALUE);
    alarm.setRetain(state.active || !state.acked);
    alarm.getEnabledStateNode().setId(true);
    alarm.setQuality(new StatusCode(StatusCodes.Uncertain_SensorNotAccurate));
    alarm.setComment(new LocalizedText("en", "seen"));
    if (comment != null) {
      alarm.getCommentNode().setValue(new DataValue(new Variant(comment)));
    }
    alarm.getAckedStateNode().setId(state.acked);
    alarm.getConfirmedStateNode().setId(false);
    alarm.getActiveStateNode().setId(state.active);
    alarm.setSuppressedOrShelved(false);
    alarm.getLimitStateNode().setCurrentState(LocalizedText.english(state.limit));
    getServer().getEventNotifier().fire(alarm);
    alarm.delete();
  }

  /** Tells an event that has nothing but what every event has. */
  synchronized void fire(NodeId type, String id) throws UaException {
    BaseEventTypeNode event =
        getServer().getEventFactory().createEvent(newNodeId("event-" + id), type);
    fill(event, type, id, Instant.parse("2026-11-29T10:00:00Z"));
    event.setSourceNode(NodeIds.Server);
    event.setSourceName("Server");
    event.setSeverity(UShort.valueOf(1));
    event.setMessage(LocalizedText.english("event " + id));
    getServer().getEventNotifier().fire(event);
    event.delete();
  }

  private static void fill(BaseEventTypeNode event, NodeId type, String id, Instant time) {
    event.setEventId(bytes(id));
    event.setEventType(type);
    event.setTime(new DateTime(time));
    event.setReceiveTime(new DateTime(time));
  }

  static ByteString bytes(String id) {
    return ByteString.of(id.getBytes(StandardCharsets.UTF_8));
  }

  private static CallMethodResult result(StatusCode status) {
    return new CallMethodResult(status, new StatusCode[0], new DiagnosticInfo[0], new Variant[0]);
  }

  @Override
  public List<CallMethodResult> call(CallContext context, List<CallMethodRequest> requests) {
    return requests.stream().map(this::acknowledge).toList();
  }

  private synchronized CallMethodResult acknowledge(CallMethodRequest request) {
    String name = (String) request.getObjectId().getIdentifier();
    ByteString event = (ByteString) request.getInputArguments()[0].value();
    LocalizedText comment = (LocalizedText) request.getInputArguments()[1].value();
    String id = new String(event.bytesOrEmpty(), StandardCharsets.UTF_8);
    calls.add(
        name
            + (request.getMethodId().equals(NodeIds.AcknowledgeableConditionType_Confirm)
                ? " confirm "
                : " acknowledge ")
            + id
            + " "
            + comment.text());
    State state = alarms.get(name);
    if (state == null) {
      return result(new StatusCode(StatusCodes.Bad_NodeIdUnknown));
    }
    if (!state.event.equals(id)) {
      return result(new StatusCode(StatusCodes.Bad_EventIdUnknown));
    }
    return result(
        state.acked
            ? new StatusCode(StatusCodes.Bad_ConditionBranchAlreadyAcked)
            : StatusCode.GOOD);
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
