package io.culvert.core.document;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;

/**
 * Reads one YAML 1.2 document in UTF-8 into {@link Node}s. Only what JSON can say as well: no tags,
 * no anchors and aliases (with which a small file can mean a huge one), no keys but plain ones.
 */
public final class YamlReader {
  /** Greatest size of a document. */
  public static final int MAX_BYTES = 1 << 20;

  private static final int MAX_DEPTH = 20;
  private static final Pattern NUMBER =
      Pattern.compile("[-+]?(0|[1-9][0-9]*)(\\.[0-9]*)?([eE][-+]?[0-9]+)?");

  /** How the parser words what it missed. */
  private static final Pattern EXPECTED_BUT =
      Pattern.compile("expected (.*), but (?:got|found):? (.*)", Pattern.DOTALL);

  private final Iterator<Event> events;
  private final Faults faults;

  /** Where the value read last begins. */
  private int line = 1;

  private YamlReader(Iterator<Event> events, Faults faults) {
    this.events = events;
    this.faults = faults;
  }

  /** Ends the reading; its fault is in the list already. */
  private static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1;

    Refused() {
      super(null, null, false, false);
    }
  }

  /**
   * Reads a document.
   *
   * @return {@code null} if it isn't YAML, or YAML of a kind that isn't taken; then there is one
   *     fault more
   */
  public static Node read(byte[] document, Faults faults) {
    if (document.length > MAX_BYTES) {
      faults.file(document.length + " bytes", "at most " + MAX_BYTES);
      return null;
    }
    String text = JsonReader.utf8(document, faults);
    if (text == null) {
      return null;
    }
    LoadSettings settings =
        LoadSettings.builder().setLabel(faults.file()).setCodePointLimit(MAX_BYTES).build();
    YamlReader reader = null;
    try {
      reader = new YamlReader(new Parse(settings).parseString(text).iterator(), faults);
      return reader.document();
    } catch (Refused e) {
      return null;
    } catch (MarkedYamlEngineException e) {
      Optional<Mark> mark = e.getProblemMark().or(e::getContextMark);
      String problem = e.getProblem() == null ? "something that isn't YAML" : e.getProblem();
      Matcher words = EXPECTED_BUT.matcher(problem);
      faults.syntax(
          mark.map(m -> m.getLine() + 1).orElse(1),
          mark.map(m -> m.getColumn() + 1).orElse(1),
          Node.shorten(words.matches() ? words.group(2) : problem.replaceFirst("^found ", "")),
          (words.matches() ? words.group(1) : "YAML 1.2")
              + (e.getContext() == null ? "" : " (" + Node.shorten(e.getContext()) + ")"));
      return null;
    } catch (ReaderException e) {
      long line =
          text.codePoints().limit(Math.max(0, e.getPosition())).filter(c -> c == '\n').count();
      faults.syntax(
          (int) line + 1,
          0,
          String.format("the control character U+%04X", e.getCodePoint()),
          "text without control characters");
      return null;
    } catch (RuntimeException e) {
      // The library's scanner lets others through: a NumberFormatException at "\\u", for one.
      faults.syntax(
          reader == null ? 1 : reader.line,
          0,
          "something that the YAML parser fails at",
          "YAML 1.2");
      return null;
    }
  }

  private Node document() {
    events.next(); // the stream's start
    Event start = events.next();
    if (start.getEventId() == Event.ID.StreamEnd) {
      faults.syntax(1, 1, "an empty file", "a YAML mapping");
      throw new Refused();
    }
    Node node = node(events.next(), 1);
    events.next(); // the document's end
    Event after = events.next();
    if (after.getEventId() != Event.ID.StreamEnd) {
      throw refuse(after, "a second document", "one document in a file");
    }
    return node;
  }

  private Node node(Event event, int depth) {
    line = line(event);
    int column = column(event);
    if (depth > MAX_DEPTH) {
      throw refuse(event, "a value too deep", "at most " + MAX_DEPTH + " levels");
    }
    if (event.getEventId() == Event.ID.Alias) {
      throw refuse(event, "an alias (*)", "the value itself: write it out");
    }
    if (event instanceof NodeEvent node && node.getAnchor().isPresent()) {
      throw refuse(event, "an anchor (&)", "the value without it: write it out where it is needed");
    }
    if (event instanceof ScalarEvent scalar) {
      if (scalar.getTag().isPresent()) {
        throw refuse(event, "a tag (!)", "the value without it");
      }
      return scalar(scalar, line, column);
    }
    if (event instanceof CollectionStartEvent collection && collection.getTag().isPresent()) {
      throw refuse(event, "a tag (!)", "the value without it");
    }
    int begin = line;
    if (event.getEventId() == Event.ID.SequenceStart) {
      List<Node> items = new ArrayList<>();
      for (Event e = events.next(); e.getEventId() != Event.ID.SequenceEnd; e = events.next()) {
        items.add(node(e, depth + 1));
      }
      return new Node.Arr(begin, column, items);
    }
    return mapping(begin, column, depth);
  }

  private Node mapping(int line, int column, int depth) {
    Map<String, Node> members = new LinkedHashMap<>();
    Map<String, Node.Place> keys = new HashMap<>();
    List<Node.Repeat> repeated = new ArrayList<>();
    for (Event e = events.next(); e.getEventId() != Event.ID.MappingEnd; e = events.next()) {
      if (!(e instanceof ScalarEvent key)
          || key.getAnchor().isPresent()
          || key.getTag().isPresent()) {
        throw refuse(e, "a key that isn't plain text", "a plain key");
      }
      Node.Place place = new Node.Place(line(e), column(e));
      Node value = node(events.next(), depth + 1);
      if (members.putIfAbsent(key.getValue(), value) == null) {
        keys.put(key.getValue(), place);
      } else {
        repeated.add(new Node.Repeat(key.getValue(), place));
      }
    }
    return new Node.Obj(line, column, members, keys, repeated);
  }

  /** What a plain scalar means follows YAML 1.2's core schema (10.3.2), without octal and hex. */
  private static Node scalar(ScalarEvent scalar, int line, int column) {
    String text = scalar.getValue();
    if (!scalar.isPlain()) {
      return new Node.Text(line, column, text);
    }
    return switch (text) {
      case "", "~", "null", "Null", "NULL" -> new Node.Null(line, column);
      case "true", "True", "TRUE" -> new Node.Bool(line, column, true);
      case "false", "False", "FALSE" -> new Node.Bool(line, column, false);
      default ->
          NUMBER.matcher(text).matches()
              ? new Node.Num(line, column, text)
              : new Node.Text(line, column, text);
    };
  }

  private Refused refuse(Event at, String found, String expected) {
    faults.syntax(line(at), column(at), found, expected);
    return new Refused();
  }

  private static int line(Event event) {
    return event.getStartMark().map(Mark::getLine).orElse(0) + 1;
  }

  private static int column(Event event) {
    return event.getStartMark().map(Mark::getColumn).orElse(0) + 1;
  }
}
