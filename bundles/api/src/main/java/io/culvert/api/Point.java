package io.culvert.api;

import java.util.Objects;

/**
 * One value that a device holds, as its driver addresses it.
 *
 * @param id unique within the device; {@code [a-z][a-z0-9_]*}
 * @param address in the protocol's own terms, for example {@code holding:100} for Modbus
 * @param type as the device holds it
 * @param access whether it can be read, written or both
 */
public record Point(String id, String address, DataType type, Access access) {
  public Point {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(address, "address");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(access, "access");
  }
}
