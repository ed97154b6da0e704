package io.culvert.device.opcua;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Sink;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.osgi.service.component.annotations.Component;

/** OPC UA over TCP: {@code opc.tcp://host:port/path}. */
@Component(service = Driver.class, property = Driver.SCHEME + "=opc.tcp")
public final class OpcUaDriver implements Driver {

  @Override
  public List<Problem> validate(Device device, List<Point> points) {
    return List.of();
  }

  @Override
  public String lane(Device device) {
    return "opc.tcp:" + device.endpoint().getAuthority();
  }

  @Override
  public CompletionStage<Connection> open(Device device, Sink sink) {
    return CompletableFuture.failedStage(new IOException(OpcUaClient.SDK_VERSION));
  }
}
