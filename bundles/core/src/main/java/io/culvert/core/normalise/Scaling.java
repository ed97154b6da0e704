package io.culvert.core.normalise;

import io.culvert.api.DataType;
import io.culvert.api.Value;
import io.culvert.core.model.PointModel;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * Raw value to value in the point's unit and back. Decimal arithmetic, so that 1234 times 0.001 is
 * 1.234 and not the double next to it.
 */
final class Scaling {
  private static final BigDecimal LONG_MAX = BigDecimal.valueOf(Long.MAX_VALUE);

  private final DataType type;
  private final BigDecimal scale;
  private final BigDecimal offset;

  /** Nothing to compute: scale 1, offset 0. */
  private final boolean identity;

  /** Whether every value is a whole number that a long holds: then it stays an integer. */
  private final boolean whole;

  Scaling(PointModel model) {
    this.type = model.point().type();
    this.scale = model.scale();
    this.offset = model.offset();
    this.identity = scale.compareTo(BigDecimal.ONE) == 0 && offset.signum() == 0;
    this.whole =
        type.numeric()
            && max(type) != null
            && scale.stripTrailingZeros().scale() <= 0
            && offset.stripTrailingZeros().scale() <= 0
            && (identity
                || max(type).multiply(scale.abs()).add(offset.abs()).compareTo(LONG_MAX) <= 0);
  }

  /** Whether a raw value is one that a point of this type can have. */
  boolean fits(Value raw) {
    return switch (type) {
      case BOOL -> raw instanceof Value.Bool;
      case TEXT -> raw instanceof Value.Text;
      case BYTES -> raw instanceof Value.Bytes;
      case FLOAT32, FLOAT64 -> raw instanceof Value.Decimal;
      default -> raw instanceof Value.Int i && holds(BigDecimal.valueOf(i.value()));
    };
  }

  /** Whether an integer type holds this number. */
  private boolean holds(BigDecimal raw) {
    return raw.compareTo(min(type)) >= 0 && raw.compareTo(max(type)) <= 0;
  }

  /**
   * @param raw one that {@link #fits}
   */
  Value toValue(Value raw) {
    if (identity || !type.numeric()) {
      return raw;
    }
    if (raw instanceof Value.Int i) {
      BigDecimal exact = BigDecimal.valueOf(i.value()).multiply(scale).add(offset);
      return whole ? Value.of(exact.longValueExact()) : Value.of(exact.doubleValue());
    }
    double decimal = raw.number();
    if (!Double.isFinite(decimal)) {
      return Value.of(decimal * scale.doubleValue() + offset.doubleValue());
    }
    return Value.of(new BigDecimal(decimal).multiply(scale).add(offset).doubleValue());
  }

  /**
   * The raw value next to a value of a numeric point.
   *
   * @return {@code null} if the type doesn't hold it
   */
  Value toRaw(BigDecimal value) {
    BigDecimal raw =
        identity ? value : value.subtract(offset).divide(scale, MathContext.DECIMAL128);
    switch (type) {
      case FLOAT32 -> {
        float single = raw.floatValue();
        return Float.isFinite(single) ? Value.of((double) single) : null;
      }
      case FLOAT64 -> {
        double twice = raw.doubleValue();
        return Double.isFinite(twice) ? Value.of(twice) : null;
      }
      default -> {
        // A number of a million digits would be laid out by rounding: look at its size first.
        if (raw.precision() - raw.scale() > 20) {
          return null;
        }
        BigDecimal rounded = raw.setScale(0, RoundingMode.HALF_EVEN);
        return holds(rounded) ? Value.of(rounded.longValueExact()) : null;
      }
    }
  }

  /** Least value of an integer type, {@code null} of another. */
  private static BigDecimal min(DataType type) {
    return switch (type) {
      case UINT16, UINT32, UINT64 -> BigDecimal.ZERO;
      case INT16 -> BigDecimal.valueOf(Short.MIN_VALUE);
      case INT32 -> BigDecimal.valueOf(Integer.MIN_VALUE);
      case INT64 -> BigDecimal.valueOf(Long.MIN_VALUE);
      default -> null;
    };
  }

  /** Greatest value of an integer type, {@code null} of another. */
  private static BigDecimal max(DataType type) {
    return switch (type) {
      case UINT16 -> BigDecimal.valueOf(0xFFFF);
      case UINT32 -> BigDecimal.valueOf(0xFFFF_FFFFL);
      case INT16 -> BigDecimal.valueOf(Short.MAX_VALUE);
      case INT32 -> BigDecimal.valueOf(Integer.MAX_VALUE);
      case INT64, UINT64 -> LONG_MAX;
      default -> null;
    };
  }
}
