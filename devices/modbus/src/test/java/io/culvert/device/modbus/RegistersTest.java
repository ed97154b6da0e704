package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.DataType;
import io.culvert.api.Value;
import java.util.Arrays;
import java.util.HexFormat;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.Tuple.Tuple2;
import org.junit.jupiter.api.Test;

/** Values in registers. */
class RegistersTest {

  @Property
  void whatIsEncodedDecodesToTheSame(
      @ForAll("typed") Tuple2<DataType, Value> typed, @ForAll Order order) {
    byte[] wire = Registers.encode(typed.get1(), order, typed.get2()).orElseThrow();
    assertThat(wire).hasSize(2 * Registers.count(typed.get1()));
    assertThat(Registers.decode(typed.get1(), order, -1, wire, 0)).isEqualTo(typed.get2());
  }

  @Property
  void aValueDecodesAlikeWhereverItStands(
      @ForAll("typed") Tuple2<DataType, Value> typed, @ForAll Order order) {
    byte[] wire = Registers.encode(typed.get1(), order, typed.get2()).orElseThrow();
    byte[] data = new byte[wire.length + 10];
    Arrays.fill(data, (byte) 0x5A);
    System.arraycopy(wire, 0, data, 6, wire.length);
    assertThat(Registers.decode(typed.get1(), order, -1, data, 6)).isEqualTo(typed.get2());
  }

  @Property
  void integersBeyondTheTypeAreRefused(@ForAll long number) {
    assertThat(Registers.encode(DataType.INT16, Order.ABCD, Value.of(number)).isPresent())
        .isEqualTo(number == (short) number);
    assertThat(Registers.encode(DataType.UINT16, Order.ABCD, Value.of(number)).isPresent())
        .isEqualTo(number == (number & 0xFFFF));
    assertThat(Registers.encode(DataType.INT32, Order.ABCD, Value.of(number)).isPresent())
        .isEqualTo(number == (int) number);
    assertThat(Registers.encode(DataType.UINT32, Order.ABCD, Value.of(number)).isPresent())
        .isEqualTo(number == (number & 0xFFFF_FFFFL));
  }

  @Test
  void theFourOrdersAreTheirNames() {
    assertThat(wire(Order.ABCD, DataType.UINT32, 0xAABBCCDDL)).isEqualTo("aabbccdd");
    assertThat(wire(Order.CDAB, DataType.UINT32, 0xAABBCCDDL)).isEqualTo("ccddaabb");
    assertThat(wire(Order.BADC, DataType.UINT32, 0xAABBCCDDL)).isEqualTo("bbaaddcc");
    assertThat(wire(Order.DCBA, DataType.UINT32, 0xAABBCCDDL)).isEqualTo("ddccbbaa");
    assertThat(wire(Order.CDAB, DataType.INT64, 0x1122334455667788L)).isEqualTo("7788556633441122");
    assertThat(wire(Order.BADC, DataType.INT64, 0x1122334455667788L)).isEqualTo("2211443366558877");
    assertThat(wire(Order.DCBA, DataType.INT64, 0x1122334455667788L)).isEqualTo("8877665544332211");
    assertThat(wire(Order.CDAB, DataType.UINT16, 0xAABBL)).isEqualTo("aabb");
    assertThat(wire(Order.DCBA, DataType.UINT16, 0xAABBL)).isEqualTo("bbaa");
  }

  private static String wire(Order order, DataType type, long number) {
    return HexFormat.of().formatHex(Registers.encode(type, order, Value.of(number)).orElseThrow());
  }

  @Provide
  Arbitrary<Tuple2<DataType, Value>> typed() {
    return Arbitraries.oneOf(
        whole(DataType.INT16, Short.MIN_VALUE, Short.MAX_VALUE),
        whole(DataType.UINT16, 0, 0xFFFF),
        whole(DataType.INT32, Integer.MIN_VALUE, Integer.MAX_VALUE),
        whole(DataType.UINT32, 0, 0xFFFF_FFFFL),
        whole(DataType.INT64, Long.MIN_VALUE, Long.MAX_VALUE),
        Arbitraries.oneOf(
                Arbitraries.floats(),
                Arbitraries.of(Float.NaN, Float.NEGATIVE_INFINITY, Float.MIN_VALUE, -0.0f))
            .map(number -> Tuple.of(DataType.FLOAT32, Value.of((double) number))),
        Arbitraries.oneOf(
                Arbitraries.doubles(),
                Arbitraries.of(Double.NaN, Double.POSITIVE_INFINITY, Double.MIN_VALUE, -0.0))
            .map(number -> Tuple.of(DataType.FLOAT64, Value.of((double) number))));
  }

  private static Arbitrary<Tuple2<DataType, Value>> whole(DataType type, long least, long most) {
    return Arbitraries.longs()
        .between(least, most)
        .map(number -> Tuple.of(type, Value.of((long) number)));
  }
}
