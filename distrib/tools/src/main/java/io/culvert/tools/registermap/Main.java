package io.culvert.tools.registermap;

import io.culvert.core.document.Faults;
import io.culvert.core.profile.ProfileReader;
import io.culvert.tools.registermap.Sheet.Cell;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * {@code culvert profile}: from a maker's register map to a profile and back, and from what a
 * device tells of itself.
 */
public final class Main {
  private static final String USAGE =
      """
      usage: culvert profile <command>

        import MAP.xlsx|.csv       makes a profile of a maker's register map
          --dry-run                shows what would be made, and writes nothing
          --id ID                  of the profile (the file's name)
          --title TEXT             in English (the id)
          --base 0|1               the number of the maker's first register, where the map leaves it open
          --plain                  numbers such as 40001 are the request's, and no reference numbers
          --table TABLE            of rows that name none: holding, input, coil, discrete
          --order ORDER            of bytes where the map says nothing: abcd, cdab, badc, dcba
          --interval DURATION      between polls (5s)
          --scheme SCHEME          of the endpoints (modbus: every transport of it)
          --sheet NAME             of the workbook (the one that looks most like a map)
          --out FILE               instead of etc/profiles/ID.yaml
          --replace                the file if it is there
        export ID|PROFILE.yaml FILE [--csv|--xlsx]
                                   writes a map that, imported again, gives the same profile
          --replace                the file if it is there
        from DEVICE NODE           makes a profile of all below a node of a device that tells what it
                                   has, as an OPC UA server does; the running gateway looks
          DEVICE                   id in etc/site.json, or an endpoint
          NODE                     as culvert shell scan DEVICE shows it
          --print                  the profile, and writes nothing
          --id ID, --title TEXT, --interval DURATION (1s), --out FILE, --replace   as above
        list                       the profiles of this installation

      All but from need no running gateway; one that runs takes a new profile up by itself.
      exit: 0 done, 1 the map has troubles or a file can't be used, 2 not understood
      """;

  private static final Set<String> SWITCHES =
      Set.of("--dry-run", "--plain", "--replace", "--csv", "--xlsx", "--print");
  private static final Map<String, Set<String>> OPTIONS =
      Map.of(
          "import",
          Set.of(
              "--id",
              "--title",
              "--base",
              "--table",
              "--order",
              "--interval",
              "--scheme",
              "--sheet",
              "--out",
              "--dry-run",
              "--plain",
              "--replace"),
          "export",
          Set.of("--csv", "--xlsx", "--replace"),
          "from",
          Set.of("--id", "--title", "--interval", "--out", "--print", "--replace"),
          "list",
          Set.of());

  private final Path home;
  private final PrintStream out;
  private final Gateway gateway;
  private final List<String> files = new ArrayList<>();
  private final Map<String, String> options = new HashMap<>();

  private Main(Path home, PrintStream out, Gateway gateway) {
    this.home = home;
    this.out = out;
    this.gateway = gateway;
  }

  /** The running gateway, which looks around with its own sessions and secrets. */
  @FunctionalInterface
  interface Gateway {
    Looked look(String device, String node) throws IOException, UnreadableException;
  }

  /** What a person wrote on the command line can't be used. */
  private static final class UsageException extends Exception {
    private static final long serialVersionUID = 1;

    UsageException(String message) {
      super(message);
    }
  }

  /** Runs a command and exits with its status. */
  public static void main(String[] args) {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
    System.exit(run(List.of(args), Path.of(System.getProperty("culvert.home", ".")), out, err));
  }

  static int run(List<String> args, Path home, PrintStream out, PrintStream err) {
    return run(args, home, out, err, (device, node) -> Looked.by(home, device, node));
  }

  static int run(List<String> args, Path home, PrintStream out, PrintStream err, Gateway gateway) {
    try {
      String command = args.isEmpty() ? "help" : args.get(0);
      Main main = new Main(home, out, gateway);
      if (List.of("help", "--help", "-h").contains(command)) {
        out.print(USAGE);
        return 0;
      }
      if (!OPTIONS.containsKey(command)) {
        throw new UsageException(
            "found " + Text.quoted(command) + "; expected import, export, from or list");
      }
      main.options(command, args.subList(1, args.size()));
      return switch (command) {
        case "import" -> main.importMap();
        case "export" -> main.exportMap();
        case "from" -> main.fromTree();
        default -> main.list();
      };
    } catch (UsageException e) {
      err.println("culvert profile: " + e.getMessage() + "; see culvert profile help");
      return 2;
    } catch (UnreadableException e) {
      err.println("culvert profile: " + e.getMessage());
    } catch (FileSystemException e) {
      err.println(
          "culvert profile: "
              + e.getFile()
              + ": "
              + (e.getReason() == null ? e.getClass().getSimpleName() : e.getReason()));
    } catch (IOException e) {
      err.println("culvert profile: " + e.getMessage());
    }
    return 1;
  }

  private void options(String command, List<String> args) throws UsageException {
    for (int i = 0; i < args.size(); i++) {
      String word = args.get(i);
      if (!word.startsWith("--")) {
        files.add(word);
        continue;
      }
      if (!OPTIONS.get(command).contains(word)) {
        throw new UsageException("found the option " + word);
      }
      if (SWITCHES.contains(word)) {
        options.put(word, "");
      } else if (i + 1 < args.size()) {
        options.put(word, args.get(++i));
      } else {
        throw new UsageException("found nothing after " + word);
      }
    }
  }

  private String oneOf(String option, String... values) throws UsageException {
    String value = options.get(option);
    if (value != null && !List.of(values).contains(value.toLowerCase(Locale.ROOT))) {
      throw new UsageException(
          "found " + option + " " + value + "; expected " + String.join(", ", values));
    }
    return value == null ? null : value.toLowerCase(Locale.ROOT);
  }

  private int importMap() throws UsageException, UnreadableException, IOException {
    if (files.size() != 1) {
      throw new UsageException("found " + files.size() + " files; expected one map");
    }
    Path file = Path.of(files.get(0));
    String base = oneOf("--base", "0", "1");
    String name =
        Text.plain(file.getFileName().toString())
            .toLowerCase(Locale.ROOT)
            .replaceFirst("\\.[^.]*$", "")
            .replaceAll("[^a-z0-9._-]+", "-")
            .replaceAll("^[^a-z0-9]+|-+$", "");
    MapImport.Options told =
        new MapImport.Options(
            name.isEmpty() ? "device" : name,
            options.get("--id"),
            options.get("--title"),
            options.get("--interval"),
            options.get("--scheme"),
            base == null ? null : Integer.valueOf(base),
            options.containsKey("--plain"),
            oneOf("--table", "holding", "input", "coil", "discrete"),
            oneOf("--order", "abcd", "cdab", "badc", "dcba"),
            options.get("--sheet"));
    Draft draft = read(file, told);
    List<Trouble> troubles = new ArrayList<>(draft.troubles());
    troubles.addAll(new ProfileCheck().check(draft));
    troubles.sort(Comparator.comparingInt(Trouble::row));
    boolean dry = options.containsKey("--dry-run");
    if (dry) {
      show(draft);
    }
    draft.notes().forEach(note -> out.println("note: " + note));
    troubles.forEach(trouble -> out.println(file.getFileName() + ": " + trouble));
    if (!troubles.isEmpty()) {
      out.println(
          (troubles.size() == 1 ? "1 trouble" : troubles.size() + " troubles")
              + "; nothing is written");
      return 1;
    }
    String id = (String) draft.profile().get("id");
    Path target =
        options.containsKey("--out")
            ? Path.of(options.get("--out"))
            : Installed.folder(home).resolve(id + ".yaml");
    int points = ProfileYaml.points(draft.profile()).size();
    if (dry) {
      out.println("profile " + id + " with " + points + " points; without --dry-run: " + target);
      return 0;
    }
    save(target, ProfileYaml.write(draft.profile()));
    out.println("profile " + id + " with " + points + " points: " + target);
    return 0;
  }

  /** Reads a map of either kind; what a file is, its first bytes say, not its name. */
  static Draft read(Path file, MapImport.Options told) throws IOException, UnreadableException {
    if (Files.size(file) > Sheet.MAX_BYTES) {
      throw new UnreadableException(
          "a file of " + Files.size(file) + " bytes", "keep below " + Sheet.MAX_BYTES);
    }
    byte[] content = Files.readAllBytes(file);
    if (content.length > 3 && content[0] == 'P' && content[1] == 'K' && content[2] <= 8) {
      return MapImport.of(XlsxFile.read(file), told);
    }
    if (content.length > 3 && (content[0] & 0xFF) == 0xD0 && (content[1] & 0xFF) == 0xCF) {
      throw new UnreadableException(
          "a workbook of the old kind or one with a password", "save it as .xlsx or CSV without");
    }
    return MapImport.of(CsvFile.read(content), told);
  }

  private void show(Draft draft) {
    List<Map<String, Object>> points = ProfileYaml.points(draft.profile());
    out.printf(
        "%4s  %-24s %-28s %-8s %-10s %-22s %s%n",
        "row", "id", "address", "type", "access", "value", "title");
    for (int i = 0; i < points.size(); i++) {
      Map<String, Object> point = points.get(i);
      String value =
          (point.get("scale") instanceof java.math.BigDecimal scale
                  ? "× " + Text.number(scale) + " "
                  : "")
              + (point.get("offset") instanceof java.math.BigDecimal offset
                  ? (offset.signum() < 0 ? "- " : "+ ") + Text.number(offset.abs()) + " "
                  : "")
              + point.getOrDefault("unit", "");
      out.printf(
          "%4d  %-24s %-28s %-8s %-10s %-22s %s%n",
          i < draft.sources().size() ? draft.sources().get(i).row() : 0,
          point.get("id"),
          point.get("address"),
          point.get("type"),
          point.getOrDefault("access", "read"),
          value,
          point.get("title") instanceof Map<?, ?> title
              ? String.join(" / ", title.values().stream().map(String::valueOf).toList())
              : "");
    }
  }

  /** Whole or not at all, since a running gateway may be looking. */
  private void save(Path target, byte[] content) throws IOException, UnreadableException {
    if (Files.exists(target) && !options.containsKey("--replace")) {
      throw new UnreadableException(
          target + ", which is there already", "run with --replace or --out another file");
    }
    Path folder = target.toAbsolutePath().getParent();
    Files.createDirectories(folder);
    Path part = Files.createTempFile(folder, "." + target.getFileName(), ".part");
    try {
      Files.write(part, content);
      part.toFile().setReadable(true, false);
      Files.move(part, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  private int exportMap() throws UsageException, UnreadableException, IOException {
    if (files.size() != 2) {
      throw new UsageException("found " + files.size() + " names; expected a profile and a file");
    }
    String name = files.get(0);
    Path target = Path.of(files.get(1));
    boolean csv = options.containsKey("--csv") || files.get(1).endsWith(".csv");
    boolean xlsx = options.containsKey("--xlsx") || files.get(1).endsWith(".xlsx");
    if (csv == xlsx) {
      throw new UsageException("found " + target + "; expected one of --csv and --xlsx");
    }
    byte[] yaml =
        name.endsWith(".yaml")
            ? Files.readAllBytes(Path.of(name))
            : Installed.profiles(home).get(name);
    if (yaml == null) {
      throw new UnreadableException(
          "no profile " + Text.quoted(name), "name a file or one of \"culvert profile list\"");
    }
    Faults faults = new Faults(name);
    Map<String, Object> profile = ProfileYaml.read(yaml, faults);
    if (profile == null) {
      throw new UnreadableException(faults.lines().get(0), "mend it first");
    }
    List<String> wrong = new ProfileReader().read(name, yaml).faults();
    if (!wrong.isEmpty()) {
      throw new UnreadableException(wrong.get(0), "mend it first");
    }
    List<List<Cell>> rows = MapExport.rows(profile);
    save(target, csv ? CsvFile.write(rows) : XlsxFile.write("map", rows));
    out.println(name + " with " + ProfileYaml.points(profile).size() + " points: " + target);
    return 0;
  }

  private int fromTree() throws UsageException, UnreadableException, IOException {
    if (files.size() != 2) {
      throw new UsageException("found " + files.size() + " words; expected a device and a node");
    }
    Looked looked = gateway.look(files.get(0), files.get(1));
    TreeImport.Draft draft =
        TreeImport.of(
            looked.found(),
            new TreeImport.Options(
                files.get(1),
                URI.create(looked.endpoint()).getScheme(),
                options.get("--id"),
                options.get("--title"),
                options.get("--interval")));
    String id = (String) draft.profile().get("id");
    byte[] yaml = draft.yaml();
    List<String> wrong = new ProfileReader().read(id + ".yaml", yaml).faults();
    if (!wrong.isEmpty()) {
      throw new UnreadableException(wrong.get(0), "nothing is written");
    }
    boolean print = options.containsKey("--print");
    int points = ProfileYaml.points(draft.profile()).size();
    if (print) {
      out.write(yaml);
      draft.notes().forEach(note -> out.println("# note: " + note));
    } else {
      Path target =
          options.containsKey("--out")
              ? Path.of(options.get("--out"))
              : Installed.folder(home).resolve(id + ".yaml");
      save(target, yaml);
      draft.notes().forEach(note -> out.println("note: " + note));
      out.println(
          "profile " + id + " with " + points + (points == 1 ? " point: " : " points: ") + target);
    }
    out.println((print ? "# " : "") + looked.advice(id, files.get(1)));
    return 0;
  }

  private int list() throws UsageException, IOException {
    if (!files.isEmpty()) {
      throw new UsageException("found " + files);
    }
    Installed.profiles(home).keySet().forEach(out::println);
    return 0;
  }
}
