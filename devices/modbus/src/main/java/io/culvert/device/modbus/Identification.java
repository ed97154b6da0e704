package io.culvert.device.modbus;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * What a device says of itself: function 43 / 14 (Application Protocol V1.1b3, 6.21), or 17 (6.13)
 * where that is unknown.
 *
 * <p>Asks for the basic objects in a row, then for the regular and extended ones as far as the
 * device's conformity level says that it has them, following "more follows". A device that refuses
 * rows is asked for the objects one by one.
 */
final class Identification {
  private static final int INDIVIDUAL = 4;
  private static final int EXTENDED_FROM = 0x80;

  /** Where each level begins, by the code that asks for it: basic, regular, extended. */
  private static final int[] FIRST = {0, 0, 3, EXTENDED_FROM};

  private static final String[] NAMES = {
    "vendor", "product", "revision", "url", "name", "model", "application"
  };

  /** Requests that one device is worth. */
  private static final int MOST = 32;

  private final Function<byte[], CompletableFuture<byte[]>> exchange;
  private final TreeMap<Integer, String> objects = new TreeMap<>();
  private final CompletableFuture<Map<String, String>> result = new CompletableFuture<>();
  private int asked;

  private Identification(Function<byte[], CompletableFuture<byte[]>> exchange) {
    this.exchange = exchange;
  }

  /**
   * Asks a device.
   *
   * @param exchange sends a request and fails as {@link Link#exchange}; its stages are completed in
   *     one thread
   * @return vendor, product (its code), revision, url, name, model, application, and {@code object
   *     80} and so on for the maker's own; {@code server} if only function 17 is known; empty if
   *     nothing is. Never fails: what was told before silence counts
   */
  static CompletableFuture<Map<String, String>> of(
      Function<byte[], CompletableFuture<byte[]>> exchange) {
    Identification identification = new Identification(exchange);
    identification.row(1, 0);
    return identification.result;
  }

  /** What is wrong with an answer's form; {@code null} if nothing. */
  static String wrong(byte[] request, byte[] answer) {
    // Function, type, code, conformity, more follows, next object, count; then the objects.
    if (answer.length < 7 || answer[1] != request[1] || answer[2] != request[2]) {
      return "an answer to another encapsulated request";
    }
    int at = 7;
    for (int i = 0; i < (answer[6] & 0xFF); i++) {
      if (at + 2 > answer.length) {
        return "objects beyond its end";
      }
      at += 2 + (answer[at + 1] & 0xFF);
    }
    return at == answer.length ? null : "objects that end at " + at + " of " + answer.length;
  }

  /** Asks for objects in a row. */
  private void row(int code, int from) {
    ask(
        Pdu.identify(code, from),
        (answer, refusal) -> {
          if (answer == null) {
            if (code > 1) {
              end();
            } else if (refusal.functionUnknown()) {
              server();
            } else {
              single(0);
            }
            return;
          }
          take(answer);
          int next = answer[5] & 0xFF;
          int level = answer[3] & 0x7F;
          if (answer[4] != 0 && next > from) {
            row(code, next);
          } else if (level > code && code < 3) {
            row(code + 1, FIRST[code + 1]);
          } else {
            end();
          }
        });
  }

  /** Asks for the named objects one by one. */
  private void single(int object) {
    if (object == NAMES.length) {
      end();
      return;
    }
    ask(
        Pdu.identify(INDIVIDUAL, object),
        (answer, refusal) -> {
          if (answer != null) {
            take(answer);
          } else if (object == 0) {
            // The first is mandatory (6.21, table of objects): it knows neither way.
            server();
            return;
          }
          single(object + 1);
        });
  }

  private void server() {
    ask(
        Pdu.reportServerId(),
        (answer, refusal) -> {
          if (answer != null) {
            String said = text(answer, 2, answer.length - 2);
            if (!said.isEmpty()) {
              result.complete(Map.of("server", said));
              return;
            }
          }
          end();
        });
  }

  private interface Then {
    /**
     * @param answer {@code null} if it was refused
     */
    void hear(byte[] answer, Refusal refusal);
  }

  private void ask(byte[] request, Then then) {
    if (++asked > MOST) {
      end();
      return;
    }
    exchange
        .apply(request)
        .whenComplete(
            (answer, failure) -> {
              if (failure == null) {
                then.hear(answer, null);
              } else if (failure instanceof RefusedException refused) {
                then.hear(null, refused.refusal());
              } else {
                end();
              }
            });
  }

  private void take(byte[] answer) {
    int at = 7;
    for (int i = 0; i < (answer[6] & 0xFF); i++) {
      int length = answer[at + 1] & 0xFF;
      String text = text(answer, at + 2, length);
      if (!text.isEmpty()) {
        objects.put(answer[at] & 0xFF, text);
      }
      at += 2 + length;
    }
  }

  /** What can be printed of it; the objects are ASCII strings, the makers' own anything. */
  private static String text(byte[] bytes, int from, int length) {
    return new String(bytes, from, length, StandardCharsets.US_ASCII)
        .replaceAll("[^\\x20-\\x7E]", " ")
        .strip();
  }

  private void end() {
    Map<String, String> facts = new LinkedHashMap<>();
    objects.forEach(
        (object, text) ->
            facts.put(
                object < NAMES.length ? NAMES[object] : String.format("object %02X", object),
                text));
    result.complete(facts);
  }
}
