package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What a process did to the files of a directory, in order; recorded by {@code record.c}, which
 * needs {@code gcc} and {@code libc6-dev}: without them the test fails.
 */
final class PowerCutRecord {
  private PowerCutRecord() {}

  /**
   * One operation.
   *
   * @param kind see {@code record.c}
   * @param file number; 0 is the directory
   * @param number offset or size
   * @param data bytes or names
   */
  record Op(char kind, int file, long number, byte[] data) {
    /** Of a mark, or of an operation on names. */
    String text() {
      return new String(data, StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
      return switch (kind) {
        case 'W' -> "write " + data.length + " at " + number + " of file " + file;
        case 'T' -> "cut file " + file + " to " + number;
        case 'S' -> "sync " + (file == 0 ? "the directory" : "file " + file);
        case 'C' -> "make " + text() + " as file " + file;
        case 'U' -> "remove " + text();
        case 'R' -> "rename " + text().replace('\0', ' ') + ", file " + file;
        default -> "mark " + text().strip();
      };
    }
  }

  /** Runs a victim to its end. */
  static List<Op> of(Path work, String scenario) throws Exception {
    Path directory = Files.createDirectories(work.resolve("data"));
    Path marks = work.resolve("marks");
    Path log = work.resolve("record");
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            "-Xmx256m",
            "-XX:TieredStopAtLevel=1",
            "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"),
            PowerCutVictim.class.getName(),
            directory.toString(),
            marks.toString(),
            scenario);
    builder.environment().put("LD_PRELOAD", library(work).toString());
    builder.environment().put("RECORD_DIR", directory.toString());
    builder.environment().put("RECORD_MARKS", marks.toString());
    builder.environment().put("RECORD_LOG", log.toString());
    run(builder, work.resolve("said"));
    List<Op> ops = new ArrayList<>();
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(log)).order(ByteOrder.nativeOrder());
    while (in.hasRemaining()) {
      char kind = (char) in.get();
      int file = in.getInt();
      long number = in.getLong();
      byte[] data = new byte[in.getInt()];
      in.get(data);
      ops.add(new Op(kind, file, number, data));
    }
    return ops;
  }

  private static Path library(Path work) throws Exception {
    Path source = Path.of(PowerCutRecord.class.getResource("/powercut/record.c").toURI());
    Path library = work.resolve("record.so");
    run(
        new ProcessBuilder(
            "gcc",
            "-Wall",
            "-Werror",
            "-shared",
            "-fPIC",
            "-pthread",
            "-o",
            library.toString(),
            source.toString()),
        work.resolve("gcc"));
    return library;
  }

  private static void run(ProcessBuilder builder, Path output)
      throws IOException, InterruptedException {
    Process process = builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
    boolean ended = process.waitFor(3, TimeUnit.MINUTES);
    process.destroyForcibly();
    String said = Files.readString(output);
    assertThat(ended).as(said).isTrue();
    assertThat(process.exitValue()).as(said).isZero();
  }
}
