package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.fail;

import io.culvert.device.opcua.Pki.Signed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.milo.opcua.sdk.client.OpcUaClientConfig;
import org.eclipse.milo.opcua.sdk.client.OpcUaClientConfigBuilder;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned;
import org.eclipse.milo.opcua.stack.core.types.enumerated.ApplicationType;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MessageSecurityMode;
import org.eclipse.milo.opcua.stack.core.types.enumerated.UserTokenType;
import org.eclipse.milo.opcua.stack.core.types.structured.ApplicationDescription;
import org.eclipse.milo.opcua.stack.core.types.structured.EndpointDescription;
import org.eclipse.milo.opcua.stack.core.types.structured.UserTokenPolicy;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which of a server's endpoints is used, and as whom, from what it offers. */
class SecurityTest {
  private static final Endpoint ASKED = new Endpoint("127.0.0.1", 14840, "");
  private static final String BASIC128 = SecurityPolicy.Basic128Rsa15.getUri();
  private static final Signed SERVER = Pki.server().selfSigned();

  @TempDir Path folder;
  private Security security;
  private final Map<String, String> secrets = new HashMap<>(Map.of("plc", "geheim-7f3c"));

  @BeforeEach
  void trust() throws IOException {
    security =
        new Security(folder, name -> Optional.ofNullable(secrets.get(name)), Clock.systemUTC());
    Pki.put(folder.resolve("trusted"), "server.der", SERVER.certificate());
  }

  @AfterEach
  void close() {
    security.close();
  }

  private static SecuritySettings settings(String... pairs) {
    Map<String, String> settings = new HashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      settings.put(pairs[i], pairs[i + 1]);
    }
    return SecuritySettings.parse(settings, problem -> fail(problem.toString()));
  }

  /** An endpoint as a server describes it; tokens are {@code anonymous} if none is given. */
  private static EndpointDescription offer(
      String policy, MessageSecurityMode mode, UserTokenPolicy... tokens) {
    return new EndpointDescription(
        "opc.tcp://plc-17.plant.invalid:4840/plant",
        new ApplicationDescription(
            Pki.URI,
            Pki.URI,
            LocalizedText.english("Plant"),
            ApplicationType.Server,
            null,
            null,
            null),
        ByteString.of(der()),
        mode,
        policy,
        tokens.length > 0
            ? tokens
            : new UserTokenPolicy[] {
              SecureServer.token("anonymous", UserTokenType.Anonymous, null)
            },
        "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary",
        Unsigned.ubyte(1));
  }

  private static byte[] der() {
    try {
      return SERVER.certificate().getEncoded();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Offers as {@code Policy/mode}, in that order. */
  private static List<EndpointDescription> offers(String words) {
    List<EndpointDescription> all = new ArrayList<>();
    for (String word : words.split(" ")) {
      String[] parts = word.split("/");
      all.add(
          offer(
              "http://opcfoundation.org/UA/SecurityPolicy#" + parts[0],
              parts.length == 1
                  ? MessageSecurityMode.None
                  : MessageSecurityMode.valueOf(parts[1])));
    }
    return all;
  }

  @ParameterizedTest
  @CsvSource({
    "strongest, Aes256_Sha256_RsaPss, SignAndEncrypt",
    "Aes256_Sha256_RsaPss/sign, Aes256_Sha256_RsaPss, Sign",
    "Basic256Sha256, Basic256Sha256, SignAndEncrypt",
    "Basic256Sha256/sign, Basic256Sha256, Sign",
    "Aes128_Sha256_RsaOaep/sign-and-encrypt, Aes128_Sha256_RsaOaep, SignAndEncrypt",
    "none, None, None"
  })
  void theStrongestOfThoseThatTheSiteAllowsIsTaken(
      String setting, SecurityPolicy policy, MessageSecurityMode mode) throws IOException {
    EndpointDescription chosen =
        security.endpoint(
            offers(
                "None Basic128Rsa15/SignAndEncrypt Basic256/SignAndEncrypt Basic256Sha256/Sign"
                    + " Basic256Sha256/SignAndEncrypt Aes256_Sha256_RsaPss/Sign"
                    + " Aes128_Sha256_RsaOaep/SignAndEncrypt Aes128_Sha256_RsaOaep/Sign"
                    + " Aes256_Sha256_RsaPss/SignAndEncrypt ECC_nistP256/SignAndEncrypt"),
            ASKED,
            settings("security", setting));

    assertThat(chosen.getSecurityPolicyUri()).isEqualTo(policy.getUri());
    assertThat(chosen.getSecurityMode()).isEqualTo(mode);
  }

  @Test
  void theServerIsReachedWhereTheSiteSaysWhateverItCallsItself() throws IOException {
    EndpointDescription chosen =
        security.endpoint(offers("Basic256Sha256/Sign"), ASKED, settings());

    assertThat(chosen.getEndpointUrl()).isEqualTo("opc.tcp://127.0.0.1:14840/plant");
  }

  @ParameterizedTest
  @CsvSource({
    "strongest, None Basic256/Sign, 'none, Basic256/sign', security: none",
    "strongest, Basic128Rsa15/Sign, Basic128Rsa15/sign, switch on Aes256_Sha256_RsaPss",
    "none, Basic256Sha256/Sign, Basic256Sha256/sign, 'security: Basic256Sha256/sign'",
    "Aes256_Sha256_RsaPss, Basic256Sha256/SignAndEncrypt None, none,"
        + " 'security: Basic256Sha256/sign-and-encrypt, or leave it out'",
    "Basic256Sha256/sign, Basic256Sha256/SignAndEncrypt, sign-and-encrypt, 'set security'"
  })
  void ifNothingFitsItIsSaidWhatThereIsAndWhatToSet(
      String setting, String offered, String found, String todo) {
    assertThatThrownBy(
            () -> security.endpoint(offers(offered), ASKED, settings("security", setting)))
        .isInstanceOf(RefusedException.class)
        .hasMessageStartingWith("The server offers ")
        .hasMessageContaining(found)
        .hasMessageContaining("the setting security is " + setting)
        .hasMessageContaining(todo);
  }

  @Test
  void aHostileListOfOffersIsNoLongSentence() {
    List<EndpointDescription> offers = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      offers.add(offer("urn:\n" + i + "x".repeat(10_000), MessageSecurityMode.Sign));
    }
    offers.add(
        new EndpointDescription(null, null, null, null, null, null, null, Unsigned.ubyte(0)));

    assertThat(catchThrowable(() -> security.endpoint(offers, ASKED, settings())).getMessage())
        .hasSizeLessThan(3000)
        .doesNotContain("\n");
    assertThatThrownBy(() -> security.endpoint(List.of(), ASKED, settings()))
        .hasMessageContaining("offers no endpoint of opc.tcp");
  }

  @Test
  void aServerThatNobodyTrustsIsRefusedBeforeAnythingIsSent() throws IOException {
    Files.delete(folder.resolve("trusted/server.der"));

    assertThatThrownBy(() -> security.endpoint(offers("Basic256Sha256/Sign"), ASKED, settings()))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("isn't trusted")
        .hasMessageContaining("opcua trust add");
    // Without protection there is nobody to trust.
    assertThat(security.endpoint(offers("None"), ASKED, settings("security", "none"))).isNotNull();
  }

  @Test
  void anAddressOfIp6IsComparedAsAnAddress() throws IOException {
    Pki.Draft draft = Pki.server().host("fd00:0:0:0:0:0:0:17");
    Signed server = draft.selfSigned();
    Pki.put(folder.resolve("trusted"), "six.der", server.certificate());
    EndpointDescription offer =
        withCertificate(
            offer(SecurityPolicy.Basic256Sha256.getUri(), MessageSecurityMode.Sign), server);

    assertThat(
            security
                .endpoint(List.of(offer), new Endpoint("[fd00::17]", 4840, ""), settings())
                .getEndpointUrl())
        .isEqualTo("opc.tcp://[fd00::17]:4840/plant");
    assertThatThrownBy(
            () ->
                security.endpoint(List.of(offer), new Endpoint("[fd00::18]", 4840, ""), settings()))
        .hasMessageContaining("not for fd00:0:0:0:0:0:0:18");
  }

  private static EndpointDescription withCertificate(EndpointDescription e, Signed server) {
    try {
      return new EndpointDescription(
          e.getEndpointUrl(),
          e.getServer(),
          ByteString.of(server.certificate().getEncoded()),
          e.getSecurityMode(),
          e.getSecurityPolicyUri(),
          e.getUserIdentityTokens(),
          e.getTransportProfileUri(),
          e.getSecurityLevel());
    } catch (GeneralSecurityException wrong) {
      throw new IllegalStateException(wrong);
    }
  }

  @Test
  void securityWithoutACertificateIsRefused() {
    EndpointDescription e = offer(SecurityPolicy.Basic256Sha256.getUri(), MessageSecurityMode.Sign);
    for (byte[] bytes : List.of(new byte[0], new byte[] {1, 2, 3})) {
      EndpointDescription bare =
          new EndpointDescription(
              e.getEndpointUrl(),
              e.getServer(),
              ByteString.of(bytes),
              e.getSecurityMode(),
              e.getSecurityPolicyUri(),
              e.getUserIdentityTokens(),
              e.getTransportProfileUri(),
              e.getSecurityLevel());

      assertThatThrownBy(() -> security.endpoint(List.of(bare), ASKED, settings()))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("without a certificate that can be read");
    }
  }

  // As whom.

  private static UserTokenPolicy user(String policy) {
    return SecureServer.token("user-" + policy, UserTokenType.UserName, policy);
  }

  private static SecuritySettings operator(String... more) {
    List<String> all = new ArrayList<>(List.of("user", "operator", "password", "secret:plc"));
    all.addAll(List.of(more));
    return settings(all.toArray(String[]::new));
  }

  @Test
  void thePasswordGoesByTheTokenThatProtectsItBest() throws IOException {
    EndpointDescription chosen =
        security.endpoint(
            List.of(
                offer(
                    SecurityPolicy.Basic256Sha256.getUri(),
                    MessageSecurityMode.Sign,
                    user(SecurityPolicy.None.getUri()),
                    user(BASIC128),
                    user(null),
                    user(SecurityPolicy.Aes256_Sha256_RsaPss.getUri()))),
            ASKED,
            operator());

    assertThat(chosen.getUserIdentityTokens())
        .singleElement()
        .extracting(UserTokenPolicy::getSecurityPolicyUri)
        .isEqualTo(SecurityPolicy.Aes256_Sha256_RsaPss.getUri());
  }

  @Test
  void aTokenWithoutAPolicyHasThatOfItsEndpoint() throws IOException {
    EndpointDescription chosen =
        security.endpoint(
            List.of(
                offer(SecurityPolicy.Basic256Sha256.getUri(), MessageSecurityMode.Sign, user(""))),
            ASKED,
            operator());

    assertThat(chosen.getUserIdentityTokens()[0].getSecurityPolicyUri())
        .isEqualTo(SecurityPolicy.Basic256Sha256.getUri());
  }

  @Test
  void aPasswordIsNotSentInClearUnlessTheSiteSaysSo() throws IOException {
    String none = SecurityPolicy.None.getUri();
    String basic = SecurityPolicy.Basic256Sha256.getUri();
    List<EndpointDescription> open = List.of(offer(none, MessageSecurityMode.None, user(null)));
    List<EndpointDescription> signed = List.of(offer(basic, MessageSecurityMode.Sign, user(none)));

    assertThatThrownBy(() -> security.endpoint(open, ASKED, operator("security", "none")))
        .hasMessageContaining("password in clear")
        .hasMessageContaining("passwordInClear: true");
    assertThatThrownBy(() -> security.endpoint(signed, ASKED, operator()))
        .hasMessageContaining("password in clear");
    assertThat(
            security.endpoint(open, ASKED, operator("security", "none", "passwordInClear", "true")))
        .isNotNull();
    assertThat(security.endpoint(signed, ASKED, operator("passwordInClear", "true"))).isNotNull();
    // Where the channel encrypts, the password is within.
    assertThat(
            security.endpoint(
                List.of(offer(basic, MessageSecurityMode.SignAndEncrypt, user(none))),
                ASKED,
                operator()))
        .isNotNull();
  }

  @Test
  void anEncryptedPasswordOverAnOpenChannelGoesToATrustedServerOnly() throws IOException {
    List<EndpointDescription> open =
        List.of(
            offer(
                SecurityPolicy.None.getUri(),
                MessageSecurityMode.None,
                user(SecurityPolicy.Basic256Sha256.getUri())));
    assertThat(security.endpoint(open, ASKED, operator("security", "none"))).isNotNull();

    Files.delete(folder.resolve("trusted/server.der"));
    assertThatThrownBy(() -> security.endpoint(open, ASKED, operator("security", "none")))
        .hasMessageContaining("isn't trusted");
  }

  @Test
  void aBrokenProtectionOfThePasswordIsNone() {
    assertThatThrownBy(
            () ->
                security.endpoint(
                    List.of(
                        offer(
                            SecurityPolicy.None.getUri(),
                            MessageSecurityMode.None,
                            user(BASIC128))),
                    ASKED,
                    operator("security", "none", "passwordInClear", "true")))
        .hasMessageContaining("Basic128Rsa15, which is broken");
  }

  @Test
  void aCertificateWithoutProofOfItsKeyIsNotShown() {
    assertThatThrownBy(
            () ->
                security.endpoint(
                    List.of(
                        offer(
                            SecurityPolicy.None.getUri(),
                            MessageSecurityMode.None,
                            SecureServer.token("c", UserTokenType.Certificate, null))),
                    ASKED,
                    settings("security", "none", "userCertificate", "operator.p12")))
        .hasMessageContaining("without proof");
  }

  @Test
  void aWeakerEndpointIsTakenIfOnlyThatKnowsTheKindOfUser() throws IOException {
    List<EndpointDescription> offers =
        List.of(
            offer(
                SecurityPolicy.Aes256_Sha256_RsaPss.getUri(),
                MessageSecurityMode.SignAndEncrypt,
                SecureServer.token("c", UserTokenType.Certificate, null)),
            offer(
                SecurityPolicy.Basic256Sha256.getUri(),
                MessageSecurityMode.SignAndEncrypt,
                user(null)));

    assertThat(security.endpoint(offers, ASKED, operator()).getSecurityPolicyUri())
        .isEqualTo(SecurityPolicy.Basic256Sha256.getUri());
    assertThatThrownBy(() -> security.endpoint(offers, ASKED, settings()))
        .hasMessageContaining("wants a user with certificate with Aes256_Sha256_RsaPss")
        .hasMessageContaining("the settings have no user");
  }

  @Test
  void aMissingSecretOrKeyStoreIsNamed() throws IOException {
    secrets.clear();
    EndpointDescription chosen =
        security.endpoint(offers("None"), ASKED, settings("security", "none"));
    OpcUaClientConfigBuilder client = OpcUaClientConfig.builder();

    assertThatThrownBy(() -> security.configure(client, chosen, operator("security", "none")))
        .hasMessageContaining("There is no secret plc")
        .hasMessageContaining("etc/secrets/plc");
    assertThatThrownBy(
            () ->
                security.configure(
                    client,
                    chosen,
                    settings("security", "none", "userCertificate", "operator.p12")))
        .hasMessageContaining("There is no file etc/opcua/operator.p12");
    Pki.store(folder.resolve("operator.p12"), Pki.server().selfSigned(), "geheim-7f3c");
    secrets.put("user-key", "geheim-0000");
    assertThatThrownBy(
            () ->
                security.configure(
                    client,
                    chosen,
                    settings(
                        "security",
                        "none",
                        "userCertificate",
                        "operator.p12",
                        "userCertificatePassword",
                        "secret:user-key")))
        .hasMessageContaining("etc/opcua/operator.p12: its password is another")
        .hasMessageContaining("etc/secrets/user-key")
        .satisfies(e -> assertThat(e.toString() + e.getCause()).doesNotContain("geheim"));
  }
}
