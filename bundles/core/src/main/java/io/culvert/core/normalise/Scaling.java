package io.culvert.core.normalise;

import io.culvert.api.DataType;
import io.culvert.api.Value;
import io.culvert.core.model.RawType;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * Raw value to value in the point's unit and back: {@code value = raw * scale + offset}, in decimal
 * arithmetic, so that 1234 times 0.001 is 1.234 and not the double next to it. A decimal value is
 * the double nearest to the exact result.
 *
 * <p>Nearly all points of the field have a scale such as 0.1 and raw values of few digits. With
 * {@code scale = mul / 10^n} and {@code offset = add / 10^n} the exact result is the fraction
 * {@code (raw * mul + add) / 10^n}; while its numerator is a whole number of at most 53 bits and n
 * is at most 22, a double holds both parts exactly, and IEEE 754 (5.4.1) has the division give the
 * double nearest to their quotient. So one multiplication and one division do what decimal
 * arithmetic does; it is used for the rest.
 */
final class Scaling {
  private static final BigDecimal LONG_MIN = BigDecimal.valueOf(Long.MIN_VALUE);
  private static final BigDecimal LONG_MAX = BigDecimal.valueOf(Long.MAX_VALUE);

  /** Bits of a normal double, the first one included. */
  private static final int PRECISION = 53;

  /** A double holds each whole number up to this. */
  private static final long EXACT = 1L << PRECISION;

  /** 10 to this power is the greatest that a double holds exactly. */
  private static final int MOST_DECIMALS = 22;

  /** Products within these keep their result clear of overflow and of subnormal numbers. */
  private static final double LEAST_PRODUCT = 0x1p-900;

  private static final double GREATEST_PRODUCT = 0x1p900;

  private final DataType type;
  private final BigDecimal scale;
  private final BigDecimal offset;

  /** Bounds of a whole type. */
  private final long least;

  private final long greatest;

  /** Nothing to compute: scale 1, offset 0, and the raw value's kind is the value's. */
  private final boolean identity;

  /** Whether every value is a whole number that a long holds: then it stays an integer. */
  private final boolean whole;

  private final long mul;
  private final long add;
  private final double denominator;

  /** Raw integers up to this size take the short way; -1 for none. */
  private final long shortWay;

  /** Raw doubles whose first and last bit span at most so many take the short way; 0 for none. */
  private final int shortWayBits;

  /**
   * @param decimal whether values are decimals even where they happen to be whole: what they are
   *     must not change with a factor
   */
  Scaling(DataType type, BigDecimal scale, BigDecimal offset, boolean decimal) {
    this.type = type;
    this.scale = scale;
    this.offset = offset;
    boolean one = scale.compareTo(BigDecimal.ONE) == 0 && offset.signum() == 0;
    BigDecimal s = scale.stripTrailingZeros();
    BigDecimal o = offset.stripTrailingZeros();
    boolean integer = RawType.whole(type);
    this.least = integer ? RawType.min(type) : 0;
    this.greatest = integer ? RawType.max(type) : 0;
    this.identity = one && !(integer && decimal);
    this.whole =
        integer
            && !decimal
            && s.scale() <= 0
            && o.scale() <= 0
            && (one
                || BigDecimal.valueOf(greatest).multiply(s.abs()).add(o.abs()).compareTo(LONG_MAX)
                    <= 0);
    int decimals = Math.max(0, Math.max(s.scale(), o.scale()));
    BigDecimal numerator = s.movePointRight(decimals);
    BigDecimal addend = o.movePointRight(decimals);
    BigDecimal exact = BigDecimal.valueOf(EXACT);
    boolean fits =
        type.numeric()
            && decimals <= MOST_DECIMALS
            && numerator.abs().compareTo(exact) <= 0
            && addend.abs().compareTo(exact) <= 0;
    this.mul = fits ? numerator.longValueExact() : 0;
    this.add = fits ? addend.longValueExact() : 0;
    this.denominator = fits ? BigDecimal.TEN.pow(decimals).doubleValue() : 1;
    this.shortWay = fits && mul != 0 ? (EXACT - Math.abs(add)) / Math.abs(mul) : -1;
    // A power of two adds no bits to what it multiplies.
    int bits = Long.bitCount(Math.abs(mul)) == 1 ? 0 : significantBits(mul);
    this.shortWayBits = fits && mul != 0 && add == 0 ? PRECISION - bits : 0;
  }

  /** Whether a raw value is one that a point of this type can have, or a list of such. */
  boolean fits(Value raw) {
    if (raw instanceof Value.Array array) {
      return type != DataType.STRUCT && array.values().stream().allMatch(this::fits);
    }
    return switch (type) {
      case BOOL -> raw instanceof Value.Bool;
      case TEXT -> raw instanceof Value.Text;
      case BYTES -> raw instanceof Value.Bytes;
      case STRUCT -> raw instanceof Value.Struct;
      case FLOAT32, FLOAT64 -> raw instanceof Value.Decimal;
      default -> raw instanceof Value.Int i && i.value() >= least && i.value() <= greatest;
    };
  }

  /**
   * @param raw one that {@link #fits}, or the running total of such
   */
  Value toValue(Value raw) {
    if (identity) {
      return raw;
    }
    if (raw instanceof Value.Int i) {
      return toValue(i.value());
    }
    if (raw instanceof Value.Array array) {
      return new Value.Array(array.values().stream().map(this::toValue).toList());
    }
    return raw instanceof Value.Decimal d ? Value.of(toValue(d.value())) : raw;
  }

  private Value toValue(long raw) {
    if (raw <= shortWay && raw >= -shortWay) {
      long numerator = raw * mul + add;
      return whole ? Value.of(numerator) : Value.of(numerator / denominator);
    }
    BigDecimal exact = exact(BigDecimal.valueOf(raw));
    return whole && exact.compareTo(LONG_MAX) <= 0 && exact.compareTo(LONG_MIN) >= 0
        ? Value.of(exact.longValueExact())
        : Value.of(exact.doubleValue());
  }

  private double toValue(double raw) {
    double product = raw * mul;
    double size = Math.abs(product);
    // Without rounding: no bit of the product lies beyond the 53 that a double has.
    if (size > LEAST_PRODUCT && size < GREATEST_PRODUCT && significantBits(raw) <= shortWayBits) {
      return product / denominator;
    }
    return Double.isFinite(raw)
        ? exact(new BigDecimal(raw)).doubleValue()
        : raw * scale.doubleValue() + offset.doubleValue();
  }

  /** Number of bits from the first one to the last. */
  private static int significantBits(long number) {
    long size = Math.abs(number);
    return Long.SIZE - Long.numberOfLeadingZeros(size) - Long.numberOfTrailingZeros(size);
  }

  /** The same of a normal double. */
  private static int significantBits(double number) {
    long mantissa = Double.doubleToRawLongBits(number) | 1L << PRECISION - 1;
    return PRECISION - Long.numberOfTrailingZeros(mantissa);
  }

  /** The value of a raw number, exactly. */
  BigDecimal exact(BigDecimal raw) {
    return raw.multiply(scale).add(offset);
  }

  /** The raw number of a value, to 34 digits. */
  BigDecimal inverse(BigDecimal value) {
    return identity ? value : value.subtract(offset).divide(scale, MathContext.DECIMAL128);
  }

  /**
   * The raw value next to a value of a numeric point.
   *
   * @return {@code null} if the type doesn't hold it
   */
  Value toRaw(BigDecimal value) {
    BigDecimal raw = inverse(value);
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
        return rounded.compareTo(BigDecimal.valueOf(least)) >= 0
                && rounded.compareTo(BigDecimal.valueOf(greatest)) <= 0
            ? Value.of(rounded.longValueExact())
            : null;
      }
    }
  }
}
