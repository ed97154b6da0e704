package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExpandedNodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.Matrix;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.XmlElement;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UByte;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.ULong;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UShort;
import org.junit.jupiter.api.Test;

class ValuesTest {
  private static final String[] NAMESPACES = {"http://opcfoundation.org/UA/", "urn:a", "urn:plant"};

  private final Values values =
      new Values(
          index -> index < NAMESPACES.length ? NAMESPACES[index] : null,
          number -> null,
          (structure, prefix, into) -> into.put(prefix + "level", Value.of(2.5)));

  private Sample sample(DataType type, Object raw) {
    return values.sample(
        new Point("p", "i=5", type, Access.READ),
        new DataValue(new Variant(raw), StatusCode.GOOD, null, null));
  }

  private Value value(DataType type, Object raw) {
    Sample sample = sample(type, raw);
    assertThat(sample.quality()).isEqualTo(Quality.GOOD);
    return sample.value();
  }

  private Quality refused(DataType type, Object raw) {
    Sample sample = sample(type, raw);
    assertThat(sample.value()).isNull();
    return sample.quality();
  }

  @Test
  void everyKindOfNumberIsTheNumberItIs() {
    assertThat(value(DataType.INT16, (byte) -128)).isEqualTo(Value.of(-128));
    assertThat(value(DataType.UINT16, UByte.valueOf(255))).isEqualTo(Value.of(255));
    assertThat(value(DataType.INT16, (short) -32768)).isEqualTo(Value.of(-32768));
    assertThat(value(DataType.UINT16, UShort.valueOf(65535))).isEqualTo(Value.of(65535));
    assertThat(value(DataType.INT32, -5)).isEqualTo(Value.of(-5));
    assertThat(value(DataType.UINT32, UInteger.MAX)).isEqualTo(Value.of(4294967295L));
    assertThat(value(DataType.INT64, Long.MIN_VALUE)).isEqualTo(Value.of(Long.MIN_VALUE));
    assertThat(value(DataType.UINT64, ULong.valueOf(Long.MAX_VALUE)))
        .isEqualTo(Value.of(Long.MAX_VALUE));
    assertThat(value(DataType.FLOAT32, 0.5f)).isEqualTo(Value.of(0.5));
    assertThat(value(DataType.FLOAT64, 0.1)).isEqualTo(Value.of(0.1));
    assertThat(value(DataType.FLOAT64, Double.NaN)).isEqualTo(Value.of(Double.NaN));
    assertThat(value(DataType.BOOL, true)).isEqualTo(Value.of(true));
  }

  @Test
  void aNumberOfAnotherTypeServesIfNothingIsLost() {
    assertThat(value(DataType.INT16, 7.0)).isEqualTo(Value.of(7));
    assertThat(value(DataType.UINT16, 65535L)).isEqualTo(Value.of(65535));
    assertThat(value(DataType.FLOAT64, 7)).isEqualTo(Value.of(7.0));
    assertThat(value(DataType.FLOAT32, ULong.valueOf("18446744073709549568")))
        .isEqualTo(Value.of(1.8446744073709549568e19));
    assertThat(value(DataType.INT64, -9.223372036854775808e18)).isEqualTo(Value.of(Long.MIN_VALUE));
  }

  @Test
  void aNumberThatWouldLoseSomethingIsRefused() {
    assertThat(refused(DataType.INT16, 32768)).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(refused(DataType.UINT16, -1)).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(refused(DataType.UINT32, 4294967296L)).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(refused(DataType.INT32, 7.5)).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(refused(DataType.INT32, Double.NaN)).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(refused(DataType.INT64, 9.223372036854775807e18))
        .isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(refused(DataType.FLOAT64, Long.MAX_VALUE)).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(refused(DataType.FLOAT64, ULong.MAX)).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(refused(DataType.INT32, "7")).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(refused(DataType.FLOAT64, true)).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(refused(DataType.BOOL, 1)).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(refused(DataType.BYTES, "x")).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(refused(DataType.STRUCT, 5)).isEqualTo(Quality.BAD_TYPE_MISMATCH);
  }

  @Test
  void beyondTwoToThe63IsOutOfRangeAndNotRounded() {
    assertThat(refused(DataType.UINT64, ULong.valueOf("9223372036854775808")))
        .isEqualTo(Quality.BAD_OUT_OF_RANGE);
    assertThat(refused(DataType.UINT64, ULong.MAX)).isEqualTo(Quality.BAD_OUT_OF_RANGE);
  }

  @Test
  void whatCanBeSaidInWordsIsText() {
    assertThat(value(DataType.TEXT, "泵")).isEqualTo(Value.of("泵"));
    assertThat(value(DataType.TEXT, new LocalizedText("zh-CN", "运行"))).isEqualTo(Value.of("运行"));
    assertThat(value(DataType.TEXT, UUID.fromString("09087E75-8e5e-499b-954f-f2a9603db28a")))
        .isEqualTo(Value.of("09087e75-8e5e-499b-954f-f2a9603db28a"));
    assertThat(value(DataType.TEXT, XmlElement.of("<a/>"))).isEqualTo(Value.of("<a/>"));
    assertThat(value(DataType.TEXT, 0.1f)).isEqualTo(Value.of("0.1"));
    assertThat(value(DataType.TEXT, ULong.MAX)).isEqualTo(Value.of("18446744073709551615"));
    assertThat(value(DataType.TEXT, false)).isEqualTo(Value.of("false"));
    assertThat(value(DataType.TEXT, new StatusCode(StatusCodes.Bad_TypeMismatch | 0x480)))
        .isEqualTo(Value.of("BadTypeMismatch"));
    assertThat(value(DataType.TEXT, StatusCode.GOOD)).isEqualTo(Value.of("Good"));
    assertThat(value(DataType.TEXT, new StatusCode(0x8FFF0000L))).isEqualTo(Value.of("0x8FFF0000"));
    assertThat(value(DataType.UINT32, new StatusCode(0x80740000L)))
        .isEqualTo(Value.of(0x80740000L));
  }

  @Test
  void namesOfNodesCarryTheirNamespace() {
    assertThat(value(DataType.TEXT, new NodeId(2, "Pump")))
        .isEqualTo(Value.of("nsu=urn:plant;s=Pump"));
    assertThat(value(DataType.TEXT, new NodeId(0, 85))).isEqualTo(Value.of("i=85"));
    assertThat(value(DataType.TEXT, new NodeId(9, 1))).isEqualTo(Value.of("ns=9;i=1"));
    assertThat(value(DataType.TEXT, ExpandedNodeId.parse("svr=3;nsu=urn:x;i=1")))
        .isEqualTo(Value.of("svr=3;nsu=urn:x;i=1"));
    assertThat(value(DataType.TEXT, ExpandedNodeId.parse("ns=1;s=x")))
        .isEqualTo(Value.of("nsu=urn:a;s=x"));
    assertThat(value(DataType.TEXT, new QualifiedName(2, "Level")))
        .isEqualTo(Value.of("nsu=urn:plant;Level"));
    assertThat(value(DataType.TEXT, new QualifiedName(0, "EURange")))
        .isEqualTo(Value.of("EURange"));
  }

  @Test
  void aTimeIsTextWithAllItsDigitsOrUnixMilliseconds() {
    DateTime time = new DateTime(Instant.parse("2026-11-29T10:00:00.1234567Z"));
    assertThat(value(DataType.TEXT, time)).isEqualTo(Value.of("2026-11-29T10:00:00.123456700Z"));
    assertThat(value(DataType.INT64, time)).isEqualTo(Value.of(1795946400123L));
    assertThat(value(DataType.TEXT, new DateTime(1)))
        .isEqualTo(Value.of("1601-01-01T00:00:00.000000100Z"));
    assertThat(value(DataType.INT64, new DateTime(0x7FFF))).isEqualTo(Value.of(-11644473599997L));
    assertThat(refused(DataType.TEXT, DateTime.MIN_VALUE)).isEqualTo(Quality.BAD_NO_DATA);
    assertThat(refused(DataType.TEXT, new DateTime(Long.MAX_VALUE))).isEqualTo(Quality.BAD_NO_DATA);
    assertThat(refused(DataType.INT32, time)).isEqualTo(Quality.BAD_TYPE_MISMATCH);
  }

  @Test
  void bytesAreBytes() {
    assertThat(value(DataType.BYTES, ByteString.of(new byte[] {1, -1})))
        .isEqualTo(new Value.Bytes(new byte[] {1, -1}));
    assertThat(value(DataType.BYTES, new UByte[] {UByte.valueOf(1), UByte.valueOf(255)}))
        .isEqualTo(new Value.Bytes(new byte[] {1, -1}));
    assertThat(refused(DataType.BYTES, ByteString.NULL_VALUE)).isEqualTo(Quality.BAD_NO_DATA);
  }

  @Test
  void aListKeepsItsOrderAndAMatrixIsReadRowByRow() {
    assertThat(value(DataType.FLOAT64, new Double[] {1.0, 2.5}))
        .isEqualTo(new Value.Array(List.of(Value.of(1.0), Value.of(2.5))));
    assertThat(value(DataType.INT32, Matrix.ofInt32(new int[][] {{1, 2}, {3, 4}, {5, 6}})))
        .isEqualTo(
            new Value.Array(
                List.of(
                    Value.of(1), Value.of(2), Value.of(3), Value.of(4), Value.of(5), Value.of(6))));
    assertThat(value(DataType.INT32, new Variant[] {new Variant(1), new Variant(2.0)}))
        .isEqualTo(new Value.Array(List.of(Value.of(1), Value.of(2))));
    assertThat(value(DataType.TEXT, new String[] {"a", null}))
        .isEqualTo(new Value.Array(List.of(Value.of("a"), Value.of(""))));
    assertThat(value(DataType.BOOL, new Boolean[] {})).isEqualTo(new Value.Array(List.of()));
    assertThat(refused(DataType.INT16, new Integer[] {1, 70_000}))
        .isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(refused(DataType.INT16, new Variant[] {new Variant(new Integer[] {1})}))
        .isEqualTo(Quality.BAD_TYPE_MISMATCH);
  }

  @Test
  void structuresAreFlatAndListsOfThemNumbered() {
    ExtensionObject structure = ExtensionObject.of(ByteString.of(new byte[1]), new NodeId(2, 5));
    assertThat(value(DataType.STRUCT, structure)).hasToString("{level=2.5}");
    assertThat(value(DataType.STRUCT, new ExtensionObject[] {structure, structure}))
        .hasToString("{0.level=2.5, 1.level=2.5}");
    assertThat(
            refused(DataType.STRUCT, ExtensionObject.of(ByteString.NULL_VALUE, NodeId.NULL_VALUE)))
        .isEqualTo(Quality.BAD_NO_DATA);
    assertThat(refused(DataType.FLOAT64, structure)).isEqualTo(Quality.BAD_TYPE_MISMATCH);
  }

  @Test
  void numbersOfAnEnumerationAreNamedInText() {
    Values named = values.named(number -> number == 2 ? "Running" : null);
    Point text = new Point("p", "i=5", DataType.TEXT, Access.READ);
    assertThat(named.sample(text, new DataValue(new Variant(2))).value())
        .isEqualTo(Value.of("Running"));
    assertThat(named.sample(text, new DataValue(new Variant(3))).value()).isEqualTo(Value.of("3"));
    assertThat(
            named
                .sample(
                    new Point("p", "i=5", DataType.INT32, Access.READ),
                    new DataValue(new Variant(2)))
                .value())
        .isEqualTo(Value.of(2));
  }

  @Test
  void nothingIsNoData() {
    assertThat(refused(DataType.FLOAT64, null)).isEqualTo(Quality.BAD_NO_DATA);
    assertThat(refused(DataType.TEXT, new LocalizedText("en", null)))
        .isEqualTo(Quality.BAD_NO_DATA);
    assertThat(refused(DataType.FLOAT64, new Matrix(null))).isEqualTo(Quality.BAD_NO_DATA);
  }

  @Test
  void aStatusPassesThroughWholeAndBadOnesWithoutValue() {
    Point point = new Point("p", "i=5", DataType.FLOAT64, Access.READ);
    long overflow = 0x40940480L;
    Sample uncertain =
        values.sample(point, new DataValue(new Variant(1.5), new StatusCode(overflow)));
    assertThat(uncertain.quality()).isEqualTo(new Quality((int) overflow));
    assertThat(uncertain.value()).isEqualTo(Value.of(1.5));
    Sample bad =
        values.sample(
            point, new DataValue(new Variant(1.5), new StatusCode(StatusCodes.Bad_SensorFailure)));
    assertThat(bad).isEqualTo(new Sample("p", null, Quality.BAD_SENSOR_FAILURE, bad.deviceTime()));
    assertThat(
            values
                .sample(point, new DataValue(new Variant(null), new StatusCode(overflow)))
                .quality())
        .isEqualTo(Quality.BAD_NO_DATA);
  }

  @Test
  void theTimeIsTheSourcesElseTheServersElseNone() {
    Point point = new Point("p", "i=5", DataType.FLOAT64, Access.READ);
    Instant early = Instant.parse("2026-11-29T10:00:00.000000100Z");
    Instant late = Instant.parse("2026-11-29T10:00:01Z");
    Variant one = new Variant(1.0);
    assertThat(
            values
                .sample(
                    point,
                    new DataValue(
                        one,
                        StatusCode.GOOD,
                        new DateTime(early),
                        UShort.valueOf(9999),
                        new DateTime(late),
                        null))
                .deviceTime())
        .isEqualTo(early);
    // As Milo decodes a source time that isn't there.
    for (DateTime none : Arrays.asList(DateTime.MIN_VALUE, null, DateTime.MAX_DATE_TIME)) {
      assertThat(
              values
                  .sample(point, new DataValue(one, StatusCode.GOOD, none, new DateTime(late)))
                  .deviceTime())
          .isEqualTo(late);
    }
    assertThat(
            values
                .sample(point, new DataValue(one, StatusCode.GOOD, null, DateTime.MIN_VALUE))
                .deviceTime())
        .isNull();
  }
}
