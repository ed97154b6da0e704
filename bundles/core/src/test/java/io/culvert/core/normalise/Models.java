package io.culvert.core.normalise;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Grade;
import io.culvert.api.Point;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Profile;
import io.culvert.core.model.Site;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Models for tests: a device with points as each test needs them. */
final class Models {
  private Models() {}

  static PointModel point(String id, DataType type, String scale, String offset) {
    return new PointModel(
        new Point(id, "holding:0", type, Access.READ_WRITE),
        new BigDecimal(scale),
        new BigDecimal(offset),
        "m",
        null,
        null,
        StreamClass.TELEMETRY,
        Grade.IMPORTANT,
        null);
  }

  static PointModel ranged(PointModel m, Double min, Double max) {
    return copy(m, m.point(), m.notAvailable(), m.counter(), m.factor(), min, max, m.deadband());
  }

  static PointModel banded(PointModel m, double absolute, Duration heartbeat) {
    PointModel.Deadband band = new PointModel.Deadband(absolute, heartbeat);
    return copy(m, m.point(), m.notAvailable(), m.counter(), m.factor(), m.min(), m.max(), band);
  }

  static PointModel access(PointModel m, Access access) {
    Point point = new Point(m.point().id(), m.point().address(), m.point().type(), access);
    return copy(
        m, point, m.notAvailable(), m.counter(), m.factor(), m.min(), m.max(), m.deadband());
  }

  /** Says by which raw values the device tells that it has none. */
  static PointModel without(PointModel m, Value... codes) {
    return copy(
        m, m.point(), Set.of(codes), m.counter(), m.factor(), m.min(), m.max(), m.deadband());
  }

  static PointModel counter(PointModel m, long modulus, Long maxStep) {
    PointModel.Counter counter = new PointModel.Counter(modulus, maxStep);
    return copy(
        m, m.point(), m.notAvailable(), counter, m.factor(), m.min(), m.max(), m.deadband());
  }

  static PointModel scaledBy(PointModel m, boolean exponent, String... points) {
    PointModel.Factor factor = new PointModel.Factor(List.of(points), exponent);
    return copy(
        m, m.point(), m.notAvailable(), m.counter(), factor, m.min(), m.max(), m.deadband());
  }

  private static PointModel copy(
      PointModel m,
      Point point,
      Set<Value> notAvailable,
      PointModel.Counter counter,
      PointModel.Factor factor,
      Double min,
      Double max,
      PointModel.Deadband deadband) {
    return new PointModel(
        point,
        m.interval(),
        notAvailable,
        counter,
        m.scale(),
        factor,
        m.offset(),
        m.unit(),
        min,
        max,
        m.streamClass(),
        m.grade(),
        deadband);
  }

  static Site.Entry device(PointModel... points) {
    return new Site.Entry(
        new Device("d", "p", URI.create("test:d"), Map.of()),
        new Profile("p", "test", Duration.ofSeconds(1), Map.of(), List.of(points)),
        Duration.ofSeconds(1),
        Duration.ofSeconds(2),
        "");
  }
}
