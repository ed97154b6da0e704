package io.culvert.device.modbus;

import io.culvert.api.Quality;

/**
 * An exception response (Application Protocol V1.1b3, 7): the device, or a gateway before it,
 * answered, but refused.
 *
 * @param code exception code, 0 to 255
 */
record Refusal(int code) {
  private static final int ILLEGAL_FUNCTION = 0x01;
  private static final int ILLEGAL_DATA_ADDRESS = 0x02;
  private static final int ILLEGAL_DATA_VALUE = 0x03;
  private static final int SERVER_DEVICE_FAILURE = 0x04;
  private static final int ACKNOWLEDGE = 0x05;
  private static final int SERVER_DEVICE_BUSY = 0x06;
  private static final int MEMORY_PARITY_ERROR = 0x08;
  private static final int GATEWAY_PATH_UNAVAILABLE = 0x0A;
  private static final int GATEWAY_TARGET_FAILED_TO_RESPOND = 0x0B;

  /**
   * What it says of a point, by the table of codes in V1.1b3, 7. An acknowledgement (05) announces
   * a result later, which no read or write here waits for: the device is busy. A code that the
   * specification doesn't know is bad without a reason.
   */
  Quality quality() {
    return switch (code) {
      case ILLEGAL_FUNCTION -> Quality.BAD_NOT_SUPPORTED;
      case ILLEGAL_DATA_ADDRESS -> Quality.BAD_NOT_FOUND;
      case ILLEGAL_DATA_VALUE -> Quality.BAD_OUT_OF_RANGE;
      case SERVER_DEVICE_FAILURE, MEMORY_PARITY_ERROR -> Quality.BAD_DEVICE_FAILURE;
      case ACKNOWLEDGE, SERVER_DEVICE_BUSY -> Quality.BAD_BUSY;
      case GATEWAY_PATH_UNAVAILABLE, GATEWAY_TARGET_FAILED_TO_RESPOND ->
          Quality.BAD_NO_COMMUNICATION;
      default -> Quality.BAD;
    };
  }

  /** Whether it comes from a gateway that couldn't reach the unit: the device itself is silent. */
  boolean unitUnreachable() {
    return code == GATEWAY_PATH_UNAVAILABLE || code == GATEWAY_TARGET_FAILED_TO_RESPOND;
  }

  /** Whether it may be due to one entry among those asked for (V1.1b3, 6.1 to 6.4). */
  boolean concernsRange() {
    return code == ILLEGAL_DATA_ADDRESS || code == ILLEGAL_DATA_VALUE;
  }

  /** Whether the device doesn't know the function at all. */
  boolean functionUnknown() {
    return code == ILLEGAL_FUNCTION;
  }

  /** Whether the same request would be refused again, as far as one can tell. */
  boolean lasting() {
    return functionUnknown() || concernsRange();
  }

  @Override
  public String toString() {
    String meaning =
        switch (code) {
          case ILLEGAL_FUNCTION -> "illegal function";
          case ILLEGAL_DATA_ADDRESS -> "illegal data address";
          case ILLEGAL_DATA_VALUE -> "illegal data value";
          case SERVER_DEVICE_FAILURE -> "server device failure";
          case ACKNOWLEDGE -> "acknowledge";
          case SERVER_DEVICE_BUSY -> "server device busy";
          case MEMORY_PARITY_ERROR -> "memory parity error";
          case GATEWAY_PATH_UNAVAILABLE -> "gateway path unavailable";
          case GATEWAY_TARGET_FAILED_TO_RESPOND -> "gateway target device failed to respond";
          default -> "not in the specification";
        };
    return String.format("exception %02X (%s)", code, meaning);
  }
}
