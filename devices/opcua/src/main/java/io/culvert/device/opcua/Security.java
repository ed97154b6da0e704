package io.culvert.device.opcua;

import io.culvert.api.service.Secrets;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.eclipse.milo.opcua.sdk.client.OpcUaClientConfigBuilder;
import org.eclipse.milo.opcua.sdk.client.identity.AnonymousProvider;
import org.eclipse.milo.opcua.sdk.client.identity.IdentityProvider;
import org.eclipse.milo.opcua.sdk.client.identity.UsernameProvider;
import org.eclipse.milo.opcua.sdk.client.identity.X509IdentityProvider;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.security.CertificateValidator;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MessageSecurityMode;
import org.eclipse.milo.opcua.stack.core.types.enumerated.UserTokenType;
import org.eclipse.milo.opcua.stack.core.types.structured.EndpointDescription;
import org.eclipse.milo.opcua.stack.core.types.structured.UserTokenPolicy;
import org.eclipse.milo.opcua.stack.core.util.CertificateUtil;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which of a server's endpoints is used, whether the server is trusted, and as whom the gateway
 * comes.
 *
 * <p>Unless the site says otherwise: the strongest policy and mode that the server offers, and none
 * that is broken; messages without protection, and passwords that anybody can read, only by the
 * site's word. All methods may block, for the disk and for making a key; any thread.
 */
final class Security implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Security.class);

  /** In the order in which they are better. */
  private static final List<MessageSecurityMode> MODES =
      List.of(MessageSecurityMode.SignAndEncrypt, MessageSecurityMode.Sign);

  private static final String POLICY_URIS = "http://opcfoundation.org/UA/SecurityPolicy#";

  /** What a server offers is untrusted; no sentence needs more of it. */
  private static final int MAX_OFFERS = 20;

  /** Servers and key stores of users whose certificates are remembered. */
  private static final int MAX_REMEMBERED = 1000;

  private final Path folder;
  private final Secrets secrets;
  private final Clock clock;
  private final TrustStore trust;
  private final OwnCertificate own;

  /** The certificate that each server was accepted with last, by its endpoint. */
  private final Map<String, X509Certificate> accepted = remembered();

  /** Key stores that somebody came with, and the settings that name them. */
  private final Map<String, SecuritySettings> users = remembered();

  private volatile List<String> warnings = List.of();

  /** What the log had on {@link #day}; both only under the lock of this. */
  private final Set<String> told = new HashSet<>();

  private LocalDate day = LocalDate.MIN;

  /**
   * @param folder {@code etc/opcua}
   */
  Security(Path folder, Secrets secrets, Clock clock) {
    this.folder = folder;
    this.secrets = secrets;
    this.clock = clock;
    this.trust = new TrustStore(folder, clock);
    this.own = new OwnCertificate(folder, secrets, clock);
    Algorithms.acquire();
  }

  private static <V> Map<String, V> remembered() {
    return Collections.synchronizedMap(
        new LinkedHashMap<>(16, 0.75f, true) {
          private static final long serialVersionUID = 1;

          @Override
          protected boolean removeEldestEntry(Map.Entry<String, V> eldest) {
            return size() > MAX_REMEMBERED;
          }
        });
  }

  private static <V> Map<String, V> copy(Map<String, V> remembered) {
    synchronized (remembered) {
      return new TreeMap<>(remembered);
    }
  }

  /** Connections end with it at the latest; not to be called twice. */
  @Override
  public void close() {
    Algorithms.release();
  }

  /**
   * Makes the gateway's own certificate if there is none and the settings need one: before a server
   * is judged, so that it is there to be trusted while a person has yet to trust the server.
   *
   * @throws IOException with what is wrong and what to do
   */
  void prepare(SecuritySettings settings) throws IOException {
    if (!settings.none()) {
      own.get();
    }
  }

  /**
   * Chooses an endpoint and checks the certificate in it. The answer leads to the host and port
   * that were asked, whatever the server calls itself: it may be behind a translation of addresses,
   * or have a name that isn't known here (OPC 10000-4, 5.4.4). Of its user tokens it has the one
   * that is used.
   *
   * @param offered by the server
   * @param asked where
   * @throws IOException if none fits the settings or the server isn't trusted, with what was found
   *     and what to do
   */
  EndpointDescription endpoint(
      List<EndpointDescription> offered, Endpoint asked, SecuritySettings settings)
      throws IOException {
    List<EndpointDescription> fit =
        offered.stream()
            .filter(Security::isBinary)
            .filter(e -> fits(e, settings))
            .sorted(Comparator.comparingInt(Security::rank))
            .toList();
    if (fit.isEmpty()) {
      throw new RefusedException(StatusCodes.Bad_SecurityPolicyRejected, unfit(offered, settings));
    }
    RefusedException refused = null;
    for (EndpointDescription each : fit) {
      try {
        UserTokenPolicy token = token(each, settings);
        EndpointDescription chosen = aimed(each, asked, token);
        if (isProtected(each) || encrypts(token)) {
          trust.check(certificates(chosen), expected(chosen, settings));
        }
        return chosen;
      } catch (NoTokenException e) {
        // A weaker one may know this kind of user.
        refused = refused == null ? e : refused;
      }
    }
    throw refused;
  }

  /**
   * Gives a client its keys, its trust list and the user.
   *
   * @param endpoint as {@link #endpoint} chose it
   * @throws IOException if a key or a password is missing or can't be read, with what to do
   */
  void configure(
      OpcUaClientConfigBuilder client, EndpointDescription endpoint, SecuritySettings settings)
      throws IOException {
    CertificateValidator validator = validator(endpoint, settings);
    client
        .setApplicationUri("urn:culvert:" + OwnCertificate.host())
        .setProductUri("urn:culvert")
        .setCertificateValidator(validator)
        .setIdentityProvider(identity(endpoint, settings, validator));
    if (isProtected(endpoint)) {
      OwnCertificate.Identity identity = own.get();
      client
          .setApplicationUri(Certificates.applicationUri(identity.certificate()))
          .setKeyPair(identity.pair())
          .setCertificate(identity.certificate())
          .setCertificateChain(identity.chain().toArray(X509Certificate[]::new));
    }
  }

  /**
   * What a person is to be told of certificates before something stops, as {@link #remind} found it
   * last: what expires within 30 days, and what can't be read; one sentence each. Never blocks.
   */
  List<String> warnings() {
    return warnings;
  }

  /** Looks at all certificates that are in use; the log has each warning once a day. */
  synchronized void remind() {
    List<String> problems = new ArrayList<>();
    own.problem().ifPresent(problems::add);
    problems.addAll(trust.problems());
    problems.addAll(serverProblems());
    problems.addAll(userProblems());
    warnings = List.copyOf(problems);
    LocalDate today = TrustStore.day(clock.instant());
    if (!today.equals(day)) {
      told.clear();
      day = today;
    }
    problems.stream().filter(told::add).forEach(LOG::warn);
  }

  /** Of servers that were accepted by who issued their certificates, which are in no folder. */
  private List<String> serverProblems() {
    Set<X509Certificate> inFolders =
        trust.entries().stream()
            .filter(entry -> entry.state() != TrustStore.State.REJECTED)
            .map(TrustStore.Entry::certificate)
            .collect(Collectors.toSet());
    List<String> problems = new ArrayList<>();
    copy(accepted)
        .forEach(
            (endpoint, certificate) -> {
              if (!inFolders.contains(certificate)) {
                TrustStore.ending(certificate, clock.instant())
                    .ifPresent(
                        ending ->
                            problems.add(
                                endpoint
                                    + ": the server's certificate "
                                    + Certificates.called(certificate)
                                    + ending
                                    + "; have it renewed at the server, by "
                                    + Certificates.issuer(certificate)));
              }
            });
    return problems;
  }

  private List<String> userProblems() {
    List<String> problems = new ArrayList<>();
    copy(users)
        .forEach(
            (file, settings) -> {
              try {
                X509Certificate certificate = user(settings).certificate();
                TrustStore.ending(certificate, clock.instant())
                    .ifPresent(
                        ending ->
                            problems.add(
                                "etc/opcua/"
                                    + file
                                    + ": the user's certificate "
                                    + Certificates.called(certificate)
                                    + ending
                                    + "; put a key store with a new one in its place, and have the"
                                    + " servers know that"));
              } catch (NoSuchFileException e) {
                // Nobody comes with it any more, or whoever does is told.
                users.remove(file);
              } catch (IOException e) {
                problems.add(e.getMessage());
              }
            });
    return problems;
  }

  /**
   * What a failed connection means, where security is the matter.
   *
   * @return empty if it is something else
   */
  Optional<String> explain(Throwable failure, SecuritySettings settings) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (t instanceof RefusedException) {
        return Optional.of(t.getMessage());
      }
    }
    long status =
        UaException.extractStatusCode(failure).map(s -> s.value()).orElse(StatusCodes.Good);
    String words = StatusCodes.lookup(status).map(name -> name[0]).orElse(Long.toHexString(status));
    if (status == StatusCodes.Bad_UserAccessDenied
        || status == StatusCodes.Bad_IdentityTokenRejected
        || status == StatusCodes.Bad_IdentityTokenInvalid
        || status == StatusCodes.Bad_UserSignatureInvalid) {
      return Optional.of(
          "The server doesn't let "
              + who(settings)
              + " in ("
              + words
              + "); look at the settings "
              + (settings.userCertificate() == null
                  ? "user and password"
                  : "userCertificate and userCertificatePassword")
              + ", and at who may log in there");
    }
    boolean certificate =
        words.startsWith("Bad_Certificate")
            || status == StatusCodes.Bad_SecurityChecksFailed
            || status == StatusCodes.Bad_NoValidCertificates;
    if (!certificate) {
      return Optional.empty();
    }
    String thumbprint;
    try {
      thumbprint =
          own.certificate().map(c -> ", thumb-print " + Certificates.thumbprint(c)).orElse("");
    } catch (IOException e) {
      thumbprint = "";
    }
    return Optional.of(
        "The server doesn't take this gateway's certificate ("
            + words
            + "); have it trusted there: it is etc/opcua/own.der"
            + thumbprint);
  }

  private static String who(SecuritySettings settings) {
    if (settings.user() != null) {
      return "user " + settings.user();
    }
    return settings.userCertificate() == null
        ? "anybody in without a user"
        : "the owner of " + settings.userCertificate();
  }

  // Which endpoint.

  private static boolean isBinary(EndpointDescription endpoint) {
    return endpoint.getEndpointUrl() != null
        && endpoint.getEndpointUrl().startsWith("opc.tcp://")
        && endpoint.getSecurityMode() != null;
  }

  private static boolean fits(EndpointDescription endpoint, SecuritySettings settings) {
    SecurityPolicy policy = policy(endpoint.getSecurityPolicyUri());
    MessageSecurityMode mode = endpoint.getSecurityMode();
    if (settings.none()) {
      return policy == SecurityPolicy.None && mode == MessageSecurityMode.None;
    }
    return isSafe(policy)
        && MODES.contains(mode)
        && (settings.policy() == null || settings.policy() == policy)
        && (settings.mode() == null || settings.mode() == mode);
  }

  private static boolean isSafe(SecurityPolicy policy) {
    return policy != null
        && SecuritySettings.POLICIES.contains(policy)
        && (policy != SecurityPolicy.Aes256_Sha256_RsaPss || Algorithms.usable());
  }

  /** {@code null} for one that isn't known. */
  private static SecurityPolicy policy(String uri) {
    return uri == null ? null : SecurityPolicy.fromUriSafe(uri).orElse(null);
  }

  private static int rank(EndpointDescription endpoint) {
    return SecuritySettings.POLICIES.indexOf(policy(endpoint.getSecurityPolicyUri())) * MODES.size()
        + MODES.indexOf(endpoint.getSecurityMode());
  }

  private static boolean isProtected(EndpointDescription endpoint) {
    return policy(endpoint.getSecurityPolicyUri()) != SecurityPolicy.None;
  }

  private static String unfit(List<EndpointDescription> offered, SecuritySettings settings) {
    List<EndpointDescription> binary = offered.stream().filter(Security::isBinary).toList();
    String all =
        binary.stream()
            .map(Security::words)
            .distinct()
            .limit(MAX_OFFERS)
            .collect(Collectors.joining(", "));
    String found =
        "The server offers "
            + (all.isEmpty() ? "no endpoint of opc.tcp" : all)
            + ", and the setting security is "
            + settings.security()
            + "; ";
    Optional<EndpointDescription> best =
        binary.stream()
            .filter(e -> isSafe(policy(e.getSecurityPolicyUri())))
            .filter(e -> MODES.contains(e.getSecurityMode()))
            .min(Comparator.comparingInt(Security::rank));
    if (best.isPresent()) {
      return found
          + "set security: "
          + words(best.get())
          + (settings.policy() == null ? "" : ", or leave it out for the strongest");
    }
    if (binary.stream().anyMatch(e -> !isProtected(e))) {
      return found
          + "switch on "
          + SecuritySettings.POLICIES.get(0).name()
          + " at the server, or, if nobody else is on that network, set security: "
          + SecuritySettings.NONE;
    }
    return found
        + "switch on "
        + String.join(" or ", SecuritySettings.POLICIES.stream().map(Enum::name).toList())
        + " at the server";
  }

  /** An offer as the setting would be written. */
  private static String words(EndpointDescription endpoint) {
    SecurityPolicy policy = policy(endpoint.getSecurityPolicyUri());
    if (policy == SecurityPolicy.None) {
      return SecuritySettings.NONE;
    }
    String name = policy == null ? plain(endpoint.getSecurityPolicyUri()) : policy.name();
    return name
        + "/"
        + (endpoint.getSecurityMode() == MessageSecurityMode.Sign
            ? SecuritySettings.SIGN
            : SecuritySettings.ENCRYPT);
  }

  private static String plain(String uri) {
    String text = uri == null ? "nothing" : uri.replace(POLICY_URIS, "").replaceAll("\\s", "");
    return text.length() > 60 ? text.substring(0, 60) + "…" : text;
  }

  private static EndpointDescription aimed(
      EndpointDescription endpoint, Endpoint asked, UserTokenPolicy token) {
    String path =
        endpoint.getEndpointUrl().replaceFirst("^opc\\.tcp://[^/]*", "").replaceAll("\\s", "");
    return new EndpointDescription(
        new Endpoint(asked.host(), asked.port(), path).url(),
        endpoint.getServer(),
        endpoint.getServerCertificate(),
        endpoint.getSecurityMode(),
        endpoint.getSecurityPolicyUri(),
        new UserTokenPolicy[] {token},
        endpoint.getTransportProfileUri(),
        endpoint.getSecurityLevel());
  }

  // Whether the server is trusted.

  private static List<X509Certificate> certificates(EndpointDescription endpoint)
      throws RefusedException {
    try {
      List<X509Certificate> all =
          CertificateUtil.decodeCertificates(endpoint.getServerCertificate().bytesOrEmpty());
      if (!all.isEmpty()) {
        return all;
      }
    } catch (UaException | RuntimeException e) {
      // The sentence below says it.
    }
    throw new RefusedException(
        StatusCodes.Bad_CertificateInvalid,
        "The server offers security without a certificate that can be read; have it make one");
  }

  private static TrustStore.Expected expected(
      EndpointDescription endpoint, SecuritySettings settings) {
    String host =
        settings.serverName() == null ? host(endpoint.getEndpointUrl()) : settings.serverName();
    return new TrustStore.Expected(
        endpoint.getServer() == null ? null : endpoint.getServer().getApplicationUri(),
        SecuritySettings.ANY.equals(host) ? null : host,
        settings.acceptExpired());
  }

  /** The host of an address, an IPv6 one as certificates have it. */
  private static String host(String url) {
    String host = url.replaceFirst("^opc\\.tcp://(\\[[^]]*]|[^:/]*).*$", "$1");
    if (!host.startsWith("[")) {
      return host;
    }
    try {
      // In brackets it is an address, and nothing is looked up.
      return InetAddress.getByName(host).getHostAddress().replaceFirst("%.*", "");
    } catch (UnknownHostException e) {
      return host;
    }
  }

  /** Checks the same again with whom the channel really leads to, at every connection. */
  private CertificateValidator validator(EndpointDescription endpoint, SecuritySettings settings) {
    TrustStore.Expected expected = expected(endpoint, settings);
    return (chain, applicationUri, hosts) -> {
      try {
        trust.check(chain, expected);
        accepted.put(endpoint.getEndpointUrl(), chain.get(0));
      } catch (RefusedException e) {
        throw new UaException(e.status(), e.getMessage(), e);
      }
    };
  }

  // As whom.

  /** The endpoint doesn't take the kind of user that the settings have. */
  private static final class NoTokenException extends RefusedException {
    private static final long serialVersionUID = 1;

    NoTokenException(String message) {
      super(StatusCodes.Bad_IdentityTokenRejected, message);
    }
  }

  private static UserTokenPolicy token(EndpointDescription endpoint, SecuritySettings settings)
      throws NoTokenException {
    UserTokenType type =
        settings.user() != null
            ? UserTokenType.UserName
            : settings.userCertificate() != null
                ? UserTokenType.Certificate
                : UserTokenType.Anonymous;
    List<UserTokenPolicy> all =
        Stream.of(
                Objects.requireNonNullElse(
                    endpoint.getUserIdentityTokens(), new UserTokenPolicy[0]))
            .filter(Objects::nonNull)
            .filter(token -> token.getTokenType() != null)
            .toList();
    List<UserTokenPolicy> some = all.stream().filter(t -> t.getTokenType() == type).toList();
    if (some.isEmpty()) {
      throw new NoTokenException(
          "The server wants "
              + (all.isEmpty()
                  ? "nothing that it names"
                  : all.stream()
                      .map(t -> kind(t.getTokenType()))
                      .distinct()
                      .collect(Collectors.joining(" or ")))
              + " with "
              + words(endpoint)
              + ", and the settings have "
              + kind(type)
              + "; set "
              + (type == UserTokenType.Anonymous
                  ? "user and password, or userCertificate"
                  : "what it wants, or switch that on at the server"));
    }
    if (type == UserTokenType.Anonymous) {
      return some.get(0);
    }
    Optional<UserTokenPolicy> safe =
        some.stream()
            .filter(t -> isSafe(effective(t, endpoint)))
            .min(
                Comparator.comparingInt(
                    t -> SecuritySettings.POLICIES.indexOf(effective(t, endpoint))));
    if (safe.isPresent()) {
      // Named, so that nobody after this has to find out.
      UserTokenPolicy t = safe.get();
      return new UserTokenPolicy(
          t.getPolicyId(),
          t.getTokenType(),
          t.getIssuedTokenType(),
          t.getIssuerEndpointUrl(),
          effective(t, endpoint).getUri());
    }
    Optional<UserTokenPolicy> clear =
        some.stream().filter(t -> effective(t, endpoint) == SecurityPolicy.None).findFirst();
    if (type == UserTokenType.UserName
        && clear.isPresent()
        && (endpoint.getSecurityMode() == MessageSecurityMode.SignAndEncrypt
            || settings.passwordInClear())) {
      return clear.get();
    }
    throw new NoTokenException(
        clear.isEmpty()
            ? "The server would have "
                + kind(type)
                + " protected by "
                + some.stream()
                    .map(t -> plain(t.getSecurityPolicyUri()))
                    .distinct()
                    .limit(MAX_OFFERS)
                    .collect(Collectors.joining(", "))
                + ", which is broken or not known here; switch on "
                + SecuritySettings.POLICIES.get(0).name()
                + " for it at the server"
            : type == UserTokenType.Certificate
                ? "The server takes a user's certificate with "
                    + words(endpoint)
                    + " without proof that the key is there, so anybody's; switch on a policy for"
                    + " it at the server"
                : "With "
                    + words(endpoint)
                    + " the server would have the password in clear, for anybody on the network"
                    + " to read; switch on encryption for it at the server, or set"
                    + " passwordInClear: true");
  }

  private static String kind(UserTokenType type) {
    return switch (type) {
      case Anonymous -> "no user";
      case UserName -> "a user with password";
      case Certificate -> "a user with certificate";
      case IssuedToken -> "a token of an authority";
    };
  }

  /** What protects a user's token: its own policy, else that of the endpoint. */
  private static SecurityPolicy effective(UserTokenPolicy token, EndpointDescription endpoint) {
    String uri = token.getSecurityPolicyUri();
    return policy(uri == null || uri.isEmpty() ? endpoint.getSecurityPolicyUri() : uri);
  }

  private static boolean encrypts(UserTokenPolicy token) {
    return token.getTokenType() != UserTokenType.Anonymous
        && isSafe(policy(token.getSecurityPolicyUri()));
  }

  private IdentityProvider identity(
      EndpointDescription endpoint, SecuritySettings settings, CertificateValidator validator)
      throws IOException {
    if (settings.user() != null) {
      secret(settings.password(), "password");
      Supplier<byte[]> password =
          () -> {
            try {
              return secret(settings.password(), "password").getBytes(StandardCharsets.UTF_8);
            } catch (RefusedException e) {
              throw new IllegalStateException(e.getMessage(), e);
            }
          };
      return new UsernameProvider(settings.user(), password, validator);
    }
    if (settings.userCertificate() != null) {
      try {
        OwnCertificate.Identity user = user(settings);
        users.put(settings.userCertificate(), settings);
        return new X509IdentityProvider(user.certificate(), user.key());
      } catch (NoSuchFileException e) {
        throw new IOException(
            "There is no file etc/opcua/"
                + settings.userCertificate()
                + "; put the user's key store there, or set userCertificate");
      }
    }
    return AnonymousProvider.INSTANCE;
  }

  private OwnCertificate.Identity user(SecuritySettings settings) throws IOException {
    String secret = settings.userCertificatePassword();
    return OwnCertificate.load(
        folder.resolve(settings.userCertificate()),
        "etc/opcua/" + settings.userCertificate(),
        secret == null ? "" : secret(secret, "userCertificatePassword"),
        secret == null ? "a secret, and set userCertificatePassword" : "etc/secrets/" + secret);
  }

  private String secret(String name, String key) throws RefusedException {
    return Optional.ofNullable(name)
        .flatMap(secrets::get)
        .orElseThrow(
            () ->
                new RefusedException(
                    StatusCodes.Bad_ConfigurationError,
                    "There is no secret "
                        + name
                        + " for the setting "
                        + key
                        + "; put it into the file etc/secrets/"
                        + name));
  }
}
