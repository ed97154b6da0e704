package io.culvert.device.modbus;

import java.io.IOException;

/** Something came that is not an answer to what was asked. The link itself is well. */
final class GarbledException extends IOException {
  GarbledException(String message) {
    super(message);
  }

  @Override
  public synchronized Throwable fillInStackTrace() {
    return this;
  }
}
