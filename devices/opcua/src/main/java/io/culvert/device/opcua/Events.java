package io.culvert.device.opcua;

import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.time.Instant;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.structured.ContentFilter;
import org.eclipse.milo.opcua.stack.core.types.structured.EventFilter;
import org.eclipse.milo.opcua.stack.core.types.structured.EventFilterResult;
import org.eclipse.milo.opcua.stack.core.types.structured.SimpleAttributeOperand;

/**
 * What a notifier tells of events and of changes of conditions (Part 4, 7.22.3; Part 9, 5): each
 * becomes a structure with plain names. A condition's alarm states among them are told as the
 * server has them; a field that an event doesn't have, or that can't be read, is left out.
 *
 * <p>One for each point; used in the session's order of tasks.
 */
final class Events {

  /** A field, what an event calls it, and what kind of event has it. */
  private record Field(String name, NodeId type, String... path) {}

  /** All that are asked for; those of every event first. */
  private static final List<Field> FIELDS =
      List.of(
          new Field("event", NodeIds.BaseEventType, "EventId"),
          new Field("type", NodeIds.BaseEventType, "EventType"),
          new Field("time", NodeIds.BaseEventType, "Time"),
          new Field("sourceNode", NodeIds.BaseEventType, "SourceNode"),
          new Field("source", NodeIds.BaseEventType, "SourceName"),
          new Field("message", NodeIds.BaseEventType, "Message"),
          new Field("severity", NodeIds.BaseEventType, "Severity"),
          // Of a condition, the node itself: an empty path (Part 9, 5.5.2).
          new Field("condition", NodeIds.ConditionType),
          new Field("conditionName", NodeIds.ConditionType, "ConditionName"),
          new Field("branch", NodeIds.ConditionType, "BranchId"),
          new Field("retain", NodeIds.ConditionType, "Retain"),
          new Field("enabled", NodeIds.ConditionType, "EnabledState", "Id"),
          new Field("quality", NodeIds.ConditionType, "Quality"),
          new Field("comment", NodeIds.ConditionType, "Comment"),
          new Field("acked", NodeIds.AcknowledgeableConditionType, "AckedState", "Id"),
          new Field("confirmed", NodeIds.AcknowledgeableConditionType, "ConfirmedState", "Id"),
          new Field("active", NodeIds.AlarmConditionType, "ActiveState", "Id"),
          new Field("suppressed", NodeIds.AlarmConditionType, "SuppressedOrShelved"),
          new Field("limit", NodeIds.ExclusiveLimitAlarmType, "LimitState", "CurrentState"),
          new Field("highHigh", NodeIds.NonExclusiveLimitAlarmType, "HighHighState", "Id"),
          new Field("high", NodeIds.NonExclusiveLimitAlarmType, "HighState", "Id"),
          new Field("low", NodeIds.NonExclusiveLimitAlarmType, "LowState", "Id"),
          new Field("lowLow", NodeIds.NonExclusiveLimitAlarmType, "LowLowState", "Id"));

  private static final int ID = 0;
  private static final int TYPE = 1;
  private static final int TIME = 2;
  private static final int CONDITION = 7;
  private static final int BRANCH = 9;

  /** Those that every event has; servers without conditions may not know the others. */
  private static final int PLAIN = CONDITION;

  /** What a notification is for. */
  enum Kind {
    /** An event, for the point. */
    EVENT,
    /** States of conditions that the server tells again begin, or end. */
    REFRESH,
    /** The server has lost track of who knows what: it wants to be asked for all states. */
    REFRESH_WANTED,
    /** Events were lost. */
    OVERFLOW
  }

  private final Values values;
  private final Map<NodeId, String> types;
  private final Conditions conditions;

  /** Fields that the server doesn't know; another is asked for in their places. */
  private final BitSet unknown = new BitSet();

  private boolean refreshing;

  /**
   * @param types names of the types of events
   * @param conditions remembers what can be acknowledged
   */
  Events(Values values, Map<NodeId, String> types, Conditions conditions) {
    this.values = values;
    this.types = types;
    this.conditions = conditions;
  }

  /** What the server is asked to tell. */
  EventFilter filter() {
    SimpleAttributeOperand[] operands = new SimpleAttributeOperand[FIELDS.size()];
    for (int i = 0; i < operands.length; i++) {
      Field field = FIELDS.get(unknown.get(i) ? ID : i);
      QualifiedName[] path = new QualifiedName[field.path.length];
      for (int step = 0; step < path.length; step++) {
        path[step] = new QualifiedName(0, field.path[step]);
      }
      AttributeId attribute = path.length == 0 ? AttributeId.NodeId : AttributeId.Value;
      operands[i] = new SimpleAttributeOperand(field.type, path, attribute.uid(), null);
    }
    return new EventFilter(operands, new ContentFilter(null));
  }

  /** Leaves out all that not every event has; returns whether that is anything new. */
  boolean narrow() {
    int before = unknown.cardinality();
    unknown.set(PLAIN, FIELDS.size());
    return unknown.cardinality() > before;
  }

  /**
   * Leaves out fields that the server says it doesn't know: some then tell nothing at all.
   *
   * @return whether there are any that weren't left out
   */
  boolean narrow(EventFilterResult result) {
    int before = unknown.cardinality();
    StatusCode[] told = result.getSelectClauseResults();
    for (int i = PLAIN; told != null && i < Math.min(told.length, FIELDS.size()); i++) {
      // node-opcua says so of the condition itself, and tells it all the same.
      if (i != CONDITION && told[i] != null && told[i].isBad()) {
        unknown.set(i);
      }
    }
    return unknown.cardinality() > before;
  }

  /** Takes note of what a notification is for. */
  Kind kind(Variant[] fields) {
    Object type = field(fields, TYPE);
    if (NodeIds.RefreshStartEventType.equals(type) || NodeIds.RefreshEndEventType.equals(type)) {
      refreshing = NodeIds.RefreshStartEventType.equals(type);
      return Kind.REFRESH;
    }
    if (NodeIds.RefreshRequiredEventType.equals(type)) {
      return Kind.REFRESH_WANTED;
    }
    if (NodeIds.EventQueueOverflowEventType.equals(type)) {
      broken();
      return Kind.OVERFLOW;
    }
    return Kind.EVENT;
  }

  /**
   * Something may be lost, such as the end of what is told again: an alarm that is new counts more.
   */
  void broken() {
    refreshing = false;
  }

  /** When it happened; {@code null} if it doesn't say. */
  static Instant time(Variant[] fields) {
    return field(fields, TIME) instanceof DateTime time ? Values.instant(time) : null;
  }

  private static Object field(Variant[] fields, int index) {
    return fields == null || index >= fields.length || fields[index] == null
        ? null
        : fields[index].value();
  }

  /** An event as the point shows it. */
  Sample sample(Point point, Variant[] fields) {
    Map<String, Value> into = new LinkedHashMap<>();
    for (int i = 0; i < FIELDS.size(); i++) {
      Object raw = unknown.get(i) ? null : field(fields, i);
      String name = FIELDS.get(i).name;
      if (i == ID) {
        if (raw instanceof ByteString id && id.isNotNull()) {
          into.put(name, Value.of(HexFormat.of().formatHex(id.bytesOrEmpty())));
        }
      } else if (i == TYPE && types.containsKey(raw)) {
        into.put(name, Value.of(types.get(raw)));
      } else if (!(raw instanceof NodeId node) || node.isNotNull()) {
        try {
          Map<String, Value> its = new LinkedHashMap<>();
          values.field(name, raw, its);
          into.putAll(its);
        } catch (Values.Unfit unfit) {
          // The alarm is worth telling without it.
        }
      }
    }
    if (refreshing) {
      into.put("refresh", Value.of(true));
    }
    if (into.get("condition") instanceof Value.Text condition
        && into.get("event") instanceof Value.Text) {
      boolean branch = field(fields, BRANCH) instanceof NodeId node && node.isNotNull();
      conditions.remember(condition.value(), (ByteString) field(fields, ID), branch);
    }
    return new Sample(point.id(), new Value.Struct(into), Quality.GOOD, time(fields));
  }
}
