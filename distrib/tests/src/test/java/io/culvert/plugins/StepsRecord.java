package io.culvert.plugins;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What {@code steps.c} recorded, in order. */
final class StepsRecord {
  private StepsRecord() {}

  /**
   * One step.
   *
   * @param kind see {@code steps.c}
   * @param path relative to the directory
   * @param to where a rename leads; {@code ""} for other kinds
   * @param number offset or size
   */
  record Step(char kind, String path, String to, long number, byte[] data) {
    /** Folder of a path. */
    static String parent(String path) {
      int slash = path.lastIndexOf('/');
      return slash < 0 ? "." : path.substring(0, slash);
    }

    @Override
    public String toString() {
      return kind + " " + path + (to.isEmpty() ? "" : " to " + to);
    }
  }

  static List<Step> read(Path log) throws IOException {
    byte[] all = Files.readAllBytes(log);
    List<Step> steps = new ArrayList<>();
    int at = 0;
    while (at < all.length) {
      int end = at;
      while (all[end] != '\n') {
        end++;
      }
      String line = new String(all, at, end - at, StandardCharsets.UTF_8);
      at = end + 1;
      char kind = line.charAt(0);
      String[] words = line.substring(2).split("[\t ]");
      switch (kind) {
        case 'W' -> {
          int length = Integer.parseInt(words[2]);
          byte[] data = Arrays.copyOfRange(all, at, at + length);
          at += length;
          steps.add(new Step(kind, words[0], "", Long.parseLong(words[1]), data));
        }
        case 'T' -> steps.add(new Step(kind, words[0], "", Long.parseLong(words[1]), null));
        case 'R' -> steps.add(new Step(kind, words[0], words[1], 0, null));
        default -> steps.add(new Step(kind, words[0], "", 0, null));
      }
    }
    return steps;
  }
}
