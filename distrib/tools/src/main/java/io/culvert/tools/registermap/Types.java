package io.culvert.tools.registermap;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Data types as makers write them. */
final class Types {
  private static final Pattern ORDERED =
      Pattern.compile("(?i)[ _(-]*(abcd|cdab|badc|dcba|[1-4]{4}|[0-3]-[0-3]-[0-3]-[0-3])\\)?$");

  private Types() {}

  /**
   * A type of the profile.
   *
   * @param name {@code uint16}; {@code null} where the cell only says how many registers it takes
   * @param bcd whether its digits are binary-coded decimals
   * @param order of its bytes, {@code null} if the cell doesn't say
   * @param registers for a text; else 0
   */
  record Type(String name, boolean bcd, String order, int registers) {}

  /**
   * @param count of registers that the map gives, 0 if it doesn't
   * @return {@code null} if it is no type; one without a name if it needs a count or a sign
   */
  static Type parse(String text, int count) {
    String plain = Text.plain(text);
    String order = null;
    Matcher ordered = ORDERED.matcher(plain);
    if (ordered.find() && ordered.start() > 0) {
      order = Cells.order(ordered.group(1));
      plain = order == null ? plain : plain.substring(0, ordered.start());
    }
    String key = Text.key(plain);
    for (String suffix : new String[] {"inverse", "inverted", "swapped", "swap", "反序", "低字在前"}) {
      if (key.endsWith(suffix) && key.length() > suffix.length()) {
        order = "cdab";
        key = key.substring(0, key.length() - suffix.length());
      }
    }
    if (key.endsWith("be") && key.length() > 4) {
      order = "abcd";
      key = key.substring(0, key.length() - 2);
    }
    Matcher texts =
        Pattern.compile("(?:string|char|ascii|text|str|字符串|字符型?)([0-9]{0,3})").matcher(key);
    if (texts.matches()) {
      int characters = texts.group(1).isEmpty() ? 0 : Integer.parseInt(texts.group(1));
      int registers = count > 0 ? count : (characters + 1) / 2;
      return new Type(registers > 0 ? "text" : null, false, null, registers);
    }
    Matcher bcd = Pattern.compile("(?:bcd码?)([0-9]{0,2})(?:位)?").matcher(key);
    if (bcd.matches()) {
      int bits = bcd.group(1).isEmpty() ? 16 * Math.max(1, count) : Integer.parseInt(bcd.group(1));
      // BCD4 counts digits, BCD16 bits.
      bits = bits < 16 ? bits * 4 : bits;
      return new Type(unsigned(bits), true, order, 0);
    }
    String name = name(key, count);
    return name == null ? null : new Type(name, false, order, 0);
  }

  private static String unsigned(int bits) {
    return switch (bits) {
      case 16 -> "uint16";
      case 32 -> "uint32";
      case 64 -> "uint64";
      default -> null;
    };
  }

  private static String name(String key, int count) {
    switch (key) {
      case "bool",
          "boolean",
          "bit",
          "bits1",
          "switch",
          "开关量",
          "布尔",
          "布尔型",
          "布尔量",
          "位",
          "状态量",
          "1bit",
          "binary",
          "遥信",
          "遥控",
          "bit1" -> {
        return "bool";
      }
      case "word",
          "word16",
          "ushort",
          "unsignedshort",
          "uint",
          "unsigned",
          "u16",
          "ui16",
          "uint16t",
          "unsignedint",
          "无符号整数",
          "无符号整型",
          "无符号",
          "无符号短整型",
          "无符号short",
          "hex",
          "hex16",
          "enum",
          "enum16",
          "bitmap",
          "bitfield",
          "bitmap16",
          "bitfield16",
          "枚举",
          "字" -> {
        return wider(unsigned(16), unsigned(32), unsigned(64), count);
      }
      case "short",
          "int",
          "integer",
          "sint",
          "signed",
          "s16",
          "i16",
          "signedshort",
          "signedint",
          "int16t",
          "有符号整数",
          "有符号整型",
          "有符号",
          "有符号短整型",
          "短整型",
          "整数",
          "整型" -> {
        return wider("int16", "int32", "int64", count);
      }
      case "dword",
          "word32",
          "udint",
          "ulong",
          "unsignedlong",
          "u32",
          "ui32",
          "uint32t",
          "bitmap32",
          "bitfield32",
          "enum32",
          "双字",
          "无符号长整型",
          "无符号长整数",
          "acc32" -> {
        return "uint32";
      }
      case "dint",
          "long",
          "s32",
          "i32",
          "signedlong",
          "int32t",
          "longint",
          "长整型",
          "长整数",
          "有符号长整型",
          "双整型" -> {
        return "int32";
      }
      case "lint", "longlong", "s64", "i64", "int64t" -> {
        return "int64";
      }
      case "ulint", "qword", "u64", "ui64", "uint64t", "lword", "acc64" -> {
        return "uint64";
      }
      case "float",
          "real",
          "浮点",
          "浮点数",
          "浮点型",
          "ieee754",
          "ieee754float",
          "flt",
          "floating",
          "floatingpoint",
          "单精度浮点",
          "单精度浮点数",
          "单精度" -> {
        return count == 4 ? "float64" : "float32";
      }
      case "float32",
          "f32",
          "single",
          "real32",
          "float4",
          "singleprecision",
          "32bitfloat",
          "32位浮点",
          "32位浮点数",
          "32位浮点型",
          "浮点32",
          "ieee754single" -> {
        return "float32";
      }
      case "double",
          "float64",
          "f64",
          "lreal",
          "real64",
          "双精度",
          "双精度浮点",
          "双精度浮点数",
          "64位浮点",
          "64位浮点数",
          "64位浮点型",
          "64bitfloat" -> {
        return "float64";
      }
      default -> {
        return sized(key);
      }
    }
  }

  private static String wider(String one, String two, String four, int count) {
    return count == 2 ? two : count == 4 ? four : one;
  }

  /** unsigned 16 bit int, 无符号16位整型, 16位有符号, U_INT32, 32-bit signed integer … */
  private static String sized(String key) {
    Matcher bits = Pattern.compile("(16|32|64)").matcher(key);
    if (!bits.find()) {
      return null;
    }
    String size = bits.group(1);
    String rest = key.substring(0, bits.start()) + key.substring(bits.end());
    String word = rest.toLowerCase(Locale.ROOT).replaceAll("bits?|integer|int|整型|整数|型|数|位|t$", "");
    return switch (word) {
      case "unsigned", "u", "无符号", "un", "uns" -> "uint" + size;
      case "signed", "s", "有符号", "i", "" ->
          word.isEmpty() && !key.contains("int") && !key.contains("整") ? null : "int" + size;
      case "float", "浮点", "f" -> size.equals("16") ? null : "float" + size;
      default -> null;
    };
  }

  /** Registers that a type takes; 0 if it depends. */
  static int registers(String name) {
    return switch (name) {
      case "bool", "int16", "uint16" -> 1;
      case "int32", "uint32", "float32" -> 2;
      case "int64", "uint64", "float64" -> 4;
      default -> 0;
    };
  }
}
