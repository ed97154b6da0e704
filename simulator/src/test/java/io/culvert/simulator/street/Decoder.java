package io.culvert.simulator.street;

import io.culvert.simulator.street.Profile.PointSpec;
import io.culvert.simulator.street.Profile.Type;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Map;

/** Decodes tables by a profile, as an honest gateway would. */
public final class Decoder {
  private final Profile profile;

  public Decoder(Profile profile) {
    this.profile = profile;
  }

  /** A decoded point. */
  public record Decoded(PointTruth policy, Object value, double number) {
    public String quality() {
      return policy.inRange(number) ? "Good" : "UncertainEngineeringUnitsExceeded";
    }
  }

  /** Tables that the profile reads, with their lowest address and size. */
  public Map<Table, int[]> blocks() {
    Map<Table, int[]> blocks = new LinkedHashMap<>();
    for (PointSpec point : profile.points()) {
      if (point.readable()) {
        int last = point.address() + (point.table().bits() ? 1 : point.type().registers) - 1;
        int[] span = blocks.computeIfAbsent(point.table(), t -> new int[] {point.address(), last});
        span[0] = Math.min(span[0], point.address());
        span[1] = Math.max(span[1], last);
      }
    }
    blocks.replaceAll((table, span) -> new int[] {span[0], span[1] - span[0] + 1});
    return blocks;
  }

  public Map<String, Decoded> decode(Table table, int first, int[] cells) {
    Image image = new Image(first, cells.length);
    for (int i = 0; i < cells.length; i++) {
      image.put(first + i, cells[i]);
    }
    Map<String, Decoded> decoded = new LinkedHashMap<>();
    for (PointSpec point : profile.points()) {
      if (point.readable() && point.table() == table) {
        decoded.put(point.id(), decode(point, image));
      }
    }
    return decoded;
  }

  private static Decoded decode(PointSpec point, Image image) {
    if (point.type() == Type.BOOL) {
      int cell = image.get(point.address());
      boolean on = point.form().bit() < 0 ? cell != 0 : (cell >> point.form().bit() & 1) == 1;
      return new Decoded(point.truth(), on, on ? 1 : 0);
    }
    long bits = image.getOrdered(point.address(), point.type().registers, point.order());
    double raw =
        switch (point.type()) {
          case INT16 -> (short) bits;
          case INT32 -> (int) bits;
          case FLOAT32 -> Float.intBitsToFloat((int) bits);
          case FLOAT64 -> Double.longBitsToDouble(bits);
          default -> bits;
        };
    double own =
        BigDecimal.valueOf(raw)
            .multiply(BigDecimal.valueOf(point.scale()))
            .add(BigDecimal.valueOf(point.offset()))
            .doubleValue();
    double value = Ucum.convert(own, point.deviceUnit(), point.truth().unit());
    return new Decoded(point.truth(), value, value);
  }
}
