package io.culvert.tools.registermap;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a column of a maker's map can hold, by the headers that makers give it. */
enum Column {
  NUMBER("no", "number", "序号", "编号", "index", "item no", "sn"),
  ID("id", "point id", "tag id", "点号", "标识", "标识符", "identifier"),
  NAME(
      "name",
      "parameter",
      "parameter name",
      "signal",
      "signal name",
      "tag",
      "tag name",
      "variable",
      "variable name",
      "item",
      "data",
      "data name",
      "data item",
      "quantity",
      "measurement",
      "measured value",
      "register name",
      "point",
      "point name",
      "english name",
      "英文名称",
      "英文名"),
  NAME_ZH(
      "参数名称",
      "参数",
      "名称",
      "中文名称",
      "中文名",
      "变量名",
      "变量名称",
      "信号名称",
      "信号",
      "点名",
      "测点",
      "测点名称",
      "数据名称",
      "数据项",
      "数据内容",
      "内容",
      "项目",
      "寄存器名称",
      "chinese name"),
  DESCRIPTION(
      "description",
      "meaning",
      "definition",
      "contents",
      "content",
      "说明",
      "描述",
      "含义",
      "定义",
      "寄存器内容",
      "寄存器说明"),
  ADDRESS(
      "address",
      "addr",
      "register",
      "register address",
      "reg",
      "reg addr",
      "reg address",
      "modbus address",
      "modbus register",
      "register number",
      "register no",
      "start address",
      "starting address",
      "data address",
      "plc address",
      "protocol address",
      "地址",
      "寄存器地址",
      "寄存器",
      "起始地址",
      "数据地址",
      "modbus地址",
      "寄存器编号",
      "寄存器号",
      "通讯地址",
      "首地址"),
  TABLE(
      "table",
      "register type",
      "reg type",
      "area",
      "register area",
      "object type",
      "data area",
      "memory area",
      "寄存器类型",
      "寄存器类别",
      "存储区",
      "数据区",
      "区域",
      "地址类型"),
  FUNCTION(
      "function code",
      "function",
      "fc",
      "func code",
      "func",
      "modbus function",
      "modbus function code",
      "read function code",
      "read fc",
      "function codes",
      "功能码",
      "命令码",
      "读功能码",
      "支持功能码",
      "modbus功能码",
      "命令"),
  WRITE_FUNCTION("write function code", "write fc", "写功能码"),
  COUNT(
      "registers",
      "register count",
      "number of registers",
      "no of registers",
      "quantity of registers",
      "words",
      "length",
      "size",
      "count",
      "len",
      "寄存器数",
      "寄存器数量",
      "寄存器个数",
      "数量",
      "长度",
      "个数",
      "字数",
      "寄存器长度"),
  BYTES("bytes", "byte count", "length in bytes", "字节数", "字节", "字节长度"),
  TYPE(
      "type",
      "data type",
      "format",
      "data format",
      "datatype",
      "value type",
      "数据类型",
      "类型",
      "数据格式",
      "格式",
      "变量类型"),
  ORDER(
      "byte order",
      "word order",
      "order",
      "endian",
      "endianness",
      "byte swap",
      "字节序",
      "字节顺序",
      "字序",
      "大小端",
      "顺序"),
  BIT("bit", "bit no", "bit number", "bit position", "bit offset", "位", "位号", "位地址", "比特位"),
  ACCESS(
      "access",
      "r/w",
      "rw",
      "read/write",
      "mode",
      "access mode",
      "permission",
      "attribute",
      "access right",
      "access rights",
      "读写",
      "读写属性",
      "属性",
      "权限",
      "读写权限",
      "访问",
      "操作",
      "读/写",
      "读写类型"),
  SCALE(
      "scale",
      "factor",
      "multiplier",
      "scale factor",
      "scaling",
      "coefficient",
      "resolution",
      "gain",
      "ratio",
      "conversion",
      "formula",
      "lsb",
      "倍率",
      "系数",
      "比例",
      "比例系数",
      "分辨率",
      "乘数",
      "换算系数",
      "换算",
      "转换公式",
      "变比",
      "精度",
      "单位倍率"),
  DIVISOR("divisor", "divider", "div", "除数", "放大倍数", "扩大倍数"),
  DECIMALS("decimals", "decimal places", "decimal digits", "小数位", "小数位数", "小数点位数"),
  OFFSET("offset", "bias", "value offset", "偏移", "偏移量", "零点", "偏置"),
  UNIT("unit", "units", "uom", "engineering unit", "eu", "单位", "量纲", "工程单位"),
  RANGE(
      "range",
      "value range",
      "measuring range",
      "limits",
      "valid range",
      "范围",
      "量程",
      "取值范围",
      "数值范围",
      "测量范围",
      "数据范围",
      "值域",
      "有效范围"),
  MIN("min", "minimum", "min value", "lower limit", "low", "最小值", "下限"),
  MAX("max", "maximum", "max value", "upper limit", "high", "最大值", "上限"),
  NOT_AVAILABLE(
      "not available",
      "invalid",
      "invalid value",
      "na value",
      "no value",
      "error value",
      "无效值",
      "无效",
      "异常值"),
  REMARK(
      "remark",
      "remarks",
      "note",
      "notes",
      "comment",
      "comments",
      "备注",
      "注",
      "注释",
      "注意",
      "default",
      "default value",
      "默认值",
      "缺省值",
      "初始值",
      "example",
      "示例");

  private static final Pattern BRACKETS = Pattern.compile("[(\\[【{]([^)\\]】}]*)[)\\]】}]");

  private static final Map<String, Column> BY_KEY = new LinkedHashMap<>();

  static {
    for (Column column : values()) {
      for (String alias : column.aliases) {
        BY_KEY.put(Text.key(alias), column);
      }
    }
  }

  private final List<String> aliases;

  Column(String... aliases) {
    this.aliases = List.of(aliases);
  }

  /** The column that a header names, by one language of it; {@code null} if none. */
  static Column of(String header) {
    String plain = Text.plain(header);
    String bare = BRACKETS.matcher(plain).replaceAll(" ");
    Column whole = BY_KEY.get(Text.key(bare));
    if (whole != null) {
      return whole;
    }
    for (String part :
        bare.split("[/|,;、\\n]|(?<=\\p{IsHan})(?=[A-Za-z])|(?<=[A-Za-z. ])(?=\\p{IsHan})")) {
      Column one = BY_KEY.get(Text.key(part));
      if (one != null) {
        return one;
      }
    }
    // A header all in brackets, or with its second language there: 地址 (Address).
    Matcher inside = BRACKETS.matcher(plain);
    while (inside.find()) {
      Column one = BY_KEY.get(Text.key(inside.group(1)));
      if (one != null) {
        return one;
      }
    }
    return null;
  }
}
