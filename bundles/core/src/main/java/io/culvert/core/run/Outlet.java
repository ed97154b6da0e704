package io.culvert.core.run;

import io.culvert.api.Reading;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.LedgerEntry;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The way into the buffer, which may come and go. Used on the loop only; whoever hands something
 * over is told what became of it, once, there, with {@code null} or the problem in words.
 */
final class Outlet {
  /** How long a buffer that has gone may take to say what became of the last it was given. */
  private static final Duration PARTING = Duration.ofSeconds(10);

  private final Loop loop;
  private final Set<Handed> pending = new LinkedHashSet<>();
  private Buffer buffer;
  private boolean awaited = true;

  Outlet(Loop loop) {
    this.loop = loop;
  }

  /** Something that the buffer was given and hasn't answered yet. */
  private final class Handed {
    private Consumer<String> end;

    Handed(Consumer<String> end) {
      this.end = end;
    }

    void end(String problem) {
      Consumer<String> told = end;
      if (told != null) {
        end = null;
        pending.remove(this);
        told.accept(problem);
      }
    }
  }

  /**
   * @param next {@code null} while there is none
   */
  void buffer(Buffer next) {
    List<Handed> left = List.copyOf(pending);
    buffer = next;
    awaited &= next == null;
    if (!left.isEmpty()) {
      loop.after(
          PARTING, () -> left.forEach(h -> h.end("the buffer went away before it had committed")));
    }
  }

  boolean present() {
    return buffer != null;
  }

  /**
   * Whether there has been none yet since the start. What isn't read until then belongs to the gap
   * that the buffer itself enters when it opens: it knows since when.
   */
  boolean awaited() {
    return awaited;
  }

  /** The buffer's figures, {@code null} while there is none. */
  Buffer.Status status() {
    return buffer == null ? null : buffer.status();
  }

  /** Asks the buffer that is there now for its holdings, which must not be done on the loop. */
  Supplier<Buffer.Holdings> holdings() {
    Buffer present = buffer;
    return present::holdings;
  }

  void accept(List<Reading> readings, Consumer<String> end) {
    hand(present -> present.accept(readings), end);
  }

  void gap(LedgerEntry entry, Consumer<String> end) {
    hand(present -> present.gap(entry), end);
  }

  private void hand(Function<Buffer, CompletionStage<Void>> what, Consumer<String> end) {
    if (buffer == null) {
      end.accept("there is no buffer");
      return;
    }
    Handed handed = new Handed(end);
    pending.add(handed);
    try {
      what.apply(buffer)
          .whenComplete(
              (nothing, error) -> {
                String problem = error == null ? null : Call.words(error);
                loop.execute(() -> handed.end(problem));
              });
    } catch (RuntimeException e) {
      handed.end(Call.words(e));
    }
  }
}
