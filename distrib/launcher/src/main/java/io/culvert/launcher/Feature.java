package io.culvert.launcher;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A list of bundles, computed by the build: a start level and the name of a jar in {@code system/}
 * on each line, {@code #} before a comment.
 */
record Feature(String name, List<Entry> entries) {

  private static final Pattern LINE =
      Pattern.compile("(?<level>[1-9][0-9]?)[ \\t]+(?<jar>[A-Za-z0-9._+-]+\\.jar)");

  /**
   * @param level start level, 1 to 99
   * @param jar file name
   */
  record Entry(int level, String jar) {}

  /**
   * Reads every feature of an installation, in the order of their names. A jar that two features
   * name comes once, at the lower level.
   */
  static List<Entry> readAll(Path folder) throws Failure {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> list = Files.newDirectoryStream(folder, "*.feature")) {
      list.forEach(files::add);
    } catch (IOException e) {
      throw new Failure(
          Exit.ENVIRONMENT,
          "Installation incomplete: %s can't be read (%s); unpack the archive again"
              .formatted(folder, Layout.reason(e)));
    }
    if (files.isEmpty()) {
      throw new Failure(
          Exit.ENVIRONMENT,
          "Installation incomplete: no *.feature in %s; unpack the archive again"
              .formatted(folder));
    }
    files.sort(null);
    Map<String, Entry> byJar = new LinkedHashMap<>();
    for (Path file : files) {
      for (Entry entry : read(file).entries) {
        byJar.merge(entry.jar, entry, (a, b) -> a.level <= b.level ? a : b);
      }
    }
    return List.copyOf(byJar.values());
  }

  static Feature read(Path file) throws Failure {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (CharacterCodingException e) {
      throw new Failure(
          Exit.ENVIRONMENT,
          "Damaged feature file: %s isn't text; unpack the archive again".formatted(file));
    } catch (IOException e) {
      throw new Failure(
          Exit.ENVIRONMENT, "Feature file %s can't be read (%s)".formatted(file, Layout.reason(e)));
    }
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      Matcher m = LINE.matcher(line);
      if (!m.matches()) {
        throw new Failure(
            Exit.ENVIRONMENT,
            "Damaged feature file: %s:%d: found \"%s\", expected a start level (1 to 99) and the name of a jar; unpack the archive again"
                .formatted(file, i + 1, abbreviate(line)));
      }
      entries.add(new Entry(Integer.parseInt(m.group("level")), m.group("jar")));
    }
    String name = file.getFileName().toString().replaceFirst("\\.feature$", "");
    if (entries.isEmpty()) {
      throw new Failure(
          Exit.ENVIRONMENT,
          "Damaged feature file: %s names no bundle; unpack the archive again".formatted(file));
    }
    return new Feature(name, List.copyOf(entries));
  }

  private static String abbreviate(String line) {
    return line.length() <= 60 ? line : line.substring(0, 57) + "...";
  }
}
