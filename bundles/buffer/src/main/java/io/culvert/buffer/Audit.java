package io.culvert.buffer;

import io.culvert.api.StreamClass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * Reads segments, the oldest first, and tells what is wrong with them and between them. What it
 * remembers from one to the next is where each class and stream goes on. Not thread-safe.
 */
final class Audit {
  private static final StreamClass[] CLASSES = StreamClass.values();
  private static final int OUTLINES = 64;

  /** Problems told of one file; a broken disk must not fill the memory. */
  private static final int PROBLEMS = 100;

  final List<String> problems = new ArrayList<>();
  int files;
  long readings;
  long bytes;

  private final long[] nextPosition = new long[CLASSES.length];
  private final Map<String, long[]> nextSequence = new HashMap<>();
  private long lastNumber = -1;

  /** By class, whether the head of a row was unreadable: nobody knows what numbers it held. */
  private final boolean[] unsure = new boolean[CLASSES.length];

  private int told;

  void problem(Path file, String what) {
    problems.add(file.getFileName() + ": " + what);
  }

  void count(Path file) {
    files++;
    bytes += file.toFile().length();
  }

  void segment(Segment of) throws IOException {
    told = 0;
    Segment segment = null;
    try {
      segment = of.apart();
      check(segment);
    } catch (SQLException e) {
      if (!Files.exists(of.file())) {
        // Deleted meanwhile.
        return;
      }
      if (!Sqlite.unreadable(e)) {
        throw new IOException(of.file().getFileName() + ": " + e.getMessage(), e);
      }
      tell(of, e.getMessage());
      Arrays.fill(unsure, true);
    } finally {
      if (segment == of) {
        of.closeReader();
      } else {
        Sqlite.closeQuietly(segment);
      }
    }
    count(of.file());
    lastNumber = of.number();
  }

  private void tell(Segment segment, String what) {
    told++;
    if (told <= PROBLEMS) {
      problem(segment.file(), what);
    } else if (told == PROBLEMS + 1) {
      problem(segment.file(), "and more");
    }
  }

  private void check(Segment segment) throws SQLException, IOException {
    begin(segment);
    boolean thinned = segment.level() > 0;
    boolean written = !segment.sealed();
    Segment.Span[] found = new Segment.Span[CLASSES.length];
    for (StreamClass streamClass : CLASSES) {
      int c = streamClass.ordinal();
      found[c] = Segment.EMPTY;
      try {
        check(segment, streamClass, found);
      } catch (SQLException e) {
        if (!Sqlite.unreadable(e)) {
          throw e;
        }
        tell(segment, name(streamClass) + " can't be read from some row on: " + e.getMessage());
        unsure[c] = true;
      }
      // Of a file that is written, the rows that came meanwhile are in the one and not the other.
      if (!written && !unsure[c] && !found[c].equals(segment.span(streamClass))) {
        tell(
            segment,
            name(streamClass)
                + " was sealed as "
                + segment.span(streamClass)
                + " and holds "
                + found[c]);
      }
      // What a bound has taken out had numbers.
      unsure[c] |= thinned;
    }
  }

  /** Where the file says that positions and streams go on, against where they ended. */
  private void begin(Segment segment) throws SQLException {
    long[] positions = segment.positionsAtStart();
    Map<String, long[]> sequences = segment.sequencesAtStart();
    for (StreamClass streamClass : CLASSES) {
      int c = streamClass.ordinal();
      if (segment.number() == lastNumber + 1 && !unsure[c]) {
        if (!continues(nextPosition[c], positions[c])) {
          tell(
              segment,
              name(streamClass)
                  + " begins at position "
                  + positions[c]
                  + ", the file before ends at "
                  + nextPosition[c]);
        }
        for (String device : new TreeSet<>(nextSequence.keySet())) {
          long expected = nextSequence.get(device)[c];
          long begins = sequences.getOrDefault(device, Segment.ones())[c];
          if (!continues(expected, begins)) {
            tell(
                segment,
                "%s of %s begins at number %d, the file before ends at %d"
                    .formatted(name(streamClass), device, begins, expected));
          }
        }
      }
    }
    System.arraycopy(positions, 0, nextPosition, 0, positions.length);
    nextSequence.clear();
    nextSequence.putAll(sequences);
    Arrays.fill(unsure, false);
  }

  private static boolean continues(long expected, long found) {
    return found == expected || found >= expected + Store.JUMP;
  }

  private void check(Segment segment, StreamClass streamClass, Segment.Span[] found)
      throws SQLException, IOException {
    int c = streamClass.ordinal();
    long after = Segment.id(c, 0) - 1;
    List<Segment.Outline> some = outlines(segment, after);
    while (!some.isEmpty()) {
      for (Segment.Outline row : some) {
        if (row.streamClass() != streamClass) {
          return;
        }
        check(segment, row, found);
      }
      some = outlines(segment, some.get(some.size() - 1).id());
    }
  }

  private static List<Segment.Outline> outlines(Segment segment, long after) throws SQLException {
    return segment.outlines(after, Long.MIN_VALUE, Long.MAX_VALUE, OUTLINES);
  }

  private void check(Segment segment, Segment.Outline outline, Segment.Span[] found)
      throws IOException {
    StreamClass streamClass = outline.streamClass();
    int c = streamClass.ordinal();
    Found there = segment.read(streamClass, outline.first());
    RowHead head = null;
    if (there instanceof Found.Whole whole) {
      head = whole.row().head();
      readings += whole.row().entries().size();
      follow(segment, whole.row());
    } else if (there instanceof Found.Damaged damaged) {
      head = damaged.head();
      tell(
          segment,
          "%s at positions %d to %d%s: %s"
              .formatted(
                  name(streamClass),
                  damaged.first(),
                  damaged.end() - 1,
                  head == null ? "" : ", " + held(head),
                  damaged.why()));
      unsure[c] |= head == null;
    }
    if (head == null) {
      return;
    }
    if (outline.from() != head.from() || outline.to() != head.to()) {
      tell(
          segment,
          "%s at position %d: its span of time isn't that of its readings, so queries miss it"
              .formatted(name(streamClass), head.first()));
    }
    found[c] = found[c].and(head);
    nextPosition[c] = head.end();
    for (RowHead.Part part : head.streams()) {
      nextSequence.computeIfAbsent(part.device(), device -> Segment.ones())[c] =
          part.sequence() + part.count();
    }
  }

  /** A row against what stood before it. */
  private void follow(Segment segment, Row row) {
    RowHead head = row.head();
    int c = head.streamClass().ordinal();
    if (unsure[c] || segment.level() > 0) {
      return;
    }
    if (!continues(nextPosition[c], head.first())) {
      tell(
          segment,
          "%s at position %d: expected position %d"
              .formatted(name(head.streamClass()), head.first(), nextPosition[c]));
    }
    for (RowHead.Part part : head.streams()) {
      long expected = nextSequence.getOrDefault(part.device(), Segment.ones())[c];
      if (!continues(expected, part.sequence())) {
        tell(
            segment,
            "%s of %s at position %d: found number %d, expected %d"
                .formatted(
                    name(head.streamClass()),
                    part.device(),
                    head.first(),
                    part.sequence(),
                    expected));
      }
    }
  }

  private static String held(RowHead head) {
    int devices = head.streams().size();
    return head.count()
        + (head.count() == 1 ? " reading of " : " readings of ")
        + (devices == 1 ? head.streams().get(0).device() : devices + " devices");
  }

  private static String name(StreamClass streamClass) {
    return streamClass.name().toLowerCase(Locale.ROOT);
  }
}
