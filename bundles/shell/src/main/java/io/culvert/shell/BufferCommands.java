package io.culvert.shell;

import io.culvert.api.service.Buffer;
import io.culvert.api.service.Query;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/**
 * {@code buffer status|verify|ledger|export}: for Gogo in a running gateway, and for {@code
 * bin/culvert} where none runs.
 */
@Component(
    service = BufferCommands.class,
    property = {"osgi.command.scope=culvert", "osgi.command.function=buffer"})
public final class BufferCommands {
  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  volatile Buffer buffer;

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  volatile Query query;

  /** {@code buffer <command> [<option>…]}. */
  public void buffer(CommandSession session, String... args) throws CommandFailed, IOException {
    PrintStream errors =
        session.get(ControlServer.ERRORS) instanceof PrintStream own ? own : System.err;
    new BufferCommand(
            buffer,
            query,
            Instant.now(),
            Duration.ofMillis(ManagementFactory.getRuntimeMXBean().getUptime()),
            session.getConsole(),
            errors)
        .run(List.of(args));
  }

  /**
   * The same commands over the files of a gateway that doesn't run. Blocks on disk.
   *
   * @return exit code of the process
   */
  public static int offline(
      Buffer buffer, Query query, List<String> words, PrintStream out, PrintStream err) {
    try {
      new BufferCommand(buffer, query, Instant.now(), null, out, err).run(words);
      return 0;
    } catch (CommandFailed e) {
      err.println("culvert: " + e.getMessage());
      return e.exit();
    } catch (IOException | UncheckedIOException e) {
      err.println("culvert: " + e.getMessage());
      return CommandFailed.FAILED;
    }
  }
}
