package io.culvert.mqtt;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.culvert.api.Value;
import java.io.IOException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Understands IoTDA's requests to a gateway. Whatever arrives comes back as a request or nothing.
 */
final class IotDaRequests {

  /** Name of the command that writes several points. */
  static final String SET = "set";

  /** Name of the command to the gateway itself that asks what became of readings. */
  static final String LEDGER = "ledger";

  /** The para of a command that is named after its point. */
  static final String VALUE = "value";

  private static final String REQUEST_ID = "request_id=";
  private static final int MAX_ID = 128;
  private static final int MAX_WRITES = 100;
  private static final int MAX_BYTES = 64 * 1024;

  private final String commands;
  private final String properties;
  private final String gateway;
  private final JsonFactory json =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder().maxNestingDepth(16).maxNumberLength(64).build())
          .build();

  IotDaRequests(String root, String gateway) {
    this.commands = root + "commands/" + REQUEST_ID;
    this.properties = root + "properties/set/" + REQUEST_ID;
    this.gateway = gateway;
  }

  Optional<Dialect.Request> parse(String topic, byte[] payload) {
    boolean command = topic.startsWith(commands);
    if (!command && !topic.startsWith(properties)) {
      // The filter also lets our own answers back in.
      return Optional.empty();
    }
    String id = topic.substring((command ? commands : properties).length());
    if (id.isEmpty() || id.length() > MAX_ID || id.indexOf('/') >= 0) {
      return Optional.empty();
    }
    String device = gateway;
    String name = "";
    try {
      if (payload.length > MAX_BYTES) {
        throw new Malformed("it has " + payload.length + " bytes; at most " + MAX_BYTES);
      }
      Map<?, ?> body = object(read(payload), "the payload");
      if (body.get("object_device_id") != null) {
        device = text(body, "object_device_id");
      }
      if (command) {
        name = text(body, "command_name");
      }
      Dialect.Question question = null;
      List<Dialect.Write> writes = List.of();
      if (command && name.equals(LEDGER) && device.equals(gateway)) {
        question = question(body);
      } else {
        writes = command ? paras(name, body) : services(body);
      }
      return Optional.of(new Dialect.Request(topic, id, device, name, writes, question, ""));
    } catch (Malformed e) {
      return Optional.of(
          new Dialect.Request(topic, id, device, name, List.of(), null, e.getMessage()));
    }
  }

  private static List<Dialect.Write> paras(String name, Map<?, ?> body) throws Malformed {
    Map<?, ?> paras = object(body.get("paras"), "paras");
    if (name.equals(SET)) {
      return writes(List.of(paras));
    }
    if (!paras.containsKey(VALUE)) {
      throw new Malformed("paras hold no \"" + VALUE + "\" to write to " + name);
    }
    return List.of(new Dialect.Write(name, value(paras.get(VALUE), VALUE)));
  }

  private static Dialect.Question question(Map<?, ?> body) throws Malformed {
    Map<?, ?> paras = object(body.get("paras"), "paras");
    Instant from = time(paras, "from");
    Instant to = time(paras, "to");
    if (!from.isBefore(to)) {
      throw new Malformed("from is " + from + " and to is " + to + "; from must be before to");
    }
    return new Dialect.Question(text(paras, "device"), from, to);
  }

  private static Instant time(Map<?, ?> paras, String key) throws Malformed {
    String found = text(paras, key);
    try {
      return OffsetDateTime.parse(found).toInstant();
    } catch (DateTimeParseException e) {
      throw new Malformed(
          key + " is \"" + found + "\"; a time such as 2026-11-29T08:00:00Z is expected");
    }
  }

  private static List<Dialect.Write> services(Map<?, ?> body) throws Malformed {
    if (!(body.get("services") instanceof List<?> services)) {
      throw new Malformed("services is missing or no list");
    }
    List<Map<?, ?>> all = new ArrayList<>();
    for (Object service : services) {
      all.add(object(object(service, "a service").get("properties"), "properties"));
    }
    return writes(all);
  }

  private static List<Dialect.Write> writes(List<Map<?, ?>> properties) throws Malformed {
    List<Dialect.Write> writes = new ArrayList<>();
    for (Map<?, ?> map : properties) {
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        String point = entry.getKey().toString();
        writes.add(new Dialect.Write(point, value(entry.getValue(), point)));
      }
    }
    if (writes.isEmpty() || writes.size() > MAX_WRITES) {
      throw new Malformed(
          "it names " + writes.size() + " values; 1 to " + MAX_WRITES + " are expected");
    }
    return writes;
  }

  private static Value value(Object found, String name) throws Malformed {
    if (found instanceof Map<?, ?> map) {
      Map<String, Value> fields = new LinkedHashMap<>();
      for (Map.Entry<?, ?> field : map.entrySet()) {
        fields.put(field.getKey().toString(), plainOrList(field.getValue(), name));
      }
      return new Value.Struct(fields);
    }
    return plainOrList(found, name);
  }

  private static Value plainOrList(Object found, String name) throws Malformed {
    if (found instanceof List<?> list) {
      List<Value> values = new ArrayList<>();
      for (Object element : list) {
        values.add(plain(element, name));
      }
      return new Value.Array(values);
    }
    return plain(found, name);
  }

  private static Value plain(Object found, String name) throws Malformed {
    if (found instanceof Value value) {
      return value;
    }
    throw new Malformed(
        name + " is no boolean, number or text, nor a list or a flat structure of such");
  }

  private static String text(Map<?, ?> object, String key) throws Malformed {
    if (object.get(key) instanceof Value.Text text && !text.value().isEmpty()) {
      return text.value();
    }
    throw new Malformed(key + " is missing or no text");
  }

  private static Map<?, ?> object(Object found, String what) throws Malformed {
    if (found instanceof Map<?, ?> map) {
      return map;
    }
    throw new Malformed(what + " is missing or no JSON object");
  }

  /** A JSON document as maps, lists, {@link Value}s and null. */
  private Object read(byte[] payload) throws Malformed {
    try (JsonParser in = json.createParser(payload)) {
      in.nextToken();
      Object document = read(in);
      if (in.nextToken() != null) {
        throw new Malformed("something follows the JSON document");
      }
      return document;
    } catch (JsonProcessingException e) {
      throw new Malformed("it is no JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new Malformed("it is no JSON: " + e.getMessage());
    }
  }

  private static Object read(JsonParser in) throws IOException, Malformed {
    JsonToken token = in.currentToken();
    if (token == null) {
      throw new Malformed("it is empty");
    }
    return switch (token) {
      case START_OBJECT -> {
        Map<String, Object> map = new LinkedHashMap<>();
        while (in.nextToken() != JsonToken.END_OBJECT) {
          String name = in.currentName();
          in.nextToken();
          map.put(name, read(in));
        }
        yield map;
      }
      case START_ARRAY -> {
        List<Object> list = new ArrayList<>();
        while (in.nextToken() != JsonToken.END_ARRAY) {
          list.add(read(in));
        }
        yield list;
      }
      case VALUE_TRUE -> Value.of(true);
      case VALUE_FALSE -> Value.of(false);
      case VALUE_STRING -> Value.of(in.getText());
      case VALUE_NUMBER_INT -> {
        if (in.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
          throw new Malformed(in.getText() + " doesn't fit 64 bits");
        }
        yield Value.of(in.getLongValue());
      }
      case VALUE_NUMBER_FLOAT -> {
        double number = in.getDoubleValue();
        if (!Double.isFinite(number)) {
          throw new Malformed(in.getText() + " is beyond what a decimal holds");
        }
        yield Value.of(number);
      }
      case VALUE_NULL -> null;
      default -> throw new Malformed("it ends too early");
    };
  }

  /** What is wrong with a payload, in words. */
  private static final class Malformed extends Exception {
    private static final long serialVersionUID = 1;

    Malformed(String message) {
      super(message);
    }
  }
}
