package io.culvert.buffer;

import io.culvert.buffer.PowerCutRecord.Op;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * What a disk may hold when the power goes, given what was done to one directory up to then.
 *
 * <p>The model is POSIX's own words, with nothing granted that only some file systems do (ALICE,
 * Pillai and others, "All file systems are not created equal", OSDI 2014, shows that they differ in
 * just this):
 *
 * <ul>
 *   <li>A sync of a file makes its bytes and its size durable, as they were; not its name. A sync
 *       of the directory makes names durable: made, removed and renamed.
 *   <li>Of what was written to a file since its last sync, each write, each cut and each extension
 *       may have reached the disk or not, in any order.
 *   <li>A write is torn at multiples of 512 bytes of the file: each such part may be there or not.
 *       A part that a write only touches keeps its other bytes, as SQLite's "powersafe overwrite"
 *       assumes (sqlite.org/psow.html) and disks with sectors of 512 bytes or more do.
 *   <li>A file may have grown without its bytes: then they read as zeros.
 *   <li>Of the names changed since the last sync of the directory, each change may be durable or
 *       not. A rename is one change: it puts one file in another's place, or doesn't happen.
 *   <li>SQLite's index of its log ({@code -shm}) isn't kept: it is made anew by whoever opens first
 *       (sqlite.org/walformat.html).
 * </ul>
 *
 * <p>Not in it: disks that lose what they said is synced, that mix up sectors, or that change what
 * is not written to. The last is the matter of {@link BitRotTest}.
 */
final class PowerCutDisk {
  private static final int SECTOR = 512;

  /** Of more than so many unsynced writes, only so many are left out or torn one at a time. */
  private static final int SINGLES = 16;

  private static final int RANDOM = 4;

  private final Map<Integer, Content> files = new TreeMap<>();
  private final Map<String, Integer> names = new TreeMap<>();
  private final List<Op> pendingNames = new ArrayList<>();

  private static final class Content {
    byte[] durable = new byte[0];
    final List<Op> pending = new ArrayList<>();
  }

  /** What becomes of one unsynced operation. */
  private enum Fate {
    DONE,
    LOST,
    TORN,
    ZEROS
  }

  /**
   * One outcome of a power cut, by what becomes of each unsynced operation.
   *
   * @param seed of what is torn where
   */
  record Outcome(String words, Fate[] data, Fate[] names, long seed) {}

  /** Files with their content. */
  record State(Map<String, byte[]> files) {
    long hash() {
      CRC32C content = new CRC32C();
      long sum = 0;
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        content.reset();
        content.update(file.getValue());
        sum = sum * 31 + file.getKey().hashCode();
        sum = sum * 31 + file.getValue().length;
        sum = sum * 1_000_003 + content.getValue();
      }
      return sum;
    }

    void write(Path directory) throws IOException {
      Files.createDirectories(directory);
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        Files.write(directory.resolve(file.getKey()), file.getValue());
      }
    }
  }

  /** Takes the next operation over. */
  void apply(Op op) {
    switch (op.kind()) {
      case 'C' -> {
        if (!op.text().endsWith("-shm")) {
          files.put(op.file(), new Content());
          pendingNames.add(op);
        }
      }
      case 'U', 'R' -> pendingNames.add(op);
      case 'W', 'T' -> {
        if (files.containsKey(op.file())) {
          files.get(op.file()).pending.add(op);
        }
      }
      case 'S' -> {
        if (op.file() == 0) {
          pendingNames.forEach(each -> change(names, each));
          pendingNames.clear();
        } else if (files.containsKey(op.file())) {
          Content content = files.get(op.file());
          for (Op each : content.pending) {
            content.durable = done(content.durable, each);
          }
          content.pending.clear();
        }
      }
      default -> {
        // A mark.
      }
    }
  }

  /** The outcomes to look at, if the power goes now. */
  List<Outcome> outcomes(Random random) {
    int data = pendingData().size();
    int changes = pendingNames.size();
    List<Outcome> all = new ArrayList<>();
    all.add(of("all that is unsynced is lost", data, Fate.LOST, changes, Fate.LOST, random));
    if (data + changes == 0) {
      return all;
    }
    all.add(of("all that is unsynced is there", data, Fate.DONE, changes, Fate.DONE, random));
    if (data > 0 && changes > 0) {
      all.add(of("names alone are there", data, Fate.LOST, changes, Fate.DONE, random));
      all.add(of("names alone are lost", data, Fate.DONE, changes, Fate.LOST, random));
    }
    List<Integer> singles = new ArrayList<>();
    for (int i = 0; i < data; i++) {
      singles.add(i);
    }
    Collections.shuffle(singles, random);
    for (int i : singles.subList(0, Math.min(SINGLES, data))) {
      Op op = pendingData().get(i);
      for (Fate fate : op.kind() == 'T' ? new Fate[] {Fate.LOST} : Fate.values()) {
        // DONE stands for the only one that is there.
        Fate others = fate == Fate.DONE ? Fate.LOST : Fate.DONE;
        String words = op + " is " + fate + ", all other writes " + others;
        Outcome outcome = of(words, data, others, changes, Fate.DONE, random);
        outcome.data()[i] = fate;
        all.add(outcome);
      }
    }
    for (int i = 0; i < changes; i++) {
      for (Fate bytes : new Fate[] {Fate.DONE, Fate.LOST}) {
        for (Fate others : new Fate[] {Fate.DONE, Fate.LOST}) {
          Fate fate = others == Fate.DONE ? Fate.LOST : Fate.DONE;
          String words =
              pendingNames.get(i) + " is " + fate + ", other names " + others + ", bytes " + bytes;
          Outcome outcome = of(words, data, bytes, changes, others, random);
          outcome.names()[i] = fate;
          all.add(outcome);
        }
        Outcome prefix =
            of("names up to " + pendingNames.get(i), data, bytes, changes, Fate.LOST, random);
        Arrays.fill(prefix.names(), 0, i, Fate.DONE);
        all.add(prefix);
      }
    }
    for (int i = 0; i < RANDOM; i++) {
      Outcome outcome = of("at random", data, Fate.DONE, changes, Fate.DONE, random);
      for (int each = 0; each < data; each++) {
        outcome.data()[each] = Fate.values()[random.nextInt(4)];
      }
      for (int each = 0; each < changes; each++) {
        outcome.names()[each] = random.nextBoolean() ? Fate.DONE : Fate.LOST;
      }
      all.add(outcome);
    }
    return all;
  }

  private static Outcome of(
      String words, int data, Fate ofData, int changes, Fate ofNames, Random random) {
    Fate[] fates = new Fate[data];
    Arrays.fill(fates, ofData);
    Fate[] nameFates = new Fate[changes];
    Arrays.fill(nameFates, ofNames);
    return new Outcome(words, fates, nameFates, random.nextLong());
  }

  private List<Op> pendingData() {
    return files.values().stream().flatMap(content -> content.pending.stream()).toList();
  }

  /** The disk after an outcome. */
  State state(Outcome outcome) {
    Map<String, Integer> there = new TreeMap<>(names);
    for (int i = 0; i < pendingNames.size(); i++) {
      if (outcome.names()[i] == Fate.DONE) {
        change(there, pendingNames.get(i));
      }
    }
    Random random = new Random(outcome.seed());
    Map<Integer, byte[]> contents = new TreeMap<>();
    int at = 0;
    for (Map.Entry<Integer, Content> file : files.entrySet()) {
      byte[] bytes = file.getValue().durable;
      for (Op op : file.getValue().pending) {
        bytes =
            switch (outcome.data()[at++]) {
              case DONE -> done(bytes, op);
              case LOST -> bytes;
              case TORN -> torn(bytes, op, random);
              case ZEROS -> op.kind() == 'T' ? done(bytes, op) : grown(bytes, end(op));
            };
      }
      contents.put(file.getKey(), bytes);
    }
    Map<String, byte[]> state = new TreeMap<>();
    there.forEach((name, file) -> state.put(name, contents.get(file)));
    return new State(state);
  }

  private static void change(Map<String, Integer> names, Op op) {
    switch (op.kind()) {
      case 'C' -> names.put(op.text(), op.file());
      case 'U' -> names.remove(op.text());
      default -> {
        int middle = op.text().indexOf('\0');
        names.remove(op.text().substring(0, middle));
        names.put(op.text().substring(middle + 1), op.file());
      }
    }
  }

  private static int end(Op op) {
    return Math.toIntExact(op.number() + op.data().length);
  }

  private static byte[] grown(byte[] bytes, int size) {
    return bytes.length < size ? Arrays.copyOf(bytes, size) : bytes.clone();
  }

  private static byte[] done(byte[] bytes, Op op) {
    if (op.kind() == 'T') {
      return Arrays.copyOf(bytes, Math.toIntExact(op.number()));
    }
    byte[] after = grown(bytes, end(op));
    System.arraycopy(op.data(), 0, after, (int) op.number(), op.data().length);
    return after;
  }

  /** Some sectors of a write: those before one, those from one on, or any. */
  private static byte[] torn(byte[] bytes, Op op, Random random) {
    if (op.kind() == 'T') {
      return bytes;
    }
    int first = (int) (op.number() / SECTOR);
    int last = (end(op) - 1) / SECTOR;
    int how = random.nextInt(3);
    int middle = first + random.nextInt(last - first + 1);
    byte[] after = bytes;
    for (int sector = first; sector <= last; sector++) {
      boolean there =
          switch (how) {
            case 0 -> sector < middle;
            case 1 -> sector >= middle;
            default -> random.nextBoolean();
          };
      if (there) {
        int from = (int) Math.max(op.number(), (long) sector * SECTOR);
        int to = Math.min(end(op), (sector + 1) * SECTOR);
        after = grown(after, to);
        System.arraycopy(op.data(), (int) (from - op.number()), after, from, to - from);
      }
    }
    return after;
  }
}
