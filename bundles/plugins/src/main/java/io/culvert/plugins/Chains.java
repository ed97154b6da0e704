package io.culvert.plugins;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.CRLReason;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.security.interfaces.DSAKey;
import java.security.interfaces.ECKey;
import java.security.interfaces.RSAKey;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Whether certificates lead to the trust list, and held at a time. */
final class Chains {
  private static final String ANY_USAGE = "2.5.29.37.0";
  private static final String INVALIDITY_DATE = "2.5.29.24";
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuuMMddHHmmss'Z'", Locale.ROOT);
  private static final int LONGEST = 10;
  private static final int MIN_RSA = 2048;
  private static final int MIN_EC = 224;

  private final TrustList trust;

  Chains(TrustList trust) {
    this.trust = trust;
  }

  /** What a key is for (RFC 5280, 4.2.1.12). */
  enum Use {
    CODE("1.3.6.1.5.5.7.3.3", "codeSigning"),
    TIME("1.3.6.1.5.5.7.3.8", "timeStamping");

    private final String oid;
    private final String word;

    Use(String oid, String word) {
      this.oid = oid;
      this.word = word;
    }
  }

  /**
   * A way from a certificate to the trust list.
   *
   * @param name of the list
   * @param certificates from the first to the trusted one
   * @param given all that came with the first; those behind the trusted one vouch for nothing here
   */
  record Way(String name, List<X509Certificate> certificates, List<X509Certificate> given) {

    /** When it began, or will begin, to hold. */
    Instant from() {
      return certificates.stream()
          .map(c -> c.getNotBefore().toInstant())
          .max(Instant::compareTo)
          .orElseThrow();
    }

    /** Until when it holds. */
    Instant to() {
      return certificates.stream()
          .map(c -> c.getNotAfter().toInstant())
          .min(Instant::compareTo)
          .orElseThrow();
    }

    X509Certificate first() {
      return certificates.get(0);
    }
  }

  /**
   * Every way, the one by a certificate that is itself on the list first.
   *
   * @param given the first and those that came with it, each issued by the next
   */
  List<Way> ways(List<? extends java.security.cert.Certificate> given) {
    List<Way> ways = new ArrayList<>();
    List<X509Certificate> path = new ArrayList<>();
    List<X509Certificate> all =
        given.stream().limit(LONGEST).map(X509Certificate.class::cast).toList();
    for (X509Certificate certificate : all) {
      path.add(certificate);
      for (TrustList.Trusted trusted : trust.certificates()) {
        if (trusted.certificate().equals(certificate)) {
          ways.add(new Way(trusted.name(), List.copyOf(path), all));
        } else if (issued(trusted.certificate(), certificate)) {
          List<X509Certificate> whole = new ArrayList<>(path);
          whole.add(trusted.certificate());
          ways.add(new Way(trusted.name(), List.copyOf(whole), all));
        }
      }
    }
    return ways;
  }

  private static boolean issued(X509Certificate issuer, X509Certificate certificate) {
    if (!issuer.getSubjectX500Principal().equals(certificate.getIssuerX500Principal())) {
      return false;
    }
    try {
      certificate.verify(issuer.getPublicKey());
      return true;
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  /**
   * Checks a way by the rules of PKIX (RFC 5280, 6), but for revocation and its time.
   *
   * @param at within {@link Way#from} and {@link Way#to}
   * @return why it doesn't hold; {@code null} if it does
   */
  static String fault(Way way, Use use, Instant at) {
    for (int i = 0; i < way.certificates.size(); i++) {
      X509Certificate certificate = way.certificates.get(i);
      String weak = weak(certificate, i == way.certificates.size() - 1);
      if (weak != null) {
        return weak;
      }
    }
    X509Certificate first = way.first();
    try {
      List<String> extended = first.getExtendedKeyUsage();
      if (extended == null ? use == Use.TIME : !allows(extended, use)) {
        return "the certificate %s isn't made for %s (its ExtendedKeyUsage)"
            .formatted(name(first), use.word);
      }
    } catch (CertificateException e) {
      return "the certificate " + name(first) + " has an ExtendedKeyUsage that can't be read";
    }
    int last = way.certificates.size() - 1;
    if (last == 0) {
      return null;
    }
    // PKIX takes a trust anchor for an authority without a look.
    X509Certificate anchor = way.certificates.get(last);
    if (anchor.getVersion() >= 3 && anchor.getBasicConstraints() < 0) {
      return "the certificate %s on the trust list is no authority that vouches for %s (its BasicConstraints)"
          .formatted(name(anchor), name(way.certificates.get(last - 1)));
    }
    try {
      PKIXParameters parameters =
          new PKIXParameters(Set.of(new TrustAnchor(way.certificates.get(last), null)));
      parameters.setRevocationEnabled(false);
      parameters.setDate(Date.from(at));
      CertPathValidator.getInstance("PKIX")
          .validate(
              CertificateFactory.getInstance("X.509")
                  .generateCertPath(way.certificates.subList(0, last)),
              parameters);
      return null;
    } catch (CertPathValidatorException e) {
      String which =
          e.getIndex() >= 0 && e.getIndex() < last
              ? name(way.certificates.get(e.getIndex()))
              : name(first);
      return "the chain from " + which + " to " + way.name + " doesn't hold: " + e.getMessage();
    } catch (GeneralSecurityException e) {
      return "the chain from " + name(first) + " can't be checked: " + e.getMessage();
    }
  }

  private static boolean allows(List<String> extended, Use use) {
    return extended.contains(use.oid) || use == Use.CODE && extended.contains(ANY_USAGE);
  }

  /** A trusted certificate's own signature doesn't matter, its key does. */
  private static String weak(X509Certificate certificate, boolean trusted) {
    String algorithm = certificate.getSigAlgName().toUpperCase(Locale.ROOT).replace("-", "");
    if (!trusted && algorithm.matches(".*(MD2|MD5|SHA1(?!\\d)).*")) {
      return "the certificate %s is signed with %s, which is too weak to trust"
          .formatted(name(certificate), certificate.getSigAlgName());
    }
    int bits;
    int least = MIN_RSA;
    if (certificate.getPublicKey() instanceof RSAKey rsa) {
      bits = rsa.getModulus().bitLength();
    } else if (certificate.getPublicKey() instanceof DSAKey dsa && dsa.getParams() != null) {
      bits = dsa.getParams().getP().bitLength();
    } else if (certificate.getPublicKey() instanceof ECKey ec) {
      bits = ec.getParams().getOrder().bitLength();
      least = MIN_EC;
    } else {
      return null;
    }
    return bits >= least
        ? null
        : "the key of the certificate %s has %d bits (%s), which is too weak to trust; expected %d"
            .formatted(name(certificate), bits, certificate.getPublicKey().getAlgorithm(), least);
  }

  /**
   * A revocation.
   *
   * @param at since when
   * @param stolen whether the key is in wrong hands
   */
  record Revoked(X509Certificate certificate, Instant at, boolean stolen, String reason) {}

  /** What the lists say of a way; the earliest revocation, or {@code null}. */
  Revoked revoked(Way way) {
    Revoked earliest = null;
    for (int i = 0; i < way.certificates.size(); i++) {
      X509Certificate certificate = way.certificates.get(i);
      List<X509Certificate> issuers = new ArrayList<>(way.certificates);
      trust.certificates().forEach(t -> issuers.add(t.certificate()));
      // Of one that is itself on the list the issuer mostly isn't, and comes with the jar.
      way.given.stream().filter(each -> issued(each, certificate)).forEach(issuers::add);
      for (TrustList.Revocations each : trust.revocations()) {
        if (!each.list().getIssuerX500Principal().equals(certificate.getIssuerX500Principal())
            || issuers.stream().noneMatch(issuer -> TrustList.signed(each.list(), issuer))) {
          continue;
        }
        X509CRLEntry entry = each.list().getRevokedCertificate(certificate.getSerialNumber());
        if (entry == null || entry.getRevocationReason() == CRLReason.REMOVE_FROM_CRL) {
          continue;
        }
        CRLReason reason = entry.getRevocationReason();
        Revoked found =
            new Revoked(
                certificate,
                since(entry),
                reason == CRLReason.KEY_COMPROMISE || reason == CRLReason.CA_COMPROMISE,
                reason == null
                    ? "no reason given"
                    : reason.name().toLowerCase(Locale.ROOT).replace('_', ' '));
        if (earliest == null || found.at.isBefore(earliest.at)) {
          earliest = found;
        }
      }
    }
    return earliest;
  }

  /** When the key was no longer good, which may be before the issuer knew (RFC 5280, 5.3.2). */
  private static Instant since(X509CRLEntry entry) {
    Instant revoked = entry.getRevocationDate().toInstant();
    byte[] value = entry.getExtensionValue(INVALIDITY_DATE);
    // A GeneralizedTime of DER in an OCTET STRING: two tags, two lengths, and the text.
    if (value == null || value.length < 4) {
      return revoked;
    }
    try {
      Instant invalid =
          LocalDateTime.parse(
                  new String(value, 4, value.length - 4, StandardCharsets.US_ASCII), TIME)
              .toInstant(ZoneOffset.UTC);
      return invalid.isBefore(revoked) ? invalid : revoked;
    } catch (DateTimeParseException e) {
      return revoked;
    }
  }

  /** A certificate's subject as a person reads it. */
  static String name(X509Certificate certificate) {
    return JarContent.shown(certificate.getSubjectX500Principal().toString());
  }
}
