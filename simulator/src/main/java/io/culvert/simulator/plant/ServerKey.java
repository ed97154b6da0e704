package io.culvert.simulator.plant;

import java.security.KeyPair;
import java.security.Security;
import java.security.cert.X509Certificate;
import java.time.Period;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.security.CertificateStore;
import org.eclipse.milo.opcua.stack.core.security.CertificateValidator;
import org.eclipse.milo.opcua.stack.core.security.DefaultApplicationGroup;
import org.eclipse.milo.opcua.stack.core.security.MemoryCertificateStore;
import org.eclipse.milo.opcua.stack.core.security.MemoryTrustListManager;
import org.eclipse.milo.opcua.stack.core.security.RsaSha256CertificateFactory;
import org.eclipse.milo.opcua.stack.core.util.SelfSignedCertificateBuilder;
import org.eclipse.milo.opcua.stack.core.util.SelfSignedCertificateGenerator;

/**
 * Key and certificate of the plant's server, self-signed, made once a process and kept over
 * restarts of the server. Which clients come, the plant doesn't mind: any certificate is taken.
 */
record ServerKey(KeyPair pair, X509Certificate certificate) {
  static final String APPLICATION_URI = "urn:culvert:simulator:plant";

  private static ServerKey made;

  /** The key; made on the first call. */
  static synchronized ServerKey get(String host) {
    if (made == null) {
      made = make(host);
    }
    return made;
  }

  private static ServerKey make(String host) {
    // One of the policies needs a padding under a name that only this provider has.
    if (Security.getProvider(BouncyCastleProvider.PROVIDER_NAME) == null) {
      Security.addProvider(new BouncyCastleProvider());
    }
    try {
      KeyPair pair = SelfSignedCertificateGenerator.generateRsaKeyPair(2048);
      X509Certificate certificate =
          new SelfSignedCertificateBuilder(pair)
              .setCommonName("Culvert's plant")
              .setOrganization("Culvert")
              .setApplicationUri(APPLICATION_URI)
              .setValidityPeriod(Period.ofYears(1))
              .addDnsName("localhost")
              .addIpAddress(host)
              .build();
      return new ServerKey(pair, certificate);
    } catch (Exception e) {
      throw new IllegalStateException("No certificate for the plant", e);
    }
  }

  /** As the server wants it. */
  DefaultApplicationGroup group() {
    MemoryCertificateStore store = new MemoryCertificateStore();
    CertificateValidator any = (chain, uri, hosts) -> {};
    try {
      store.set(
          NodeIds.RsaSha256ApplicationCertificateType,
          new CertificateStore.Entry(pair.getPrivate(), new X509Certificate[] {certificate}));
      return DefaultApplicationGroup.createAndInitialize(
          new MemoryTrustListManager(), store, new Kept(), any);
    } catch (Exception e) {
      throw new IllegalStateException("No certificate for the plant", e);
    }
  }

  /** Nobody gets another certificate. */
  private final class Kept extends RsaSha256CertificateFactory {
    @Override
    protected X509Certificate[] createRsaSha256CertificateChain(KeyPair any) {
      return new X509Certificate[] {certificate};
    }
  }
}
