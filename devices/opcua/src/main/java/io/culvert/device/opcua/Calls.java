package io.culvert.device.opcua;

import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.structured.Argument;
import org.eclipse.milo.opcua.stack.core.types.structured.CallMethodRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.CallMethodResult;
import org.eclipse.milo.opcua.stack.core.types.structured.CallResponse;

/**
 * Calls methods (Part 4, 5.12). What is written to one is its argument, if it has one, or a
 * structure of its arguments by their names; {@code true} calls one that has none. Never blocks.
 */
final class Calls {
  private static final Quality MISSING = new Quality((int) StatusCodes.Bad_ArgumentsMissing);
  private static final Quality TOO_MANY = new Quality((int) StatusCodes.Bad_TooManyArguments);
  private static final Quality UNKNOWN = new Quality((int) StatusCodes.Bad_InvalidArgument);

  private Calls() {}

  /**
   * What became of a call.
   *
   * @param verdict the server's, or why it wasn't called
   * @param outputs its results by name, in their order; none unless it was good
   * @param values to read them
   */
  record Outcome(Quality verdict, Map<String, Object> outputs, Values values) {

    /** The results as a point shows them: one of its type, or all in a structure. */
    Sample sample(Point point) {
      try {
        if (point.type() == DataType.STRUCT) {
          Map<String, Value> fields = new LinkedHashMap<>();
          for (Map.Entry<String, Object> output : outputs.entrySet()) {
            values.field(output.getKey(), output.getValue(), fields);
          }
          return new Sample(point.id(), new Value.Struct(fields), verdict, null);
        }
        if (outputs.size() != 1) {
          throw new Values.Unfit(
              outputs.isEmpty() ? Quality.BAD_NO_DATA : Quality.BAD_TYPE_MISMATCH);
        }
        Value only = values.value(point.type(), outputs.values().iterator().next());
        return new Sample(point.id(), only, verdict, null);
      } catch (Values.Unfit unfit) {
        return Sample.bad(point.id(), unfit.quality());
      }
    }
  }

  private static Outcome refused(Quality why) {
    return new Outcome(why, Map.of(), null);
  }

  /**
   * Calls a method once.
   *
   * @return fails if the link is lost or nothing answers
   */
  static CompletableFuture<Outcome> call(
      Session session, Figures figures, Address address, NodeRef root, Value value) {
    return session
        .nodes()
        .thenCompose(
            nodes ->
                nodes
                    .resolve(List.of(address), root)
                    .thenCompose(
                        places -> {
                          Nodes.Place place = places.get(address);
                          return place.node() == null
                              ? CompletableFuture.completedFuture(
                                  refused(Values.quality(place.status())))
                              : nodes
                                  .signature(place.method())
                                  .thenCompose(
                                      signature ->
                                          call(
                                              session, figures, nodes, place, signature, address,
                                              value));
                        }));
  }

  private static CompletableFuture<Outcome> call(
      Session session,
      Figures figures,
      Nodes nodes,
      Nodes.Place place,
      Nodes.Signature signature,
      Address address,
      Value value) {
    Variant[] inputs;
    try {
      inputs = inputs(nodes, signature.inputs(), address.type(), value);
    } catch (Values.Unfit unfit) {
      return CompletableFuture.completedFuture(refused(unfit.quality()));
    }
    CallMethodRequest request = new CallMethodRequest(place.node(), place.method(), inputs);
    return session
        .ask(figures, client -> client.callAsync(List.of(request)))
        .thenApply(CallResponse::getResults)
        .thenApply(
            results -> {
              if (results == null || results.length != 1) {
                figures.malformed();
                return refused(Quality.BAD_COMMUNICATION);
              }
              return outcome(figures, nodes, signature, results[0]);
            });
  }

  private static Outcome outcome(
      Figures figures, Nodes nodes, Nodes.Signature signature, CallMethodResult result) {
    StatusCode status = result.getStatusCode();
    if (status.isBad()) {
      // What is wrong with an argument says more than that one is.
      if (status.value() == StatusCodes.Bad_InvalidArgument
          && result.getInputArgumentResults() != null) {
        for (StatusCode argument : result.getInputArgumentResults()) {
          if (argument != null && argument.isBad()) {
            status = argument;
            break;
          }
        }
      }
      figures.refusal(status.value());
      return refused(Values.quality(status));
    }
    Map<String, Object> outputs = new LinkedHashMap<>();
    Variant[] values = result.getOutputArguments();
    for (int i = 0; values != null && i < values.length; i++) {
      String name =
          i < signature.outputs().size() ? signature.outputs().get(i).getName() : "output" + i;
      outputs.put(name == null ? "output" + i : name, values[i].value());
    }
    return new Outcome(Values.quality(status), outputs, nodes.structures().values());
  }

  private static Variant[] inputs(
      Nodes nodes, List<Argument> arguments, DataType wanted, Value value) throws Values.Unfit {
    List<Variant> inputs = new ArrayList<>();
    if (arguments.isEmpty()) {
      if (value.equals(Value.of(false))) {
        // As with a push button: letting go does nothing.
        throw new Values.Unfit(Quality.BAD_OUT_OF_RANGE);
      }
      boolean nothing =
          value.equals(Value.of(true))
              || value instanceof Value.Struct struct && struct.fields().isEmpty();
      if (!nothing) {
        throw new Values.Unfit(TOO_MANY);
      }
    } else if (value instanceof Value.Struct struct && named(arguments, struct)) {
      Map<String, Value> rest = new LinkedHashMap<>(struct.fields());
      for (Argument argument : arguments) {
        inputs.add(input(nodes, argument, take(argument.getName(), rest)));
      }
      if (!rest.isEmpty()) {
        throw new Values.Unfit(UNKNOWN);
      }
    } else if (arguments.size() == 1) {
      inputs.add(nodes.writing().variant(Nodes.Target.of(arguments.get(0)), wanted, null, value));
    } else {
      throw new Values.Unfit(value instanceof Value.Struct ? UNKNOWN : MISSING);
    }
    return inputs.toArray(new Variant[0]);
  }

  /**
   * Whether fields of a structure are arguments, and not those of the only argument's structure.
   */
  private static boolean named(List<Argument> arguments, Value.Struct struct) {
    Set<String> names = new LinkedHashSet<>();
    arguments.forEach(argument -> names.add(argument.getName()));
    return struct.fields().isEmpty()
        || struct.fields().keySet().stream()
            .anyMatch(field -> names.contains(field) || names.contains(field.split("\\.")[0]));
  }

  /** Takes the value of an argument out of the fields: one, or those of a structure. */
  private static Value take(String name, Map<String, Value> fields) throws Values.Unfit {
    Value value = fields.remove(name);
    if (value != null) {
      return value;
    }
    Map<String, Value> inner = new LinkedHashMap<>();
    String prefix = name + ".";
    for (String field : List.copyOf(fields.keySet())) {
      if (field.startsWith(prefix)) {
        inner.put(field.substring(prefix.length()), fields.remove(field));
      }
    }
    if (inner.isEmpty()) {
      throw new Values.Unfit(MISSING);
    }
    return new Value.Struct(inner);
  }

  private static Variant input(Nodes nodes, Argument argument, Value value) throws Values.Unfit {
    return nodes.writing().variant(Nodes.Target.of(argument), Raw.typeOf(value), null, value);
  }
}
