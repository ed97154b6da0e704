package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.api.southbound.Browsable.Found;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.awaitility.Awaitility;
import org.eclipse.milo.opcua.sdk.client.DiscoveryClient;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.stack.core.NamespaceTable;
import org.eclipse.milo.opcua.stack.core.encoding.EncodingContext;
import org.eclipse.milo.opcua.stack.core.types.structured.EndpointDescription;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Looks around in a server with more than five thousand nodes that answers in small pieces. */
class BrowserTest {
  private static Forest forest;
  private static OpcUaClient client;
  private static Nodes nodes;
  private static ExecutorService executor;

  private final AtomicLong time = new AtomicLong();
  private NodeRef root;
  private Browser browser;

  @BeforeAll
  static void plant() throws Exception {
    forest = new Forest();
    client = OpcUaClient.create(forest.endpoint());
    client.connect();
    nodes =
        new Nodes(
            new Plain(
                client,
                Limits.of(client).get(60, TimeUnit.SECONDS),
                Nodes.namespaces(client).get(60, TimeUnit.SECONDS)));
    executor = Executors.newSingleThreadExecutor();
  }

  /** A client that nobody shares. */
  private record Plain(OpcUaClient client, Limits limits, NamespaceTable namespaces)
      implements Link {
    @Override
    public <T> CompletableFuture<T> ask(
        Function<OpcUaClient, ? extends CompletionStage<T>> request) {
      return request.apply(client).toCompletableFuture();
    }

    @Override
    public EncodingContext encoding() {
      return client.getStaticEncodingContext();
    }
  }

  @AfterAll
  static void fell() throws Exception {
    executor.shutdownNow();
    client.disconnect();
    forest.close();
  }

  @BeforeEach
  void look() {
    forest.beforeBrowse(() -> {});
    browser = browser(Walk.MOST);
  }

  private Browser browser(int mostVisited) {
    return new Browser(
        forest.endpoint(),
        new Browser.Server() {
          @Override
          public CompletionStage<Nodes> nodes() {
            return CompletableFuture.completedFuture(nodes);
          }

          @Override
          public CompletionStage<List<EndpointDescription>> endpoints() {
            return DiscoveryClient.getEndpoints(forest.endpoint());
          }
        },
        executor,
        time::get,
        mostVisited);
  }

  private List<Found> browse(String from, int limit) throws Exception {
    try {
      return browser.browse(from, limit, root).get(120, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException io ? io : e;
    }
  }

  /** All pages, without what leads from one to the next. */
  private List<Found> pages(String from, int limit) throws Exception {
    List<Found> all = new ArrayList<>();
    String next = from;
    while (next != null) {
      List<Found> page = browse(next, limit);
      assertThat(page.size()).isBetween(1, limit);
      next = null;
      for (Found found : page) {
        if (found.facts().get("kind").equals("more")) {
          assertThat(found).isSameAs(page.get(page.size() - 1));
          next = found.address();
        } else {
          all.add(found);
        }
      }
    }
    return all;
  }

  private static Found titled(List<Found> all, String title) {
    return all.stream().filter(found -> found.title().equals(title)).findFirst().orElseThrow();
  }

  @Test
  void theTopIsEndpointsAndTheObjectsFolder() throws Exception {
    List<Found> top = browse("", 10);
    assertThat(top).hasSize(2);
    assertThat(top.get(0).address()).isEqualTo(forest.endpoint());
    assertThat(top.get(0).facts())
        .containsEntry("kind", "endpoint")
        .containsEntry("policy", "None")
        .containsEntry("security", "none")
        .containsEntry("users", "anonymous");
    assertThat(top.get(1)).isEqualTo(new Found("i=85", "Objects", Map.of("kind", "object")));
    assertThat(browse("i=85", 100))
        .extracting(Found::address)
        .contains("i=2253", Forest.node("Plant"));
  }

  @Test
  void aVariableTellsTypeUnitRangeAccessHistoryAndValue() throws Exception {
    List<Found> pump = browse(Forest.node("Pump1"), 100);
    assertThat(titled(pump, "Level").address()).isEqualTo(Forest.node("Pump1.Level"));
    assertThat(titled(pump, "Level").facts())
        .containsEntry("kind", "variable")
        .containsEntry("type", "float64")
        .containsEntry("unit", "m")
        .containsEntry("range", "0..6.5")
        .containsEntry("access", "read")
        .containsEntry("history", "true")
        .containsEntry("value", "1.25")
        .containsEntry("description", "Water above the floor of the well")
        .doesNotContainKey("unitOriginal");
    assertThat(titled(pump, "Flow").facts())
        .containsEntry("type", "float32")
        .containsEntry("unitOriginal", "furlongs/fortnight")
        .doesNotContainKey("unit");
    assertThat(titled(pump, "Speed").facts())
        .containsEntry("type", "uint16")
        .containsEntry("unit", "{rpm}/min")
        .containsEntry("unitOriginal", "rpm")
        .containsEntry("range", "0..3000")
        .containsEntry("access", "read-write");
    assertThat(titled(pump, "Running").facts())
        .containsEntry("type", "bool")
        .containsEntry("class", "state")
        .containsEntry("value", "true");
    assertThat(titled(pump, "Mode").facts()).containsEntry("states", "0 off, 1 automatic");
    assertThat(titled(pump, "Start").facts())
        .containsEntry("kind", "method")
        .containsEntry("point", "method:" + Forest.node("Pump1") + " " + Forest.node("Pump1.Start"))
        .containsEntry("arguments", "speed uint16, ramp float64");
  }

  @Test
  void dataTypesThatTheMakerDerivedAreFollowedToThoseOfOpcUa() throws Exception {
    List<Found> types = browse(Forest.node("Types"), 100);
    assertThat(titled(types, "Valve").facts())
        .containsEntry("type", "int32")
        .containsEntry("dataType", "ValveState")
        .containsEntry("class", "state")
        .containsEntry("states", "0 shut, 1 open");
    assertThat(titled(types, "Number").facts()).containsEntry("type", "float64");
    assertThat(titled(types, "Any").facts()).containsEntry("type", "uint16");
    assertThat(titled(types, "Nothing").facts()).doesNotContainKey("type");
    assertThat(titled(types, "Time").facts())
        .containsEntry("type", "float64")
        .containsEntry("dataType", "Duration");
    assertThat(titled(types, "Range").facts()).containsEntry("type", "struct");
    assertThat(titled(types, "Diagnostics").facts()).doesNotContainKey("type");
    assertThat(titled(types, "Text").facts())
        .containsEntry("type", "text")
        .containsEntry("value", "hello");
    assertThat(titled(types, "Small").facts())
        .containsEntry("type", "uint16")
        .containsEntry("value", "200");
    assertThat(titled(types, "List").facts())
        .containsEntry("type", "float64")
        .containsEntry("array", "true");
    assertThat(titled(types, "Secret").facts()).containsEntry("access", "none");
  }

  @Test
  void aTitleIsInTheLanguageOfTheSession() throws Exception {
    assertThat(titled(browse(Forest.node("Types"), 100), "流量").facts())
        .containsEntry("otherTitle", "Spoken")
        .containsEntry("name", "Spoken");
  }

  @Test
  void aLongListComesInPagesThatCanBeAskedForAgain() throws Exception {
    List<Found> all = pages(Forest.node("Flat"), 700);
    assertThat(all).hasSize(Forest.FLAT).doesNotHaveDuplicates();
    assertThat(all.get(4321).title()).isEqualTo("V4321");
    assertThat(all.get(4321).facts()).containsEntry("value", "4321");
    List<Found> first = browse(Forest.node("Flat"), 700);
    String second = first.get(699).address();
    assertThat(first.get(699).facts()).containsEntry("kind", "more");
    assertThat(browse(second, 700)).isEqualTo(browse(second, 700));
    assertThat(browse(second, 700).get(0)).isEqualTo(all.get(699));
  }

  @Test
  void aPageThatIsJustFullLeadsNowhere() throws Exception {
    List<Found> pump = browse(Forest.node("Pump1"), 100);
    assertThat(browse(Forest.node("Pump1"), pump.size())).isEqualTo(pump);
    assertThat(browse(Forest.node("Pump1"), 1)).isEqualTo(pump.subList(0, 1));
  }

  @Test
  void theServerKeepsNothingOfAnAnswerThatIsntUsed() throws Exception {
    int before = forest.released();
    browse(Forest.node("Flat"), 150);
    Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> forest.released() > before);
    browse("search:V0001", 10);
    browse("tree:" + Forest.node("Plant"), 10);
    Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> forest.kept() == 0);
  }

  @Test
  void aServerThatForgetsWhereItWasIsAskedOnceMore() throws Exception {
    List<Found> flat = browse(Forest.node("Flat"), 300);
    forest.forget();
    assertThat(browse(Forest.node("Flat"), 300)).isEqualTo(flat);
    List<Found> tree = pages("tree:" + Forest.node("Flat"), 10_000);
    forest.forget();
    assertThat(pages("tree:" + Forest.node("Flat"), 10_000)).isEqualTo(tree);
  }

  @Test
  void aServerThatKeepsFewAnswersOpenIsAskedOneAtATime() throws Exception {
    assertThat(pages("tree:" + Forest.node("Wide"), 10_000))
        .hasSize(Forest.WIDE + Forest.WIDE * (Forest.PIECE + 5));
  }

  @Test
  void whatNobodyWaitsForAnyMoreEndsSoon() throws Exception {
    CompletableFuture<CompletableFuture<List<Found>>> started = new CompletableFuture<>();
    int before = forest.browses();
    forest.beforeBrowse(() -> started.join().cancel(false));
    started.complete(browser.browse("tree:" + Forest.node("Plant"), 10_000, null));
    Awaitility.await().atMost(Duration.ofMinutes(1)).until(started.join()::isDone);
    assertThat(started.join()).isCancelled();
    // On the same thread, so after it.
    browse(Forest.node("Pump1"), 10);
    assertThat(forest.browses() - before).isLessThan(10);
  }

  @Test
  void aSearchLooksAtAllThatIsBelowByEitherNameInAnyCase() throws Exception {
    List<Found> levels = browse("search:LEVEL below " + Forest.node("Plant"), 100);
    assertThat(levels)
        .extracting(Found::address)
        .contains(
            Forest.node("Pump1.Level"), Forest.node("Pump2.Level"), Forest.node("Pump3.Level"))
        .doesNotContain(Forest.node("Pump1.Flow"));
    assertThat(titled(levels, "Level").facts())
        .containsEntry("path", "./Pump1/Level")
        .containsEntry("unit", "m");
    assertThat(browse("search:水 below " + Forest.node("Hostile"), 10)).hasSize(1);
    assertThat(browse("search:nothing is named so below " + Forest.node("Pump1"), 10)).isEmpty();
  }

  @Test
  void aTreeHasEveryNodeOnceThoughSomeRoundInACircle() throws Exception {
    assertThat(pages("tree:" + Forest.node("Ring"), 100))
        .extracting(found -> found.facts().get("path"))
        .containsExactly("./A", "./A/B", "./A/B/Value");
    List<Found> plant = pages("tree:" + Forest.node("Plant"), 10_000);
    assertThat(plant)
        .extracting(Found::address)
        .filteredOn(address -> !address.isEmpty())
        .doesNotHaveDuplicates();
    assertThat(plant).hasSizeGreaterThan(Forest.FLAT + 200);
    assertThat(plant)
        .extracting(found -> found.facts().get("path"))
        .contains("./Pump2/Start", "./Types/{" + Forest.OTHER + "}Foreign");
  }

  @Test
  void aTreeInPagesIsTheSameAsInOneAndGoesOnWhereItStopped() throws Exception {
    List<Found> whole = pages("tree:" + Forest.node("Plant"), 10_000);
    int before = forest.browses();
    assertThat(pages("tree:" + Forest.node("Plant"), 10_000)).hasSameSizeAs(whole);
    int once = forest.browses() - before;
    assertThat(pages("tree:" + Forest.node("Plant"), 1_000)).isEqualTo(whole);
    assertThat(forest.browses() - before - once).isLessThan(2 * once);
  }

  @Test
  void aTreeThatWasForgottenBeginsAnewAndPassesOverWhatWasTold() throws Exception {
    List<Found> whole = pages("tree:" + Forest.node("Pump1"), 100);
    String next = browse("tree:" + Forest.node("Pump1"), 3).get(2).address();
    for (int i = 1; i <= 3; i++) {
      browse("tree:" + Forest.node("Pump" + i), 2);
    }
    assertThat(browse(next, 100)).isEqualTo(whole.subList(2, whole.size()));
    assertThat(browse(next, 100)).isEqualTo(whole.subList(2, whole.size()));
  }

  @Test
  void whoeverIsTooDeepOrTooManyIsLeftOutAndThatIsSaid() throws Exception {
    List<Found> deep = pages("tree:" + Forest.node("Deep"), 1_000);
    assertThat(deep).hasSizeLessThan(2 * Forest.DEEP);
    assertThat(deep.get(deep.size() - 1).facts()).containsEntry("kind", "end");
    browser = browser(500);
    List<Found> some = pages("tree:" + Forest.node("Plant"), 10_000);
    assertThat(some.size()).isBetween(400, 501);
    assertThat(some.get(some.size() - 1).title()).contains("501 nodes were looked at");
  }

  @Test
  void whatTakesTooLongStopsWithWhatItHasAndGoesOnLater() throws Exception {
    List<Found> whole = pages("tree:" + Forest.node("Plant"), 10_000);
    forest.beforeBrowse(() -> time.addAndGet(TimeUnit.SECONDS.toNanos(Browser.SECONDS) / 20));
    List<Found> first = browse("tree:" + Forest.node("Plant"), 10_000);
    assertThat(first.size()).isBetween(2, whole.size() - 1);
    assertThat(first.get(first.size() - 1).facts()).containsEntry("kind", "more");
    assertThat(pages("tree:" + Forest.node("Plant"), 10_000)).isEqualTo(whole);
  }

  @Test
  void namesThatNobodyShouldGiveComeThroughWhole() throws Exception {
    List<Found> hostile = browse(Forest.node("Hostile"), 100);
    assertThat(hostile).hasSize(Forest.HOSTILE.size() + 1);
    assertThat(hostile)
        .extracting(Found::title)
        .contains("- {a: [b, c]} # d", "new\nline\rand\ttab", "水位", "\ud83d\ude80 rocket")
        .allMatch(title -> title.length() <= 512);
    assertThat(titled(hostile, "Unspeakable").address()).isEmpty();
    List<Found> tree = pages("tree:" + Forest.node("Hostile"), 100);
    assertThat(tree)
        .extracting(Found::title)
        .containsExactlyElementsOf(hostile.stream().map(Found::title).toList());
    List<String> paths =
        tree.stream().map(found -> found.facts().get("path")).filter(Objects::nonNull).toList();
    assertThat(paths).hasSizeGreaterThan(Forest.HOSTILE.size() - 6);
    for (String path : paths) {
      NodeRef parsed = NodeRef.parse(path, (what, expected) -> {});
      assertThat(parsed).as(path).isInstanceOf(NodeRef.Path.class);
      assertThat(parsed).hasToString(path);
    }
  }

  @Test
  void pathsBeginAtTheRootOfTheDevice() throws Exception {
    root = NodeRef.parse(Forest.node("Plant"), (found, expected) -> {});
    assertThat(browse("", 10).get(2).address()).isEqualTo(Forest.node("Plant"));
    assertThat(browse("./Pump2", 100)).isEqualTo(browse(Forest.node("Pump2"), 100));
    assertThat(browse("tree:./Pump2", 100)).isEqualTo(browse("tree:" + Forest.node("Pump2"), 100));
    assertThatThrownBy(() -> browse("./Pump9", 10)).hasMessageContaining("nothing at ./Pump9");
  }

  @Test
  void whatIsNoNodeIsRefusedWithWhatIsExpected() {
    assertThatThrownBy(() -> browse("ns=2;s=Plant", 10)).hasMessageContaining("nsu=");
    assertThatThrownBy(() -> browse("Plant", 10)).hasMessageContaining("expected nsu=");
    assertThatThrownBy(() -> browse("nsu=urn:nowhere;s=Plant", 10))
        .hasMessageContaining("no namespace urn:nowhere")
        .hasMessageContaining(Forest.URI);
    assertThatThrownBy(() -> browse(Forest.node("Nothing"), 10))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("BadNodeIdUnknown");
    assertThatThrownBy(() -> browse("search:", 10)).hasMessageContaining("without words");
  }
}
