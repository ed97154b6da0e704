package io.culvert.buffer;

/** Stored bytes that are not what was written. */
final class DamagedException extends Exception {
  DamagedException(String message) {
    super(message);
  }

  DamagedException(String message, Throwable cause) {
    super(message, cause);
  }
}
