package io.culvert.plugins;

/** Why a jar isn't taken: what was found and what was expected. */
final class Refused extends Exception {
  private static final long serialVersionUID = 1;

  Refused(String found, String expected) {
    super("found " + found + "; expected " + expected);
  }
}
