package io.culvert.device.opcua;

import io.culvert.device.opcua.Pki.Signed;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.milo.opcua.sdk.server.EndpointConfig;
import org.eclipse.milo.opcua.sdk.server.OpcUaServer;
import org.eclipse.milo.opcua.sdk.server.OpcUaServerConfig;
import org.eclipse.milo.opcua.sdk.server.identity.AnonymousIdentityValidator;
import org.eclipse.milo.opcua.sdk.server.identity.CompositeValidator;
import org.eclipse.milo.opcua.sdk.server.identity.UsernameIdentityValidator;
import org.eclipse.milo.opcua.sdk.server.identity.X509IdentityValidator;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.security.CertificateStore;
import org.eclipse.milo.opcua.stack.core.security.DefaultApplicationGroup;
import org.eclipse.milo.opcua.stack.core.security.DefaultCertificateManager;
import org.eclipse.milo.opcua.stack.core.security.MemoryCertificateQuarantine;
import org.eclipse.milo.opcua.stack.core.security.MemoryCertificateStore;
import org.eclipse.milo.opcua.stack.core.security.MemoryTrustListManager;
import org.eclipse.milo.opcua.stack.core.security.RsaSha256CertificateFactory;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.eclipse.milo.opcua.stack.core.transport.TransportProfile;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MessageSecurityMode;
import org.eclipse.milo.opcua.stack.core.types.enumerated.UserTokenType;
import org.eclipse.milo.opcua.stack.core.types.structured.UserTokenPolicy;
import org.eclipse.milo.opcua.stack.transport.server.tcp.OpcTcpServerTransport;
import org.eclipse.milo.opcua.stack.transport.server.tcp.OpcTcpServerTransportConfig;

/** A server in this process with every policy, mode and kind of user. */
final class SecureServer implements AutoCloseable {
  static final String USER = "operator";
  static final String PASSWORD = "geheim-7f3c";

  private final OpcUaServer server;
  private final int port;

  /** What clients came with, in order; a server that trusts nobody refuses them. */
  private final List<X509Certificate> clients = new ArrayList<>();

  private volatile boolean trusting = true;
  private final AtomicReference<X509Certificate> user = new AtomicReference<>();

  /** On a port that was free a moment ago; if somebody took it meanwhile, on another. */
  static SecureServer start(Signed own) throws Exception {
    for (int attempt = 1; ; attempt++) {
      SecureServer server = new SecureServer(own);
      try {
        server.server.startup().get(60, TimeUnit.SECONDS);
        return server;
      } catch (ExecutionException e) {
        if (attempt == 5) {
          throw e;
        }
      }
    }
  }

  private SecureServer(Signed own) throws Exception {
    port = Pipe.freePort();
    MemoryCertificateStore store = new MemoryCertificateStore();
    store.set(
        NodeIds.RsaSha256ApplicationCertificateType,
        new CertificateStore.Entry(
            own.keys().getPrivate(), new X509Certificate[] {own.certificate()}));
    DefaultApplicationGroup group =
        DefaultApplicationGroup.createAndInitialize(
            new MemoryTrustListManager(),
            store,
            new RsaSha256CertificateFactory() {
              @Override
              protected X509Certificate[] createRsaSha256CertificateChain(KeyPair keyPair) {
                throw new IllegalStateException("it has its certificate");
              }
            },
            (chain, uri, hosts) -> {
              synchronized (clients) {
                clients.add(chain.get(0));
              }
              if (!trusting) {
                throw new UaException(StatusCodes.Bad_SecurityChecksFailed);
              }
            });
    OpcUaServerConfig config =
        OpcUaServerConfig.builder()
            .setApplicationName(LocalizedText.english("Plant"))
            .setApplicationUri(Pki.URI)
            .setProductUri(Pki.URI)
            .setEndpoints(endpoints(own.certificate()))
            .setCertificateManager(
                new DefaultCertificateManager(new MemoryCertificateQuarantine(), group))
            .setIdentityValidator(
                new CompositeValidator(
                    AnonymousIdentityValidator.INSTANCE,
                    new UsernameIdentityValidator(
                        who ->
                            who.getUsername().equals(USER) && who.getPassword().equals(PASSWORD)),
                    new X509IdentityValidator(c -> c.equals(user.get()))))
            .build();
    server =
        new OpcUaServer(
            config,
            profile -> new OpcTcpServerTransport(OpcTcpServerTransportConfig.newBuilder().build()));
  }

  /** Announced under a name that nobody can resolve, as a server behind a translation has. */
  private Set<EndpointConfig> endpoints(X509Certificate certificate) {
    Set<EndpointConfig> all = new LinkedHashSet<>();
    for (SecurityPolicy policy :
        List.of(
            SecurityPolicy.None,
            SecurityPolicy.Basic256Sha256,
            SecurityPolicy.Aes128_Sha256_RsaOaep,
            SecurityPolicy.Aes256_Sha256_RsaPss)) {
      for (MessageSecurityMode mode :
          policy == SecurityPolicy.None
              ? List.of(MessageSecurityMode.None)
              : List.of(MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt)) {
        SecurityPolicy token =
            policy == SecurityPolicy.None ? SecurityPolicy.Basic256Sha256 : policy;
        all.add(
            EndpointConfig.newBuilder()
                .setTransportProfile(TransportProfile.TCP_UASC_UABINARY)
                .setBindAddress("127.0.0.1")
                .setBindPort(port)
                .setHostname("plc-17.plant.invalid")
                .setPath("/plant")
                .setCertificate(certificate)
                .setSecurityPolicy(policy)
                .setSecurityMode(mode)
                .addTokenPolicies(
                    token("anonymous", UserTokenType.Anonymous, null),
                    token("user", UserTokenType.UserName, token.getUri()),
                    token("certificate", UserTokenType.Certificate, token.getUri()))
                .build());
      }
    }
    return all;
  }

  static UserTokenPolicy token(String id, UserTokenType type, String policy) {
    return new UserTokenPolicy(id, type, null, null, policy);
  }

  Endpoint endpoint() {
    return new Endpoint("127.0.0.1", port, "/plant");
  }

  void trusts(boolean trusting) {
    this.trusting = trusting;
  }

  void knows(X509Certificate certificate) {
    user.set(certificate);
  }

  X509Certificate lastClient() {
    synchronized (clients) {
      return clients.get(clients.size() - 1);
    }
  }

  @Override
  public void close() throws Exception {
    server.shutdown().get(60, TimeUnit.SECONDS);
  }
}
