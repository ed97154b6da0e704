package io.culvert.core.normalise;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Grade;
import io.culvert.api.Point;
import io.culvert.api.StreamClass;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Profile;
import io.culvert.core.model.Site;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;

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

  static PointModel ranged(PointModel model, Double min, Double max) {
    return new PointModel(
        model.point(),
        model.scale(),
        model.offset(),
        model.unit(),
        min,
        max,
        model.streamClass(),
        model.grade(),
        model.deadband());
  }

  static PointModel banded(PointModel model, double absolute, Duration heartbeat) {
    return new PointModel(
        model.point(),
        model.scale(),
        model.offset(),
        model.unit(),
        model.min(),
        model.max(),
        model.streamClass(),
        model.grade(),
        new PointModel.Deadband(absolute, heartbeat));
  }

  static PointModel access(PointModel model, Access access) {
    Point point = model.point();
    return new PointModel(
        new Point(point.id(), point.address(), point.type(), access),
        model.scale(),
        model.offset(),
        model.unit(),
        model.min(),
        model.max(),
        model.streamClass(),
        model.grade(),
        model.deadband());
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
