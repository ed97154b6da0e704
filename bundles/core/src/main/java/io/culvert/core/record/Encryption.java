package io.culvert.core.record;

import io.culvert.api.Device;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The signs that a session is encrypted. Its recording would be of no use, since no two sessions
 * are alike, and it would keep what was meant to be secret.
 */
public final class Encryption {
  private static final Set<String> SCHEMES =
      Set.of("mqtts", "https", "wss", "amqps", "coaps", "ftps", "opc.https", "opc.wss");

  private static final Pattern SUFFIX = Pattern.compile(".*[-+.](tls|ssl|dtls)");

  /** Settings of endpoint or device that may ask for encryption. */
  private static final Set<String> SETTINGS =
      Set.of("tls", "ssl", "security", "securitymode", "securitypolicy");

  private static final Set<String> NO = Set.of("", "none", "false", "no", "off", "0");

  /** OPC UA Part 6, 6.7.2: the header of the message that opens a channel names its policy. */
  private static final String POLICY = "http://opcfoundation.org/UA/SecurityPolicy#";

  private Encryption() {}

  /**
   * By what is written of a device.
   *
   * @return what says so, {@code ""} if nothing does
   */
  public static String of(Device device) {
    String scheme = String.valueOf(device.endpoint().getScheme()).toLowerCase(Locale.ROOT);
    if (SCHEMES.contains(scheme) || SUFFIX.matcher(scheme).matches()) {
      return "the scheme " + scheme;
    }
    Map<String, String> all = new LinkedHashMap<>(device.settings());
    String query = device.endpoint().getRawQuery();
    for (String part : query == null ? new String[0] : query.split("&")) {
      String[] pair = part.split("=", 2);
      all.put(pair[0], pair.length == 2 ? pair[1] : "true");
    }
    for (Map.Entry<String, String> setting : all.entrySet()) {
      if (SETTINGS.contains(setting.getKey().toLowerCase(Locale.ROOT))
          && !NO.contains(setting.getValue().strip().toLowerCase(Locale.ROOT))) {
        return setting.getKey() + "=" + setting.getValue();
      }
    }
    return "";
  }

  /**
   * By what is sent to a device: a TLS ClientHello at the very beginning (RFC 8446, 4.1.2 and 5.1),
   * or an OPC UA channel with a policy.
   *
   * @param first whether these are the first bytes of the connection
   * @return what says so, {@code ""} if nothing does
   */
  public static String of(byte[] bytes, boolean first) {
    boolean hello =
        first
            && bytes.length >= 6
            && bytes[0] == 0x16
            && bytes[1] == 3
            && bytes[2] >= 1
            && bytes[2] <= 4
            && bytes[5] == 1;
    if (hello) {
      return "a TLS ClientHello";
    }
    if (bytes.length > 3 && bytes[0] == 'O' && bytes[1] == 'P' && bytes[2] == 'N') {
      String text = new String(bytes, StandardCharsets.ISO_8859_1);
      int at = text.indexOf(POLICY);
      if (at >= 0 && !text.startsWith("None", at + POLICY.length())) {
        return "an OPC UA channel with a security policy";
      }
    }
    return "";
  }
}
