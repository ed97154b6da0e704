package io.culvert.core.document;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.exc.StreamReadException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads JSON (RFC 8259) in UTF-8 into {@link Node}s. */
public final class JsonReader {
  /** Greatest size of a document; 10,000 devices take about 2 MB. */
  public static final int MAX_BYTES = 16 << 20;

  private static final int MAX_DEPTH = 50;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxNumberLength(1000)
                  .maxStringLength(1 << 20)
                  .maxNameLength(1000)
                  .build())
          .build();

  /** How the parser words a character that it didn't expect. */
  private static final Pattern UNEXPECTED =
      Pattern.compile(
          "Unexpected character \\((.{1,40}?) ?\\(code \\d+.*?\\)\\)?.*", Pattern.DOTALL);

  private JsonReader() {}

  /**
   * Reads a document.
   *
   * @return {@code null} if it isn't JSON; then there is one fault more
   */
  public static Node read(byte[] document, Faults faults) {
    if (document.length > MAX_BYTES) {
      faults.file(document.length + " bytes", "at most " + MAX_BYTES);
      return null;
    }
    String text = utf8(document, faults);
    if (text == null) {
      return null;
    }
    // The parser would take a byte order mark for a character of the document.
    String body = text.startsWith("\uFEFF") ? text.substring(1) : text;
    try (JsonParser parser = FACTORY.createParser(body)) {
      try {
        if (parser.nextToken() == null) {
          faults.syntax(1, 1, "an empty file", "a JSON object");
          return null;
        }
        Node node = value(parser);
        if (parser.nextToken() != null) {
          JsonLocation at = parser.currentTokenLocation();
          faults.syntax(
              at.getLineNr(), at.getColumnNr(), "more after the document's end", "nothing");
          return null;
        }
        return node;
      } catch (StreamConstraintsException e) {
        JsonLocation at = parser.currentLocation();
        faults.syntax(
            at.getLineNr(),
            at.getColumnNr(),
            "a value too deep or too long",
            "at most " + MAX_DEPTH + " levels, numbers of 1000 digits and texts of 1 MiB");
        return null;
      }
    } catch (StreamReadException e) {
      JsonLocation at = e.getLocation() == null ? JsonLocation.NA : e.getLocation();
      faults.syntax(
          Math.max(1, at.getLineNr()), Math.max(1, at.getColumnNr()), found(e), expected(e));
      return null;
    } catch (IOException e) {
      throw new IllegalStateException("Reading from memory failed", e);
    }
  }

  /** Decodes strictly, so that a stray byte is named and not silently replaced. */
  static String utf8(byte[] document, Faults faults) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(document)).toString();
    } catch (CharacterCodingException e) {
      int line = 1;
      try (Reader reader =
          new InputStreamReader(
              new java.io.ByteArrayInputStream(document), StandardCharsets.UTF_8)) {
        for (int c = reader.read(); c >= 0 && c != 0xFFFD; c = reader.read()) {
          line += c == '\n' ? 1 : 0;
        }
      } catch (IOException impossible) {
        throw new IllegalStateException("Reading from memory failed", impossible);
      }
      faults.syntax(line, 0, "bytes that aren't UTF-8", "a file saved as UTF-8");
      return null;
    }
  }

  private static Node value(JsonParser parser) throws IOException {
    JsonLocation at = parser.currentTokenLocation();
    int line = at.getLineNr();
    int column = at.getColumnNr();
    return switch (parser.currentToken()) {
      case START_OBJECT -> object(parser, line, column);
      case START_ARRAY -> {
        List<Node> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          items.add(value(parser));
        }
        yield new Node.Arr(line, column, items);
      }
      case VALUE_STRING -> new Node.Text(line, column, parser.getText());
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> new Node.Num(line, column, parser.getText());
      case VALUE_TRUE, VALUE_FALSE ->
          new Node.Bool(line, column, parser.currentToken() == JsonToken.VALUE_TRUE);
      case VALUE_NULL -> new Node.Null(line, column);
      default -> throw new IllegalStateException("Token " + parser.currentToken());
    };
  }

  private static Node object(JsonParser parser, int line, int column) throws IOException {
    Map<String, Node> members = new LinkedHashMap<>();
    Map<String, Node.Place> keys = new HashMap<>();
    List<Node.Repeat> repeated = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      JsonLocation at = parser.currentTokenLocation();
      Node.Place place = new Node.Place(at.getLineNr(), at.getColumnNr());
      parser.nextToken();
      Node value = value(parser);
      if (members.putIfAbsent(key, value) == null) {
        keys.put(key, place);
      } else {
        repeated.add(new Node.Repeat(key, place));
      }
    }
    return new Node.Obj(line, column, members, keys, repeated);
  }

  /**
   * In own words: the parser's may repeat the text it stumbled over, and that may be a password
   * without quotes.
   */
  private static String found(StreamReadException e) {
    if (e instanceof JsonEOFException) {
      return "the end of the file";
    }
    String message = String.valueOf(e.getOriginalMessage());
    Matcher unexpected = UNEXPECTED.matcher(message);
    if (unexpected.matches()) {
      return Node.shorten(unexpected.group(1));
    }
    if (message.startsWith("Unrecognized token")) {
      return "a word without quotes";
    }
    if (message.startsWith("Illegal unquoted character")) {
      return "a line break or control character inside a text";
    }
    if (message.startsWith("Unrecognized character escape")) {
      return "an unknown escape after \\";
    }
    return message.contains("umeric value") ? "a malformed number" : "something that isn't JSON";
  }

  private static String expected(StreamReadException e) {
    String message = String.valueOf(e.getOriginalMessage());
    if (e instanceof JsonEOFException) {
      return "a closing "
          + (message.contains("ARRAY") || message.contains("Array") ? "]" : "}")
          + " or quote";
    }
    if (message.startsWith("Unrecognized token")) {
      return "a text in double quotes, a number, true, false or null";
    }
    if (message.contains("double-quote to start field name")) {
      return "a key in double quotes (and no comma before a closing brace)";
    }
    if (message.contains("was expecting comma")) {
      return "a comma, or the closing brace or bracket";
    }
    if (message.contains("was expecting a colon")) {
      return "a colon after the key";
    }
    if (message.startsWith("Illegal unquoted character")) {
      return "\\n, \\t or \\u00XX in its place, or the closing quote before it";
    }
    return "JSON as in RFC 8259";
  }
}
