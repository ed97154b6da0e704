package io.culvert.core.site;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.api.service.Generations.Generation;
import io.culvert.api.service.Generations.Plugin;
import io.culvert.core.document.Faults;
import io.culvert.core.document.Fields;
import io.culvert.core.document.JsonReader;
import io.culvert.core.document.Node;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Generations on disk: {@code <n>/site.json}, {@code <n>/lock.json} and the file {@code current}
 * with the number of the one in force. A generation is whole and synced before the pointer names
 * it, and the pointer changes by one synced rename; so a power cut leaves the one before or the one
 * after.
 */
final class GenerationStore {
  private static final Logger LOG = LoggerFactory.getLogger(GenerationStore.class);

  /** How many are kept, the one in force among them. */
  static final int KEPT = 50;

  private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,17}");
  private static final Pattern ANY = Pattern.compile(".{0,500}");
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final JsonFactory JSON = new JsonFactory();

  private final Path directory;
  private Generation current;
  private byte[] site;

  private GenerationStore(Path directory) {
    this.directory = directory;
  }

  /** Opens the store with the generation in force; number 0 and no site if there is none. */
  static GenerationStore open(Path directory) throws IOException {
    Files.createDirectories(directory);
    GenerationStore store = new GenerationStore(directory);
    store.sweep();
    store.load();
    return store;
  }

  synchronized Generation current() {
    return current;
  }

  /** The site document in force; {@code null} if there never was a good one. */
  synchronized byte[] site() {
    return site == null ? null : site.clone();
  }

  /**
   * Puts a generation in force: synced when this returns, nothing changed if it throws.
   *
   * @param document {@code null} for none
   */
  synchronized Generation put(byte[] document, Map<String, Plugin> lock) throws IOException {
    // Of a switch that failed, on a full disk for one.
    sweep();
    long number = numbers().stream().reduce(0L, Math::max) + 1;
    Path building = directory.resolve(number + ".tmp");
    Files.createDirectory(building);
    if (document != null) {
      write(building.resolve("site.json"), document);
    }
    write(building.resolve("lock.json"), write(lock));
    sync(building);
    Files.move(building, directory.resolve(Long.toString(number)), StandardCopyOption.ATOMIC_MOVE);
    sync(directory);
    Path pointer = directory.resolve("current.tmp");
    write(pointer, (number + "\n").getBytes(StandardCharsets.US_ASCII));
    Files.move(
        pointer,
        directory.resolve("current"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    sync(directory);
    current = new Generation(number, lock);
    site = document == null ? null : document.clone();
    prune();
    return current;
  }

  private void load() throws IOException {
    TreeSet<Long> candidates = numbers();
    Long pointed = pointed();
    if (pointed == null && candidates.isEmpty()) {
      current = new Generation(0, Map.of());
      return;
    }
    if (pointed != null && load(pointed)) {
      return;
    }
    // Damage: the newest that can be read is the best guess at what was in force.
    for (Long number : candidates.descendingSet()) {
      if (!number.equals(pointed) && load(number)) {
        LOG.error(
            "{}: the generation in force can't be read; generation {} takes its place",
            directory.resolve("current"),
            number);
        return;
      }
    }
    LOG.error("{}: no generation can be read; starting without one", directory);
    current = new Generation(0, Map.of());
  }

  private boolean load(long number) throws IOException {
    Path generation = directory.resolve(Long.toString(number));
    Path document = generation.resolve("site.json");
    Path lockFile = generation.resolve("lock.json");
    if (!Files.isRegularFile(lockFile)) {
      return false;
    }
    Faults faults = new Faults(lockFile.toString());
    Map<String, Plugin> lock = readLock(Files.readAllBytes(lockFile), faults);
    if (!faults.none()) {
      faults.lines().forEach(LOG::error);
      return false;
    }
    current = new Generation(number, lock);
    site = Files.isRegularFile(document) ? Files.readAllBytes(document) : null;
    return true;
  }

  private Long pointed() throws IOException {
    try {
      byte[] pointer = Files.readAllBytes(directory.resolve("current"));
      String text = new String(pointer, StandardCharsets.US_ASCII).strip();
      return NUMBER.matcher(text).matches() ? Long.valueOf(text) : null;
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private TreeSet<Long> numbers() throws IOException {
    TreeSet<Long> numbers = new TreeSet<>();
    try (Stream<Path> entries = Files.list(directory)) {
      entries
          .map(entry -> entry.getFileName().toString())
          .filter(name -> NUMBER.matcher(name).matches())
          .forEach(name -> numbers.add(Long.valueOf(name)));
    }
    return numbers;
  }

  private void prune() throws IOException {
    TreeSet<Long> numbers = numbers();
    while (numbers.size() > KEPT) {
      delete(directory.resolve(Long.toString(numbers.pollFirst())));
    }
  }

  /** Removes what an interrupted switch left behind. */
  private void sweep() throws IOException {
    List<Path> left;
    try (Stream<Path> entries = Files.list(directory)) {
      left = entries.filter(entry -> entry.getFileName().toString().endsWith(".tmp")).toList();
    }
    for (Path entry : left) {
      delete(entry);
    }
  }

  private static void delete(Path entry) throws IOException {
    if (Files.isDirectory(entry)) {
      List<Path> files;
      try (Stream<Path> inside = Files.list(entry)) {
        files = inside.toList();
      }
      for (Path file : files) {
        Files.delete(file);
      }
    }
    Files.delete(entry);
  }

  private static void write(Path file, byte[] content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer rest = ByteBuffer.wrap(content);
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
      channel.force(true);
    }
  }

  private static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static byte[] write(Map<String, Plugin> lock) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      json.useDefaultPrettyPrinter();
      json.writeStartObject();
      for (Map.Entry<String, Plugin> entry : new TreeMap<>(lock).entrySet()) {
        json.writeObjectFieldStart(entry.getKey());
        json.writeStringField("version", entry.getValue().version());
        json.writeStringField("sha256", entry.getValue().sha256());
        json.writeStringField("origin", entry.getValue().origin());
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    return bytes.toByteArray();
  }

  private static Map<String, Plugin> readLock(byte[] json, Faults faults) {
    Map<String, Plugin> lock = new HashMap<>();
    if (JsonReader.read(json, faults) instanceof Node.Obj object) {
      object
          .members()
          .forEach(
              (name, node) -> {
                Fields fields = Fields.of(node, name, faults);
                if (fields == null) {
                  return;
                }
                String version = fields.text("version", ANY, "a version");
                String sha256 = fields.text("sha256", SHA256, "64 hexadecimal digits");
                String origin = fields.text("origin", ANY, "a file name");
                if (version != null && sha256 != null && origin != null) {
                  lock.put(name, new Plugin(version, sha256, origin));
                }
              });
    } else if (faults.none()) {
      faults.file("no object", "a JSON object");
    }
    return lock;
  }
}
