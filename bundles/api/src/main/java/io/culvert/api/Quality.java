package io.culvert.api;

import java.util.Map;

/**
 * How far a value can be trusted, as a status code of OPC UA (OPC 10000-4, 7.39; numbers in OPC
 * 10000-6, A.2). The two highest bits are the {@linkplain Level level}; a device's own code passes
 * through whole.
 *
 * @param code the 32 bits of the status code
 */
public record Quality(int code) {

  /** The part of a quality that a rule or a person acts on. */
  public enum Level {
    GOOD,
    UNCERTAIN,
    BAD
  }

  public static final Quality GOOD = new Quality(0);

  /** The first value of a running total whose history isn't known. */
  public static final Quality UNCERTAIN_INITIAL_VALUE = new Quality(0x40920000);

  /** Computed from fewer values than it takes to be sure. */
  public static final Quality UNCERTAIN_TOO_FEW_VALUES = new Quality(0x40A40000);

  /** The value lies outside the range that the profile states. */
  public static final Quality UNCERTAIN_OUT_OF_RANGE = new Quality(0x40940000);

  /** The device says itself that the value is doubtful. */
  public static final Quality UNCERTAIN = new Quality(0x40000000);

  public static final Quality BAD = new Quality(0x80000000);

  /** Something arrived that isn't an answer to what was asked. */
  public static final Quality BAD_COMMUNICATION = new Quality(0x80050000);

  /** No answer before the deadline. */
  public static final Quality BAD_TIMEOUT = new Quality(0x800A0000);

  /** The device, or the way to it, isn't there. */
  public static final Quality BAD_NO_COMMUNICATION = new Quality(0x80310000);

  /** What the value depends on hasn't been read yet. */
  public static final Quality BAD_WAITING = new Quality(0x80320000);

  /** The device refuses reading. */
  public static final Quality BAD_NOT_READABLE = new Quality(0x803A0000);

  /** The device, the profile or a role refuses writing. */
  public static final Quality BAD_NOT_WRITABLE = new Quality(0x803B0000);

  /** The device refuses the value, or it lies outside what may be written. */
  public static final Quality BAD_OUT_OF_RANGE = new Quality(0x803C0000);

  /** The device has no such function. */
  public static final Quality BAD_NOT_SUPPORTED = new Quality(0x803D0000);

  /** The device has no such address. */
  public static final Quality BAD_NOT_FOUND = new Quality(0x803E0000);

  /** Value and point are of different types. */
  public static final Quality BAD_TYPE_MISMATCH = new Quality(0x80740000);

  /** Profile and device do not fit each other. */
  public static final Quality BAD_CONFIGURATION = new Quality(0x80890000);

  /** No link at the moment. */
  public static final Quality BAD_NOT_CONNECTED = new Quality(0x808A0000);

  /** The device reports its own failure. */
  public static final Quality BAD_DEVICE_FAILURE = new Quality(0x808B0000);

  /** The device reports a failed sensor. */
  public static final Quality BAD_SENSOR_FAILURE = new Quality(0x808C0000);

  /** Switched off or under maintenance. */
  public static final Quality BAD_OUT_OF_SERVICE = new Quality(0x808D0000);

  /** The device answers, and says that it has no value. */
  public static final Quality BAD_NO_DATA = new Quality(0x809B0000);

  /** The device is busy; it may answer later. */
  public static final Quality BAD_BUSY = new Quality(0x80EE0000);

  private static final Map<Integer, String> SYMBOLS =
      Map.ofEntries(
          Map.entry(0, "Good"),
          Map.entry(0x40000000, "Uncertain"),
          Map.entry(0x40920000, "UncertainInitialValue"),
          Map.entry(0x40A40000, "UncertainDataSubNormal"),
          Map.entry(0x40940000, "UncertainEngineeringUnitsExceeded"),
          Map.entry(0x80000000, "Bad"),
          Map.entry(0x80050000, "BadCommunicationError"),
          Map.entry(0x800A0000, "BadTimeout"),
          Map.entry(0x80310000, "BadNoCommunication"),
          Map.entry(0x80320000, "BadWaitingForInitialData"),
          Map.entry(0x803A0000, "BadNotReadable"),
          Map.entry(0x803B0000, "BadNotWritable"),
          Map.entry(0x803C0000, "BadOutOfRange"),
          Map.entry(0x803D0000, "BadNotSupported"),
          Map.entry(0x803E0000, "BadNotFound"),
          Map.entry(0x80740000, "BadTypeMismatch"),
          Map.entry(0x80890000, "BadConfigurationError"),
          Map.entry(0x808A0000, "BadNotConnected"),
          Map.entry(0x808B0000, "BadDeviceFailure"),
          Map.entry(0x808C0000, "BadSensorFailure"),
          Map.entry(0x808D0000, "BadOutOfService"),
          Map.entry(0x809B0000, "BadNoData"),
          Map.entry(0x80EE0000, "BadResourceUnavailable"));

  public Level level() {
    return switch (code >>> 30) {
      case 0 -> Level.GOOD;
      case 1 -> Level.UNCERTAIN;
      default -> Level.BAD;
    };
  }

  public boolean good() {
    return level() == Level.GOOD;
  }

  public boolean bad() {
    return level() == Level.BAD;
  }

  /** The worse of two: bad before uncertain before good; of equal levels, this one. */
  public Quality worst(Quality other) {
    return other.level().ordinal() > level().ordinal() ? other : this;
  }

  /** OPC UA's name of the code, or the level and the code in hexadecimal where it has none here. */
  @Override
  public String toString() {
    String symbol = SYMBOLS.get(code);
    if (symbol != null) {
      return symbol;
    }
    String level =
        switch (level()) {
          case GOOD -> "Good";
          case UNCERTAIN -> "Uncertain";
          case BAD -> "Bad";
        };
    return level + String.format("(0x%08X)", code);
  }
}
