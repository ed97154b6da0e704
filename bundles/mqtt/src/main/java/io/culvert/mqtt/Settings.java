package io.culvert.mqtt;

import io.culvert.api.Problem;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What a session is to do, checked.
 *
 * @param id of the platform in the site document
 * @param gateway id of the gateway at the platform
 * @param host name or address
 * @param port TCP
 * @param tls whether the link is encrypted and the platform's certificate checked
 * @param password in clear or {@code secret:name}
 * @param trust file with certificates, {@code null} for those of the Java runtime
 * @param backoff longest pause before the second attempt; grows by half of the time since the first
 * @param maxBackoff bound on that
 */
record Settings(
    String id,
    String gateway,
    String host,
    int port,
    boolean tls,
    String clientId,
    String user,
    String password,
    int window,
    Duration keepAlive,
    Duration connectTimeout,
    Path trust,
    String trustPassword,
    Duration backoff,
    Duration maxBackoff) {

  private static final Duration BACKOFF = Duration.ofSeconds(1);
  private static final Duration MAX_BACKOFF = Duration.ofSeconds(60);

  /**
   * Checks what Metatype can't.
   *
   * @param etc folder that {@code trust} is relative to
   * @throws InvalidException if a person has to mend something first
   */
  static Settings of(Config config, Path etc) throws InvalidException {
    URI url;
    try {
      url = new URI(config.url());
    } catch (URISyntaxException e) {
      throw new InvalidException(badUrl(config.url()));
    }
    boolean tls = "mqtts".equalsIgnoreCase(url.getScheme());
    if (!tls && !"mqtt".equalsIgnoreCase(url.getScheme())
        || url.getHost() == null
        || url.getUserInfo() != null
        || !(url.getPath().isEmpty() || url.getPath().equals("/"))
        || url.getQuery() != null
        || url.getFragment() != null) {
      throw new InvalidException(badUrl(config.url()));
    }
    if (config.gateway().isEmpty() || config.gateway().matches(".*[+#/\\x00].*")) {
      throw new InvalidException(
          new Problem(
              "gateway",
              '"' + config.gateway() + '"',
              "an id without +, # and /, because it becomes part of MQTT topics"));
    }
    return new Settings(
        config.id(),
        config.gateway(),
        url.getHost(),
        url.getPort() >= 0 ? url.getPort() : tls ? 8883 : 1883,
        tls,
        config.clientId().isEmpty() ? config.gateway() : config.clientId(),
        config.user(),
        config.password(),
        config.window(),
        Duration.ofSeconds(config.keepAliveSeconds()),
        Duration.ofSeconds(config.connectTimeoutSeconds()),
        config.trust().isEmpty() ? null : etc.resolve(config.trust()),
        config.trustPassword(),
        BACKOFF,
        MAX_BACKOFF);
  }

  private static Problem badUrl(String found) {
    return new Problem("url", '"' + found + '"', "mqtt://host:port or mqtts://host:port");
  }

  /** The address as a person writes it. */
  String url() {
    return (tls ? "mqtts://" : "mqtt://") + host + ":" + port;
  }

  /** Never with a password. */
  @Override
  public String toString() {
    return id + " at " + url();
  }

  /** Something in the site document has to be mended first. */
  static final class InvalidException extends Exception {
    private static final long serialVersionUID = 1;

    InvalidException(Problem problem) {
      super(problem.toString());
    }
  }
}
