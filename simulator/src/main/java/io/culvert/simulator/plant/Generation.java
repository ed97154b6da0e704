package io.culvert.simulator.plant;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.eclipse.milo.opcua.sdk.server.EndpointConfig;
import org.eclipse.milo.opcua.sdk.server.OpcUaServer;
import org.eclipse.milo.opcua.sdk.server.OpcUaServerConfig;
import org.eclipse.milo.opcua.sdk.server.Session;
import org.eclipse.milo.opcua.sdk.server.identity.AnonymousIdentityValidator;
import org.eclipse.milo.opcua.sdk.server.items.BaseMonitoredItem;
import org.eclipse.milo.opcua.sdk.server.items.EventItem;
import org.eclipse.milo.opcua.sdk.server.model.objects.ConditionType;
import org.eclipse.milo.opcua.sdk.server.nodes.UaMethodNode;
import org.eclipse.milo.opcua.sdk.server.servicesets.impl.DefaultSubscriptionServiceSet;
import org.eclipse.milo.opcua.sdk.server.subscriptions.Subscription;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.security.DefaultCertificateManager;
import org.eclipse.milo.opcua.stack.core.security.MemoryCertificateQuarantine;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.eclipse.milo.opcua.stack.core.transport.TransportProfile;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MessageSecurityMode;
import org.eclipse.milo.opcua.stack.core.types.enumerated.UserTokenType;
import org.eclipse.milo.opcua.stack.core.types.structured.TransferSubscriptionsRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.TransferSubscriptionsResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.UserTokenPolicy;
import org.eclipse.milo.opcua.stack.transport.server.ServiceRequestContext;
import org.eclipse.milo.opcua.stack.transport.server.tcp.OpcTcpServerTransport;
import org.eclipse.milo.opcua.stack.transport.server.tcp.OpcTcpServerTransportConfig;

/**
 * The plant's server from a start to its stop: sessions and subscriptions are its, the devices
 * aren't. All its threads end with it.
 */
final class Generation implements AutoCloseable {
  static final String PATH = "plant";

  private static final String DISCOVERY = PATH + "/discovery";
  private static final int THREADS = 4;
  private static final List<SecurityPolicy> POLICIES =
      List.of(
          SecurityPolicy.Basic256Sha256,
          SecurityPolicy.Aes128_Sha256_RsaOaep,
          SecurityPolicy.Aes256_Sha256_RsaPss);

  private final List<Station> stations;
  private final EventLoopGroup loops =
      new NioEventLoopGroup(2, new DefaultThreadFactory("plant-io", true));
  private final ExecutorService executor =
      Executors.newFixedThreadPool(THREADS, new DefaultThreadFactory("plant-server", true));
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("plant-timer", true));
  private final OpcUaServer server;

  /**
   * Starts it. Blocks until it listens.
   *
   * @param number of this start; a server may number its name spaces anew at each
   */
  Generation(
      Plant.Settings settings,
      int number,
      ServerKey key,
      List<Station> stations,
      Wire wire,
      InstantSource clock)
      throws IOException {
    this.stations = stations;
    OpcTcpServerTransportConfig transport =
        OpcTcpServerTransportConfig.newBuilder()
            .setEventLoop(loops)
            .setExecutor(executor)
            .setChannelPipelineCustomizer(wire::tap)
            .build();
    server =
        new OpcUaServer(config(settings, key), profile -> new OpcTcpServerTransport(transport));
    for (int i = 0; i < number % 2; i++) {
      server.getNamespaceTable().add("urn:culvert:plant:other");
    }
    AddressSpace space = new AddressSpace(server, stations, clock, settings.cycle().toMillis());
    space.startup();
    server.addServiceSet("/" + PATH, new Subscriptions(server, space));
    refreshBy(space);
    stations.forEach(station -> station.behind(space.client(station)));
    try {
      server.startup().join();
    } catch (RuntimeException e) {
      close();
      throw new IOException(
          "Port " + settings.port() + " is taken, and the plant needs it for its server", e);
    }
  }

  private OpcUaServerConfig config(Plant.Settings settings, ServerKey key) {
    Set<EndpointConfig> endpoints = new LinkedHashSet<>();
    EndpointConfig.Builder any =
        EndpointConfig.newBuilder()
            .setTransportProfile(TransportProfile.TCP_UASC_UABINARY)
            .setBindAddress(settings.host())
            .setHostname(settings.host())
            .setBindPort(settings.port())
            .setPath("/" + PATH)
            .addTokenPolicies(
                new UserTokenPolicy("anonymous", UserTokenType.Anonymous, null, null, null));
    if (settings.secured()) {
      any.setCertificate(key.certificate());
      for (SecurityPolicy policy : POLICIES) {
        for (MessageSecurityMode mode :
            List.of(MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt)) {
          endpoints.add(any.copy().setSecurityPolicy(policy).setSecurityMode(mode).build());
        }
      }
    } else {
      endpoints.add(plain(any).build());
    }
    endpoints.add(plain(any).setPath("/" + DISCOVERY).build());
    return OpcUaServerConfig.builder()
        .setApplicationName(new LocalizedText("en", "Culvert's plant"))
        .setApplicationUri(ServerKey.APPLICATION_URI)
        .setProductUri("urn:culvert:simulator")
        .setEndpoints(endpoints)
        .setCertificateManager(
            new DefaultCertificateManager(
                new MemoryCertificateQuarantine(), key == null ? List.of() : List.of(key.group())))
        .setIdentityValidator(AnonymousIdentityValidator.INSTANCE)
        .setExecutor(executor)
        .setScheduledExecutor(timer)
        .build();
  }

  private static EndpointConfig.Builder plain(EndpointConfig.Builder any) {
    return any.copy()
        .setSecurityPolicy(SecurityPolicy.None)
        .setSecurityMode(MessageSecurityMode.None);
  }

  /** Notes what a transfer sends again. */
  private static final class Subscriptions extends DefaultSubscriptionServiceSet {
    private final OpcUaServer server;
    private final AddressSpace space;

    Subscriptions(OpcUaServer server, AddressSpace space) {
      super(server);
      this.server = server;
      this.space = space;
    }

    @Override
    public TransferSubscriptionsResponse onTransferSubscriptions(
        ServiceRequestContext context, TransferSubscriptionsRequest request) throws UaException {
      if (request.getSendInitialValues() && request.getSubscriptionIds() != null) {
        for (UInteger id : request.getSubscriptionIds()) {
          Subscription subscription = server.getSubscriptions().get(id);
          if (subscription != null) {
            subscription.getMonitoredItems().values().forEach(space::givesAgain);
          }
        }
      }
      return super.onTransferSubscriptions(context, request);
    }
  }

  private void refreshBy(AddressSpace space) {
    UaMethodNode method =
        (UaMethodNode)
            server
                .getAddressSpaceManager()
                .getManagedNode(NodeIds.ConditionType_ConditionRefresh)
                .orElseThrow();
    method.setInvocationHandler(
        new ConditionType.ConditionRefreshMethod(method) {
          @Override
          protected void invoke(InvocationContext context, UInteger id) throws UaException {
            Session session =
                context
                    .getSession()
                    .orElseThrow(() -> new UaException(StatusCodes.Bad_UserAccessDenied));
            Subscription subscription = session.getSubscriptionManager().getSubscription(id);
            if (subscription == null) {
              throw new UaException(StatusCodes.Bad_SubscriptionIdInvalid);
            }
            Set<EventItem> items = new HashSet<>();
            for (BaseMonitoredItem<?> item : subscription.getMonitoredItems().values()) {
              if (item instanceof EventItem event) {
                items.add(event);
              }
            }
            Conditions.bracket(server, items, () -> space.refresh(items));
          }
        });
  }

  @Override
  public void close() {
    stations.forEach(station -> station.behind(null));
    server.shutdown().join();
    timer.shutdownNow();
    executor.shutdownNow();
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2_000);
  }
}
