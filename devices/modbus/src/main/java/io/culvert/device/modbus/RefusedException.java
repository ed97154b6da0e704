package io.culvert.device.modbus;

import java.io.IOException;

/**
 * The answer was an exception response. Says nothing of where it was thrown, since it is no fault
 * of this program: so it has no stack trace, which a device that refuses much would pay for.
 */
final class RefusedException extends IOException {
  private final Refusal refusal;

  RefusedException(Refusal refusal) {
    super(refusal.toString());
    this.refusal = refusal;
  }

  Refusal refusal() {
    return refusal;
  }

  @Override
  public synchronized Throwable fillInStackTrace() {
    return this;
  }
}
