package io.culvert.device.modbus;

import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A {@link SlaveProcess} for all tests of a class, and a new driver for each. */
final class Slave
    implements BeforeAllCallback, AfterAllCallback, BeforeEachCallback, AfterEachCallback {
  private final Start start;
  private SlaveProcess process;
  private Talk talk;

  /** Starts the process. */
  interface Start {
    SlaveProcess now() throws Exception;
  }

  Slave(Start start) {
    this.start = start;
  }

  int port() {
    return process.port();
  }

  /** The driver in use. */
  Talk talk() {
    return talk;
  }

  @Override
  public void beforeAll(ExtensionContext context) throws Exception {
    process = start.now();
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    talk = new Talk(process.port());
  }

  @Override
  public void afterEach(ExtensionContext context) {
    talk.close();
  }

  @Override
  public void afterAll(ExtensionContext context) throws Exception {
    process.close();
  }
}
