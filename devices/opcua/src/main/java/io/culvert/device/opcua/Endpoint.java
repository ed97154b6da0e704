package io.culvert.device.opcua;

import io.culvert.api.Problem;
import java.net.URI;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * Where a server is reached: {@code opc.tcp://host:port/path} (OPC 10000-6, 7.2).
 *
 * @param host name or address, in lower case; an IPv6 address in brackets
 * @param port 1 to 65535; 4840 if not written
 * @param path with its slash, case as written; empty if there is none
 */
record Endpoint(String host, int port, String path) {
  static final String SCHEME = "opc.tcp";
  private static final int DEFAULT_PORT = 4840;
  private static final String FORM = "opc.tcp://host:port/path, such as opc.tcp://plc:4840";

  /**
   * Reads an endpoint.
   *
   * @param key what it is called in messages
   * @return {@code null} if there was a problem to tell
   */
  static Endpoint parse(URI uri, String key, Consumer<Problem> problems) {
    if (!SCHEME.equals(uri.getScheme())) {
      problems.accept(new Problem(key, "scheme " + uri.getScheme(), FORM));
      return null;
    }
    if (uri.getRawUserInfo() != null || ("" + uri.getRawAuthority()).contains("@")) {
      problems.accept(
          new Problem(
              key,
              "user information before @",
              FORM + "; who logs in stands in the settings user and password"));
      return null;
    }
    if (uri.getHost() == null) {
      problems.accept(
          new Problem(
              key,
              uri.toString(),
              FORM + "; a host name has letters, digits, hyphens and dots only"));
      return null;
    }
    if (uri.getRawQuery() != null || uri.getRawFragment() != null) {
      problems.accept(
          new Problem(
              key,
              uri.toString(),
              FORM + " and nothing after it; whatever else the driver is told stands in settings"));
      return null;
    }
    int port = uri.getPort() == -1 ? DEFAULT_PORT : uri.getPort();
    if (port < 1 || port > 65535) {
      problems.accept(new Problem(key, "port " + port, "1–65535"));
      return null;
    }
    String path = uri.getRawPath() == null || uri.getRawPath().equals("/") ? "" : uri.getRawPath();
    return new Endpoint(uri.getHost().toLowerCase(Locale.ROOT), port, path);
  }

  /** What discovery is asked at. */
  String url() {
    return SCHEME + "://" + host + ":" + port + path;
  }

  @Override
  public String toString() {
    return url();
  }
}
