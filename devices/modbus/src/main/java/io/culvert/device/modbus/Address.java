package io.culvert.device.modbus;

import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Where a point lives in a device, such as {@code holding:100;order=cdab} or {@code
 * input:0x1F;bit=3}.
 *
 * @param table of the four
 * @param start first coil, input or register as it stands in the request, from 0
 * @param count how many of them the value takes
 * @param order of the value's bytes
 * @param bit of a {@link DataType#BOOL} in a register, 0 the least significant, counted after
 *     {@code order}; -1 for every other point
 */
record Address(Table table, int start, int count, Order order, int bit) {
  private static final List<String> TABLES =
      Stream.of(Table.values()).map(Table::toString).toList();
  private static final List<String> OPTIONS = List.of("order", "bit");
  private static final String FORM = "coil:N, discrete:N, input:N or holding:N";

  /** The address of a point that {@link #parse} found nothing wrong with. */
  static Address of(Point point, Order otherwise) {
    Address address =
        parse(
            point,
            otherwise,
            problem -> {
              throw new IllegalArgumentException(problem.toString());
            });
    if (address == null) {
      throw new IllegalArgumentException(point.toString());
    }
    return address;
  }

  /**
   * Reads the address of a point.
   *
   * @param otherwise the order where the address names none
   * @return {@code null} if there was a problem to tell
   */
  static Address parse(Point point, Order otherwise, Consumer<Problem> problems) {
    boolean[] wrong = new boolean[1];
    String key = "points." + point.id() + ".";
    Consumer<Problem> tell =
        problem -> {
          wrong[0] = true;
          problems.accept(problem);
        };
    String text = point.address().strip();
    String[] parts = text.split(";", -1);
    String[] place = parts[0].split(":", 2);
    if (place.length < 2 || !TABLES.contains(place[0])) {
      tell.accept(new Problem(key + "address", text, table(text, place)));
      return null;
    }
    Table table = Table.values()[TABLES.indexOf(place[0])];
    OptionalInt number = Numbers.parse(place[1]);
    if (number.isEmpty() || number.getAsInt() > 0xFFFF) {
      tell.accept(
          new Problem(
              key + "address",
              place[1].isEmpty() ? "no number after " + table + ":" : place[1],
              "0–65535, or 0x0–0xFFFF"));
    }

    Order order = otherwise;
    int bit = -1;
    Set<String> seen = new HashSet<>();
    for (String option : List.of(parts).subList(1, parts.length)) {
      String[] pair = option.split("=", 2);
      if (!OPTIONS.contains(pair[0]) || pair.length < 2) {
        tell.accept(new Problem(key + "address", option(option), option(pair[0], table)));
      } else if (!seen.add(pair[0])) {
        tell.accept(new Problem(key + "address", pair[0] + " twice", "each option once"));
      } else if (table.bits()) {
        tell.accept(new Problem(key + "address", option, "no options: a " + table + " is one bit"));
      } else if (pair[0].equals("order")) {
        order = Settings.order(pair[1], key + "address", otherwise, tell);
      } else {
        OptionalInt value = Numbers.parse(pair[1]);
        if (value.isEmpty() || value.getAsInt() > 15) {
          tell.accept(new Problem(key + "address", option, "bit=0 to bit=15"));
        }
        bit = value.orElse(0);
      }
    }

    DataType type = point.type();
    String typeName = type.name().toLowerCase(Locale.ROOT);
    int count = table.bits() ? 1 : Registers.count(type);
    if (table.bits() && type != DataType.BOOL) {
      tell.accept(
          new Problem(
              key + "type", typeName, "bool: a " + table + " is one bit; or a register's address"));
    } else if (count == 0) {
      tell.accept(
          new Problem(
              key + "type",
              typeName,
              "bool, int16, uint16, int32, uint32, int64, float32 or float64"));
    } else if (!table.bits() && type == DataType.BOOL && !seen.contains("bit")) {
      tell.accept(
          new Problem(
              key + "address",
              text + " as bool, without a bit",
              parts[0] + ";bit=0 to " + parts[0] + ";bit=15, for one bit of the register"));
    } else if (type != DataType.BOOL && seen.contains("bit")) {
      tell.accept(
          new Problem(
              key + "type", typeName, "bool, since the address names one bit of a register"));
    } else if (number.isPresent()
        && number.getAsInt() <= 0xFFFF
        && number.getAsInt() + count > 0x10000) {
      tell.accept(
          new Problem(
              key + "address",
              parts[0] + " as " + typeName,
              "0–" + (0x10000 - count) + ", since it takes " + count + " registers"));
    }
    if (point.access().writable() && !table.writable()) {
      tell.accept(
          new Problem(
              key + "access",
              point.access().name().toLowerCase(Locale.ROOT).replace('_', '-'),
              "read: nothing can be written to " + table + "; coil and holding can"));
    }
    return wrong[0] ? null : new Address(table, number.getAsInt(), count, order, bit);
  }

  private static String option(String option) {
    return option.isEmpty() ? "an empty option" : option;
  }

  private static String option(String name, Table table) {
    if (table.bits()) {
      return "no options: a " + table + " is one bit";
    }
    String both = "order=abcd, cdab, badc or dcba; bit=0 to bit=15";
    return Nearest.to(name, OPTIONS).map(near -> near + "=…? (" + both + ")").orElse(both);
  }

  /** What to write where no table could be made out. */
  private static String table(String text, String[] place) {
    OptionalInt reference = place.length == 1 ? Numbers.parse(text) : OptionalInt.empty();
    if (reference.isPresent() && text.matches("[0134][0-9]{4,5}")) {
      // The makers' reference numbers: first digit the table, then counted from 1.
      Table table =
          switch (text.charAt(0)) {
            case '0' -> Table.COIL;
            case '1' -> Table.DISCRETE;
            case '3' -> Table.INPUT;
            default -> Table.HOLDING;
          };
      int counted = Integer.parseInt(text.substring(1));
      if (counted >= 1 && counted <= 0x10000) {
        return table + ":" + (counted - 1) + "? (the number in the request, counted from 0)";
      }
    }
    String rest = place.length == 1 ? "N" : place[1];
    return Nearest.to(place[0].toLowerCase(Locale.ROOT), TABLES)
        .map(near -> near + ":" + rest + "? (" + FORM + ")")
        .orElse(FORM);
  }
}
