package io.culvert.simulator;

import io.culvert.simulator.platform.Platform;
import io.culvert.simulator.view.Picture;
import io.culvert.simulator.view.Terminal;
import io.culvert.simulator.view.Text;
import io.culvert.simulator.view.Words;
import java.io.PrintStream;

/** Shows what arrives: a live picture on a terminal, a line every few seconds elsewhere. */
final class Watch implements AutoCloseable {
  private static final long LINE_MILLIS = 5_000;

  private final PrintStream out;
  private final Platform platform;
  private final Session session;
  private final Picture picture;
  private final Picture.Scene scene;
  private final Terminal terminal;
  private long linedAt;

  /**
   * @param session {@code null} for a platform without a street
   */
  Watch(PrintStream out, Words words, Platform platform, Session session, Picture.Scene scene) {
    this.out = out;
    this.platform = platform;
    this.session = session;
    this.scene = scene;
    this.picture = new Picture(words, platform, scene);
    this.terminal = Terminal.present() ? new Terminal(out) : null;
    this.linedAt = scene.startedAt();
  }

  /** Shows the present state. */
  void show(long now, String note) {
    picture.sample(now);
    if (terminal != null) {
      Picture.Moment moment =
          new Picture.Moment(
              now,
              note,
              session == null ? -1 : session.shown(),
              session == null ? 0 : session.audit().duplicates(),
              session == null ? java.util.List.of() : session.audit().ledger());
      terminal.draw(picture.lines(moment, terminal.columns(), terminal.rows()));
    } else if (now - linedAt >= LINE_MILLIS) {
      linedAt = now;
      out.println(line(now, note));
      out.flush();
    }
  }

  private String line(long now, String note) {
    return String.format(
        "%s  read %s  suppressed %s  accepted %s  confirmed %s  dropped %s  at the platform %s"
            + " (%s/s)%s",
        Text.clock((now - scene.startedAt()) / 1000),
        Text.count(platform.figure("read")),
        Text.count(platform.figure("suppressed")),
        Text.count(platform.figure("accepted")),
        Text.count(platform.figure("confirmed")),
        Text.count(platform.figure("dropped")),
        Text.count(platform.readings()),
        Text.count(picture.rate()),
        note.isEmpty() ? "" : "  " + note);
  }

  @Override
  public void close() {
    if (terminal != null) {
      terminal.close();
    }
  }
}
