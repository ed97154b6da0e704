package io.culvert.plugins.hosting;

import io.culvert.api.southbound.Sink;
import io.culvert.plugins.hosting.Cbor.Malformed;
import java.time.Instant;

/**
 * Readings of one point that the device had and can't give any more, on their way to the gateway.
 *
 * @param readings how many, 1 or more
 */
record Missing(String point, Instant from, Instant to, long readings, String why) {
  /** More than any queue holds, so that sums of them stay numbers. */
  static final long MOST = 1L << 40;

  /** How many are told in one call. */
  static final int AT_ONCE = 500;

  Missing and(Missing other) {
    return new Missing(
        point,
        from.isBefore(other.from) ? from : other.from,
        to.isAfter(other.to) ? to : other.to,
        Math.min(MOST, readings + other.readings),
        other.why);
  }

  void tell(Sink sink) {
    sink.missing(point, from, to, readings, why);
  }

  static void write(Cbor.Writer out, Missing missing) {
    out.text(missing.point);
    Codec.instant(out, missing.from);
    Codec.instant(out, missing.to);
    out.integer(missing.readings).text(missing.why);
  }

  static Missing read(Cbor.Reader in) throws Malformed {
    String point = in.text();
    Instant from = Codec.instant(in);
    Instant to = Codec.instant(in);
    if (from == null || to == null) {
      throw new Malformed("a span without an end");
    }
    return new Missing(point, from, to, in.integer(), Words.shortened(in.text()));
  }
}
