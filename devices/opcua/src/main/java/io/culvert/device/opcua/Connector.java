package io.culvert.device.opcua;

import io.netty.channel.Channel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.eclipse.milo.opcua.sdk.client.DiscoveryClient;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.sdk.client.OpcUaClientConfig;
import org.eclipse.milo.opcua.sdk.client.OpcUaClientConfigBuilder;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.Stack;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UByte;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MessageSecurityMode;
import org.eclipse.milo.opcua.stack.core.types.enumerated.TimestampsToReturn;
import org.eclipse.milo.opcua.stack.core.types.structured.EndpointDescription;
import org.eclipse.milo.opcua.stack.transport.client.tcp.OpcTcpClientTransport;
import org.eclipse.milo.opcua.stack.transport.client.tcp.OpcTcpClientTransportConfig;
import org.eclipse.milo.opcua.stack.transport.client.tcp.OpcTcpClientTransportConfigBuilder;

/** Makes clients with a session: asks a server for its endpoints, chooses one, and logs in. */
final class Connector {
  private static final long FORCE_SECONDS = 2;

  /** From this on a server is healthy (OPC 10000-4, 6.6.2.4.2). */
  static final int HEALTHY = 200;

  /** A service level that a server doesn't tell; less than any. */
  static final int UNTOLD = -1;

  private final Threads threads;
  private final Security security;
  private final Settings settings;

  Connector(Threads threads, Security security, Settings settings) {
    this.threads = threads;
    this.security = security;
    this.settings = settings;
  }

  /**
   * A client with a session.
   *
   * @param endpoint of the server, as people wrote it
   */
  record Connected(OpcUaClient client, Endpoint endpoint, Wire wire) {}

  /** Tries servers until one gives a session. */
  final class Attempt {
    private final List<Endpoint> servers;
    private final int above;
    private final CompletableFuture<Connected> outcome = new CompletableFuture<>();
    private final List<String> failures = new ArrayList<>();
    private volatile boolean cancelled;
    private Throwable failure;
    private Connected best;
    private int level;

    private Attempt(List<Endpoint> servers, int above) {
      this.servers = servers;
      this.above = above;
      this.level = above;
    }

    /** The first in order with a service level that is healthy, else the one with the highest. */
    CompletableFuture<Connected> outcome() {
      return outcome;
    }

    /** The service level of the one that was taken. */
    int level() {
      return level;
    }

    void cancel() {
      cancelled = true;
    }

    private void go(int server) {
      if (cancelled || server == servers.size()) {
        finish();
        return;
      }
      connect(servers.get(server))
          .thenCompose(connected -> level(connected).thenApply(told -> settle(connected, told)))
          .whenComplete(
              (settled, failed) -> {
                if (failed != null) {
                  failure = failed;
                  failures.add(
                      Failures.outward(servers.get(server).toString(), failed).getMessage());
                  go(server + 1);
                } else if (settled) {
                  finish();
                } else {
                  go(server + 1);
                }
              });
    }

    /** One that doesn't tell is taken for healthy, but not for better than another. */
    private CompletableFuture<Integer> level(Connected connected) {
      if (servers.size() == 1 && above == UNTOLD) {
        return CompletableFuture.completedFuture(HEALTHY);
      }
      return Connector.level(connected)
          .exceptionally(failed -> UNTOLD)
          .thenApply(told -> told == UNTOLD && above == UNTOLD ? HEALTHY : told);
    }

    private boolean settle(Connected connected, int told) {
      Connected other = connected;
      if (told > level) {
        other = best;
        best = connected;
        level = told;
      }
      if (other != null) {
        end(other);
      }
      return told >= HEALTHY;
    }

    private void finish() {
      if (best != null && (cancelled || !outcome.complete(best))) {
        end(best);
      } else if (best == null) {
        outcome.completeExceptionally(
            failures.size() > 1
                ? new IOException(String.join("; ", failures))
                : failure == null ? new IOException("No server was tried") : failure);
      }
    }
  }

  /**
   * @param above the service level that one must exceed to be taken; {@link #UNTOLD} if any will do
   */
  Attempt attempt(List<Endpoint> servers, int above) {
    Attempt attempt = new Attempt(servers, above);
    attempt.go(0);
    return attempt;
  }

  /** How well a server does, 0 to 255, by its own word; {@link #UNTOLD} if it doesn't say. */
  static CompletableFuture<Integer> level(Connected connected) {
    return connected
        .client()
        .readValuesAsync(0, TimestampsToReturn.Neither, List.of(NodeIds.Server_ServiceLevel))
        .thenApply(
            values ->
                values.get(0).getValue().getValue() instanceof UByte told
                    ? told.intValue()
                    : UNTOLD);
  }

  private CompletableFuture<Connected> connect(Endpoint endpoint) {
    Wire wire = new Wire(threads);
    return discover(endpoint)
        .thenApplyAsync(endpoints -> client(endpoint, endpoints, wire), threads.blocking())
        .thenCompose(
            client -> {
              Connected connected = new Connected(client, endpoint, wire);
              return client
                  .connectAsync()
                  .orTimeout(2 * settings.timeout().toMillis(), TimeUnit.MILLISECONDS)
                  .whenComplete(
                      (up, failure) -> {
                        if (failure != null) {
                          end(connected);
                        }
                      })
                  .thenApply(up -> connected);
            })
        .exceptionallyCompose(
            failure ->
                CompletableFuture.failedFuture(
                    security
                        .explain(failure, settings.security())
                        .<Throwable>map(why -> new IOException(endpoint + ": " + why))
                        .orElse(failure)));
  }

  /** Asks a server how it can be talked to (OPC 10000-4, 5.5.4). */
  CompletableFuture<List<EndpointDescription>> discover(Endpoint endpoint) {
    Wire wire = new Wire(threads);
    OpcTcpClientTransportConfigBuilder transport = OpcTcpClientTransportConfig.newBuilder();
    carry(transport, wire);
    DiscoveryClient client =
        new DiscoveryClient(
            new EndpointDescription(
                endpoint.url(),
                null,
                null,
                MessageSecurityMode.None,
                SecurityPolicy.None.getUri(),
                null,
                Stack.TCP_UASC_UABINARY_TRANSPORT_URI,
                UByte.valueOf(0)),
            new OpcTcpClientTransport(transport.build()));
    return client
        .connectAsync()
        .thenCompose(
            connected ->
                connected.getEndpoints(
                    endpoint.url(),
                    new String[0],
                    new String[] {Stack.TCP_UASC_UABINARY_TRANSPORT_URI}))
        .orTimeout(settings.timeout().toMillis(), TimeUnit.MILLISECONDS)
        .whenComplete((answer, failure) -> end(client::disconnectAsync, wire))
        .thenApply(
            answer -> answer.getEndpoints() == null ? List.of() : List.of(answer.getEndpoints()));
  }

  private void carry(OpcTcpClientTransportConfigBuilder transport, Wire wire) {
    threads.carry(transport);
    transport.setScheduledExecutor(wire.pauses);
    int timeout = (int) settings.timeout().toMillis();
    transport
        .setConnectTimeout(Unsigned.uint(timeout))
        .setAcknowledgeTimeout(Unsigned.uint(timeout))
        .setChannelPipelineCustomizer(
            pipeline -> {
              Guard.on(pipeline);
              wire.opened(pipeline.channel());
            });
  }

  private OpcUaClient client(Endpoint endpoint, List<EndpointDescription> endpoints, Wire wire) {
    try {
      security.prepare(settings.security());
      EndpointDescription chosen = security.endpoint(endpoints, endpoint, settings.security());
      OpcUaClientConfigBuilder config =
          OpcUaClientConfig.builder()
              .setEndpoint(chosen)
              .setApplicationName(LocalizedText.english("Culvert"))
              .setEncodingLimits(Bounds.LIMITS)
              .setRequestTimeout(Unsigned.uint(settings.timeout().toMillis()))
              .setSessionLocaleIds(settings.locales().toArray(new String[0]))
              .setSessionTimeout(Unsigned.uint(Session.LIFETIME.toMillis()))
              .setKeepAliveFailuresAllowed(Unsigned.uint(0))
              .setKeepAliveInterval(Unsigned.uint(settings.keepAlive().toMillis()))
              .setKeepAliveTimeout(Unsigned.uint(settings.keepAlive().toMillis()));
      security.configure(config, chosen, settings.security());
      OpcUaClient client = OpcUaClient.create(config.build(), transport -> carry(transport, wire));
      Bounds.on(client);
      return client;
    } catch (IOException | UaException e) {
      throw new CompletionException(e);
    }
  }

  /** Logs out, and closes the channel soon though the server may not answer. */
  CompletableFuture<Void> end(Connected connected) {
    return end(connected.client()::disconnectAsync, connected.wire());
  }

  private CompletableFuture<Void> end(Supplier<CompletableFuture<?>> disconnect, Wire wire) {
    CompletableFuture<Void> ended = disconnect.get().handle((done, failure) -> null);
    try {
      ScheduledFuture<?> force =
          threads.scheduler().schedule(wire::cut, FORCE_SECONDS, TimeUnit.SECONDS);
      ended.whenComplete((done, failure) -> force.cancel(false));
    } catch (RejectedExecutionException stopped) {
      wire.cut();
    }
    return ended;
  }

  /** The channels of a client, to be closed though its server doesn't answer. */
  static final class Wire {
    final Pauses pauses;
    private final Set<Channel> channels = ConcurrentHashMap.newKeySet();
    private volatile boolean cut;

    private Wire(Threads threads) {
      pauses = new Pauses(threads.scheduler());
    }

    void opened(Channel channel) {
      channels.add(channel);
      channel.closeFuture().addListener(closed -> channels.remove(channel));
      if (cut) {
        channel.close();
      }
    }

    void cut() {
      cut = true;
      channels.forEach(Channel::close);
    }
  }
}
