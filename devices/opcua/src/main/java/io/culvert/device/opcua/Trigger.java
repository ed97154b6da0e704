package io.culvert.device.opcua;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** What of a value makes the server tell it when it changes (OPC 10000-4, 7.22.2). */
enum Trigger {
  STATUS,
  /** Or the value. */
  VALUE,
  /** Or the time at the source. */
  TIMESTAMP;

  static final String EXPECTED = "status, value or timestamp";

  static Optional<Trigger> parse(String text) {
    return Stream.of(values())
        .filter(t -> t.name().toLowerCase(Locale.ROOT).equals(text))
        .findFirst();
  }
}
