package io.culvert.tools.registermap;

import io.culvert.core.document.Faults;
import io.culvert.core.document.JsonReader;
import io.culvert.core.document.Node;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a gateway has found, as {@code culvert shell scan … --json} tells it: an object a line, the
 * first of them about the device.
 *
 * @param device id, or the endpoint where none has one
 */
record Looked(String device, String endpoint, List<TreeImport.Found> found) {
  private static final int MOST = 50_000;

  /** Asks the running gateway of an installation; what it has against that goes to the console. */
  static Looked by(Path home, String device, String node) throws IOException, UnreadableException {
    Process scan =
        new ProcessBuilder(
                home.resolve("bin/culvert").toString(),
                "shell",
                "scan",
                device,
                "tree:" + node,
                "--all",
                "--json")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    scan.getOutputStream().close();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(scan.getInputStream(), StandardCharsets.UTF_8))) {
      Looked looked = read(lines);
      int exit = scan.waitFor();
      if (exit != 0 || looked == null) {
        throw new UnreadableException("no tree below " + Text.quoted(node), "see above");
      }
      return looked;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted");
    } finally {
      scan.destroy();
    }
  }

  /**
   * @return {@code null} if there is nothing
   */
  static Looked read(BufferedReader lines) throws IOException, UnreadableException {
    Map<String, Node> first = members(lines.readLine());
    if (first == null) {
      return null;
    }
    List<TreeImport.Found> found = new ArrayList<>();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      Map<String, Node> members = members(line);
      Map<String, String> facts = new LinkedHashMap<>();
      if (members.get("facts") instanceof Node.Obj told) {
        told.members().keySet().forEach(key -> facts.put(key, text(told.members(), key)));
      }
      if (found.size() == MOST || facts.getOrDefault("kind", "").equals("end")) {
        throw new UnreadableException(
            "more nodes than a profile is made of", "name a node that is nearer");
      }
      found.add(new TreeImport.Found(text(members, "address"), text(members, "title"), facts));
    }
    return new Looked(text(first, "device"), text(first, "endpoint"), found);
  }

  private static Map<String, Node> members(String line) throws UnreadableException {
    if (line == null) {
      return null;
    }
    Node node = JsonReader.read(line.getBytes(StandardCharsets.UTF_8), new Faults("scan"));
    if (!(node instanceof Node.Obj object)) {
      throw new UnreadableException(Text.quoted(line), "tell the gateway's maker");
    }
    return object.members();
  }

  private static String text(Map<String, Node> members, String key) {
    return members.get(key) instanceof Node.Text text ? text.value() : "";
  }

  /** What to put into the site document. */
  String advice(String profile, String root) {
    boolean known = !device.isEmpty();
    return "in etc/site.json, under devices: {\"id\": \"…\", \"profile\": "
        + json(profile)
        + ", \"endpoint\": "
        + json(endpoint)
        + ", \"settings\": {\"root\": "
        + json(root)
        + (known ? ", and the other settings of " + device : "")
        + "}}";
  }

  private static String json(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
