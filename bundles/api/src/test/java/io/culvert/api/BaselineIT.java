package io.culvert.api;

import static org.assertj.core.api.Assertions.assertThat;

import aQute.bnd.differ.Baseline;
import aQute.bnd.differ.Baseline.Info;
import aQute.bnd.differ.DiffPluginImpl;
import aQute.bnd.osgi.Jar;
import aQute.bnd.osgi.Processor;
import aQute.bnd.service.diff.Delta;
import aQute.bnd.service.diff.Diff;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The API as built, held against the one released last. A package whose change isn't told by its
 * version would let a plug-in start that can't work, or refuse one that could.
 */
class BaselineIT {
  private static final Path RELEASED = Path.of("baseline/culvert-api-1.0.jar");

  @Test
  void whatHasChangedSinceTheReleaseHasAVersionThatSaysSo() throws Exception {
    assertThat(wrong(built(), RELEASED)).isEmpty();
  }

  /** The same the other way round: every addition is then something that has gone. */
  @Test
  void whatVendorsUseCantGoUnnoticed() throws Exception {
    assertThat(wrong(RELEASED, built()))
        .anySatisfy(
            line ->
                assertThat(line)
                    .contains("io.culvert.api.service has version 1.0.0")
                    .contains("write @Version(\"2.0.0\")")
                    .contains("io.culvert.api.service.Drivers"));
  }

  /** One sentence for each package whose version is too low. */
  private static List<String> wrong(Path newer, Path older) throws Exception {
    List<String> wrong = new ArrayList<>();
    try (Jar now = new Jar(newer.toFile());
        Jar then = new Jar(older.toFile());
        Processor processor = new Processor()) {
      Set<Info> packages = new Baseline(processor, new DiffPluginImpl()).baseline(now, then, null);
      assertThat(packages).isNotEmpty();
      for (Info each : packages) {
        if (each.mismatch) {
          Set<String> changes = new TreeSet<>();
          changes(each.packageDiff, changes);
          wrong.add(
              "Package %s has version %s, but was changed since %s (%s): write @Version(\"%s\") in its package-info.java, or take back what vendors would feel: %s"
                  .formatted(
                      each.packageName,
                      each.newerVersion,
                      each.olderVersion,
                      each.packageDiff.getDelta(),
                      each.suggestedVersion,
                      String.join("; ", changes)));
        }
      }
    }
    return wrong;
  }

  /** The innermost differences, each with what it is to others. */
  private static void changes(Diff diff, Set<String> changes) {
    List<? extends Diff> below =
        diff.getChildren().stream()
            .filter(
                child -> child.getDelta() != Delta.UNCHANGED && child.getDelta() != Delta.IGNORED)
            .toList();
    if (below.isEmpty() || diff.getDelta() == Delta.REMOVED || diff.getDelta() == Delta.ADDED) {
      changes.add(diff.getDelta() + " " + diff.getType() + " " + diff.getName());
    } else {
      below.forEach(child -> changes(child, changes));
    }
  }

  private static Path built() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("target"))) {
      return files
          .filter(
              file ->
                  file.getFileName().toString().matches("culvert-api-[0-9.]+(-SNAPSHOT)?\\.jar"))
          .findFirst()
          .orElseThrow(() -> new IOException("No jar of the API in target"));
    }
  }
}
