package io.culvert.testkit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a {@link ScriptedPeer} expects and answers, as a text. One instruction a line; what follows
 * {@code #} is a comment:
 *
 * <pre>
 * let level = 04 D2                       # a variable of the device: bytes under a name
 * on &lt;tx:2&gt; 0000 0006 01 03 0000 0001     # whenever this comes …
 *   send &lt;tx&gt; 0000 0005 01 03 02 &lt;level&gt;  # … this is the answer
 * on &lt;tx:2&gt; 0000 0006 01 06 0000 &lt;level:2&gt;
 *   send &lt;tx&gt; 0000 0006 01 06 0000 &lt;level&gt;
 * </pre>
 *
 * <p>{@code on} holds as often as its bytes come; {@code expect} in its place is a step: each once,
 * in the order of the text, before any {@code on}. Below either stand, in order, what the peer
 * does: {@code send} bytes, {@code wait 200ms} (or {@code 2s}), {@code hold} (take everything,
 * answer nothing), {@code close} or {@code reset} the connection; without any it keeps silent.
 * Below {@code open} stands what it does when somebody connects.
 *
 * <p>Bytes are hexadecimal, {@code 04D2} or {@code 04 D2}, or {@code 'text'} with the escapes
 * {@code \r \n \t \\ \'}. Expected may further be {@code ??}, any byte; {@code <name:2>}, two bytes
 * that become the value of a variable; {@code <name:*>}, any number up to what follows; {@code
 * <name>}, the bytes of a variable or of a {@linkplain #sum sum}. Variables live as long as the
 * peer, so a value that was written can be read back.
 */
public final class Script {
  private static final Pattern TOKEN =
      Pattern.compile(
          "\\s+|#.*|'(?<text>(?:[^'\\\\]|\\\\.)*)'|(?<any>\\?\\?)"
              + "|<(?<name>[A-Za-z_][A-Za-z0-9_]*)(?::(?<length>[0-9]{1,4}|\\*))?>"
              + "|(?<hex>(?:[0-9A-Fa-f]{2})+)");

  private static final Pattern WAIT = Pattern.compile("([0-9]{1,6}) ?(ms|s)");

  private static final Pattern LET = Pattern.compile("([A-Za-z_][A-Za-z0-9_]*)\\s*=(.*)");

  /** What a variable length may be at most. */
  private static final int LONGEST = 4096;

  /** Something that stands in a row of bytes. */
  private sealed interface Token {}

  private record Literal(byte value) implements Token {}

  private record Any() implements Token {}

  /**
   * @param length -1 if any
   */
  private record Capture(String name, int length) implements Token {}

  private record Use(String name) implements Token {}

  /** A row of bytes, some of which are known only when it comes or is sent. */
  record Row(int line, String text, List<Token> tokens) {}

  /** What the peer does. */
  sealed interface Action {}

  record Send(Row row) implements Action {}

  record Wait(Duration time) implements Action {}

  record Hold() implements Action {}

  /**
   * @param reset at once and without what was sent before
   */
  record Close(boolean reset) implements Action {}

  /**
   * @param row {@code null}: when somebody connects
   */
  record Rule(Row row, boolean once, List<Action> actions) {}

  /** How far a row was met: whole, so far as there are bytes, or not. */
  enum Fit {
    WHOLE,
    BEGUN,
    NONE
  }

  /**
   * @param length how many bytes the row took; if it didn't fit, how many did
   * @param wanted what was expected next
   * @param captured variables that the row gave values to
   */
  record Match(Fit fit, int length, String wanted, Map<String, byte[]> captured) {}

  private final List<Rule> steps;
  private final List<Rule> rules;
  private final List<Action> opening;
  private final Map<String, byte[]> variables;
  private final Map<String, UnaryOperator<byte[]>> sums;

  private Script(
      List<Rule> steps,
      List<Rule> rules,
      List<Action> opening,
      Map<String, byte[]> variables,
      Map<String, UnaryOperator<byte[]>> sums) {
    this.steps = steps;
    this.rules = rules;
    this.opening = opening;
    this.variables = variables;
    this.sums = sums;
  }

  /**
   * Reads a script.
   *
   * @throws IllegalArgumentException that names the line, what was found and what was expected
   */
  public static Script of(String text) {
    List<Rule> steps = new ArrayList<>();
    List<Rule> rules = new ArrayList<>();
    List<Action> opening = new ArrayList<>();
    Map<String, byte[]> variables = new LinkedHashMap<>();
    List<Action> actions = null;
    int number = 0;
    for (String whole : text.lines().toList()) {
      number++;
      String line = whole.strip();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      String[] words = line.split("\\s+", 2);
      String rest = words.length < 2 ? "" : words[1];
      switch (words[0]) {
        case "let" -> let(number, rest, variables);
        case "open" -> {
          nothingMore(number, rest);
          actions = opening;
        }
        case "on", "expect" -> {
          Row row = row(number, rest);
          if (row.tokens().isEmpty()) {
            throw wrong(number, "no bytes after " + words[0], "such as " + words[0] + " 01 03");
          }
          actions = new ArrayList<>();
          boolean once = words[0].equals("expect");
          (once ? steps : rules).add(new Rule(row, once, actions));
        }
        default -> {
          Action action = action(number, words[0], rest);
          if (actions == null) {
            throw wrong(number, words[0] + " at the beginning", "on, expect or open before it");
          }
          actions.add(action);
        }
      }
    }
    return new Script(steps, rules, opening, variables, Map.of());
  }

  /** Reads a script that lies beside a class, in UTF-8. */
  public static Script beside(Class<?> place, String name) {
    try (InputStream in = place.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalArgumentException("There is no " + name + " beside " + place.getName());
      }
      return of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  /**
   * Gives a name to a check sum, to be used in rows: it stands there for the sum of all bytes of
   * the row before it.
   *
   * @param of the bytes of the sum, of the bytes before it; as many whatever they are
   */
  public Script sum(String name, UnaryOperator<byte[]> of) {
    Map<String, UnaryOperator<byte[]>> more = new HashMap<>(sums);
    more.put(name, of);
    return new Script(steps, rules, opening, variables, Map.copyOf(more));
  }

  private static Action action(int number, String word, String rest) {
    return switch (word) {
      case "send" -> {
        Row row = row(number, rest);
        for (Token token : row.tokens()) {
          if (token instanceof Any || token instanceof Capture) {
            throw wrong(number, rest, "bytes, 'text' or <name>; what is sent must be known");
          }
        }
        yield new Send(row);
      }
      case "wait" -> {
        Matcher wait = WAIT.matcher(withoutComment(rest));
        if (!wait.matches()) {
          throw wrong(number, rest, "a time such as 200ms or 2s");
        }
        long count = Long.parseLong(wait.group(1));
        yield new Wait(
            wait.group(2).equals("s") ? Duration.ofSeconds(count) : Duration.ofMillis(count));
      }
      case "hold", "close", "reset" -> {
        nothingMore(number, rest);
        yield word.equals("hold") ? new Hold() : new Close(word.equals("reset"));
      }
      default ->
          throw wrong(number, word, "let, open, on, expect, send, wait, hold, close or reset");
    };
  }

  private static void let(int number, String rest, Map<String, byte[]> variables) {
    Matcher let = LET.matcher(rest);
    if (!let.matches()) {
      throw wrong(number, "let " + rest, "let name = bytes");
    }
    Row row = row(number, let.group(2));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (Token token : row.tokens()) {
      if (!(token instanceof Literal known)) {
        throw wrong(number, "let " + rest, "bytes that are known, such as let level = 04 D2");
      }
      bytes.write(known.value());
    }
    variables.put(let.group(1), bytes.toByteArray());
  }

  private static String withoutComment(String rest) {
    int comment = rest.indexOf('#');
    return (comment < 0 ? rest : rest.substring(0, comment)).strip();
  }

  private static void nothingMore(int number, String rest) {
    if (!withoutComment(rest).isEmpty()) {
      throw wrong(number, rest, "nothing more on this line");
    }
  }

  private static IllegalArgumentException wrong(int line, String found, String expected) {
    return new IllegalArgumentException(
        "Line " + line + " of the script: found " + found + "; expected " + expected);
  }

  /** Reads a row of bytes. */
  static Row row(int number, String text) {
    List<Token> tokens = new ArrayList<>();
    Matcher matcher = TOKEN.matcher(text);
    int at = 0;
    while (at < text.length()) {
      if (!matcher.find(at) || matcher.start() != at) {
        throw wrong(
            number, text.substring(at), "bytes such as 04D2, 'text', ??, <name:2> or <name>");
      }
      at = matcher.end();
      if (matcher.group("text") != null) {
        unescaped(number, matcher.group("text"), tokens);
      } else if (matcher.group("any") != null) {
        tokens.add(new Any());
      } else if (matcher.group("hex") != null) {
        for (byte value : HexFormat.of().parseHex(matcher.group("hex"))) {
          tokens.add(new Literal(value));
        }
      } else if (matcher.group("name") != null) {
        String name = matcher.group("name");
        String length = matcher.group("length");
        tokens.add(
            length == null
                ? new Use(name)
                : new Capture(name, length.equals("*") ? -1 : Integer.parseInt(length)));
      }
    }
    String plain = tokens.stream().map(Script::described).collect(Collectors.joining(" "));
    return new Row(number, plain, List.copyOf(tokens));
  }

  private static void unescaped(int number, String text, List<Token> tokens) {
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\') {
        char escape = text.charAt(++i);
        c =
            switch (escape) {
              case 'r' -> '\r';
              case 'n' -> '\n';
              case 't' -> '\t';
              case '\\', '\'' -> escape;
              default -> throw wrong(number, "\\" + escape, "\\r, \\n, \\t, \\\\ or \\'");
            };
      }
      plain.append(c);
    }
    for (byte value : plain.toString().getBytes(StandardCharsets.UTF_8)) {
      tokens.add(new Literal(value));
    }
  }

  private static String described(Token token) {
    if (token instanceof Literal known) {
      return String.format("%02X", known.value());
    }
    if (token instanceof Capture capture) {
      return "<" + capture.name() + ":" + (capture.length() < 0 ? "*" : capture.length()) + ">";
    }
    return token instanceof Use use ? "<" + use.name() + ">" : "??";
  }

  /** Looks whether every name that is used has a value at some time. */
  void check() {
    Set<String> known = new HashSet<>(variables.keySet());
    known.addAll(sums.keySet());
    List<Rule> all = new ArrayList<>(steps);
    all.addAll(rules);
    for (Rule rule : all) {
      for (Token token : rule.row().tokens()) {
        if (token instanceof Capture capture) {
          known.add(capture.name());
        }
      }
    }
    List<Row> used = new ArrayList<>();
    all.forEach(rule -> used.add(rule.row()));
    all.forEach(rule -> sent(rule.actions(), used));
    sent(opening, used);
    for (Row row : used) {
      for (Token token : row.tokens()) {
        if (token instanceof Use use && !known.contains(use.name())) {
          throw wrong(
              row.line(),
              "<" + use.name() + ">",
              "a name that let, a row such as <" + use.name() + ":2> or a sum gives a value to");
        }
      }
    }
  }

  private static void sent(List<Action> actions, List<Row> rows) {
    for (Action action : actions) {
      if (action instanceof Send send) {
        rows.add(send.row());
      }
    }
  }

  List<Rule> steps() {
    return steps;
  }

  List<Rule> rules() {
    return rules;
  }

  List<Action> opening() {
    return opening;
  }

  /** What the variables are at first. */
  Map<String, byte[]> variables() {
    return variables;
  }

  /** The bytes of a row to be sent. */
  byte[] rendered(Row row, Map<String, byte[]> variables) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (Token token : row.tokens()) {
      if (token instanceof Literal known) {
        bytes.write(known.value());
      } else if (token instanceof Use use) {
        bytes.writeBytes(value(use, bytes.toByteArray(), variables));
      } else {
        throw wrong(row.line(), row.text(), "bytes that are known");
      }
    }
    return bytes.toByteArray();
  }

  private byte[] value(Use use, byte[] before, Map<String, byte[]> variables) {
    UnaryOperator<byte[]> sum = sums.get(use.name());
    return sum != null ? sum.apply(before) : variables.getOrDefault(use.name(), new byte[0]);
  }

  /** Looks whether bytes begin with a row. */
  Match match(Row row, byte[] bytes, Map<String, byte[]> variables) {
    Matching matching = new Matching(row, bytes, variables);
    int end = matching.from(0, 0);
    Fit fit = end >= 0 ? Fit.WHOLE : matching.begun ? Fit.BEGUN : Fit.NONE;
    int length = end >= 0 ? end : matching.furthest;
    return new Match(fit, length, matching.wanted, matching.captured);
  }

  /** One attempt; goes back where a part of any length was taken too short. */
  private final class Matching {
    final List<Token> tokens;
    final byte[] bytes;
    final Map<String, byte[]> variables;
    final Map<String, byte[]> captured = new HashMap<>();
    boolean begun;
    int furthest;
    String wanted = "";

    Matching(Row row, byte[] bytes, Map<String, byte[]> variables) {
      this.tokens = row.tokens();
      this.bytes = bytes;
      this.variables = variables;
    }

    /** Where the row ends, or -1. */
    int from(int token, int at) {
      if (token == tokens.size()) {
        return at;
      }
      Token next = tokens.get(token);
      if (next instanceof Capture capture && capture.length() < 0) {
        return any(capture, token, at);
      }
      byte[] exact =
          next instanceof Literal known
              ? new byte[] {known.value()}
              : next instanceof Use use ? value(use, Arrays.copyOf(bytes, at), known()) : null;
      int length =
          exact != null ? exact.length : next instanceof Capture capture ? capture.length() : 1;
      int there = Math.min(length, bytes.length - at);
      if (exact != null) {
        int differs = Arrays.mismatch(bytes, at, at + there, exact, 0, there);
        if (differs >= 0) {
          met(at + differs, String.format("%02X", exact[differs]));
          return -1;
        }
      }
      if (there < length) {
        met(bytes.length, described(next));
        begun = true;
        return -1;
      }
      if (next instanceof Capture capture) {
        captured.put(capture.name(), Arrays.copyOfRange(bytes, at, at + length));
      }
      return from(token + 1, at + length);
    }

    private int any(Capture capture, int token, int at) {
      if (token + 1 == tokens.size()) {
        captured.put(capture.name(), Arrays.copyOfRange(bytes, at, bytes.length));
        return bytes.length;
      }
      for (int end = at; end <= Math.min(bytes.length, at + LONGEST); end++) {
        captured.put(capture.name(), Arrays.copyOfRange(bytes, at, end));
        int whole = from(token + 1, end);
        if (whole >= 0) {
          return whole;
        }
      }
      return -1;
    }

    private Map<String, byte[]> known() {
      Map<String, byte[]> known = new HashMap<>(variables);
      known.putAll(captured);
      return known;
    }

    private void met(int position, String expected) {
      if (position >= furthest) {
        furthest = position;
        wanted = expected;
      }
    }
  }
}
