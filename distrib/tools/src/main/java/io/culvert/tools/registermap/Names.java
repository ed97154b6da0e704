package io.culvert.tools.registermap;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names of points: a title by language, and an id made of it. */
final class Names {
  private static final Pattern CHINESE = Pattern.compile("\\p{IsHan}");
  private static final int LONGEST = 64;
  private static final Set<String> RESERVED = Set.of("seq_first", "seq_count", "historical");

  /** Chinese names that maps give most often; what isn't here gets its address for an id. */
  private static final Map<String, String> ENGLISH =
      Map.ofEntries(
          Map.entry("温度", "Temperature"),
          Map.entry("环境温度", "Ambient temperature"),
          Map.entry("湿度", "Humidity"),
          Map.entry("环境湿度", "Ambient humidity"),
          Map.entry("压力", "Pressure"),
          Map.entry("液位", "Level"),
          Map.entry("水位", "Water level"),
          Map.entry("水深", "Water depth"),
          Map.entry("流量", "Flow"),
          Map.entry("瞬时流量", "Flow"),
          Map.entry("累计流量", "Total flow"),
          Map.entry("累积流量", "Total flow"),
          Map.entry("正向累计流量", "Total forward flow"),
          Map.entry("反向累计流量", "Total reverse flow"),
          Map.entry("流速", "Velocity"),
          Map.entry("电压", "Voltage"),
          Map.entry("A相电压", "Voltage phase A"),
          Map.entry("B相电压", "Voltage phase B"),
          Map.entry("C相电压", "Voltage phase C"),
          Map.entry("电流", "Current"),
          Map.entry("A相电流", "Current phase A"),
          Map.entry("B相电流", "Current phase B"),
          Map.entry("C相电流", "Current phase C"),
          Map.entry("漏电流", "Leakage current"),
          Map.entry("有功功率", "Active power"),
          Map.entry("无功功率", "Reactive power"),
          Map.entry("功率因数", "Power factor"),
          Map.entry("频率", "Frequency"),
          Map.entry("电量", "Energy"),
          Map.entry("有功电能", "Active energy"),
          Map.entry("正向有功电能", "Active energy import"),
          Map.entry("浓度", "Concentration"),
          Map.entry("气体浓度", "Gas concentration"),
          Map.entry("甲烷浓度", "Methane"),
          Map.entry("硫化氢", "Hydrogen sulfide"),
          Map.entry("氧气", "Oxygen"),
          Map.entry("浊度", "Turbidity"),
          Map.entry("余氯", "Free chlorine"),
          Map.entry("电导率", "Conductivity"),
          Map.entry("溶解氧", "Dissolved oxygen"),
          Map.entry("雨量", "Rain"),
          Map.entry("风速", "Wind speed"),
          Map.entry("风向", "Wind direction"),
          Map.entry("噪声", "Noise"),
          Map.entry("倾角", "Tilt"),
          Map.entry("X轴倾角", "Tilt X"),
          Map.entry("Y轴倾角", "Tilt Y"),
          Map.entry("位移", "Displacement"),
          Map.entry("裂缝", "Crack"),
          Map.entry("应变", "Strain"),
          Map.entry("开度", "Opening"),
          Map.entry("运行状态", "Run state"),
          Map.entry("设备状态", "Device state"),
          Map.entry("报警状态", "Alarm state"),
          Map.entry("故障", "Fault"),
          Map.entry("故障代码", "Fault code"),
          Map.entry("电池电压", "Battery voltage"),
          Map.entry("供电电压", "Supply voltage"),
          Map.entry("信号强度", "Signal strength"),
          Map.entry("设备地址", "Device address"),
          Map.entry("波特率", "Baud rate"),
          Map.entry("序列号", "Serial number"),
          Map.entry("版本号", "Version"));

  private Names() {}

  /**
   * A name in its languages.
   *
   * @param english {@code null} if nobody knows it
   * @param chinese {@code null} for none
   */
  record Title(String english, String chinese) {}

  /**
   * @param name in any language or both; English where the map has a column for each
   * @param chinese {@code ""} for none
   */
  static Title title(String name, String chinese) {
    String plain = Text.plain(name);
    String zh = Text.plain(chinese);
    if (!CHINESE.matcher(plain).find()) {
      if (CHINESE.matcher(zh).find() || zh.isEmpty()) {
        String en = plain.isEmpty() ? english(zh) : plain;
        return new Title(en, zh.isEmpty() ? null : zh);
      }
      // The column is headed in Chinese and filled in English.
      return new Title(plain.isEmpty() ? zh : plain, null);
    }
    if (!zh.isEmpty() && !CHINESE.matcher(zh).find()) {
      return new Title(zh, plain);
    }
    // Both in one cell: 温度/Temperature, Temperature 温度.
    Matcher both =
        Pattern.compile("([\\x20-\\x7E]*[A-Za-z][\\x20-\\x7E]*?)[ /|:(-]*(\\p{IsHan}.*?)\\)?")
            .matcher(plain);
    if (both.matches() && both.group(1).strip().length() > 2) {
      return new Title(both.group(1).strip(), zh.isEmpty() ? both.group(2).strip() : zh);
    }
    Matcher other =
        Pattern.compile("(.*[\\p{IsHan}0-9])[ /|:(-]+([A-Za-z][\\x20-\\x7E]{2,}?)\\)?")
            .matcher(plain);
    if (other.matches() && CHINESE.matcher(other.group(1)).find()) {
      return new Title(other.group(2).strip(), zh.isEmpty() ? other.group(1).strip() : zh);
    }
    return new Title(english(plain), plain);
  }

  private static String english(String chinese) {
    String known = ENGLISH.get(chinese);
    if (known != null) {
      return known;
    }
    // 1#泵电流 stays unknown; 温度1 is Temperature 1.
    Matcher numbered = Pattern.compile("(\\D+?) ?([0-9]{1,3})").matcher(chinese);
    String stem = numbered.matches() ? ENGLISH.get(numbered.group(1)) : null;
    return stem == null ? null : stem + " " + numbered.group(2);
  }

  /**
   * An id made of an English name.
   *
   * @param otherwise where nothing can be made of it
   * @param taken ids of other points
   */
  static String id(String english, String otherwise, Set<String> taken) {
    String slug =
        Text.orEmpty(english)
            .toLowerCase(Locale.ROOT)
            .replaceAll("[^a-z0-9]+", "_")
            .replaceAll("^[^a-z]+|_+$", "");
    if (slug.length() > LONGEST - 4) {
      slug = slug.substring(0, LONGEST - 4).replaceAll("_+$", "");
    }
    String base = slug.isEmpty() ? otherwise : slug;
    if (RESERVED.contains(base) || base.endsWith("_q") || base.endsWith("_u")) {
      base += "_1";
    }
    String id = base;
    for (int i = 2; taken.contains(id); i++) {
      id = base + "_" + i;
    }
    return id;
  }
}
