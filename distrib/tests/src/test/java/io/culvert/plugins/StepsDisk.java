package io.culvert.plugins;

import io.culvert.plugins.StepsRecord.Step;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A directory with what is on the disk for certain and what isn't yet. A file's content is once the
 * file was synced; a name's coming, going or changing is once the folder that it is in was, and
 * until then each of these may have come about without the others. A kill takes nothing away.
 */
final class StepsDisk {
  private final Folder root = new Folder();

  private abstract static class Inode {}

  private static final class File extends Inode {
    byte[] now = {};
    byte[] synced = {};
  }

  private static final class Folder extends Inode {
    final Map<String, Inode> now = new TreeMap<>();
    final Map<String, Inode> synced = new TreeMap<>();
    final List<Change> pending = new ArrayList<>();
  }

  /**
   * Of names in one folder.
   *
   * @param gone {@code ""} for none
   * @param come {@code ""} for none
   */
  private record Change(String gone, String come, Inode what) {
    void apply(Map<String, Inode> names) {
      names.remove(gone);
      if (!come.isEmpty()) {
        names.put(come, what);
      }
    }
  }

  /** A disk on which all that is in a directory is synced. */
  static StepsDisk of(Path directory) throws IOException {
    StepsDisk disk = new StepsDisk();
    load(directory, disk.root);
    return disk;
  }

  private static void load(Path directory, Folder folder) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      for (Path entry : entries.toList()) {
        Inode inode;
        if (Files.isDirectory(entry)) {
          Folder inner = new Folder();
          load(entry, inner);
          inode = inner;
        } else {
          File file = new File();
          file.now = Files.readAllBytes(entry);
          file.synced = file.now;
          inode = file;
        }
        folder.now.put(entry.getFileName().toString(), inode);
        folder.synced.put(entry.getFileName().toString(), inode);
      }
    }
  }

  private Inode find(String path) {
    Inode at = root;
    if (!path.equals(".")) {
      for (String name : path.split("/")) {
        at = ((Folder) at).now.get(name);
      }
    }
    return at;
  }

  private static String name(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  private void change(String folder, Change change) {
    Folder parent = (Folder) find(folder);
    change.apply(parent.now);
    parent.pending.add(change);
  }

  void apply(Step step) {
    String folder = Step.parent(step.path());
    String name = name(step.path());
    switch (step.kind()) {
      case 'D' -> change(folder, new Change("", name, new Folder()));
      case 'C' -> change(folder, new Change("", name, new File()));
      case 'U' -> change(folder, new Change(name, "", null));
      case 'R' -> {
        if (!folder.equals(Step.parent(step.to()))) {
          throw new IllegalStateException("From folder to folder: " + step);
        }
        change(folder, new Change(name, name(step.to()), find(step.path())));
      }
      case 'T' -> {
        File file = (File) find(step.path());
        file.now = Arrays.copyOf(file.now, (int) step.number());
      }
      case 'W' -> {
        File file = (File) find(step.path());
        int end = (int) step.number() + step.data().length;
        byte[] now = Arrays.copyOf(file.now, Math.max(end, file.now.length));
        System.arraycopy(step.data(), 0, now, (int) step.number(), step.data().length);
        file.now = now;
      }
      case 'S' -> {
        Inode inode = find(step.path());
        if (inode instanceof File file) {
          file.synced = file.now;
        } else {
          Folder synced = (Folder) inode;
          synced.pending.forEach(change -> change.apply(synced.synced));
          synced.pending.clear();
        }
      }
      default -> throw new IllegalStateException(step.toString());
    }
  }

  /** What may be found after the power went now, by words for it; {@code null} is a folder. */
  Map<String, Map<String, byte[]>> outcomes() {
    Map<String, Map<String, byte[]>> all = new LinkedHashMap<>();
    all.put("killed", tree(true, null, true));
    all.put("power cut, all names but no content", tree(false, null, true));
    all.put("power cut, nothing that isn't synced", tree(false, null, false));
    List<Change> pending = new ArrayList<>();
    collect(root, pending);
    for (Change change : pending) {
      all.put(
          "power cut, only " + change.gone() + " > " + change.come(), tree(false, change, false));
    }
    return all;
  }

  private static void collect(Folder folder, List<Change> pending) {
    pending.addAll(folder.pending);
    folder
        .now
        .values()
        .forEach(
            inode -> {
              if (inode instanceof Folder inner) {
                collect(inner, pending);
              }
            });
  }

  private Map<String, byte[]> tree(boolean content, Change only, boolean names) {
    Map<String, byte[]> tree = new LinkedHashMap<>();
    tree(root, "", content, only, names, tree);
    return tree;
  }

  private static void tree(
      Folder folder,
      String prefix,
      boolean content,
      Change only,
      boolean names,
      Map<String, byte[]> tree) {
    Map<String, Inode> entries = new TreeMap<>(names ? folder.now : folder.synced);
    if (only != null && folder.pending.contains(only)) {
      only.apply(entries);
    }
    entries.forEach(
        (name, inode) -> {
          if (inode instanceof File file) {
            tree.put(prefix + name, content ? file.now : file.synced);
          } else {
            tree.put(prefix + name + "/", null);
            tree((Folder) inode, prefix + name + "/", content, only, names, tree);
          }
        });
  }

  static void write(Map<String, byte[]> tree, Path directory) throws IOException {
    Files.createDirectories(directory);
    for (Map.Entry<String, byte[]> entry : tree.entrySet()) {
      Path path = directory.resolve(entry.getKey());
      if (entry.getValue() == null) {
        Files.createDirectories(path);
      } else {
        Files.write(path, entry.getValue());
      }
    }
  }
}
