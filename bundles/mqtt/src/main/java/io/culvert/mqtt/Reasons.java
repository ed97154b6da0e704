package io.culvert.mqtt;

import java.io.EOFException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.eclipse.paho.client.mqttv3.MqttException;

/** Says in one line why a link failed and what to do about it. */
final class Reasons {

  private Reasons() {}

  /**
   * @param wasUp whether the platform had accepted the connection before
   */
  static String of(Throwable failure, Settings settings, boolean wasUp) {
    Optional<String> known = mqtt(failure, settings);
    if (known.isEmpty()) {
      known = tls(failure, settings);
    }
    if (known.isEmpty()) {
      known = network(failure, settings, wasUp);
    }
    return known.orElseGet(() -> root(failure));
  }

  private static Optional<String> mqtt(Throwable failure, Settings settings) {
    if (!(failure instanceof MqttException mqtt)) {
      return Optional.empty();
    }
    return Optional.ofNullable(
        switch (mqtt.getReasonCode()) {
          case MqttException.REASON_CODE_FAILED_AUTHENTICATION,
              MqttException.REASON_CODE_NOT_AUTHORIZED ->
              (settings.user().isEmpty()
                      ? "the platform lets nobody in without user and password"
                      : "the platform refuses user " + settings.user() + " with this password")
                  + "; check user, password and clientId of platform "
                  + settings.id()
                  + " in etc/site.json";
          case MqttException.REASON_CODE_INVALID_CLIENT_ID ->
              "the platform refuses client id "
                  + settings.clientId()
                  + "; set clientId of platform "
                  + settings.id()
                  + " in etc/site.json to what it expects";
          case MqttException.REASON_CODE_INVALID_PROTOCOL_VERSION ->
              "the platform doesn't speak MQTT 3.1.1";
          case MqttException.REASON_CODE_BROKER_UNAVAILABLE ->
              "the platform says that it isn't available at the moment";
          default -> null;
        });
  }

  private static Optional<String> tls(Throwable failure, Settings settings) {
    SSLException ssl = find(failure, SSLException.class);
    if (ssl == null) {
      return Optional.empty();
    }
    if (find(ssl, CertificateExpiredException.class) != null) {
      return Optional.of(
          "the platform's certificate has expired ("
              + root(ssl)
              + "); have it renewed there, or set this machine's clock right");
    }
    if (find(ssl, CertificateNotYetValidException.class) != null) {
      return Optional.of(
          "the platform's certificate isn't valid yet ("
              + root(ssl)
              + "); set this machine's clock right");
    }
    if (find(ssl, CertPathBuilderException.class) != null) {
      return Optional.of(
          "the platform's certificate comes from nobody that "
              + (settings.trust() == null ? "the Java runtime" : settings.trust())
              + " trusts; put the certificate of its authority into a file below etc and name it"
              + " as trust");
    }
    CertificateException certificate = find(ssl, CertificateException.class);
    if (certificate != null && String.valueOf(certificate.getMessage()).startsWith("No ")) {
      return Optional.of(
          "the platform's certificate is not for "
              + settings.host()
              + " ("
              + certificate.getMessage()
              + "); use the name that it was made for in url");
    }
    return Optional.of(
        "TLS failed: "
            + root(ssl)
            + "; check that the port is the one for mqtts and that the platform speaks TLS 1.2 or"
            + " 1.3");
  }

  private static Optional<String> network(Throwable failure, Settings settings, boolean wasUp) {
    if (find(failure, UnknownHostException.class) != null) {
      return Optional.of(
          "unknown host "
              + settings.host()
              + "; check the name in url, or this machine's name server");
    }
    if (find(failure, NoRouteToHostException.class) != null) {
      return Optional.of("no route to host; check network and gateway of this machine");
    }
    ConnectException connect = find(failure, ConnectException.class);
    if (connect != null) {
      return Optional.of(
          String.valueOf(connect.getMessage()).contains("refused")
              ? "connection refused"
              : root(connect));
    }
    if (find(failure, SocketTimeoutException.class) != null) {
      return Optional.of("no answer within " + settings.connectTimeout().toSeconds() + " s");
    }
    if (find(failure, EOFException.class) != null || find(failure, SocketException.class) != null) {
      return Optional.of(
          wasUp
              ? "closed by the platform"
              : "the platform broke off before it had answered; check that the port is the one for "
                  + (settings.tls() ? "mqtts" : "mqtt"));
    }
    return Optional.empty();
  }

  private static <T extends Throwable> T find(Throwable failure, Class<T> type) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (type.isInstance(t)) {
        return type.cast(t);
      }
    }
    return null;
  }

  private static String root(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
  }
}
