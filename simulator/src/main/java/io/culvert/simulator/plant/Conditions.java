package io.culvert.simulator.plant;

import static org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned.ushort;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import org.eclipse.milo.opcua.sdk.server.OpcUaServer;
import org.eclipse.milo.opcua.sdk.server.items.EventItem;
import org.eclipse.milo.opcua.sdk.server.model.objects.AlarmConditionTypeNode;
import org.eclipse.milo.opcua.sdk.server.model.objects.BaseEventTypeNode;
import org.eclipse.milo.opcua.sdk.server.model.variables.TwoStateVariableTypeNode;
import org.eclipse.milo.opcua.sdk.server.nodes.factories.NodeFactory;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;

/** Events that tell the state of an alarm (OPC 10000-9, 5.5 and 5.8). */
final class Conditions {
  private Conditions() {}

  /**
   * Makes the event of an alarm's present state and hands it on. Its nodes are there only as long.
   *
   * @param condition node of the condition
   * @param source node of its device
   */
  static void tell(
      NodeFactory factory,
      NodeId condition,
      NodeId source,
      String sourceName,
      Alarm alarm,
      Consumer<BaseEventTypeNode> to) {
    NodeId type =
        alarm.warning().level() ? NodeIds.ExclusiveLevelAlarmType : NodeIds.OffNormalAlarmType;
    try {
      AlarmConditionTypeNode event = (AlarmConditionTypeNode) factory.createNode(condition, type);
      try {
        fill(event, type, source, sourceName, alarm);
        to.accept(event);
      } finally {
        event.delete();
      }
    } catch (UaException e) {
      throw new IllegalStateException("No event of " + type, e);
    }
  }

  private static void fill(
      AlarmConditionTypeNode event, NodeId type, NodeId source, String sourceName, Alarm alarm) {
    Works.Warning warning = alarm.warning();
    DateTime time = new DateTime(Instant.ofEpochMilli(alarm.at()));
    event.setEventId(id(alarm.event()));
    event.setEventType(type);
    event.setSourceNode(source);
    event.setSourceName(sourceName);
    event.setTime(time);
    event.setReceiveTime(time);
    event.setMessage(new LocalizedText("en", alarm.message()));
    event.setSeverity(ushort(warning.severity()));
    event.setConditionClassId(NodeIds.ProcessConditionClassType);
    event.setConditionClassName(new LocalizedText("en", "Process"));
    event.setConditionName(warning.name());
    event.setBranchId(NodeId.NULL_VALUE);
    event.setRetain(alarm.retained());
    event.setQuality(StatusCode.GOOD);
    event.setLastSeverity(ushort(warning.severity()));
    event.setComment(new LocalizedText("en", alarm.comment()));
    event.setClientUserId("");
    event.setInputNode(source);
    event.setSuppressedOrShelved(false);
    state(event.getEnabledStateNode(), true, "Enabled", "Disabled");
    state(event.getAckedStateNode(), alarm.acknowledged(), "Acknowledged", "Unacknowledged");
    state(event.getActiveStateNode(), alarm.active(), "Active", "Inactive");
  }

  private static void state(
      TwoStateVariableTypeNode node, boolean on, String trueName, String falseName) {
    node.setValue(new DataValue(Variant.of(new LocalizedText("en", on ? trueName : falseName))));
    node.setId(on);
  }

  /** Tells items that a refresh begins, lets it happen, and tells that it has ended. */
  static void bracket(OpcUaServer server, Set<EventItem> items, Runnable refresh)
      throws UaException {
    tell(server, items, NodeIds.RefreshStartEventType, "Refresh begins");
    refresh.run();
    tell(server, items, NodeIds.RefreshEndEventType, "Refresh ends");
  }

  private static void tell(OpcUaServer server, Set<EventItem> items, NodeId type, String words)
      throws UaException {
    UUID id = UUID.randomUUID();
    BaseEventTypeNode event = server.getEventFactory().createEvent(new NodeId(1, id), type);
    DateTime now = DateTime.now();
    event.setEventId(id(id));
    event.setEventType(type);
    event.setSourceNode(NodeIds.Server);
    event.setSourceName("Server");
    event.setTime(now);
    event.setReceiveTime(now);
    event.setMessage(new LocalizedText("en", words));
    event.setSeverity(ushort(0));
    items.forEach(item -> item.onEvent(event));
    event.delete();
  }

  /** The id of an event, as bytes. */
  static ByteString id(UUID id) {
    return ByteString.of(
        ByteBuffer.allocate(16)
            .putLong(id.getMostSignificantBits())
            .putLong(id.getLeastSignificantBits())
            .array());
  }
}
