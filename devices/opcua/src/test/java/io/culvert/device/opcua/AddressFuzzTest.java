package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.statistics.Statistics;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.util.Namespaces;

/** Whatever a person writes is either told to be wrong or an address, and that can be written. */
class AddressFuzzTest {

  @Property(tries = 3_000)
  void anAddressIsWrongOrWrittenAndReadAgain(
      @ForAll("written") String written, @ForAll DataType type, @ForAll Access access) {
    List<Problem> problems = new ArrayList<>();
    Address address = Address.parse(new Point("p", written, type, access), problems::add);
    assertThat(address == null).isEqualTo(!problems.isEmpty());
    assertThat(problems)
        .allSatisfy(
            problem -> {
              assertThat(problem.key()).startsWith("points.p.");
              assertThat(problem.found()).isNotBlank().hasSizeLessThan(300);
              assertThat(problem.toString())
                  .hasSizeLessThan(800)
                  .matches(text -> text.chars().noneMatch(Character::isISOControl));
            });
    Statistics.collect(address != null);
    Statistics.coverage(coverage -> coverage.check(true).count(count -> count > 100));
    if (address != null) {
      assertThat(Address.of(new Point("p", address.toString(), type, access))).isEqualTo(address);
    }
  }

  @Property(tries = 1_500, edgeCases = EdgeCasesMode.NONE)
  void anAddressReadsAsItWasWritten(@ForAll("addresses") Address address) {
    Access access = address.kind() == Address.Kind.METHOD ? Access.WRITE : Access.READ;
    assertThat(Address.of(new Point("p", address.toString(), address.type(), access)))
        .isEqualTo(address);
  }

  @Provide
  Arbitrary<String> written() {
    Arbitrary<String> piece =
        Arbitraries.of(
            "nsu=",
            "urn:plant",
            ";",
            "s=",
            "i=",
            "g=",
            "b=",
            "ns=",
            "./",
            ".",
            "/",
            "{",
            "}",
            "&",
            " ",
            "  ",
            "=",
            ":",
            "%3B",
            "%25",
            "%",
            "2:",
            "method:",
            "events:",
            "acknowledge:",
            "sampling=",
            "100ms",
            "1s",
            "queue=",
            "deadband=",
            "trigger=",
            "range=",
            "1:3",
            "2%",
            "timestamp",
            "0",
            "5",
            "4294967295",
            "Level",
            "Pump 1",
            "AAE=",
            "\u0000",
            "\uD800",
            "\uDC00",
            "\u2028",
            "\u3000",
            "☃",
            "泵",
            "09087e75-8e5e-499b-954f-f2a9603db28a");
    Arbitrary<String> anything =
        Arbitraries.oneOf(piece, Arbitraries.strings().ofMaxLength(5))
            .list()
            .ofMaxSize(8)
            .map(pieces -> String.join("", pieces));
    Arbitrary<String> nearlyRight =
        Combinators.combine(
                Arbitraries.of("", "method:", "events:", "acknowledge:"),
                Arbitraries.of("i=5", "nsu=urn:x;s=A B", "./A/B", "."),
                Arbitraries.of("", " ./C", " i=7"),
                Arbitraries.of("", " sampling=1s", " queue=3", " range=1", " deadband=0.5"),
                anything.injectNull(0.7))
            .as(
                (kind, node, method, option, rest) ->
                    kind + node + method + option + (rest == null ? "" : rest));
    return Arbitraries.oneOf(anything, nearlyRight);
  }

  @Provide
  Arbitrary<Address> addresses() {
    Arbitrary<Address> variables =
        Combinators.combine(
                nodes(),
                Arbitraries.integers()
                    .between(0, 3_600_000)
                    .map(Duration::ofMillis)
                    .injectNull(0.5),
                Arbitraries.integers().between(0, 100_000),
                deadbands().injectNull(0.5),
                Arbitraries.of(Trigger.class).injectNull(0.5),
                Arbitraries.of("0", "1:3", "0:2147483647,5").injectNull(0.5))
            .as(
                (node, sampling, queue, deadband, trigger, range) ->
                    new Address(
                        Address.Kind.VARIABLE,
                        DataType.INT32,
                        node,
                        null,
                        sampling,
                        queue,
                        deadband,
                        trigger,
                        range));
    Arbitrary<Address> methods =
        Combinators.combine(nodes(), nodes().filter(node -> !node.toString().equals(".")))
            .as(
                (object, method) ->
                    new Address(
                        Address.Kind.METHOD,
                        DataType.BOOL,
                        object,
                        method,
                        null,
                        0,
                        null,
                        null,
                        null));
    Arbitrary<Address> events =
        nodes()
            .map(
                node ->
                    new Address(
                        Address.Kind.EVENTS,
                        DataType.STRUCT,
                        node,
                        null,
                        null,
                        10,
                        null,
                        null,
                        null));
    return Arbitraries.oneOf(variables, methods, events);
  }

  private static Arbitrary<Deadband> deadbands() {
    return Combinators.combine(
            Arbitraries.doubles().between(1e-9, 100).ofScale(9), Arbitraries.of(true, false))
        .as(Deadband::new);
  }

  private static Arbitrary<NodeRef> nodes() {
    Arbitrary<String> names = names(NodeRef.LONGEST_NAME);
    Arbitrary<String> uris = names(60).filter(uri -> !uri.isBlank());
    // An identifier with an option in it is written as a path instead.
    Arbitrary<Object> identifiers =
        Arbitraries.oneOf(
            Arbitraries.longs().between(1, UInteger.MAX_VALUE).map(UInteger::valueOf),
            names(NodeRef.LONGEST_NAME)
                .filter(text -> text.equals(text.strip()) && !text.contains(" ")),
            Arbitraries.create(UUID::randomUUID),
            Arbitraries.bytes().array(byte[].class).ofMinSize(1).ofMaxSize(20).map(ByteString::of));
    Arbitrary<NodeRef> ids =
        Combinators.combine(
                Arbitraries.oneOf(
                    Arbitraries.of(Namespaces.OPC_UA), uris.filter(uri -> !uri.contains(" "))),
                identifiers)
            .as(NodeRef.Id::new);
    Arbitrary<NodeRef> paths =
        Combinators.combine(uris.injectNull(0.5), names)
            .as(NodeRef.Step::new)
            .list()
            .ofMaxSize(4)
            .map(NodeRef.Path::new);
    return Arbitraries.oneOf(ids, paths);
  }

  private static Arbitrary<String> names(int longest) {
    Arbitrary<String> hard =
        Arbitraries.of(
                "a",
                "1",
                "12",
                ":",
                "/",
                "&",
                "{",
                "}",
                " ",
                "=",
                ".",
                "./",
                "nsu=",
                "i=",
                "%3B",
                "%25",
                ";",
                "queue=1",
                "☃",
                "\uD83D\uDE00",
                "\u3000")
            .list()
            .ofMinSize(1)
            .ofMaxSize(6)
            .map(pieces -> String.join("", pieces));
    return Arbitraries.oneOf(hard, Arbitraries.of("x".repeat(longest)), Arbitraries.of("Pump 1"))
        .filter(name -> name.length() <= longest);
  }
}
