package io.culvert.device.modbus;

import io.culvert.api.southbound.Driver;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/**
 * Modbus over TCP connections: {@code modbus-tcp://host:port?unit=N}, and the frames of serial
 * lines as simple gateways pass them on, {@code modbus-rtu-tcp} and {@code modbus-ascii-tcp}.
 *
 * <p>Units behind one address share one connection and, unless they name lines, one lane.
 *
 * <p>All threads are the component's own, at most {@value #LOOPS} for I/O and {@value #NAMES} that
 * look up host names and end when idle. All end with it.
 */
@Component(
    service = Driver.class,
    property = {
      Driver.SCHEME + "=modbus-tcp",
      Driver.SCHEME + "=modbus-rtu-tcp",
      Driver.SCHEME + "=modbus-ascii-tcp",
      Driver.MATCHER + "=modbus-tcp: " + Transport.MBAP_MATCHER,
      Driver.MATCHER + "=modbus-rtu-tcp: " + Transport.RTU_MATCHER,
      Driver.MATCHER + "=modbus-ascii-tcp: " + Transport.ASCII_MATCHER
    })
public final class ModbusTcpDriver extends ModbusDriver {
  private static final int LOOPS = 2;
  private static final int NAMES = 4;

  /**
   * Look-ups that wait; further attempts fail. The core gives up on an attempt long before a name
   * server that hangs does, so they would gather for as long as it hangs.
   */
  private static final int MAX_LOOKUPS = 1000;

  private final ThreadPoolExecutor names = names();

  @Activate
  public ModbusTcpDriver() {
    this(System::nanoTime);
  }

  ModbusTcpDriver(LongSupplier nanos) {
    super(LOOPS, "modbus", nanos);
  }

  static ThreadPoolExecutor names() {
    ThreadPoolExecutor names =
        new ThreadPoolExecutor(
            NAMES,
            NAMES,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MAX_LOOKUPS),
            new DefaultThreadFactory("modbus-names", true));
    names.allowCoreThreadTimeOut(true);
    return names;
  }

  @Override
  Wire wire(Endpoint endpoint, EventLoop loop, Wire.Listener listener) {
    return new TcpWire((Endpoint.Tcp) endpoint, loop, names, listener);
  }

  @Deactivate
  void deactivate() {
    names.shutdownNow();
    end();
  }
}
