package io.culvert.tools.plugin;

/** What a person wrote on the command line can't be used. */
final class UsageException extends Exception {
  private static final long serialVersionUID = 1;

  UsageException(String message) {
    super(message);
  }
}
