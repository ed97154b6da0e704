package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MessageSecurityMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SecuritySettingsTest {
  private final List<Problem> problems = new ArrayList<>();

  private SecuritySettings parse(Map<String, String> settings) {
    return SecuritySettings.parse(settings, problems::add);
  }

  @Test
  void theStrongestIsWhatASiteGetsThatSaysNothing() {
    SecuritySettings settings = parse(Map.of());

    assertThat(problems).isEmpty();
    assertThat(settings.policy()).isNull();
    assertThat(settings.mode()).isNull();
    assertThat(settings.none()).isFalse();
    assertThat(settings.acceptExpired()).isFalse();
    assertThat(settings.passwordInClear()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "none, None, None",
    "Basic256Sha256, Basic256Sha256,",
    "Aes128_Sha256_RsaOaep/sign, Aes128_Sha256_RsaOaep, Sign",
    "Aes256_Sha256_RsaPss/sign-and-encrypt, Aes256_Sha256_RsaPss, SignAndEncrypt"
  })
  void policiesAndModesAreReadAndWrittenTheSame(
      String text, SecurityPolicy policy, MessageSecurityMode mode) {
    SecuritySettings settings = parse(Map.of("security", text));

    assertThat(problems).isEmpty();
    assertThat(settings.policy()).isEqualTo(policy);
    assertThat(settings.mode()).isEqualTo(mode);
    assertThat(settings.security()).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "None",
        "Basic256",
        "Basic128Rsa15",
        "basic256sha256",
        "Basic256Sha256/",
        "Basic256Sha256/none",
        "none/sign",
        "/sign"
      })
  void otherWordsAreNamedWithAllThatMayStandThere(String text) {
    parse(Map.of("security", text));

    assertThat(problems)
        .singleElement()
        .satisfies(
            p -> {
              assertThat(p.key()).isEqualTo("settings.security");
              assertThat(p.found()).isEqualTo(text.isEmpty() ? "nothing" : text);
              assertThat(p.expected())
                  .contains("strongest", "none", "Basic256Sha256", "/sign-and-encrypt");
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"password", "userCertificatePassword"})
  void aPasswordInThePlaceOfItsNameIsRefusedAndNotRepeated(String key) {
    SecuritySettings settings =
        parse(Map.of("user", "operator", "userCertificate", "a.p12", key, "geheim-7f3c"));

    assertThat(problems).anyMatch(p -> p.key().equals("settings." + key));
    assertThat(problems.toString() + settings).doesNotContain("geheim").contains("secret:name");
  }

  @Test
  void aUserIsCompleteAndOneOnly() {
    parse(Map.of("user", "operator"));
    parse(Map.of("password", "secret:a"));
    parse(Map.of("userCertificatePassword", "secret:a"));
    parse(Map.of("user", "operator", "password", "secret:a", "userCertificate", "a.p12"));
    parse(Map.of("userCertificate", "../own.p12"));
    parse(Map.of("acceptExpired", "yes"));
    parse(Map.of("serverName", " "));

    assertThat(problems)
        .extracting(Problem::key)
        .containsExactly(
            "settings.password",
            "settings.user",
            "settings.userCertificate",
            "settings.userCertificate",
            "settings.userCertificate",
            "settings.acceptExpired",
            "settings.serverName");
  }
}
