package io.culvert.device.opcua;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.milo.opcua.stack.core.NamespaceTable;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UShort;
import org.eclipse.milo.opcua.stack.core.util.Namespaces;

/**
 * A node as a person names it, so that it is the same one after the server has started anew: by
 * namespace URI, never by the index that the URI happens to have in a session (Part 3, 8.2.2). What
 * {@link #toString} writes, {@link #parse} reads.
 */
sealed interface NodeRef {

  /** The longest identifier of text or bytes (Part 3, 8.2.4). */
  int LONGEST_IDENTIFIER = 4096;

  /** The longest name (Part 3, 8.3). */
  int LONGEST_NAME = 512;

  /** How a node is written, for messages. */
  String FORM =
      "nsu=<namespace URI>;s=… (or i=, g=, b=), i=… of OPC UA's own namespace, or a browse path"
          + " ./Name/Name";

  /**
   * By its identifier, such as {@code nsu=urn:plant;s=Pump1.Level}.
   *
   * @param uri of the namespace
   * @param identifier a {@link UInteger}, a {@link String}, a {@link UUID} or a {@link ByteString}
   */
  record Id(String uri, Object identifier) implements NodeRef {
    public Id {
      Objects.requireNonNull(uri, "uri");
      Objects.requireNonNull(identifier, "identifier");
    }

    /** In a session with these namespaces; {@code null} if they don't have this one. */
    NodeId in(NamespaceTable namespaces) {
      UShort index = namespaces.getIndex(uri);
      if (index == null) {
        return null;
      }
      if (identifier instanceof UInteger number) {
        return new NodeId(index, number);
      }
      if (identifier instanceof UUID guid) {
        return new NodeId(index, guid);
      }
      return identifier instanceof ByteString bytes
          ? new NodeId(index, bytes)
          : new NodeId(index, (String) identifier);
    }

    @Override
    public String toString() {
      String namespace = "nsu=" + escaped(uri) + ";";
      if (identifier instanceof UInteger) {
        return (uri.equals(Namespaces.OPC_UA) ? "" : namespace) + "i=" + identifier;
      }
      if (identifier instanceof UUID) {
        return namespace + "g=" + identifier;
      }
      if (identifier instanceof ByteString bytes) {
        return namespace + "b=" + Base64.getEncoder().encodeToString(bytes.bytesOrEmpty());
      }
      return namespace + "s=" + identifier;
    }

    /** As Part 6, 5.1.12 has it: what would end the URI, and what escapes it. */
    private static String escaped(String uri) {
      return uri.replace("%", "%25").replace(";", "%3B");
    }
  }

  /**
   * By the names on the way to it from another node, over hierarchical references, such as {@code
   * ./Pump1/Level}.
   *
   * @param steps none for that other node itself, which is written {@code .}
   */
  record Path(List<Step> steps) implements NodeRef {
    public Path {
      steps = List.copyOf(steps);
    }

    @Override
    public String toString() {
      StringBuilder text = new StringBuilder(".");
      steps.forEach(step -> step.appendTo(text.append('/')));
      return text.toString();
    }
  }

  /**
   * One name of a path.
   *
   * @param uri of the name's namespace; {@code null} for that of the step before, and of the first
   *     one, that of the node where the path begins
   */
  record Step(String uri, String name) {
    private static final Pattern INDEXED = Pattern.compile("\\d+:.*", Pattern.DOTALL);

    public Step {
      Objects.requireNonNull(name, "name");
    }

    private void appendTo(StringBuilder text) {
      if (uri != null) {
        text.append('{');
        for (char c : uri.toCharArray()) {
          text.append(c == '}' || c == '&' || c == ' ' ? "&" : "").append(c);
        }
        text.append('}');
      }
      int colon = INDEXED.matcher(name).matches() ? name.indexOf(':') : -1;
      for (int i = 0; i < name.length(); i++) {
        char c = name.charAt(i);
        boolean special =
            c == '&'
                || c == '/'
                || c == '{' && i == 0
                || i == colon
                || c == ' ' && endsNode(name, i);
        text.append(special ? "&" : "").append(c);
      }
    }

    /** Whether a blank of the name could be taken for the one behind it. */
    private static boolean endsNode(String name, int blank) {
      String rest = name.substring(blank + 1);
      return rest.isBlank() || rest.contains("=") || rest.stripLeading().startsWith(".");
    }
  }

  /**
   * Reads a node.
   *
   * @param wrong is told what was found and what is expected, once if anything is wrong
   * @return {@code null} if so
   */
  static NodeRef parse(String text, BiConsumer<String, String> wrong) {
    return new Parser(text, wrong).parse();
  }

  /** Reads one node. */
  final class Parser {
    private static final Pattern INDEX = Pattern.compile("ns=([^;]*)(;.*)?", Pattern.DOTALL);
    private static final Pattern NAMESPACE = Pattern.compile("nsu=([^;]*);(.*)", Pattern.DOTALL);
    private static final Pattern GUID =
        Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
    private static final Pattern DIGITS = Pattern.compile("\\d{1,10}");
    private static final Pattern INDEXED_NAME = Pattern.compile("(\\d+):.*", Pattern.DOTALL);
    private static final String WHY_NO_INDEX =
        ", since the server may give a namespace another index when it starts anew";

    private final String text;
    private final BiConsumer<String, String> wrong;

    private Parser(String text, BiConsumer<String, String> wrong) {
      this.text = text;
      this.wrong = wrong;
    }

    private NodeRef tell(String found, String expected) {
      wrong.accept(Shown.of(found), expected);
      return null;
    }

    NodeRef parse() {
      String unwritable = Shown.unwritable(text);
      if (unwritable != null) {
        return tell(unwritable, "text without control characters or halves of characters");
      }
      if (text.equals(".")) {
        return new Path(List.of());
      }
      if (text.startsWith("./")) {
        return path();
      }
      Matcher index = INDEX.matcher(text);
      if (index.matches()) {
        String rest = index.group(2) == null ? ";s=…" : index.group(2);
        return tell(
            "ns=" + index.group(1),
            "nsu=<namespace URI>" + Shown.of(rest) + ": by URI, not by index" + WHY_NO_INDEX);
      }
      if (!text.startsWith("nsu=")) {
        return text.startsWith("i=") ? number(Namespaces.OPC_UA, text.substring(2)) : other();
      }
      Matcher named = NAMESPACE.matcher(text);
      if (!named.matches()) {
        return tell(text, "nsu=<namespace URI>;s=…, with a semicolon after the URI");
      }
      String uri = named.group(1).replaceAll("%3[bB]", ";").replace("%25", "%");
      return uri.isBlank()
          ? tell(text, "a namespace URI after nsu=; OPC UA's own is left out")
          : identifier(uri, named.group(2));
    }

    private NodeRef other() {
      if (text.startsWith("s=") || text.startsWith("g=") || text.startsWith("b=")) {
        return tell(text, "nsu=<namespace URI>;" + Shown.of(text) + ", with its namespace");
      }
      if (text.startsWith("svr=") || text.startsWith("svu=")) {
        return tell(text, "a node of this server: " + FORM);
      }
      return tell(text, FORM);
    }

    private NodeRef identifier(String uri, String written) {
      String value = written.length() < 2 ? "" : written.substring(2);
      if (written.startsWith("i=")) {
        return number(uri, value);
      }
      if (written.startsWith("s=")) {
        return value.isEmpty() || value.length() > LONGEST_IDENTIFIER
            ? tell(
                value.isEmpty() ? "nothing after s=" : "s= with " + value.length() + " characters",
                "an identifier of 1–" + LONGEST_IDENTIFIER + " characters")
            : new Id(uri, value);
      }
      if (written.startsWith("g=")) {
        return GUID.matcher(value).matches()
            ? new Id(uri, UUID.fromString(value))
            : tell(written, "g= and a GUID such as 09087e75-8e5e-499b-954f-f2a9603db28a");
      }
      return written.startsWith("b=") ? bytes(uri, value) : tell(written, "s=…, i=…, g=… or b=…");
    }

    private NodeRef number(String uri, String value) {
      if (DIGITS.matcher(value).matches()) {
        long number = Long.parseLong(value);
        boolean none = number == 0 && uri.equals(Namespaces.OPC_UA);
        if (number <= UInteger.MAX_VALUE && !none) {
          return new Id(uri, UInteger.valueOf(number));
        }
      }
      return tell("i=" + value, "i= and a number up to " + UInteger.MAX_VALUE);
    }

    private NodeRef bytes(String uri, String value) {
      try {
        byte[] bytes = Base64.getDecoder().decode(value);
        if (bytes.length > 0 && bytes.length <= LONGEST_IDENTIFIER) {
          return new Id(uri, ByteString.of(bytes));
        }
      } catch (IllegalArgumentException notBase64) {
        // Told below.
      }
      return tell("b=" + value, "b= and 1–" + LONGEST_IDENTIFIER + " bytes in Base64");
    }

    /** From the first slash on. */
    private NodeRef path() {
      List<Step> steps = new ArrayList<>();
      int at = 1;
      while (at < text.length()) {
        at++;
        String uri = null;
        StringBuilder part = new StringBuilder();
        if (text.startsWith("{", at)) {
          at = read(at + 1, '}', part);
          if (at == text.length() || part.toString().isBlank()) {
            return tell(text, "{<namespace URI>}Name");
          }
          at++;
          uri = part.toString();
          part.setLength(0);
        }
        int start = at;
        at = read(at, '/', part);
        Matcher indexed = INDEXED_NAME.matcher(text.substring(start, at));
        if (indexed.matches()) {
          return tell(
              text.substring(start, at),
              "{<namespace URI>}Name"
                  + WHY_NO_INDEX
                  + "; a name that begins so is written "
                  + indexed.group(1)
                  + "&:…");
        }
        if (part.isEmpty() || part.length() > LONGEST_NAME) {
          return tell(
              part.isEmpty() ? text + " with an empty name" : part.length() + " characters",
              "names of 1–" + LONGEST_NAME + " characters, with / between them; / in a name is &/");
        }
        if (part.charAt(part.length() - 1) == '&' && danglingEscape(start, at)) {
          return tell(text, "a character after &; & itself is written &&");
        }
        steps.add(new Step(uri, part.toString()));
      }
      return new Path(steps);
    }

    /** Reads until a character that isn't escaped; returns where that is, or the end. */
    private int read(int from, char end, StringBuilder into) {
      int at = from;
      while (at < text.length() && text.charAt(at) != end) {
        if (text.charAt(at) == '&' && at + 1 < text.length()) {
          at++;
        }
        into.append(text.charAt(at++));
      }
      return at;
    }

    /** Whether an odd number of ampersands ends this part. */
    private boolean danglingEscape(int start, int end) {
      int first = end;
      while (first > start && text.charAt(first - 1) == '&') {
        first--;
      }
      return (end - first) % 2 == 1;
    }
  }
}
