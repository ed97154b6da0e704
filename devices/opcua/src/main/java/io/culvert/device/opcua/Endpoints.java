package io.culvert.device.opcua;

import io.culvert.api.southbound.Browsable.Found;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MessageSecurityMode;
import org.eclipse.milo.opcua.stack.core.types.enumerated.UserTokenType;
import org.eclipse.milo.opcua.stack.core.types.structured.EndpointDescription;
import org.eclipse.milo.opcua.stack.core.types.structured.UserTokenPolicy;
import org.eclipse.milo.opcua.stack.core.util.CertificateUtil;

/** A server's endpoints (Part 4, 7.14) in the words of the settings that choose one. */
final class Endpoints {
  private Endpoints() {}

  static Found found(String asked, EndpointDescription endpoint) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("kind", "endpoint");
    String policy = policy(endpoint.getSecurityPolicyUri());
    String mode = mode(endpoint.getSecurityMode());
    facts.put("policy", policy);
    facts.put("mode", mode);
    facts.put("users", users(endpoint.getUserIdentityTokens()));
    facts.put("security", mode.equals("none") ? "none" : policy + "/" + mode);
    if (endpoint.getEndpointUrl() != null && !endpoint.getEndpointUrl().equals(asked)) {
      facts.put("url", endpoint.getEndpointUrl());
    }
    if (endpoint.getServer() != null) {
      String application = endpoint.getServer().getApplicationUri();
      facts.put("server", application == null ? "" : application);
    }
    certificate(endpoint.getServerCertificate(), facts);
    facts.values().removeIf(String::isBlank);
    return new Found(asked, mode.equals("none") ? "no security" : policy + ", " + mode, facts);
  }

  private static String policy(String uri) {
    return uri == null ? "" : uri.substring(uri.lastIndexOf('#') + 1);
  }

  private static String mode(MessageSecurityMode mode) {
    return switch (mode == null ? MessageSecurityMode.Invalid : mode) {
      case Sign -> "sign";
      case SignAndEncrypt -> "sign-and-encrypt";
      case None -> "none";
      case Invalid -> "invalid";
    };
  }

  private static String users(UserTokenPolicy[] tokens) {
    TreeSet<UserTokenType> types = new TreeSet<>();
    for (UserTokenPolicy token : tokens == null ? new UserTokenPolicy[0] : tokens) {
      if (token.getTokenType() != null) {
        types.add(token.getTokenType());
      }
    }
    List<String> words = new ArrayList<>();
    types.forEach(
        type ->
            words.add(
                switch (type) {
                  case Anonymous -> "anonymous";
                  case UserName -> "password";
                  case Certificate -> "certificate";
                  case IssuedToken -> "issued token";
                }));
    return String.join(", ", words);
  }

  private static void certificate(ByteString encoded, Map<String, String> facts) {
    if (encoded == null || encoded.isNullOrEmpty()) {
      return;
    }
    try {
      X509Certificate certificate = CertificateUtil.decodeCertificate(encoded.bytesOrEmpty());
      facts.put("certificate", certificate.getSubjectX500Principal().getName());
      facts.put("validUntil", certificate.getNotAfter().toInstant().toString());
    } catch (UaException e) {
      facts.put("certificate", "can't be read");
    }
  }
}
