package io.culvert.api;

/** What may be done with a point. */
public enum Access {
  READ,
  WRITE,
  READ_WRITE;

  public boolean readable() {
    return this != WRITE;
  }

  public boolean writable() {
    return this != READ;
  }
}
