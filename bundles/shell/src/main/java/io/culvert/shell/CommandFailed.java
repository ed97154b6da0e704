package io.culvert.shell;

/** A command that could not do what it was asked: one sentence, and the exit code for scripts. */
final class CommandFailed extends Exception {
  private static final long serialVersionUID = 1;

  static final int FAILED = 1;
  static final int USAGE = 2;

  private final int exit;

  CommandFailed(int exit, String message) {
    super(message);
    this.exit = exit;
  }

  int exit() {
    return exit;
  }
}
