package io.culvert.tools.registermap;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What makers write into the cells of a row, except addresses, types and units. */
final class Cells {
  private static final String NUMBER = "[-+−]?[0-9]+(?:\\.[0-9]*)?(?:[eE][-+]?[0-9]{1,2})?";
  private static final Pattern PLAIN = Pattern.compile(NUMBER);
  private static final Pattern DECIMAL_COMMA = Pattern.compile("([-+]?0),([0-9]{1,10})");
  private static final Pattern DIVIDED = Pattern.compile("(?:1 ?)?[/÷:] ?(" + NUMBER + ")");
  private static final Pattern TIMES =
      Pattern.compile("[×xX*✕] ?(" + NUMBER + ")|(" + NUMBER + ") ?(?:[×xX*✕]|倍)");
  private static final Pattern POWER =
      Pattern.compile("[×xX*]? ?10 ?\\^ ?\\(?([-+−]?[0-9]{1,2})\\)?");

  /** y = x*0.1-40, raw/10, (x-400)*0.1 is left to people. */
  private static final Pattern FORMULA =
      Pattern.compile(
          "(?:[a-z]+ ?= ?)?(?:x|raw|reg|n|val|value|data|d) ?([*×/÷]) ?("
              + NUMBER
              + ")(?: ?([-+−]) ?([0-9.]+))?",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern RANGE =
      Pattern.compile(
          "[\\[(]? ?("
              + NUMBER
              + ") ?(?:\\.\\.+|…|~|–|—|-|to|至|到|,|;) ?("
              + NUMBER
              + ") ?[\\])]? ?(\\D.*)?",
          Pattern.CASE_INSENSITIVE);

  private Cells() {}

  /** A factor and what is added after it. */
  record Scale(BigDecimal factor, BigDecimal offset) {}

  /** A number; {@code null} if it is none, or none of a size that arithmetic can bear. */
  static BigDecimal number(String text) {
    String plain = text.replace('−', '-').replace(" ", "");
    Matcher comma = DECIMAL_COMMA.matcher(plain);
    if (comma.matches()) {
      plain = comma.group(1) + "." + comma.group(2);
    }
    if (!PLAIN.matcher(plain).matches() || plain.length() > 40) {
      return null;
    }
    return new BigDecimal(plain.startsWith("+") ? plain.substring(1) : plain);
  }

  /** A factor as makers write it: 0.1, ×0.1, /10, 1/10, 10^-1, x*0.1-40; {@code null} if none. */
  static Scale scale(String text) {
    String plain =
        Text.plain(text.replace("⁻", "^-").replace("¹", "1").replace("²", "2").replace("³", "3"));
    plain = plain.replaceAll("(?<=10)\\^?-(?=[0-9]$)", "^-");
    BigDecimal number = number(plain);
    if (number != null) {
      return of(number, null);
    }
    Matcher power = POWER.matcher(plain);
    if (power.matches()) {
      return of(
          BigDecimal.ONE.scaleByPowerOfTen(
              Integer.parseInt(power.group(1).replace('−', '-').replace("+", ""))),
          null);
    }
    Matcher divided = DIVIDED.matcher(plain);
    if (divided.matches()) {
      return of(inverse(number(divided.group(1))), null);
    }
    Matcher times = TIMES.matcher(plain);
    if (times.matches()) {
      return of(number(times.group(1) == null ? times.group(2) : times.group(1)), null);
    }
    Matcher formula = FORMULA.matcher(plain);
    if (formula.matches()) {
      BigDecimal factor = number(formula.group(2));
      BigDecimal added = formula.group(4) == null ? null : number(formula.group(4));
      if (formula.group(4) != null && added == null) {
        return null;
      }
      return of(
          "/÷".contains(formula.group(1)) ? inverse(factor) : factor,
          added != null && !formula.group(3).equals("+") ? added.negate() : added);
    }
    return null;
  }

  private static Scale of(BigDecimal factor, BigDecimal offset) {
    return factor == null || factor.signum() == 0
        ? null
        : new Scale(factor, offset == null ? BigDecimal.ZERO : offset);
  }

  /** 1/x; {@code null} for 0 and nothing. */
  static BigDecimal inverse(BigDecimal number) {
    return number == null || number.signum() == 0
        ? null
        : BigDecimal.ONE.divide(number, MathContext.DECIMAL64).stripTrailingZeros();
  }

  /** 0~100, -40..80, 0 to 5, [0, 5], 0-100 ℃; {@code null} if it is none. */
  static BigDecimal[] range(String text) {
    Matcher range = RANGE.matcher(Text.plain(text).replace("±", "± "));
    if (range.matches()) {
      BigDecimal low = number(range.group(1));
      BigDecimal high = number(range.group(2));
      return low == null || high == null ? null : new BigDecimal[] {low, high};
    }
    Matcher both = Pattern.compile("± ?([0-9.]+)(\\D.*)?").matcher(Text.plain(text));
    if (both.matches()) {
      BigDecimal limit = number(both.group(1));
      return limit == null ? null : new BigDecimal[] {limit.negate(), limit};
    }
    return null;
  }

  /** read, write or read-write; {@code null} if it is none of them. */
  static String access(String text) {
    String key = Text.key(text);
    return switch (key) {
      case "r", "ro", "readonly", "read", "只读", "读", "可读", "rd", "input" -> "read";
      case "w", "wo", "writeonly", "write", "只写", "写", "可写", "wr" -> "write";
      case "rw",
          "readwrite",
          "readandwrite",
          "读写",
          "可读写",
          "可读可写",
          "读和写",
          "rdwr",
          "rwr",
          "readwritable" ->
          "read-write";
      default -> null;
    };
  }

  /** abcd, cdab, badc or dcba; {@code null} if it is none of them. */
  static String order(String text) {
    String key = Text.key(text);
    if (key.matches("([a-h])(?!.*\\1)[a-h]{3}|[a-h]{8}")) {
      return switch (key) {
        case "abcd", "abcdefgh" -> "abcd";
        case "cdab", "ghefcdab" -> "cdab";
        case "badc", "badcfehg" -> "badc";
        case "dcba", "hgfedcba" -> "dcba";
        default -> null;
      };
    }
    return switch (key) {
      case "1234",
          "0123",
          "bigendian",
          "big",
          "be",
          "msbfirst",
          "highfirst",
          "highwordfirst",
          "mswfirst",
          "大端",
          "大端模式",
          "高字在前",
          "高位在前",
          "hilo",
          "motorola" ->
          "abcd";
      case "3412",
          "2301",
          "lowwordfirst",
          "lswfirst",
          "lowfirst",
          "wordswap",
          "wordswapped",
          "swapped",
          "swap",
          "inverse",
          "littleendianbyteswap",
          "低字在前",
          "字交换",
          "字反转",
          "lohi" ->
          "cdab";
      case "2143", "1032", "byteswap", "byteswapped", "bigendianbyteswap", "字节交换" -> "badc";
      case "4321", "littleendian", "little", "le", "lsbfirst", "小端", "小端模式", "低位在前", "intel" ->
          "dcba";
      default -> null;
    };
  }

  /** The codes in a cell: 03, 0x03, 3/6/16, FC03, 读03写06, 03H, 03(读). */
  static Set<Integer> functions(String text) {
    Set<Integer> codes = new LinkedHashSet<>();
    Matcher numbers =
        Pattern.compile("(0x[0-9a-f]{1,2}\\b)|([0-9a-f]{2}h\\b)|([0-9]{1,2})")
            .matcher(Text.plain(text).toLowerCase(Locale.ROOT));
    while (numbers.find()) {
      String number = numbers.group();
      codes.add(
          number.startsWith("0x")
              ? Integer.parseInt(number.substring(2), 16)
              : number.endsWith("h")
                  ? Integer.parseInt(number.substring(0, number.length() - 1), 16)
                  : Integer.parseInt(number));
    }
    return codes;
  }

  /** The table that a function code reads or writes; {@code null} if it does neither. */
  static String table(int function) {
    return switch (function) {
      case 1, 5, 15 -> "coil";
      case 2 -> "discrete";
      case 3, 6, 16, 22, 23 -> "holding";
      case 4 -> "input";
      default -> null;
    };
  }

  static boolean writes(int function) {
    return List.of(5, 6, 15, 16, 22).contains(function);
  }

  /** The table that words name: Holding register, 保持寄存器, 4x; {@code null} if none. */
  static String table(String text) {
    String key = Text.key(text);
    if (key.matches(".*(discrete|离散|开关量输入|数字输入|inputstatus|digitalinput).*")
        || key.matches("di|1x|1xxxx|inputbit|输入状态")) {
      return "discrete";
    }
    if (key.matches(".*(coil|线圈|outputstatus|digitaloutput).*") || key.matches("do|0x|0xxxx")) {
      return "coil";
    }
    if (key.matches(".*(holding|保持).*") || key.matches("hr|4x|4xxxx|ao|outputregister")) {
      return "holding";
    }
    if (key.matches(".*(inputreg|输入寄存器|inputregister).*") || key.matches("ir|3x|3xxxx|ai|input")) {
      return "input";
    }
    return null;
  }
}
