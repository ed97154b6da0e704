package io.culvert.tools.registermap;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Addresses as makers write them: reference numbers (40001, 400001, 4x0001), numbers of the request
 * (100), hexadecimal (0x0064, 0064H), with a second one (40001-40002) or a bit (40005.3) behind.
 */
final class Addresses {
  private static final String ONE =
      "(?:([134]) ?[xX] ?([0-9]{1,5})|0[xX]([0-9a-fA-F]{1,5})|([0-9][0-9a-fA-F]{0,5})[hH]"
          + "|([0-9]{1,6})|([0-9a-fA-F]{1,5}))";
  private static final int GROUPS = 6;
  private static final Pattern FORM =
      Pattern.compile(
          ONE
              + "(?: ?(?:-|~|–|—|to|至|到|\\.\\.+|…|,) ?"
              + ONE
              + "|[.:]([0-9]{1,2})| ?(?:bit|位|b\\.?) ?([0-9]{1,2}))?");
  private static final int DIGITS_LONG = 6;
  private static final int DIGITS = 5;

  private Addresses() {}

  /**
   * What a cell says.
   *
   * @param number as written, without the table's digit
   * @param table by the reference number's digit; {@code null} if the number says nothing of it
   * @param looks the table that the number would name if it were a reference number, though it may
   *     not be one; {@code null} if it can't be one
   * @param value the whole number
   * @param count of addresses, 0 if the cell doesn't say
   * @param bit −1 for none
   */
  record Place(int number, String table, String looks, int value, int count, int bit) {}

  /**
   * @param hex whether bare digits are hexadecimal, since the header says so
   * @return {@code null} if it is no address
   */
  static Place parse(String text, boolean hex) {
    Matcher form = FORM.matcher(Text.plain(text));
    if (!form.matches()) {
      return null;
    }
    Place first = one(form, 0, hex);
    if (first == null) {
      return null;
    }
    int count = 0;
    boolean second = false;
    for (int g = GROUPS + 1; g <= 2 * GROUPS; g++) {
      second |= form.group(g) != null;
    }
    if (second) {
      Place last = one(form, GROUPS, hex);
      // 40001-02 is as common as 40001-40002.
      int end = last == null ? -1 : last.value() < first.value() ? tail(first, form) : last.value();
      count = end - first.value() + 1;
      if (count < 1) {
        return null;
      }
    }
    String bit = form.group(2 * GROUPS + 1);
    bit = bit == null ? form.group(2 * GROUPS + 2) : bit;
    return new Place(
        first.number(),
        first.table(),
        first.looks(),
        first.value(),
        count,
        bit == null ? -1 : Integer.parseInt(bit));
  }

  private static int tail(Place first, Matcher form) {
    String tail = form.group(GROUPS + 5);
    if (tail == null) {
      return -1;
    }
    int power = (int) Math.pow(10, tail.length());
    return first.value() / power * power + Integer.parseInt(tail);
  }

  private static Place one(Matcher form, int from, boolean hex) {
    if (form.group(from + 1) != null) {
      int number = Integer.parseInt(form.group(from + 2));
      return new Place(number, table(form.group(from + 1).charAt(0)), null, number, 0, -1);
    }
    for (int g = 3; g <= 4; g++) {
      if (form.group(from + g) != null) {
        return plain(Integer.parseInt(form.group(from + g), 16));
      }
    }
    String digits = form.group(from + 5);
    if (digits == null || hex) {
      String both = digits == null ? form.group(from + GROUPS) : digits;
      return hex ? plain(Integer.parseInt(both, 16)) : null;
    }
    int value = Integer.parseInt(digits);
    boolean reference =
        (digits.length() == DIGITS || digits.length() == DIGITS_LONG)
            && "0134".indexOf(digits.charAt(0)) >= 0;
    if (!reference) {
      return plain(value);
    }
    int number = Integer.parseInt(digits.substring(1));
    String table = table(digits.charAt(0));
    // Six digits are more than the wire has, unless they are zeros before a plain number.
    boolean sure = digits.length() == DIGITS_LONG && digits.charAt(0) != '0';
    return new Place(number, sure ? table : null, table, value, 0, -1);
  }

  private static Place plain(int value) {
    return new Place(value, null, null, value, 0, -1);
  }

  private static String table(char digit) {
    return switch (digit) {
      case '0' -> "coil";
      case '1' -> "discrete";
      case '3' -> "input";
      default -> "holding";
    };
  }
}
