package io.culvert.device.modbus;

import io.culvert.api.DataType;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * How devices write date and time; found in the register maps of meters, inverters and RTUs. Shown
 * as text, ISO 8601 in UTC: {@code 2026-11-21T02:03:18Z}. The first three are in UTC by nature, the
 * others in the zone of the device's clock.
 */
enum TimeForm {
  /** Seconds since 1970, 32 bits, unsigned. */
  UNIX32(2),
  /** Seconds since 1970, 64 bits. */
  UNIX64(4),
  /** Milliseconds since 1970, 64 bits. */
  UNIXMS64(4),
  /** Seconds since 2000-01-01 UTC, 32 bits, unsigned, as in SunSpec. */
  Y2K32(2),
  /** A byte each: year of the century, month, day, hour, minute, second. */
  BYTES6(3),
  /** The same in BCD. */
  BCD6(3),
  /** A register each: year, month, day, hour, minute, second. */
  REGISTERS6(6),
  /** The same, and milliseconds. */
  REGISTERS7(7),
  /**
   * Four registers after IEC 60870-5-4: year of the century; month, day; hour, minute; milliseconds
   * of the minute. Bit 7 of the third says that the time isn't to be trusted.
   */
  IEC4(4);

  /** As they are written. */
  static final List<String> NAMES = Stream.of(values()).map(TimeForm::toString).toList();

  private static final long Y2K = Instant.parse("2000-01-01T00:00:00Z").getEpochSecond();

  private final int count;

  TimeForm(int count) {
    this.count = count;
  }

  int count() {
    return count;
  }

  /** Whether it is one number, which follows the order of numbers. */
  boolean number() {
    return this == UNIX32 || this == UNIX64 || this == UNIXMS64 || this == Y2K32;
  }

  /**
   * Text in this form.
   *
   * @param order {@linkplain Order#plain() plain}, unless it is one {@link #number()}
   */
  Codec codec(Order order, ZoneId zone) {
    return number() ? new Count(order) : new Calendar(order, zone);
  }

  /** As written in an address. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** A moment as text; {@code null} if it lies beyond what ISO 8601 writes in four digits. */
  private static Value text(Instant moment) {
    String text = moment.toString();
    return text.charAt(0) == '+' || text.charAt(0) == '-' ? null : Value.of(text);
  }

  private static Instant moment(Value value) {
    try {
      Instant moment = Instant.parse(((Value.Text) value).value());
      return text(moment) == null ? null : moment;
    } catch (DateTimeException other) {
      return null;
    }
  }

  /** Time since an epoch, on the codec of a number. */
  private final class Count extends Codec {
    private final Codec number;

    Count(Order order) {
      number = Codec.number(count == 2 ? DataType.UINT32 : DataType.INT64, order);
    }

    @Override
    int count() {
      return count;
    }

    @Override
    Sample decode(String point, byte[] data, int at) {
      return RowCodec.sample(point, shown(number.decode(point, data, at).value()));
    }

    private Value shown(Value raw) {
      long n = ((Value.Int) raw).value();
      try {
        return text(
            switch (TimeForm.this) {
              case UNIXMS64 -> Instant.ofEpochMilli(n);
              case Y2K32 -> Instant.ofEpochSecond(Y2K + n);
              default -> Instant.ofEpochSecond(n);
            });
      } catch (DateTimeException beyond) {
        return null;
      }
    }

    @Override
    byte[] encode(Value value) {
      Instant moment = moment(value);
      if (moment == null) {
        return null;
      }
      Value raw =
          Value.of(
              switch (TimeForm.this) {
                case UNIXMS64 -> moment.getEpochSecond() * 1000 + moment.getNano() / 1_000_000;
                case Y2K32 -> moment.getEpochSecond() - Y2K;
                default -> moment.getEpochSecond();
              });
      return value.equals(shown(raw)) ? number.encode(raw) : null;
    }
  }

  /** Year, month, day and so on, each for itself. */
  private final class Calendar extends RowCodec {
    private final ZoneId zone;

    Calendar(Order order, ZoneId zone) {
      super(count, order);
      this.zone = zone;
    }

    @Override
    Sample sample(String point, byte[] row) {
      try {
        LocalDateTime local = local(row);
        // The first of two where clocks are set back; none where they are set forward.
        Instant moment = local.atZone(zone).toInstant();
        if (!LocalDateTime.ofInstant(moment, zone).equals(local)) {
          return sample(point, (Value) null);
        }
        boolean doubtful = TimeForm.this == IEC4 && (row[5] & 0x80) != 0;
        Value shown = TimeForm.text(moment);
        return doubtful && shown != null
            ? new Sample(point, shown, Quality.UNCERTAIN, null)
            : sample(point, shown);
      } catch (DateTimeException impossible) {
        return sample(point, (Value) null);
      }
    }

    private LocalDateTime local(byte[] row) {
      int[] n = new int[7];
      switch (TimeForm.this) {
        case BYTES6, BCD6 -> {
          for (int i = 0; i < 6; i++) {
            n[i] = TimeForm.this == BCD6 ? digits(row[i]) : row[i] & 0xFF;
          }
        }
        case IEC4 -> {
          int millis = register(row, 3);
          n[0] = row[1] & 0x7F;
          n[1] = row[2] & 0xF;
          n[2] = row[3] & 0x1F;
          n[3] = row[4] & 0x1F;
          n[4] = row[5] & 0x3F;
          n[5] = millis / 1000;
          n[6] = millis % 1000;
        }
        default -> {
          for (int i = 0; i < count; i++) {
            n[i] = register(row, i);
          }
        }
      }
      boolean ofCentury = n[0] < (TimeForm.this == IEC4 ? 128 : 100);
      if (!ofCentury && (n[0] < 1970 || n[0] > 9999)) {
        throw new DateTimeException("year " + n[0]);
      }
      return LocalDateTime.of(
          ofCentury ? 2000 + n[0] : n[0], n[1], n[2], n[3], n[4], n[5], n[6] * 1_000_000);
    }

    private static int register(byte[] row, int i) {
      return (row[2 * i] & 0xFF) << 8 | row[2 * i + 1] & 0xFF;
    }

    private static int digits(byte bcd) {
      int tens = bcd >> 4 & 0xF;
      int ones = bcd & 0xF;
      if (tens > 9 || ones > 9) {
        throw new DateTimeException("no digits");
      }
      return 10 * tens + ones;
    }

    @Override
    byte[] row(Value value, int length) {
      Instant moment = moment(value);
      if (moment == null) {
        return null;
      }
      LocalDateTime local = LocalDateTime.ofInstant(moment, zone);
      int year = local.getYear() - 2000;
      int millis = local.getNano() / 1_000_000;
      int[] n = {
        year,
        local.getMonthValue(),
        local.getDayOfMonth(),
        local.getHour(),
        local.getMinute(),
        local.getSecond(),
        millis
      };
      byte[] row = new byte[length];
      switch (TimeForm.this) {
        case BYTES6, BCD6 -> {
          for (int i = 0; i < 6; i++) {
            row[i] = (byte) (TimeForm.this == BCD6 ? n[i] / 10 << 4 | n[i] % 10 : n[i]);
          }
        }
        case IEC4 -> {
          int rest = 1000 * n[5] + millis;
          row[1] = (byte) year;
          row[2] = (byte) n[1];
          row[3] = (byte) n[2];
          row[4] = (byte) n[3];
          row[5] = (byte) n[4];
          row[6] = (byte) (rest >> 8);
          row[7] = (byte) rest;
        }
        default -> {
          n[0] = local.getYear();
          for (int i = 0; i < count; i++) {
            row[2 * i] = (byte) (n[i] >> 8);
            row[2 * i + 1] = (byte) n[i];
          }
        }
      }
      // A year that its place doesn't hold comes back as another, and is refused by that.
      return row;
    }
  }
}
