package io.culvert.device.opcua;

import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.time.Instant;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;

/** From OPC UA's values to samples. */
final class Values {
  private Values() {}

  static Sample sample(Point point, DataValue value) {
    Quality quality = new Quality((int) value.getStatusCode().getValue());
    DateTime time = value.getSourceTime() != null ? value.getSourceTime() : value.getServerTime();
    Instant deviceTime = time == null ? null : time.getJavaInstant();
    Value plain = plain(value.getValue().getValue());
    if (plain == null && !quality.bad()) {
      quality = Quality.BAD_TYPE_MISMATCH;
    }
    return new Sample(point.id(), plain, quality, deviceTime);
  }

  private static Value plain(Object value) {
    if (value instanceof Boolean truth) {
      return Value.of(truth.booleanValue());
    }
    if (value instanceof Float || value instanceof Double) {
      return Value.of(((Number) value).doubleValue());
    }
    if (value instanceof Number number) {
      return Value.of(number.longValue());
    }
    return value instanceof String text ? Value.of(text) : null;
  }
}
