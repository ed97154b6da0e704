package io.culvert.launcher;

/** What ends the process with one line for the person who started it. */
final class Failure extends Exception {
  private final transient Exit exit;

  Failure(Exit exit, String message) {
    super(message);
    this.exit = exit;
  }

  Exit exit() {
    return exit;
  }
}
