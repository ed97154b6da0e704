package io.culvert.plugins;

import io.culvert.plugins.JarContent.Unreadable;
import java.nio.file.Path;
import java.security.CodeSigner;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.osgi.framework.Version;

/**
 * Says whether a jar may become a plug-in, and whose it is: its content, its manifest and its
 * signature against the site's trust list. One thread at a time, except for {@link #problems}.
 */
final class Examiner {
  /**
   * What is found good.
   *
   * @param signer name on the trust list; {@code ""} if nobody on it signed, which the site allows
   * @param warning what an operator must know all the same; {@code ""} if nothing
   */
  record Verdict(Identity identity, String signer, String warning) {}

  private final Path folder;
  private final InstantSource clock;
  private volatile TrustList trust;

  Examiner(Path folder, InstantSource clock) {
    this.folder = folder;
    this.clock = clock;
    trust = TrustList.read(folder);
  }

  /**
   * Looks whether the trust list has changed, and reads it anew then.
   *
   * @return whether a verdict on trust may be another one now
   */
  boolean refresh() {
    if (!trust.outdated(folder)) {
      return false;
    }
    trust = trust.reread(folder);
    return true;
  }

  /** What is wrong with the trust list, one sentence each. Any thread. */
  List<String> problems() {
    return trust.problems(clock.instant());
  }

  /**
   * Examines a jar, reading it twice from end to end.
   *
   * @param jar in a folder that can be written to
   * @param api packages of the API that this gateway has
   * @param allowUnsigned whether it may be signed by nobody on the trust list
   * @param admitted whether this very content was found good before. A signature without time-stamp
   *     was in time then and doesn't become bad by the time that passes.
   * @throws Unreadable if it isn't a whole jar, which it may yet become while it is copied
   */
  Verdict examine(Path jar, Map<String, Version> api, boolean allowUnsigned, boolean admitted)
      throws Unreadable, Refused {
    JarContent content = JarContent.read(jar);
    Identity identity = JarCheck.check(content, api);
    try {
      return trusted(jar, content, identity, allowUnsigned, admitted);
    } catch (Refused e) {
      throw e.of(identity.symbolicName());
    }
  }

  /**
   * What is known of a jar of the store that is in force. Who withdraws trust from it is told so in
   * the warning, and it stays.
   *
   * @throws Refused if it isn't a plug-in of this gateway at all
   */
  Verdict inForce(Path jar, Map<String, Version> api, boolean allowUnsigned)
      throws Unreadable, Refused {
    JarContent content = JarContent.read(jar);
    Identity identity = JarCheck.check(content, api);
    try {
      return trusted(jar, content, identity, allowUnsigned, true);
    } catch (Refused e) {
      return new Verdict(identity, "", e.getMessage());
    }
  }

  private Verdict trusted(
      Path jar, JarContent content, Identity identity, boolean allowUnsigned, boolean admitted)
      throws Unreadable, Refused {
    List<CodeSigner> signers = Signatures.read(jar, content);
    if (signers.isEmpty()) {
      if (allowUnsigned) {
        return unsigned(identity, identity.symbolicName() + " is unsigned");
      }
      throw Refused.untrusted(
          "it is unsigned: get it signed by a vendor on the trust list (bin/culvert plugin trust"
              + " list), or for development only set plugins.allowUnsigned to true in"
              + " etc/site.json");
    }
    Chains chains = new Chains(trust);
    Refused why = null;
    boolean known = false;
    for (CodeSigner signer : signers) {
      List<Chains.Way> ways = chains.ways(signer.getSignerCertPath().getCertificates());
      Time time = time(signer, chains);
      for (Chains.Way way : ways) {
        known = true;
        try {
          judge(way, time, chains, admitted);
          return new Verdict(identity, way.name(), "");
        } catch (Refused e) {
          why = why == null ? e : why;
        }
      }
    }
    if (known) {
      throw why;
    }
    String name = signer(signers.get(0));
    if (allowUnsigned) {
      return unsigned(
          identity,
          identity.symbolicName() + " is signed by " + name + ", who isn't on the trust list");
    }
    throw Refused.untrusted(
        "it is signed by "
            + name
            + ", who isn't on the trust list: if you trust them, add their certificate with"
            + " bin/culvert plugin trust add <certificate.pem>");
  }

  private static Verdict unsigned(Identity identity, String what) {
    return new Verdict(
        identity,
        "",
        "unsigned plug-ins are allowed: "
            + what
            + "; for development only, set plugins.allowUnsigned to false in etc/site.json");
  }

  private static String signer(CodeSigner signer) {
    List<? extends Certificate> path = signer.getSignerCertPath().getCertificates();
    return Chains.name((X509Certificate) path.get(0));
  }

  /**
   * When a jar was signed.
   *
   * @param proven by a time-stamp; {@code null} if nothing proves it
   * @param note why a time-stamp that there is doesn't count; {@code ""} if there is none
   */
  private record Time(Instant proven, String note) {}

  /** What the time-stamp says (RFC 3161), if one on the trust list vouches for it. */
  private static Time time(CodeSigner signer, Chains chains) {
    if (signer.getTimestamp() == null) {
      return new Time(null, "no time-stamp says when it was signed");
    }
    Instant at = signer.getTimestamp().getTimestamp().toInstant();
    List<? extends Certificate> path = signer.getTimestamp().getSignerCertPath().getCertificates();
    String note =
        "its time-stamp doesn't count, as "
            + Chains.name((X509Certificate) path.get(0))
            + " isn't on the trust list";
    for (Chains.Way way : chains.ways(path)) {
      Chains.Revoked revoked = chains.revoked(way);
      String fault =
          at.isBefore(way.from()) || at.isAfter(way.to())
              ? "it is from outside the validity of " + Chains.name(way.first())
              : revoked != null && (revoked.stolen() || !revoked.at().isAfter(at))
                  ? Chains.name(revoked.certificate()) + " was revoked"
                  : Chains.fault(way, Chains.Use.TIME, at);
      if (fault == null) {
        return new Time(at, "");
      }
      note = "its time-stamp doesn't count, as " + fault;
    }
    return new Time(null, note);
  }

  private void judge(Chains.Way way, Time time, Chains chains, boolean admitted) throws Refused {
    String name = Chains.name(way.first());
    Chains.Revoked revoked = chains.revoked(way);
    if (revoked != null && (time.proven == null || !revoked.at().isAfter(time.proven))) {
      throw Refused.untrusted(
          "the certificate %s was revoked at %s (%s), %s: get a version from its vendor that is signed anew, or remove this one"
              .formatted(
                  Chains.name(revoked.certificate()),
                  revoked.at(),
                  revoked.reason(),
                  time.proven == null
                      ? "and " + time.note
                      : "before it was signed at " + time.proven));
    }
    Instant at = time.proven == null ? clock.instant() : time.proven;
    if (at.isBefore(way.from()) || at.isAfter(way.to())) {
      if (time.proven != null) {
        throw Refused.untrusted(
            "it was signed at %s, outside the validity of %s from %s to %s: its vendor must sign it with a valid certificate"
                .formatted(at, name, way.from(), way.to()));
      }
      if (!admitted || way.from().isAfter(way.to())) {
        String sentence =
            "the certificate %s is valid from %s to %s, it is %s now, and %s: "
                .formatted(name, way.from(), way.to(), at, time.note);
        throw at.isBefore(way.from())
            ? Refused.early(sentence + "set the gateway's clock if it is wrong", way.from())
            : Refused.untrusted(
                sentence + "its vendor must sign it anew, and with a time-stamp (jarsigner -tsa)");
      }
      at = at.isBefore(way.from()) ? way.from() : way.to();
    }
    String fault = Chains.fault(way, Chains.Use.CODE, at);
    if (fault != null) {
      throw Refused.untrusted(
          fault + ": its vendor must sign it anew with a certificate that does");
    }
  }
}
