package io.culvert.device.opcua;

import io.culvert.api.Problem;
import io.culvert.api.service.Secrets;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MessageSecurityMode;

/**
 * How a device's server is to be met, and as whom. Holds names of secrets and no secret.
 *
 * @param policy {@code null} for the strongest that is offered; {@code None} only by the site's
 *     word
 * @param mode {@code null} for the stronger one that is offered
 * @param user {@code null} for nobody in particular
 * @param password name of the secret; {@code null} if not set
 * @param passwordInClear whether the password may go over the wire for anybody to read
 * @param userCertificate name of a key store in etc/opcua; {@code null} if not set
 * @param userCertificatePassword name of the secret; {@code null} if not set
 * @param serverName that the server's certificate must name in place of the endpoint's host; {@code
 *     *} for any, {@code null} if not set
 * @param acceptExpired whether a server's certificate does that has run out
 */
record SecuritySettings(
    SecurityPolicy policy,
    MessageSecurityMode mode,
    String user,
    String password,
    boolean passwordInClear,
    String userCertificate,
    String userCertificatePassword,
    String serverName,
    boolean acceptExpired) {

  /** The keys of these settings. */
  static final List<String> KEYS =
      List.of(
          "security",
          "user",
          "password",
          "passwordInClear",
          "userCertificate",
          "userCertificatePassword",
          "serverName",
          "acceptExpired");

  /** The strongest first. Older ones are broken and never used (OPC 10000-7, deprecated). */
  static final List<SecurityPolicy> POLICIES =
      List.of(
          SecurityPolicy.Aes256_Sha256_RsaPss,
          SecurityPolicy.Aes128_Sha256_RsaOaep,
          SecurityPolicy.Basic256Sha256);

  static final String STRONGEST = "strongest";
  static final String NONE = "none";
  static final String SIGN = "sign";
  static final String ENCRYPT = "sign-and-encrypt";

  /** Any name in a certificate. */
  static final String ANY = "*";

  private static final Pattern FILE = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,63}");

  static SecuritySettings parse(Map<String, String> settings, Consumer<Problem> problems) {
    String security = settings.getOrDefault("security", STRONGEST);
    SecurityPolicy policy = null;
    MessageSecurityMode mode = null;
    if (security.equals(NONE)) {
      policy = SecurityPolicy.None;
      mode = MessageSecurityMode.None;
    } else if (!security.equals(STRONGEST)) {
      int slash = security.indexOf('/');
      String name = slash < 0 ? security : security.substring(0, slash);
      String how = slash < 0 ? "" : security.substring(slash + 1);
      policy = POLICIES.stream().filter(p -> p.name().equals(name)).findFirst().orElse(null);
      mode =
          how.equals(SIGN)
              ? MessageSecurityMode.Sign
              : how.equals(ENCRYPT) ? MessageSecurityMode.SignAndEncrypt : null;
      if (policy == null || (slash >= 0 && mode == null)) {
        problems.accept(
            new Problem(
                "settings.security",
                security.isBlank() ? "nothing" : security,
                STRONGEST
                    + ", "
                    + String.join(", ", POLICIES.stream().map(Enum::name).toList())
                    + ", each of these also with /"
                    + SIGN
                    + " or /"
                    + ENCRYPT
                    + ", or "
                    + NONE));
      }
    }
    SecuritySettings read =
        new SecuritySettings(
            policy,
            mode,
            settings.get("user"),
            secret(settings, "password", problems),
            yes(settings, "passwordInClear", problems),
            settings.get("userCertificate"),
            secret(settings, "userCertificatePassword", problems),
            settings.get("serverName"),
            yes(settings, "acceptExpired", problems));
    read.check(settings, problems);
    return read;
  }

  private void check(Map<String, String> settings, Consumer<Problem> problems) {
    if (user != null && user.isBlank()) {
      problems.accept(new Problem("settings.user", "nothing", "the name of a user"));
    }
    if (user != null && userCertificate != null) {
      problems.accept(
          new Problem(
              "settings.userCertificate",
              "a user and a certificate",
              "one of them: who logs in has a password or a certificate"));
    }
    if (user != null && !settings.containsKey("password")) {
      problems.accept(
          new Problem(
              "settings.password", "nothing for user " + user, "secret:name, of its password"));
    }
    if (user == null && settings.containsKey("password")) {
      problems.accept(
          new Problem("settings.user", "nothing for the password", "the name of a user"));
    }
    if (userCertificate != null && !FILE.matcher(userCertificate).matches()) {
      problems.accept(
          new Problem(
              "settings.userCertificate",
              userCertificate.isBlank() ? "nothing" : userCertificate,
              "the name of a key store (PKCS #12) in etc/opcua, such as operator.p12"));
    }
    if (serverName != null && serverName.isBlank()) {
      problems.accept(
          new Problem(
              "settings.serverName",
              "nothing",
              "the host name in the server's certificate, or * for any"));
    }
    if (userCertificate == null && settings.containsKey("userCertificatePassword")) {
      problems.accept(
          new Problem(
              "settings.userCertificate", "nothing for the password", "the name of a key store"));
    }
  }

  /** Never tells what was written: it may be the password itself. */
  private static String secret(
      Map<String, String> settings, String key, Consumer<Problem> problems) {
    String text = settings.get(key);
    if (text == null) {
      return null;
    }
    if (text.startsWith(Secrets.PREFIX) && text.length() > Secrets.PREFIX.length()) {
      return text.substring(Secrets.PREFIX.length());
    }
    problems.accept(
        new Problem(
            "settings." + key,
            "something that isn't the name of a secret",
            "secret:name, with the password itself in the file etc/secrets/name"));
    return null;
  }

  private static boolean yes(Map<String, String> settings, String key, Consumer<Problem> problems) {
    String text = settings.getOrDefault(key, "false");
    if (!text.equals("true") && !text.equals("false")) {
      problems.accept(
          new Problem("settings." + key, text.isBlank() ? "nothing" : text, "true or false"));
    }
    return text.equals("true");
  }

  /** Whether messages go without any protection. */
  boolean none() {
    return policy == SecurityPolicy.None;
  }

  /** As the setting {@code security} is written. */
  String security() {
    if (policy == null) {
      return STRONGEST;
    }
    return none()
        ? NONE
        : policy.name()
            + Stream.of(MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt)
                .filter(m -> m == mode)
                .map(m -> "/" + (m == MessageSecurityMode.Sign ? SIGN : ENCRYPT))
                .findFirst()
                .orElse("");
  }
}
