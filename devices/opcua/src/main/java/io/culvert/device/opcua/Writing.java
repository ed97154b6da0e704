package io.culvert.device.opcua;

import io.culvert.api.DataType;
import io.culvert.api.Quality;
import io.culvert.api.Value;
import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.eclipse.milo.opcua.stack.core.AttributeId;
import org.eclipse.milo.opcua.stack.core.NamespaceTable;
import org.eclipse.milo.opcua.stack.core.OpcUaDataType;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.Matrix;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UByte;
import org.eclipse.milo.opcua.stack.core.types.structured.WriteResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.WriteValue;

/**
 * Gives values the type that the server wants, and writes them (Part 4, 5.11.4). A value that it
 * can't have is refused before anything is sent. Safe in any thread; never blocks.
 */
final class Writing {
  private final DataTypes types;
  private final Structures structures;
  private final Raw raw;

  Writing(DataTypes types, Structures structures, Supplier<NamespaceTable> namespaces) {
    this.types = types;
    this.structures = structures;
    this.raw = new Raw(namespaces);
  }

  /**
   * Writes a variable.
   *
   * @return the server's verdict, or why nothing was sent; fails if the link is lost or nothing
   *     answers
   */
  static CompletableFuture<Quality> write(
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
                              ? CompletableFuture.completedFuture(Values.quality(place.status()))
                              : nodes
                                  .target(place.node())
                                  .thenCompose(
                                      target ->
                                          write(
                                              session, figures, nodes, place, target, address,
                                              value));
                        }));
  }

  private static CompletableFuture<Quality> write(
      Session session,
      Figures figures,
      Nodes nodes,
      Nodes.Place place,
      Nodes.Target target,
      Address address,
      Value value) {
    if (target.status().isBad()) {
      return CompletableFuture.completedFuture(Values.quality(target.status()));
    }
    Variant variant;
    try {
      variant = nodes.writing().variant(target, address.type(), address.range(), value);
    } catch (Values.Unfit unfit) {
      return CompletableFuture.completedFuture(unfit.quality());
    }
    // The value alone: many servers refuse to have a status or time written (Part 4, 5.11.4.2).
    WriteValue one =
        new WriteValue(
            place.node(), AttributeId.Value.uid(), address.range(), DataValue.valueOnly(variant));
    return session
        .ask(figures, client -> client.writeAsync(List.of(one)))
        .thenApply(WriteResponse::getResults)
        .thenApply(
            results -> {
              if (results == null || results.length != 1) {
                figures.malformed();
                return Quality.BAD_COMMUNICATION;
              }
              if (results[0].isBad()) {
                figures.refusal(results[0].value());
              }
              return Values.quality(results[0]);
            });
  }

  /**
   * A value as a variable, or an argument, takes it.
   *
   * @param wanted type of the point: what is sent where the server takes several
   * @param range part of a list or matrix; {@code null} for all of it
   */
  Variant variant(Nodes.Target target, DataType wanted, String range, Value value)
      throws Values.Unfit {
    DataTypes.Type type = types.type(target.type());
    boolean several = type == null || type.builtin() == OpcUaDataType.Variant;
    OpcUaDataType builtin = several ? Raw.natural(wanted) : type.builtin();
    if (builtin == OpcUaDataType.ExtensionObject) {
      return new Variant(structure(target, value));
    }
    if (builtin == OpcUaDataType.Byte && target.rank() >= 0 && value instanceof Value.Bytes bytes) {
      return new Variant(bytes(bytes.value()));
    }
    Map<Long, String> names = several ? Map.of() : type.names();
    boolean list = value instanceof Value.Array;
    // A range that picks one element of a list takes a list of one.
    if (!list && target.rank() > 0 && range != null) {
      return variant(target, wanted, range, new Value.Array(List.of(value)));
    }
    if (list && target.rank() == -1 || !list && target.rank() >= 0) {
      throw new Values.Unfit(Quality.BAD_TYPE_MISMATCH);
    }
    Object plain = raw.of(builtin, names, value);
    return new Variant(target.rank() > 1 ? matrix(plain, dimensions(target, range)) : plain);
  }

  private static Object matrix(Object flat, int[] dimensions) throws Values.Unfit {
    long length = Arrays.stream(dimensions).asLongStream().reduce(1, (a, b) -> a * b);
    if (dimensions.length < 2 || length != Array.getLength(flat)) {
      throw new Values.Unfit(Quality.BAD_TYPE_MISMATCH);
    }
    return new Matrix(flat, dimensions);
  }

  private static int[] dimensions(Nodes.Target target, String range) {
    if (range == null) {
      return target.dimensions();
    }
    return Arrays.stream(range.split(","))
        .map(bounds -> bounds.split(":"))
        .mapToInt(b -> Integer.parseInt(b[b.length - 1]) - Integer.parseInt(b[0]) + 1)
        .toArray();
  }

  private static UByte[] bytes(byte[] bytes) {
    UByte[] all = new UByte[bytes.length];
    Arrays.setAll(all, i -> UByte.valueOf(bytes[i]));
    return all;
  }

  /** One, or a list of those whose fields begin with their number. */
  private Object structure(Nodes.Target target, Value value) throws Values.Unfit {
    if (!(value instanceof Value.Struct struct)) {
      throw new Values.Unfit(Quality.BAD_TYPE_MISMATCH);
    }
    NodeId type = target.type();
    if (target.rank() < 0) {
      return structures.encode(type, struct.fields());
    }
    Map<String, Map<String, Value>> elements = new LinkedHashMap<>();
    for (Map.Entry<String, Value> field : struct.fields().entrySet()) {
      String[] parts = field.getKey().split("\\.", 2);
      if (parts.length < 2) {
        throw new Values.Unfit(Quality.BAD_TYPE_MISMATCH);
      }
      elements
          .computeIfAbsent(parts[0], number -> new LinkedHashMap<>())
          .put(parts[1], field.getValue());
    }
    List<ExtensionObject> list = new ArrayList<>();
    while (elements.containsKey("" + list.size())) {
      list.add(structures.encode(type, elements.get("" + list.size())));
    }
    if (list.size() != elements.size()) {
      throw new Values.Unfit(Quality.BAD_TYPE_MISMATCH);
    }
    return list.toArray(new ExtensionObject[0]);
  }
}
