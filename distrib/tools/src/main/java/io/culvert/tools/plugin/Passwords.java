package io.culvert.tools.plugin;

import java.io.Console;
import java.util.Arrays;

/**
 * Where the password of a key comes from: the environment, for a build server, or the person at the
 * terminal. Never from the command line, which every user of the machine can read.
 */
@FunctionalInterface
interface Passwords {
  String VARIABLE = "CULVERT_KEY_PASSWORD";

  /** As keytool has it. */
  int SHORTEST = 6;

  /**
   * @param file of the key, to name it
   * @param anew whether the key is being made, so that a slip of the finger would lock it
   */
  char[] password(String file, boolean anew) throws Refusal;

  /** Of this process. */
  static Passwords ofProcess() {
    return (file, anew) -> {
      String given = System.getenv(VARIABLE);
      if (given != null && !given.isEmpty()) {
        return checked(given.toCharArray(), anew);
      }
      Console console = System.console();
      if (console == null) {
        throw new Refusal(
            "no terminal to ask for the password of " + file,
            "put it into the environment variable " + VARIABLE);
      }
      char[] first = console.readPassword("Password of %s: ", file);
      if (first == null) {
        throw new Refusal("no password", "type one");
      }
      if (anew && !Arrays.equals(first, console.readPassword("Again: "))) {
        throw new Refusal("two different passwords", "type the same twice");
      }
      return checked(first, anew);
    };
  }

  private static char[] checked(char[] password, boolean anew) throws Refusal {
    if (anew && password.length < SHORTEST) {
      throw new Refusal(
          "a password of " + password.length + " characters", "take " + SHORTEST + " or more");
    }
    return password;
  }
}
