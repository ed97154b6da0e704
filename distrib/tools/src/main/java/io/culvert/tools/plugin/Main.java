package io.culvert.tools.plugin;

import io.culvert.core.site.SiteCheck;
import io.culvert.plugins.PluginCheck;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Set;

/** {@code culvert plugin}: a vendor's and an operator's work on the jars of plug-ins. */
public final class Main {
  private static final String USAGE =
      """
      usage: culvert plugin <command>

        list                       those of the running gateway, and jars that were refused
        check FILE.jar             what the gateway here would say of it, and whose it is; also
                                   when none runs
        trust list                 whose plug-ins this gateway takes
        trust add FILE.pem [NAME]  takes those of one more vendor; NAME is how you call them
        trust remove NAME          takes no more of theirs
        key FILE.p12               makes a key, and beside it FILE.pem, the certificate that a
                                   gateway's operator puts into etc/trust
          --name NAME              whose, such as "CN=Example Ltd, C=DE"
        sign FILE.jar              signs it, in place of a signature that it has
          --key FILE.p12           the key
          --tsa URL                of an authority for time-stamps: the signature then holds when
                                   the certificate has run out
        pack PROFILE.yaml …        makes a plug-in of profiles, without Java
          --name NAME              of the plug-in, such as com.example.lamp; for good
          --version VERSION        such as 1.0.0
          --vendor TEXT            who answers for it
          --licence ID             such as Apache-2.0, or the address of its text
          --key FILE.p12 --tsa URL sign it
          --out FILE               instead of NAME-VERSION.jar
          --replace                the file if it is there

      The password of a key is asked for, or taken from the environment variable
      CULVERT_KEY_PASSWORD.
      exit: 0 done, 1 something is wrong with a file, 2 not understood
      """;

  private final Passwords passwords;
  private final PrintStream out;

  private Main(Passwords passwords, PrintStream out) {
    this.passwords = passwords;
    this.out = out;
  }

  /** Runs a command and exits with its status. */
  public static void main(String[] args) {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
    System.exit(run(List.of(args), Passwords.ofProcess(), out, err));
  }

  static int run(List<String> args, Passwords passwords, PrintStream out, PrintStream err) {
    try {
      Main main = new Main(passwords, out);
      String command = args.isEmpty() ? "help" : args.get(0);
      List<String> words = args.isEmpty() ? args : args.subList(1, args.size());
      switch (command) {
        case "help", "--help", "-h" -> out.print(USAGE);
        case "key" -> main.key(Words.of(words, Set.of("--name"), Set.of()));
        case "sign" -> main.sign(Words.of(words, Set.of("--key", "--tsa"), Set.of()));
        case "check" -> main.check(Words.of(words, Set.of(), Set.of()));
        case "trust" -> main.trust(Words.of(words, Set.of(), Set.of()).names());
        case "pack" ->
            main.pack(
                Words.of(
                    words,
                    Set.of(
                        "--name", "--version", "--vendor", "--licence", "--key", "--tsa", "--out"),
                    Set.of("--replace")));
        default ->
            throw new UsageException(
                "found \"" + command + "\"; expected list, check, trust, key, sign or pack");
      }
      return 0;
    } catch (UsageException e) {
      err.println("culvert plugin: " + e.getMessage() + "; see culvert plugin help");
      return 2;
    } catch (Refusal e) {
      e.lines().forEach(line -> err.println("culvert plugin: " + line));
    } catch (FileSystemException e) {
      err.println(
          "culvert plugin: "
              + e.getFile()
              + ": "
              + (e.getReason() == null ? e.getClass().getSimpleName() : e.getReason()));
    } catch (IOException e) {
      err.println("culvert plugin: " + e.getMessage());
    }
    return 1;
  }

  private static Path home() {
    return Path.of(System.getProperty("culvert.home"));
  }

  private void check(Words words) throws UsageException, Refusal, IOException {
    Path jar = Path.of(words.name("the jar of a plug-in"));
    PluginCheck.Answer answer =
        PluginCheck.check(
            home(),
            jar,
            SiteCheck.allowsUnsigned(home()),
            SiteCheck.plugins(Path.of(System.getProperty("culvert.data"))));
    answer.lines().forEach(out::println);
    if (!answer.refusal().isEmpty()) {
      throw new Refusal(List.of(jar + ": refused: " + answer.refusal()));
    }
    out.println("this gateway takes it");
  }

  private void trust(List<String> words) throws UsageException, Refusal, IOException {
    Trust trust = new Trust(home(), out);
    String what = words.isEmpty() ? "nothing" : words.get(0);
    int given = words.size() - 1;
    if (what.equals("list") && given == 0) {
      trust.list();
    } else if (what.equals("add") && (given == 1 || given == 2)) {
      trust.add(Path.of(words.get(1)), given == 2 ? words.get(2) : null);
    } else if (what.equals("remove") && given == 1) {
      trust.remove(words.get(1));
    } else {
      throw new UsageException(
          "found trust "
              + String.join(" ", words)
              + "; expected trust list, trust add FILE.pem [NAME] or trust remove NAME");
    }
  }

  private void key(Words words) throws UsageException, Refusal, IOException {
    Path file = Path.of(words.name("a file for the key, such as vendor.p12"));
    String name = words.need("--name", "whose it is, such as \"CN=Example Ltd\"");
    Path pem = Key.make(file, name, passwords);
    out.println("key: " + file + " (keep it, and keep it secret)");
    out.println("certificate: " + pem + " (for etc/trust of the gateways)");
  }

  private void sign(Words words) throws UsageException, Refusal, IOException {
    Path jar = Path.of(words.name("the jar of a plug-in"));
    Path file = Path.of(words.need("--key", "the file of a key"));
    URI authority = authority(words);
    sign(jar, Key.open(file, passwords), authority);
  }

  private void sign(Path jar, Key key, URI authority) throws Refusal, IOException {
    Signing.sign(jar, key, authority);
    out.println(
        "signed: "
            + jar
            + " by "
            + key.certificate().getSubjectX500Principal().getName()
            + (authority == null
                ? ", without time-stamp: holds until " + key.certificate().getNotAfter().toInstant()
                : ", with a time-stamp of " + authority));
  }

  private static URI authority(Words words) throws UsageException {
    String text = words.options().get("--tsa");
    if (text != null && !text.matches("https?://[^\\s/?#]+[^\\s]*")) {
      throw new UsageException("found --tsa " + text + "; expected an address such as http://host");
    }
    return text == null ? null : URI.create(text);
  }

  private void pack(Words words) throws UsageException, Refusal, IOException {
    if (words.names().isEmpty()) {
      throw new UsageException("found no profile; expected one or more files");
    }
    String name = words.need("--name", "a name such as com.example.lamp");
    String version = words.need("--version", "a version such as 1.0.0");
    Pack pack =
        new Pack(
            name,
            version,
            words.need("--vendor", "who answers for it"),
            words.need("--licence", "an SPDX identifier such as Apache-2.0"));
    URI authority = authority(words);
    if (authority != null && !words.has("--key")) {
      throw new UsageException("found --tsa without --key; expected both or none");
    }
    Path target = Path.of(words.options().getOrDefault("--out", name + "-" + version + ".jar"));
    if (Files.exists(target) && !words.has("--replace")) {
      throw new Refusal(
          target + ", which is there already", "run with --replace or --out another file");
    }
    pack.take(words.names().stream().map(Path::of).toList());
    Key key =
        words.has("--key") ? Key.open(Path.of(words.options().get("--key")), passwords) : null;
    Path folder = Files.createDirectories(target.toAbsolutePath().getParent());
    Path part = Files.createTempFile(folder, "." + target.getFileName(), ".part");
    try {
      pack.write(part);
      if (key != null) {
        Signing.sign(part, key, authority);
      }
      part.toFile().setReadable(true, false);
      Files.move(part, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(part);
    }
    out.println("plug-in " + name + " " + version + " with " + pack.ids() + ": " + target);
    if (key == null) {
      out.println("not signed: only a gateway that allows unsigned plug-ins takes it");
    }
  }
}
