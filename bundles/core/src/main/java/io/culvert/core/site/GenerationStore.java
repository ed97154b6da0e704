package io.culvert.core.site;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.api.service.Generations.Generation;
import io.culvert.api.service.Generations.Plugin;
import io.culvert.api.service.Generations.TakenBack;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Generations on disk: {@code <n>/site.json}, {@code <n>/lock.json} and the file {@code current}
 * with the number of the one in force: {@code 7}, or {@code 7 trial 6} while it is on trial and 6
 * is what it goes back to; 0 stands for none. A generation is whole and synced before the pointer
 * names it, and the pointer changes by one synced rename; so a power cut leaves the one before or
 * the one after, and one on trial is taken back at the next opening.
 */
final class GenerationStore {
  private static final Logger LOG = LoggerFactory.getLogger(GenerationStore.class);

  /** How many are kept, the one in force among them. */
  static final int KEPT = 50;

  private static final String CURRENT = "current";
  private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,17}");
  private static final Pattern POINTER =
      Pattern.compile("(?<number>0|[1-9][0-9]{0,17})( trial (?<back>0|[1-9][0-9]{0,17}))?");
  private static final Pattern ANY = Pattern.compile(".{0,500}");
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final JsonFactory JSON = new JsonFactory();
  private static final Stored NONE = new Stored(new Generation(0, Map.of()), null);

  private final Path directory;
  private final Returns returns;
  private Stored inForce = NONE;

  /** What a trial goes back to; {@code null} while nothing is on trial. */
  private Stored back;

  /**
   * @param site {@code null} for none
   */
  private record Stored(Generation generation, byte[] site) {
    long number() {
      return generation.number();
    }

    Map<String, Plugin> lock() {
      return generation.lock();
    }
  }

  /**
   * @param back {@code null} if nothing is on trial
   */
  private record Pointer(long number, Long back) {}

  private GenerationStore(Path directory) throws IOException {
    this.directory = directory;
    this.returns = Returns.read(directory);
  }

  /**
   * Opens the store with the generation in force; number 0 and no site if there is none. One on
   * trial isn't: it has been taken back when this returns.
   */
  static GenerationStore open(Path directory) throws IOException {
    Files.createDirectories(directory);
    GenerationStore store = new GenerationStore(directory);
    store.sweep();
    store.load();
    return store;
  }

  /** The lock in force or on trial, and nothing is touched; empty if there is none. */
  static Map<String, Plugin> peek(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return Map.of();
    }
    GenerationStore store = new GenerationStore(directory);
    Pointer pointer = store.pointer();
    Stored stored = pointer == null ? null : store.read(pointer.number());
    return stored == null ? Map.of() : stored.lock();
  }

  synchronized Generation current() {
    return inForce.generation();
  }

  /** The site document in force; {@code null} if there never was a good one. */
  synchronized byte[] site() {
    return inForce.site() == null ? null : inForce.site().clone();
  }

  synchronized boolean onTrial() {
    return back != null;
  }

  /**
   * Puts a site document in force, on the trial that there is or for good; nothing to do if it is
   * in force. Synced when this returns, nothing changed if it throws, like each that follows.
   */
  synchronized Generation site(byte[] document) throws IOException {
    if (!Arrays.equals(document, inForce.site())) {
      put(document, inForce.lock(), back);
    }
    if (returns.dropSite()) {
      keepReturns();
    }
    return current();
  }

  synchronized Generation lock(Map<String, Plugin> lock) throws IOException {
    if (onTrial()) {
      throw new IllegalStateException("Generation " + inForce.number() + " is on trial");
    }
    put(inForce.site(), lock, null);
    forgive();
    return current();
  }

  synchronized Generation trial(Map<String, Plugin> lock) throws IOException {
    if (onTrial()) {
      throw new IllegalStateException("Generation " + inForce.number() + " is on trial");
    }
    put(inForce.site(), lock, inForce);
    return current();
  }

  synchronized void confirm() throws IOException {
    expectTrial();
    point(inForce.number(), null);
    back = null;
    forgive();
  }

  /** Also if the disk refuses: then the next opening does the same. */
  synchronized Generation revert(String reason) {
    expectTrial();
    takeBack(inForce, back, reason, false);
    inForce = back;
    back = null;
    return current();
  }

  private void expectTrial() {
    if (!onTrial()) {
      throw new IllegalStateException("Generation " + inForce.number() + " isn't on trial");
    }
  }

  /** Jars that a trial ended badly for, by hash. */
  synchronized Map<String, TakenBack> takenBack() {
    return returns.plugins();
  }

  /**
   * Why this document was taken back together with a plug-in; {@code null} if it wasn't, or another
   * has come into force since.
   */
  synchronized String takenBack(byte[] document) {
    return returns.site(document);
  }

  private void put(byte[] document, Map<String, Plugin> lock, Stored goBackTo) throws IOException {
    // Of a switch that failed, on a full disk for one.
    sweep();
    long number = numbers().stream().reduce(inForce.number(), Math::max) + 1;
    Path building = directory.resolve(number + ".tmp");
    Files.createDirectory(building);
    if (document != null) {
      write(building.resolve("site.json"), document);
    }
    write(building.resolve("lock.json"), write(lock));
    sync(building);
    Files.move(building, directory.resolve(Long.toString(number)), StandardCopyOption.ATOMIC_MOVE);
    sync(directory);
    point(number, goBackTo);
    inForce = new Stored(new Generation(number, lock), document == null ? null : document.clone());
    back = goBackTo;
    prune();
  }

  private void point(long number, Stored goBackTo) throws IOException {
    String pointer = goBackTo == null ? "" + number : number + " trial " + goBackTo.number();
    replace(CURRENT, (pointer + "\n").getBytes(StandardCharsets.US_ASCII));
  }

  private void replace(String file, byte[] content) throws IOException {
    Path beside = directory.resolve(file + ".tmp");
    write(beside, content);
    Files.move(
        beside,
        directory.resolve(file),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    sync(directory);
  }

  private void load() throws IOException {
    Pointer pointer = pointer();
    if (pointer == null) {
      inForce = newest(null);
      return;
    }
    long number = pointer.back() == null ? pointer.number() : pointer.back();
    inForce = read(number);
    if (inForce == null) {
      inForce = newest(pointer);
    }
    if (pointer.back() != null) {
      Stored trial = read(pointer.number());
      if (trial == null) {
        trial = new Stored(new Generation(pointer.number(), Map.of()), null);
      }
      takeBack(trial, inForce, "", true);
    } else {
      forgive();
    }
  }

  /** Damage: the newest that can be read is the best guess at what was in force. */
  private Stored newest(Pointer pointer) throws IOException {
    TreeSet<Long> candidates = numbers();
    boolean none = pointer == null && candidates.isEmpty();
    if (pointer != null) {
      candidates.removeIf(n -> n == pointer.number() || n.equals(pointer.back()));
    }
    for (Long number : candidates.descendingSet()) {
      Stored stored = read(number);
      if (stored != null
          && stored.lock().values().stream()
              .noneMatch(p -> returns.plugins().containsKey(p.sha256()))) {
        LOG.error(
            "{}: the generation in force can't be read; generation {} takes its place",
            directory.resolve(CURRENT),
            number);
        return stored;
      }
    }
    if (!none) {
      LOG.error("{}: no generation can be read; starting without one", directory);
    }
    return NONE;
  }

  /**
   * @return {@code null}, with a word in the log, if it can't be read
   */
  private Stored read(long number) throws IOException {
    if (number == 0) {
      return NONE;
    }
    Path generation = directory.resolve(Long.toString(number));
    Path document = generation.resolve("site.json");
    Path lockFile = generation.resolve("lock.json");
    if (!Files.isRegularFile(lockFile)) {
      return null;
    }
    Faults faults = new Faults(lockFile.toString());
    Map<String, Plugin> lock = readLock(Files.readAllBytes(lockFile), faults);
    if (!faults.none()) {
      faults.lines().forEach(LOG::error);
      return null;
    }
    return new Stored(
        new Generation(number, lock),
        Files.isRegularFile(document) ? Files.readAllBytes(document) : null);
  }

  private Pointer pointer() throws IOException {
    try {
      byte[] pointer = Files.readAllBytes(directory.resolve(CURRENT));
      Matcher text = POINTER.matcher(new String(pointer, StandardCharsets.US_ASCII).strip());
      if (!text.matches()) {
        return null;
      }
      String goBackTo = text.group("back");
      return new Pointer(
          Long.parseLong(text.group("number")), goBackTo == null ? null : Long.valueOf(goBackTo));
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /**
   * Points back, and remembers what it was that went.
   *
   * @param interrupted whether it is only that the gateway ended
   */
  private void takeBack(Stored trial, Stored to, String reason, boolean interrupted) {
    Map<String, Plugin> went = new TreeMap<>(trial.lock());
    to.lock().forEach((name, plugin) -> went.remove(name, plugin));
    List<String> reasons = new ArrayList<>();
    went.forEach(
        (name, plugin) -> {
          String why = interrupted ? interruption(name, plugin, to.lock().get(name)) : reason;
          reasons.add(returns.add(trial.number(), name, plugin, why, interrupted));
        });
    if (trial.site() != null && !Arrays.equals(trial.site(), to.site())) {
      returns.add(trial.site(), String.join("; ", reasons));
    }
    LOG.error(
        "Generation {} was on trial and is taken back; generation {} is in force: {}",
        trial.number(),
        to.number(),
        String.join("; ", reasons));
    try {
      // Before the pointer: what went is known by the time when it isn't in force any more.
      returns.write(this::replace);
      point(to.number(), null);
    } catch (IOException e) {
      LOG.error(
          "{} can't be written ({}); the next start goes back as well",
          directory.resolve(CURRENT),
          e.toString());
    }
  }

  private static String interruption(String name, Plugin plugin, Plugin before) {
    return "%s %s was taken back: the gateway ended while it was on trial (stopped, killed, crashed or without power); %s"
        .formatted(
            name,
            plugin.version(),
            before == null ? "it is left out" : "back to " + before.version());
  }

  /** What is in force for good has proved itself. */
  private void forgive() {
    if (returns.drop(inForce.lock().values())) {
      keepReturns();
    }
  }

  /** Without it what is told of a jar would be older than it need be, at the next start. */
  private void keepReturns() {
    try {
      returns.write(this::replace);
    } catch (IOException e) {
      LOG.warn("What was taken back can't be written: {}", e.toString());
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

  /** Too many are no reason to say that the new one isn't in force, as it is by now. */
  private void prune() {
    try {
      TreeSet<Long> numbers = numbers();
      // After many that were taken back, these may be old ones.
      numbers.remove(inForce.number());
      numbers.remove(back == null ? 0 : back.number());
      while (numbers.size() > KEPT - 1) {
        delete(directory.resolve(Long.toString(numbers.pollFirst())));
      }
    } catch (IOException e) {
      LOG.warn("An old generation can't be deleted: {}", e.toString());
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
