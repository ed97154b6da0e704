package io.culvert.launcher;

import java.util.Arrays;
import java.util.List;

/**
 * The one program of an installation; {@code bin/culvert} chooses the JVM's options and calls it.
 */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    Exit exit;
    String command = args.length == 0 ? "" : args[0];
    List<String> rest = Arrays.asList(args).subList(Math.min(1, args.length), args.length);
    Layout layout = Layout.fromSystemProperties();
    try {
      if (command.equals("run") && rest.isEmpty()) {
        exit = Gateway.run(layout);
      } else if (command.equals("stop") && rest.isEmpty()) {
        exit = Stop.stop(layout);
      } else if (List.of("status", "doctor", "buffer").contains(command)
          || command.equals("shell") && !rest.isEmpty()) {
        // The gateway's own exit code: what it answers is not this program's to translate.
        System.exit(Control.ask(layout, command.equals("shell") ? rest : Arrays.asList(args)));
        return;
      } else if (command.equals("record")) {
        System.exit(Recording.ask(layout, rest));
        return;
      } else {
        throw new Failure(
            Exit.USAGE,
            "Found \"%s\", expected run, stop, status, doctor, buffer, record or shell <command>"
                .formatted(String.join(" ", args)));
      }
    } catch (Failure e) {
      boolean files = command.equals("buffer") && e.exit() == Exit.NOT_RUNNING;
      System.err.println(
          "culvert: "
              + (files
                  // Which bin/culvert does next.
                  ? "No gateway runs on " + layout.data() + "; its files are read"
                  : e.getMessage()));
      exit = e.exit();
    }
    System.exit(exit.code());
  }
}
