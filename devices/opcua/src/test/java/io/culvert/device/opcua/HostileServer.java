package io.culvert.device.opcua;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.Stack;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.encoding.DefaultEncodingContext;
import org.eclipse.milo.opcua.stack.core.encoding.EncodingContext;
import org.eclipse.milo.opcua.stack.core.encoding.binary.OpcUaBinaryDecoder;
import org.eclipse.milo.opcua.stack.core.encoding.binary.OpcUaBinaryEncoder;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.eclipse.milo.opcua.stack.core.types.UaMessageType;
import org.eclipse.milo.opcua.stack.core.types.UaRequestMessageType;
import org.eclipse.milo.opcua.stack.core.types.UaResponseMessageType;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.QualifiedName;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UByte;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned;
import org.eclipse.milo.opcua.stack.core.types.enumerated.ApplicationType;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MessageSecurityMode;
import org.eclipse.milo.opcua.stack.core.types.enumerated.NodeClass;
import org.eclipse.milo.opcua.stack.core.types.enumerated.UserTokenType;
import org.eclipse.milo.opcua.stack.core.types.structured.*;

/**
 * A server that plays pranks: each request is handed to a script, which sends whatever it likes.
 * Left to itself it is honest, without security: the variables {@code v0} to {@code v9} of its
 * namespace, {@value #URI}, hold their number.
 */
final class HostileServer implements AutoCloseable {
  static final String URI = "urn:hostile";

  /** What it is called in, and what it is asked. */
  private final EncodingContext encoding = DefaultEncodingContext.INSTANCE;

  private final ServerSocket server;
  private final List<Wire> wires = new CopyOnWriteArrayList<>();
  private final AtomicInteger requests = new AtomicInteger();
  private final AtomicInteger connections = new AtomicInteger();
  private final Map<String, Integer> values = new ConcurrentHashMap<>();
  private volatile int serviceLevel = 255;
  private volatile Script script = Wire::honest;

  /** What to do with a request; an exception closes the connection. */
  interface Script {
    void play(Wire wire, Request request) throws Exception;
  }

  /**
   * A request as it came.
   *
   * @param type {@code HEL}, {@code OPN}, {@code MSG} or {@code CLO}
   * @param id its number, 0 for {@code HEL}
   * @param message {@code null} for {@code HEL}
   */
  record Request(String type, long id, UaRequestMessageType message) {
    /** Whether it asks for a service, by the class of its request. */
    boolean asks(Class<? extends UaRequestMessageType> service) {
      return service.isInstance(message);
    }

    long handle() {
      return message.getRequestHeader().getRequestHandle().longValue();
    }
  }

  HostileServer() throws IOException {
    for (int i = 0; i < 10; i++) {
      values.put("v" + i, i);
    }
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    thread(
        () -> {
          while (true) {
            Socket client = server.accept();
            connections.incrementAndGet();
            Wire wire = new Wire(client);
            wires.add(wire);
            thread(wire::serve);
          }
        });
  }

  private interface Work {
    void run() throws Exception;
  }

  private static void thread(Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (Exception closed) {
                // The other side went away, or the test is over.
              }
            },
            "junit-hostile-server");
    thread.setDaemon(true);
    thread.start();
  }

  void play(Script script) {
    this.script = script;
  }

  /** Plays on requests for one service only; all others are answered as they should be. */
  void play(Class<? extends UaRequestMessageType> service, Script script) {
    play(
        (wire, request) -> {
          if (request.asks(service)) {
            script.play(wire, request);
          } else {
            wire.honest(request);
          }
        });
  }

  void behave() {
    script = Wire::honest;
  }

  int port() {
    return server.getLocalPort();
  }

  URI endpoint() {
    return java.net.URI.create("opc.tcp://127.0.0.1:" + port());
  }

  /** How many requests came so far. */
  int requests() {
    return requests.get();
  }

  int connections() {
    return connections.get();
  }

  /** How well it does, by its own word. */
  void serviceLevel(int level) {
    serviceLevel = level;
  }

  /** Sets a variable and tells whoever watches it. */
  void set(String name, int value) throws IOException {
    values.put(name, value);
    for (Wire wire : wires) {
      wire.changed(name);
    }
  }

  /** Sends a message to all who wait for one, in place of the next. */
  void publish(Function<Long, byte[]> body) throws IOException {
    for (Wire wire : wires) {
      wire.publish(body);
    }
  }

  void cut() throws IOException {
    for (Wire wire : wires) {
      wire.socket.close();
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    cut();
  }

  ResponseHeader header(long handle, long status) {
    return new ResponseHeader(
        DateTime.now(), Unsigned.uint(handle), new StatusCode(status), null, null, null);
  }

  /** A message in bytes. */
  byte[] bytes(UaMessageType message) {
    ByteBuf buffer = Unpooled.buffer();
    new OpcUaBinaryEncoder(encoding).setBuffer(buffer).encodeMessage(null, message);
    return ByteBufUtil.getBytes(buffer);
  }

  ExtensionObject object(org.eclipse.milo.opcua.stack.core.types.UaStructuredType structure) {
    return ExtensionObject.encode(encoding, structure);
  }

  /** The endpoint that it has. */
  EndpointDescription description() {
    return new EndpointDescription(
        endpoint().toString(),
        new ApplicationDescription(
            URI,
            URI,
            LocalizedText.english("hostile"),
            ApplicationType.Server,
            null,
            null,
            new String[] {endpoint().toString()}),
        ByteString.NULL_VALUE,
        MessageSecurityMode.None,
        SecurityPolicy.None.getUri(),
        new UserTokenPolicy[] {
          new UserTokenPolicy("anonymous", UserTokenType.Anonymous, null, null, null)
        },
        Stack.TCP_UASC_UABINARY_TRANSPORT_URI,
        UByte.valueOf(0));
  }

  /** One connection. */
  final class Wire {
    private final Socket socket;
    private final Map<UInteger, String> items = new LinkedHashMap<>();
    private final Deque<Request> publishes = new ArrayDeque<>();
    private final Deque<String> news = new ArrayDeque<>();
    private long sequence;
    private long messages;
    private long subscription;
    private long nextItem;

    Wire(Socket socket) {
      this.socket = socket;
    }

    private void serve() throws Exception {
      try (socket) {
        socket.setTcpNoDelay(true);
        DataInputStream in = new DataInputStream(socket.getInputStream());
        while (true) {
          byte[] header = in.readNBytes(8);
          if (header.length < 8) {
            return;
          }
          String type = new String(header, 0, 3, StandardCharsets.US_ASCII);
          ByteBuffer body =
              ByteBuffer.wrap(in.readNBytes(Bytes.little(8).put(header).getInt(4) - 8))
                  .order(java.nio.ByteOrder.LITTLE_ENDIAN);
          requests.incrementAndGet();
          script.play(this, request(type, body));
        }
      } finally {
        wires.remove(this);
      }
    }

    private Request request(String type, ByteBuffer body) {
      if (type.equals("HEL")) {
        return new Request(type, 0, null);
      }
      body.getInt();
      if (type.equals("OPN")) {
        for (int i = 0; i < 3; i++) {
          int length = body.getInt();
          body.position(body.position() + Math.max(0, length));
        }
      } else {
        body.getInt();
      }
      body.getInt();
      long id = Integer.toUnsignedLong(body.getInt());
      OpcUaBinaryDecoder decoder = new OpcUaBinaryDecoder(encoding);
      decoder.setBuffer(Unpooled.wrappedBuffer(body));
      return new Request(type, id, (UaRequestMessageType) decoder.decodeMessage(null));
    }

    /** Bytes as they are. */
    synchronized void raw(byte[] bytes) throws IOException {
      OutputStream out = socket.getOutputStream();
      out.write(bytes);
      out.flush();
    }

    /** A piece of a message in its frame. */
    synchronized void send(String type, long id, byte[] body) throws IOException {
      raw(next(type, id, body));
    }

    /** The frame that comes next. */
    synchronized byte[] next(String type, long id, byte[] body) {
      return frame(type, id, body, ++sequence);
    }

    byte[] frame(String type, long id, byte[] body, long number) {
      Bytes inner = new Bytes().u32(1);
      if (type.startsWith("OPN")) {
        inner.text(SecurityPolicy.None.getUri()).u32(-1).u32(-1);
      } else {
        inner.u32(1);
      }
      byte[] rest = inner.u32(number).u32(id).raw(body).bytes();
      return new Bytes()
          .raw(type.getBytes(StandardCharsets.US_ASCII))
          .u32(8 + rest.length)
          .raw(rest)
          .bytes();
    }

    void answer(Request request, byte[] body) throws IOException {
      int at = 0;
      while (body.length - at > 60_000) {
        send(request.type + "C", request.id, Arrays.copyOfRange(body, at, at + 60_000));
        at += 60_000;
      }
      send(request.type + "F", request.id, Arrays.copyOfRange(body, at, body.length));
    }

    void answer(Request request, UaResponseMessageType response) throws IOException {
      answer(request, bytes(response));
    }

    void acknowledge(long receives, long sends) throws IOException {
      raw(
          new Bytes()
              .raw("ACKF".getBytes(StandardCharsets.US_ASCII))
              .u32(28)
              .u32(0)
              .u32(receives)
              .u32(sends)
              .u32(0)
              .u32(0)
              .bytes());
    }

    /** What a server answers that means well. */
    void honest(Request request) throws IOException {
      if (request.type.equals("HEL")) {
        acknowledge(65_535, 65_535);
      } else if (request.type.equals("CLO")) {
        socket.close();
      } else if (request.asks(PublishRequest.class)) {
        synchronized (this) {
          publishes.add(request);
        }
        flush();
      } else {
        answer(request, response(request));
        flush();
      }
    }

    /** A service fault. */
    void refuse(Request request, long status) throws IOException {
      answer(request, new ServiceFault(header(request.handle(), status)));
    }

    UaResponseMessageType response(Request request) {
      ResponseHeader good = header(request.handle(), 0);
      UaRequestMessageType asked = request.message;
      if (asked instanceof OpenSecureChannelRequest open) {
        return new OpenSecureChannelResponse(
            good,
            Unsigned.uint(0),
            new ChannelSecurityToken(
                Unsigned.uint(1), Unsigned.uint(1), DateTime.now(), open.getRequestedLifetime()),
            ByteString.NULL_VALUE);
      } else if (asked instanceof GetEndpointsRequest) {
        return new GetEndpointsResponse(good, new EndpointDescription[] {description()});
      } else if (asked instanceof CreateSessionRequest create) {
        return new CreateSessionResponse(
            good,
            new NodeId(1, "session"),
            new NodeId(1, "token"),
            create.getRequestedSessionTimeout(),
            ByteString.of(new byte[32]),
            ByteString.NULL_VALUE,
            new EndpointDescription[] {description()},
            null,
            new SignatureData(null, ByteString.NULL_VALUE),
            Unsigned.uint(0));
      } else if (asked instanceof ActivateSessionRequest) {
        return new ActivateSessionResponse(good, ByteString.of(new byte[32]), null, null);
      } else if (asked instanceof CloseSessionRequest) {
        return new CloseSessionResponse(good);
      } else if (asked instanceof ReadRequest read) {
        return new ReadResponse(
            good,
            Arrays.stream(read.getNodesToRead())
                .map(node -> value(node.getNodeId()))
                .toArray(DataValue[]::new),
            null);
      } else if (asked instanceof WriteRequest write) {
        StatusCode[] results = new StatusCode[write.getNodesToWrite().length];
        Arrays.fill(results, StatusCode.GOOD);
        return new WriteResponse(good, results, null);
      } else if (asked instanceof BrowseRequest browse) {
        return new BrowseResponse(
            good,
            Arrays.stream(browse.getNodesToBrowse())
                .map(node -> new BrowseResult(StatusCode.GOOD, null, references()))
                .toArray(BrowseResult[]::new),
            null);
      } else if (asked instanceof CreateSubscriptionRequest create) {
        subscription = 7;
        return new CreateSubscriptionResponse(
            good,
            Unsigned.uint(subscription),
            create.getRequestedPublishingInterval(),
            create.getRequestedLifetimeCount(),
            Unsigned.uint(100_000));
      } else if (asked instanceof CreateMonitoredItemsRequest create) {
        return new CreateMonitoredItemsResponse(
            good,
            Arrays.stream(create.getItemsToCreate())
                .map(this::item)
                .toArray(MonitoredItemCreateResult[]::new),
            null);
      } else if (asked instanceof DeleteMonitoredItemsRequest delete) {
        StatusCode[] results = new StatusCode[delete.getMonitoredItemIds().length];
        Arrays.fill(results, StatusCode.GOOD);
        return new DeleteMonitoredItemsResponse(good, results, null);
      } else if (asked instanceof DeleteSubscriptionsRequest delete) {
        StatusCode[] results = new StatusCode[delete.getSubscriptionIds().length];
        Arrays.fill(results, StatusCode.GOOD);
        return new DeleteSubscriptionsResponse(good, results, null);
      } else if (asked instanceof RepublishRequest) {
        return new ServiceFault(header(request.handle(), StatusCodes.Bad_MessageNotAvailable));
      }
      return new ServiceFault(header(request.handle(), StatusCodes.Bad_ServiceUnsupported));
    }

    private DataValue value(NodeId node) {
      Integer held = values.get(String.valueOf(node.getIdentifier()));
      if (node.equals(NodeIds.Server_NamespaceArray)) {
        return new DataValue(
            new Variant(new String[] {"http://opcfoundation.org/UA/", HostileServer.URI}));
      } else if (node.equals(NodeIds.Server_ServerArray)) {
        return new DataValue(new Variant(new String[] {HostileServer.URI}));
      } else if (node.equals(NodeIds.Server_ServerStatus_State)) {
        return new DataValue(new Variant(0));
      } else if (node.equals(NodeIds.Server_ServiceLevel)) {
        return new DataValue(new Variant(Unsigned.ubyte(serviceLevel)));
      } else if (node.getNamespaceIndex().intValue() == 1 && held != null) {
        return new DataValue(new Variant(held));
      }
      return new DataValue(StatusCodes.Bad_NodeIdUnknown);
    }

    private ReferenceDescription[] references() {
      return values.keySet().stream()
          .map(HostileServer::reference)
          .toArray(ReferenceDescription[]::new);
    }

    private synchronized MonitoredItemCreateResult item(MonitoredItemCreateRequest wanted) {
      String name = String.valueOf(wanted.getItemToMonitor().getNodeId().getIdentifier());
      if (!values.containsKey(name)) {
        return new MonitoredItemCreateResult(
            new StatusCode(StatusCodes.Bad_NodeIdUnknown),
            Unsigned.uint(0),
            0.0,
            Unsigned.uint(0),
            null);
      }
      items.put(wanted.getRequestedParameters().getClientHandle(), name);
      news.add(name);
      return new MonitoredItemCreateResult(
          StatusCode.GOOD,
          Unsigned.uint(++nextItem),
          wanted.getRequestedParameters().getSamplingInterval(),
          Unsigned.uint(1),
          null);
    }

    private void changed(String name) throws IOException {
      synchronized (this) {
        news.add(name);
      }
      flush();
    }

    /** Tells what is new, if somebody waits for it. */
    private synchronized void flush() throws IOException {
      if (news.isEmpty() || publishes.isEmpty() || subscription == 0) {
        return;
      }
      List<MonitoredItemNotification> changes = new ArrayList<>();
      for (String name : news) {
        items.forEach(
            (handle, watched) -> {
              if (watched.equals(name)) {
                changes.add(
                    new MonitoredItemNotification(
                        handle, new DataValue(new Variant(values.get(name)))));
              }
            });
      }
      news.clear();
      if (changes.isEmpty()) {
        return;
      }
      Request request = publishes.remove();
      messages++;
      answer(
          request,
          published(
              request.handle(),
              messages,
              new DataChangeNotification(changes.toArray(MonitoredItemNotification[]::new), null)));
    }

    /** A message of the one subscription. */
    PublishResponse published(long handle, long number, DataChangeNotification change) {
      return new PublishResponse(
          header(handle, 0),
          Unsigned.uint(subscription),
          new UInteger[] {Unsigned.uint(number)},
          false,
          new NotificationMessage(
              Unsigned.uint(number), DateTime.now(), new ExtensionObject[] {object(change)}),
          null,
          null);
    }

    private synchronized void publish(Function<Long, byte[]> body) throws IOException {
      Request request = publishes.poll();
      if (request != null) {
        answer(request, body.apply(request.handle()));
      }
    }
  }

  static ReferenceDescription reference(String name) {
    return new ReferenceDescription(
        NodeIds.Organizes,
        true,
        new NodeId(1, name).expanded(),
        new QualifiedName(1, name),
        LocalizedText.english(name),
        NodeClass.Variable,
        NodeIds.BaseDataVariableType.expanded());
  }
}
