package io.culvert.device.modbus;

import io.culvert.api.southbound.Driver;
import io.culvert.serial.SharedLines;
import io.culvert.testkit.DriverContract;
import io.culvert.testkit.Peer;
import io.culvert.testkit.SerialBus;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;

/** The contract of all drivers, over every transport but plain TCP. */
class SerialContractTest {
  private static final String LINE = "?baud=9600&data=8&parity=none&stop=1&unit=";

  /** On a serial line: what goes away is the adapter, with its slave. */
  abstract static class OnALine extends DriverContract {
    @TempDir Path folder;
    private SharedLines lines;

    @Override
    protected Driver activate() {
      lines = new SharedLines();
      return new ModbusSerialDriver(lines);
    }

    @Override
    protected void deactivate(Driver driver) {
      ((ModbusSerialDriver) driver).deactivate();
      lines.close();
    }
  }

  /** Over TCP to a gateway that passes the frames of a serial line on. */
  abstract static class OverTcp extends DriverContract {
    @TempDir Path folder;

    @Override
    protected Driver activate() {
      return new ModbusTcpDriver();
    }

    @Override
    protected void deactivate(Driver driver) {
      ((ModbusTcpDriver) driver).deactivate();
    }
  }

  @Nested
  class RtuOnLibmodbus extends OnALine {
    @Override
    protected Peer peer() throws Exception {
      SerialBus bus = new SerialBus(Files.createTempDirectory(folder, "line"));
      bus.plug("gateway");
      SlaveProcess slave = SlaveProcess.libmodbus(bus.plug("slave"), 3);
      String endpoint = "modbus-rtu://" + bus.file("gateway") + LINE;
      return SerialPeer.libmodbus(
          endpoint, "gateway", slave, bus, () -> bus.unplug("gateway"), () -> bus.plug("gateway"));
    }
  }

  @Nested
  class AsciiOnPymodbus extends OnALine {
    @Override
    protected Peer peer() throws Exception {
      SerialBus bus = new SerialBus(Files.createTempDirectory(folder, "line"));
      bus.plug("gateway");
      SlaveProcess slave = SlaveProcess.pymodbus(bus.plug("slave"), "ascii");
      String endpoint = "modbus-ascii://" + bus.file("gateway") + LINE;
      return SerialPeer.pymodbus(
          endpoint, "gateway", slave, bus, () -> bus.unplug("gateway"), () -> bus.plug("gateway"));
    }
  }

  /** What goes away is the slave alone; the line stays. */
  @Nested
  class RtuWhoseSlaveDies extends OnALine {
    @Override
    protected Peer peer() throws Exception {
      SerialBus bus = new SerialBus(Files.createTempDirectory(folder, "line"));
      bus.plug("gateway");
      SlaveProcess slave = SlaveProcess.libmodbus(bus.plug("slave"), 3);
      String endpoint = "modbus-rtu://" + bus.file("gateway") + LINE;
      return SerialPeer.libmodbus(endpoint, null, slave, bus, slave::stop, slave::start);
    }
  }

  @Nested
  class RtuOverTcp extends OverTcp {
    @Override
    protected Peer peer() throws Exception {
      SerialBus bus = new SerialBus(Files.createTempDirectory(folder, "line"));
      SlaveProcess slave = SlaveProcess.libmodbus(bus.plug("slave"), 3);
      LineGateway gateway = new LineGateway(bus);
      String endpoint = "modbus-rtu-tcp://127.0.0.1:" + gateway.port() + "?unit=";
      return SerialPeer.libmodbus(endpoint, null, slave, bus, gateway::stop, gateway::start);
    }
  }

  @Nested
  class AsciiOverTcp extends OverTcp {
    @Override
    protected Peer peer() throws Exception {
      SerialBus bus = new SerialBus(Files.createTempDirectory(folder, "line"));
      SlaveProcess slave = SlaveProcess.pymodbus(bus.plug("slave"), "ascii");
      LineGateway gateway = new LineGateway(bus);
      String endpoint = "modbus-ascii-tcp://127.0.0.1:" + gateway.port() + "?unit=";
      return SerialPeer.pymodbus(endpoint, null, slave, bus, gateway::stop, gateway::start);
    }
  }
}
