package ${package};

import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Sink;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.channels.AsynchronousChannelGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/**
 * Controllers at {@code ${scheme}://192.168.3.40:4700}; a point's address is its number on the
 * controller, 0 to 255.
 */
@Component(
    property = {
      Driver.SCHEME + "=${scheme}",
      // How frames look, so that a recording of a device can stand for it (culvert record).
      Driver.MATCHER
          + "=${scheme}: frame=length begin=A5 at=1 size=1 add=4 echo=2 check=crc16-modbus"
    })
public final class ${prefix}Driver implements Driver {
  private static final Pattern IP =
      Pattern.compile("([0-9]{1,3})\\.([0-9]{1,3})\\.([0-9]{1,3})\\.([0-9]{1,3})");
  private static final Set<DataType> TYPES = Set.of(DataType.BOOL, DataType.INT16, DataType.UINT16);

  /** The thread that hears of all connections; ends with the driver. */
  private final AsynchronousChannelGroup group;

  /** Called when the plug-in starts. */
  @Activate
  public ${prefix}Driver() throws IOException {
    group =
        AsynchronousChannelGroup.withFixedThreadPool(1, task -> new Thread(task, "${scheme}-driver"));
  }

  /** Called when the plug-in stops: nothing may be left behind. */
  @Deactivate
  public void stop() throws IOException {
    group.shutdownNow();
  }

  @Override
  public List<Problem> validate(Device device, List<Point> points) {
    List<Problem> problems = new ArrayList<>();
    if (socket(device.endpoint()) == null || device.endpoint().getRawQuery() != null) {
      problems.add(
          new Problem(
              "endpoint",
              device.endpoint().toString(),
              "IP address and port of the controller, such as ${scheme}://192.168.3.40:4700"));
    }
    for (String setting : device.settings().keySet()) {
      problems.add(new Problem("settings." + setting, setting, "no setting: there are none"));
    }
    for (Point point : points) {
      if (address(point) < 0) {
        problems.add(new Problem("points." + point.id() + ".address", point.address(), "0 to 255"));
      }
      if (!TYPES.contains(point.type())) {
        problems.add(
            new Problem(
                "points." + point.id() + ".type", point.type().name(), "bool, int16 or uint16"));
      }
    }
    return problems;
  }

  /** A point's number on the controller; -1 if the profile names none. */
  static int address(Point point) {
    return byteOf(point.address());
  }

  private static int byteOf(String text) {
    int number = text.matches("[0-9]{1,3}") ? Integer.parseInt(text) : 256;
    return number < 256 ? number : -1;
  }

  /** Where to connect to; {@code null} if the endpoint doesn't say. No name: a look-up blocks. */
  private static InetSocketAddress socket(URI endpoint) {
    Matcher ip = IP.matcher(endpoint.getHost() == null ? "" : endpoint.getHost());
    int port = endpoint.getPort();
    if (!ip.matches() || port < 1 || port > 65535) {
      return null;
    }
    byte[] bytes = new byte[4];
    for (int i = 0; i < 4; i++) {
      int part = byteOf(ip.group(i + 1));
      if (part < 0) {
        return null;
      }
      bytes[i] = (byte) part;
    }
    try {
      return new InetSocketAddress(InetAddress.getByAddress(bytes), port);
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public String lane(Device device) {
    // What can carry one exchange at a time; devices that share it take turns.
    return "tcp:" + device.endpoint().getAuthority();
  }

  @Override
  public CompletionStage<Connection> open(Device device, Sink sink) {
    CompletableFuture<${prefix}Link> link = ${prefix}Link.open(group, socket(device.endpoint()), sink);
    CompletableFuture<Connection> connection = new CompletableFuture<>();
    link.whenComplete(
        (opened, failure) -> {
          if (failure != null) {
            connection.completeExceptionally(failure);
          } else if (!connection.complete(new ${prefix}Connection(opened))) {
            opened.close();
          }
        });
    // The core cancels what doesn't open within its deadline.
    connection.whenComplete((opened, failure) -> link.cancel(false));
    return connection;
  }
}
