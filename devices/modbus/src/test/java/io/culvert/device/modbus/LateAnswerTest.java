package io.culvert.device.modbus;

import static io.culvert.api.DataType.UINT16;
import static io.culvert.device.modbus.HostileSlave.bytes;
import static io.culvert.device.modbus.Talk.answer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.api.Device;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Readable;
import io.culvert.testkit.RecordingSink;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A gateway to a serial line passes on what a unit answers to whoever is connected by then. */
@Timeout(60)
class LateAnswerTest {
  private static final int REQUEST = 8;

  @Test
  void theAnswerToARequestOfTheLastConnectionIsNotTakenForThatOfThisOne() throws Exception {
    ModbusTcpDriver driver = new ModbusTcpDriver();
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String endpoint = "modbus-rtu-tcp://127.0.0.1:" + server.getLocalPort() + "?unit=1";
      Device device = new Device("d", "p", URI.create(endpoint), Map.of());
      Readable connection = (Readable) answer(driver.open(device, new RecordingSink()));
      Readable.Plan plan = connection.prepare(List.of(Talk.point("holding:7", UINT16)));
      try (Socket first = server.accept()) {
        CompletionStage<List<Sample>> lost = plan.read();
        assertThat(first.getInputStream().readNBytes(REQUEST)).hasSize(REQUEST);
        first.close();
        assertThatThrownBy(() -> answer(lost)).cause().isInstanceOf(IOException.class);
      }
      CompletableFuture<List<Sample>> reading = plan.read().toCompletableFuture();
      try (Socket second = server.accept()) {
        second.getOutputStream().write(holding(1));
        assertThat(second.getInputStream().readNBytes(REQUEST)).hasSize(REQUEST);
        second.getOutputStream().write(holding(2));
        assertThat(reading.get(20, TimeUnit.SECONDS))
            .containsExactly(Sample.good("holding:7", Value.of(2L)));
      }
    } finally {
      driver.deactivate();
    }
  }

  @Test
  void theAnswerToARequestOfALinkThatWasClosedIsNotTakenForThatOfTheNext() throws Exception {
    ModbusTcpDriver driver = new ModbusTcpDriver();
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String endpoint = "modbus-rtu-tcp://127.0.0.1:" + server.getLocalPort() + "?unit=1";
      Device device = new Device("d", "p", URI.create(endpoint), Map.of());
      Connection closed = answer(driver.open(device, new RecordingSink()));
      try (Socket first = server.accept()) {
        CompletionStage<List<Sample>> lost =
            ((Readable) closed).prepare(List.of(Talk.point("holding:7", UINT16))).read();
        assertThat(first.getInputStream().readNBytes(REQUEST)).hasSize(REQUEST);
        closed.close();
        assertThatThrownBy(() -> answer(lost)).cause().isInstanceOf(IOException.class);
      }
      Readable next = (Readable) answer(driver.open(device, new RecordingSink()));
      CompletableFuture<List<Sample>> reading =
          next.prepare(List.of(Talk.point("holding:7", UINT16))).read().toCompletableFuture();
      try (Socket second = server.accept()) {
        second.getOutputStream().write(holding(1));
        assertThat(second.getInputStream().readNBytes(REQUEST)).hasSize(REQUEST);
        second.getOutputStream().write(holding(2));
        assertThat(reading.get(20, TimeUnit.SECONDS))
            .containsExactly(Sample.good("holding:7", Value.of(2L)));
      }
    } finally {
      driver.deactivate();
    }
  }

  private static byte[] holding(int value) {
    return new RtuFraming(null).frame(0, 1, bytes(3, 2, 0, value));
  }
}
