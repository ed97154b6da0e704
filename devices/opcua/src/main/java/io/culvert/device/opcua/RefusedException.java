package io.culvert.device.opcua;

import java.io.IOException;

/**
 * A server, its certificate or its endpoints aren't what the site asks for; the message says what
 * was found and what to do.
 */
class RefusedException extends IOException {
  private static final long serialVersionUID = 1;

  private final long status;

  /**
   * @param status in the words of OPC 10000-4, 7.38
   */
  RefusedException(long status, String message) {
    super(message);
    this.status = status;
  }

  long status() {
    return status;
  }
}
