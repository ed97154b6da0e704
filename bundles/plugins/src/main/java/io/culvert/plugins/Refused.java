package io.culvert.plugins;

import java.time.Instant;

/** Why a jar isn't taken: what was found, what was expected, and what to do. */
final class Refused extends Exception {
  private static final long serialVersionUID = 1;

  /** What a change of the trust list, of the site or of the clock can do about it. */
  private enum Matter {
    /** Nothing: the jar itself must change. */
    JAR,
    /** A certificate, a revocation list or a setting may come that makes it fit. */
    TRUST
  }

  private final Matter matter;

  /** When time alone makes it fit; {@code null} if it doesn't. */
  private final transient Instant until;

  private final String plugin;

  Refused(String found, String expected) {
    this("found " + found + "; expected " + expected, Matter.JAR, null, "");
  }

  private Refused(String sentence, Matter matter, Instant until, String plugin) {
    super(sentence);
    this.matter = matter;
    this.until = until;
    this.plugin = plugin;
  }

  /** The same of a jar that says that it is this plug-in. */
  Refused of(String symbolicName) {
    Refused named = new Refused(getMessage(), matter, until, symbolicName);
    named.setStackTrace(getStackTrace());
    return named;
  }

  /** What the jar says that it is; {@code ""} if that isn't known. */
  String plugin() {
    return plugin;
  }

  /** It has the name of one of the gateway's own bundles. */
  static Refused ofBase(String symbolicName) {
    return new Refused(
        "Bundle-SymbolicName: " + symbolicName, "a name that no bundle of the base has");
  }

  /** A sentence that says all by itself. */
  static Refused because(String sentence) {
    return new Refused(sentence, Matter.JAR, null, "");
  }

  /** Not trusted as things are. */
  static Refused untrusted(String sentence) {
    return new Refused(sentence, Matter.TRUST, null, "");
  }

  /** Signed with a certificate that isn't valid before a time. */
  static Refused early(String sentence, Instant until) {
    return new Refused(sentence, Matter.TRUST, until, "");
  }

  /**
   * Whether another look may find it fit.
   *
   * @param changed whether the trust list or what the site says of it has
   */
  boolean mayChange(boolean changed, Instant now) {
    return matter == Matter.TRUST && (changed || until != null && !now.isBefore(until));
  }
}
