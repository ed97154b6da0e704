package io.culvert.mqtt;

import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.Buffer.Account;
import io.culvert.api.service.Commands;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How one platform writes readings, states and commands on MQTT: topics and payloads, nothing of
 * connections. Stateless and safe in any thread; no method blocks.
 */
interface Dialect {

  /** Topic filters on which the platform's requests arrive; subscribed at QoS 1. */
  List<String> requests();

  /** Turns readings into messages. Never throws for what a reading holds. */
  Encoded encode(Batch batch);

  /** Messages that tell which devices can be reached: true for online, by device id. */
  List<Message> states(Map<String, Boolean> online, Instant now);

  /**
   * Understands what the platform sent.
   *
   * @return empty if the topic isn't one of a request, so that no answer is owed
   */
  Optional<Request> request(String topic, byte[] payload);

  /** The answer to a request, with one result for each of its writes, in their order. */
  Message answer(Request request, List<Commands.Result> results);

  /** The answer to a request that asks a question. */
  Message answer(Request request, Account account);

  /**
   * One PUBLISH at QoS 1, not retained.
   *
   * @param entries indices in the batch of the readings in it; empty if it carries none
   */
  record Message(String topic, byte[] payload, List<Integer> entries) {}

  /**
   * @param messages to be sent in this order
   * @param refused readings that can't be said in this dialect, with the reason, by index in the
   *     batch; every other reading is in exactly one message
   */
  record Encoded(List<Message> messages, Map<Integer, String> refused) {}

  /**
   * What the platform asks for.
   *
   * @param topic on which it came
   * @param id of the platform's choice, the same if the request is repeated
   * @param device id of the device it is for
   * @param name the command's name, {@code ""} if requests of this kind have none
   * @param writes in their order; empty if there is a problem or a question
   * @param question {@code null} if it asks none
   * @param problem why it can't be carried out, in words; {@code ""} if it can
   */
  record Request(
      String topic,
      String id,
      String device,
      String name,
      List<Write> writes,
      Question question,
      String problem) {
    public Request {
      writes = List.copyOf(writes);
    }

    /** The same, if it can't be carried out. */
    Request failed(String why) {
      return new Request(topic, id, device, name, List.of(), null, why);
    }
  }

  /**
   * What became of a device's readings?
   *
   * @param device id
   * @param from first event, inclusive
   * @param to exclusive
   */
  record Question(String device, Instant from, Instant to) {}

  /** One point to be written, in the unit of the profile. */
  record Write(String point, Value value) {}
}
