package io.culvert.shell;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import jdk.net.ExtendedSocketOptions;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Function;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The socket behind {@code bin/culvert status}, {@code doctor}, {@code buffer}, {@code record} and
 * {@code shell}: one command a connection.
 *
 * <p>A request is a byte for the version, an int for the number of words and each word as modified
 * UTF-8 with its length. The answer is a row of frames, each a byte for its kind and an int: 1 and
 * 2 are followed by so many bytes for standard output and standard error; 0 ends the row, and the
 * int is the exit code.
 *
 * <p>Only the user that the gateway runs as may connect, and root; the kernel says who it is.
 */
@Component(
    immediate = true,
    service = {})
public final class ControlServer {
  private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);

  /** Session variable with the stream for what is no answer. */
  static final String ERRORS = "culvert.errors";

  /**
   * Session variable with the channel of what the client still sends: nothing, and its end when the
   * client wants no more or has gone. Not as a stream: the JDK's would keep the answer waiting.
   */
  static final String CLIENT = "culvert.client";

  private static final int VERSION = 1;
  private static final int MOST_WORDS = 64;
  private static final int MOST_CLIENTS = 8;
  private static final int REQUEST_LIMIT_SECONDS = 10;

  private final CommandProcessor processor;
  private final ControlSocket socket;
  private final ServerSocketChannel server;
  private final ThreadPoolExecutor clients;
  private final ScheduledExecutorService impatience;
  private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();

  @Activate
  public ControlServer(
      BundleContext context, @Reference CommandProcessor processor, @Reference GatewayCommands own)
      throws IOException {
    this.processor = processor;
    String data = context.getProperty("culvert.data");
    Path home = Path.of(context.getProperty("culvert.home"));
    socket =
        new ControlSocket((data == null ? home.resolve("data") : Path.of(data)).resolve("run"));
    server = socket.bind();
    impatience =
        Executors.newSingleThreadScheduledExecutor(r -> thread(r, "culvert-control-limit"));
    clients =
        new ThreadPoolExecutor(
            0,
            MOST_CLIENTS,
            10,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            r -> thread(r, "culvert-control"));
    thread(this::accept, "culvert-control-accept").start();
  }

  @Deactivate
  void stop() {
    socket.unbind(server);
    open.forEach(ControlServer::close);
    impatience.shutdownNow();
    clients.shutdownNow();
  }

  private static Thread thread(Runnable task, String name) {
    Thread t = new Thread(task, name);
    t.setDaemon(true);
    return t;
  }

  private void accept() {
    while (true) {
      SocketChannel client = null;
      try {
        client = server.accept();
        SocketChannel accepted = client;
        open.add(accepted);
        clients.execute(() -> serve(accepted));
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        LOG.error("The control socket fails: {}", e.toString());
        return;
      } catch (RejectedExecutionException e) {
        // One more than a person needs; an answer would cost the time of this thread.
        open.remove(client);
        close(client);
      }
    }
  }

  private void serve(SocketChannel client) {
    ScheduledFuture<?> limit =
        impatience.schedule(() -> close(client), REQUEST_LIMIT_SECONDS, TimeUnit.SECONDS);
    try (client) {
      List<String> words = request(new DataInputStream(Channels.newInputStream(client)));
      limit.cancel(false);
      DataOutputStream answer = new DataOutputStream(Channels.newOutputStream(client));
      int exit = execute(words, client, answer);
      synchronized (answer) {
        answer.writeByte(Frames.END);
        answer.writeInt(exit);
        answer.flush();
      }
    } catch (IOException e) {
      LOG.debug("A client of the control socket went away", e);
    } finally {
      limit.cancel(false);
      open.remove(client);
    }
  }

  private static List<String> request(DataInputStream in) throws IOException {
    int version = in.readUnsignedByte();
    int count = in.readInt();
    if (version != VERSION || count < 1 || count > MOST_WORDS) {
      throw new IOException("request of version " + version + " with " + count + " words");
    }
    List<String> words = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      words.add(in.readUTF());
    }
    return words;
  }

  private int execute(List<String> words, SocketChannel client, DataOutputStream answer)
      throws IOException {
    String name = words.get(0);
    try (PrintStream out = stream(answer, Frames.OUT);
        PrintStream err = stream(answer, Frames.ERR);
        CommandSession session =
            processor.createSession(new ByteArrayInputStream(new byte[0]), out, err)) {
      if (!name.matches("[a-z]+(:[a-z]+)?")) {
        err.println("culvert: found \"" + name + "\"; expected a command: culvert shell help");
        return CommandFailed.USAGE;
      }
      session.put(GatewayCommands.USER, user(client));
      session.put(ERRORS, err);
      session.put(CLIENT, client);
      try {
        call(session, name, words.subList(1, words.size()));
        return 0;
      } catch (CommandFailed e) {
        err.println("culvert: " + e.getMessage());
        return e.exit();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return CommandFailed.FAILED;
      } catch (Exception e) {
        LOG.error("Command {} failed", name, e);
        err.println("culvert: " + name + " failed: " + e);
        return CommandFailed.FAILED;
      }
    }
  }

  /**
   * Calls a command as Gogo has it, but without Gogo's language: whatever a person passes reaches
   * it as it is.
   */
  static void call(CommandSession session, String name, List<String> arguments) throws Exception {
    if (!(session.get(name.contains(":") ? name : "culvert:" + name) instanceof Function command)) {
      throw new CommandFailed(
          CommandFailed.USAGE, "no command " + name + "; there are: culvert shell help");
    }
    command.execute(session, new ArrayList<>(arguments));
  }

  private static PrintStream stream(DataOutputStream answer, int kind) {
    return new PrintStream(new Frames(answer, kind), false, StandardCharsets.UTF_8);
  }

  private static String user(SocketChannel client) throws IOException {
    return client.getOption(ExtendedSocketOptions.SO_PEERCRED).user().getName();
  }

  private static void close(SocketChannel client) {
    try {
      client.close();
    } catch (IOException e) {
      LOG.debug("Closing a client of the control socket", e);
    }
  }
}
