package io.culvert.device.opcua;

import io.culvert.api.Quality;
import io.culvert.api.Value;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.structured.CallMethodRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.CallMethodResult;
import org.eclipse.milo.opcua.stack.core.types.structured.CallResponse;

/**
 * Acknowledges and confirms conditions (Part 9, 5.7.3 and 5.7.4), and remembers for that which
 * event told of which condition last. Safe in any thread; never blocks.
 */
final class Conditions {

  /** Events and conditions that are remembered, at most; the oldest are forgotten first. */
  static final int MOST = 10_000;

  private static final Quality EVENT_UNKNOWN = new Quality((int) StatusCodes.Bad_EventIdUnknown);
  private static final Quality INVALID = new Quality((int) StatusCodes.Bad_InvalidArgument);
  private static final Quality MISSING = new Quality((int) StatusCodes.Bad_ArgumentsMissing);

  /** The last event of each condition itself, not of its branches. */
  private final Map<String, ByteString> latest = bounded();

  /** The condition of each event, by the event's id in hexadecimal. */
  private final Map<String, String> conditionOf = bounded();

  private static <V> Map<String, V> bounded() {
    return new LinkedHashMap<>(16, 0.75f, true) {
      private static final long serialVersionUID = 1;

      @Override
      protected boolean removeEldestEntry(Map.Entry<String, V> eldest) {
        return size() > MOST;
      }
    };
  }

  /**
   * An event told of a condition.
   *
   * @param condition as a node is written in an address
   * @param branch whether it is about an earlier state of the condition
   */
  synchronized void remember(String condition, ByteString event, boolean branch) {
    conditionOf.put(hex(event), condition);
    if (!branch) {
      latest.put(condition, event);
    }
  }

  /** Events and conditions that are remembered. */
  synchronized int size() {
    return conditionOf.size() + latest.size();
  }

  private static String hex(ByteString event) {
    return HexFormat.of().formatHex(event.bytesOrEmpty());
  }

  private synchronized String conditionOf(String event) {
    return conditionOf.get(event);
  }

  private synchronized ByteString latest(String condition) {
    return latest.get(condition);
  }

  /** What is to be acknowledged. */
  private record Order(NodeRef.Id condition, ByteString event, String comment, NodeId method) {}

  /**
   * Acknowledges, or confirms.
   *
   * @param value a structure of {@code event}, as the point {@code events:…} tells it, or {@code
   *     condition}, or both; and {@code comment} and {@code action} ({@code acknowledge}, which is
   *     the default, or {@code confirm}), if wanted
   * @return the server's verdict, or why nothing was sent; fails if the link is lost or nothing
   *     answers
   */
  CompletableFuture<Quality> acknowledge(Session session, Figures figures, Value value) {
    return session
        .nodes()
        .thenCompose(
            nodes -> {
              CallMethodRequest request;
              try {
                Order order = order(value);
                NodeId condition = order.condition.in(nodes.namespaces());
                if (condition == null) {
                  throw new Values.Unfit(Quality.BAD_NOT_FOUND);
                }
                request =
                    new CallMethodRequest(
                        condition,
                        order.method,
                        new Variant[] {
                          new Variant(order.event),
                          new Variant(new LocalizedText(null, order.comment))
                        });
              } catch (Values.Unfit unfit) {
                return CompletableFuture.completedFuture(unfit.quality());
              }
              return session
                  .ask(figures, client -> client.callAsync(List.of(request)))
                  .thenApply(CallResponse::getResults)
                  .thenApply(results -> verdict(figures, results));
            });
  }

  private static Quality verdict(Figures figures, CallMethodResult[] results) {
    if (results == null || results.length != 1) {
      figures.malformed();
      return Quality.BAD_COMMUNICATION;
    }
    if (results[0].getStatusCode().isBad()) {
      figures.refusal(results[0].getStatusCode().value());
    }
    return Values.quality(results[0].getStatusCode());
  }

  private Order order(Value value) throws Values.Unfit {
    if (!(value instanceof Value.Struct struct)) {
      throw new Values.Unfit(Quality.BAD_TYPE_MISMATCH);
    }
    if (!Set.of("event", "condition", "comment", "action").containsAll(struct.fields().keySet())) {
      throw new Values.Unfit(INVALID);
    }
    String event = text(struct, "event");
    String condition = text(struct, "condition");
    if (event == null && condition == null) {
      throw new Values.Unfit(MISSING);
    }
    if (condition == null) {
      condition = conditionOf(event);
    }
    if (condition == null) {
      throw new Values.Unfit(EVENT_UNKNOWN);
    }
    if (!(NodeRef.parse(condition, (found, expected) -> {}) instanceof NodeRef.Id id)) {
      throw new Values.Unfit(INVALID);
    }
    ByteString eventId = event == null ? latest(condition) : bytes(event);
    if (eventId == null) {
      throw new Values.Unfit(EVENT_UNKNOWN);
    }
    String action = text(struct, "action");
    boolean confirm = "confirm".equals(action);
    if (action != null && !confirm && !action.equals("acknowledge")) {
      throw new Values.Unfit(INVALID);
    }
    return new Order(
        id,
        eventId,
        text(struct, "comment"),
        confirm
            ? NodeIds.AcknowledgeableConditionType_Confirm
            : NodeIds.AcknowledgeableConditionType_Acknowledge);
  }

  private static String text(Value.Struct struct, String field) throws Values.Unfit {
    Value value = struct.fields().get(field);
    if (value == null || value instanceof Value.Text) {
      return value == null ? null : ((Value.Text) value).value();
    }
    throw new Values.Unfit(INVALID);
  }

  private static ByteString bytes(String hex) throws Values.Unfit {
    try {
      return ByteString.of(HexFormat.of().parseHex(hex));
    } catch (IllegalArgumentException malformed) {
      throw new Values.Unfit(INVALID);
    }
  }
}
