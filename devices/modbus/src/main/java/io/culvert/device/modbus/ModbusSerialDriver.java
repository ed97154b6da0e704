package io.culvert.device.modbus;

import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.SerialLines;
import io.netty.channel.EventLoop;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * Modbus on serial lines: {@code modbus-rtu:///dev/ttyS1?unit=N} and {@code modbus-ascii}. A
 * component of its own, so that a gateway without the service of serial lines does all the rest.
 *
 * <p>One thread, which starts with the first line that is opened and ends with the component.
 */
@Component(
    service = Driver.class,
    property = {
      Driver.SCHEME + "=modbus-rtu",
      Driver.SCHEME + "=modbus-ascii",
      Driver.MATCHER + "=modbus-rtu: " + Transport.RTU_MATCHER,
      Driver.MATCHER + "=modbus-ascii: " + Transport.ASCII_MATCHER
    })
public final class ModbusSerialDriver extends ModbusDriver {
  private final SerialLines lines;

  @Activate
  public ModbusSerialDriver(@Reference SerialLines lines) {
    super(1, "modbus-serial", System::nanoTime);
    this.lines = lines;
  }

  @Override
  Wire wire(Endpoint endpoint, EventLoop loop, Wire.Listener listener) {
    return new SerialWire(lines, (Endpoint.Serial) endpoint, loop, listener);
  }

  @Deactivate
  void deactivate() {
    end();
  }
}
