package io.culvert.benchmarks;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Figures for people. */
final class Text {
  private Text() {}

  static String duration(Duration duration) {
    long millis = duration.toMillis();
    return millis % 1000 == 0 ? millis / 1000 + " s" : millis + " ms";
  }

  static String whole(double number) {
    return Double.isNaN(number) ? "–" : String.format(Locale.ROOT, "%,.0f", number);
  }

  static String fixed(double number, int digits) {
    return Double.isNaN(number) ? "–" : String.format(Locale.ROOT, "%,." + digits + "f", number);
  }

  static String mebibytes(double bytes) {
    return bytes < 0 || Double.isNaN(bytes) ? "–" : fixed(bytes / (1 << 20), 1) + " MiB";
  }

  /** A ratio such as {@code 1.7×}, with as many digits as mean something. */
  static String ratio(double ratio) {
    return Double.isNaN(ratio) || Double.isInfinite(ratio)
        ? "–"
        : fixed(ratio, ratio < 10 ? 2 : ratio < 100 ? 1 : 0) + "×";
  }

  /** A table with its first column to the left and the others to the right. */
  static String table(List<List<String>> rows) {
    int[] widths = new int[rows.stream().mapToInt(List::size).max().orElse(0)];
    for (List<String> row : rows) {
      for (int i = 0; i < row.size(); i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      List<String> cells = new ArrayList<>();
      for (int i = 0; i < row.size(); i++) {
        char[] blank = new char[widths[i] - row.get(i).length()];
        Arrays.fill(blank, ' ');
        String room = new String(blank);
        cells.add(i == 0 ? row.get(i) + room : room + row.get(i));
      }
      text.append("  ").append(String.join("  ", cells).stripTrailing()).append('\n');
    }
    return text.toString();
  }
}
