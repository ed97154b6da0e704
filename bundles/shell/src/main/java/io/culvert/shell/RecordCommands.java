package io.culvert.shell;

import io.culvert.api.service.Recorder;
import java.io.PrintStream;
import java.nio.channels.ReadableByteChannel;
import java.time.InstantSource;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/** {@code record}, for Gogo: what a device and the gateway say, line by line. */
@Component(
    service = RecordCommands.class,
    property = {"osgi.command.scope=culvert", "osgi.command.function=record"})
public final class RecordCommands {
  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  volatile Recorder recorder;

  /** {@code record <device> [<option>…]}. Returns when the recording has ended. */
  public void record(CommandSession session, String... args) throws CommandFailed {
    PrintStream errors =
        session.get(ControlServer.ERRORS) instanceof PrintStream own ? own : System.err;
    ReadableByteChannel client =
        session.get(ControlServer.CLIENT) instanceof ReadableByteChannel channel ? channel : null;
    new RecordCommand(
            Services.need(recorder, "core"), InstantSource.system(), session.getConsole(), errors)
        .run(List.of(args), client);
  }
}
