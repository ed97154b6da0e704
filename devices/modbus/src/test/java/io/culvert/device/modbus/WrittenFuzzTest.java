package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.Sample;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.statistics.Statistics;

/** Whatever a person writes is either told to be wrong or can be read and written by. */
class WrittenFuzzTest {

  @Property(tries = 20_000)
  void anAddressIsWrongOrPlannedAndDecoded(
      @ForAll("addresses") String written,
      @ForAll DataType type,
      @ForAll Access access,
      @ForAll("settings") Settings settings) {
    Point point = new Point("p", written, type, access);
    List<Problem> problems = new ArrayList<>();
    Address address = Address.parse(point, settings, problems::add);
    assertThat(address == null).isEqualTo(!problems.isEmpty());
    assertThat(problems)
        .allSatisfy(problem -> assertThat(problem.key()).startsWith("points.p."))
        .allSatisfy(problem -> assertThat(problem.found()).isNotBlank());
    Statistics.collect(address != null);
    Statistics.coverage(coverage -> coverage.check(true).count(count -> count > 500));
    if (address == null) {
      return;
    }
    assertThat(access.writable() && !address.table().writable()).isFalse();
    Block block =
        Block.plan(
                List.of(new Block.Item(0, point, address)),
                settings,
                new Findings(System::nanoTime))
            .get(0);
    assertThat(block.start() + block.count()).isLessThanOrEqualTo(Table.SIZE);
    if (access.readable() && address.table() != Table.FILE) {
      assertThat(block.count())
          .isLessThanOrEqualTo(settings.maxBlock() * Settings.unit(block.table()));
      assertThat(settings.forbidden(block.table(), block.start(), block.start() + block.count()))
          .isNull();
    }
    Sample[] samples = new Sample[1];
    byte[] answer = new HostileSlave.Request(1, 1, block.request()).answerPdu();
    if (!block.table().bits() && access.readable()) {
      block.decode(answer, samples);
      assertThat(samples[0].point()).isEqualTo("p");
      if (samples[0].value() != null) {
        assertThat(Codec.fits(type, samples[0].value())).isTrue();
        assertThat(address.codec().encode(samples[0].value())).hasSize(2 * address.count());
      }
    }
  }

  @Property(tries = 5000)
  void settingsAreWrongOrInForce(@ForAll("keys") String key, @ForAll("anything") String text) {
    List<Problem> problems = new ArrayList<>();
    Settings settings = Settings.parse(Map.of(key, text), problems::add);
    assertThat(problems)
        .allSatisfy(problem -> assertThat(problem.key()).isEqualTo("settings." + key));
    assertThat(settings.maxBlock()).isBetween(4, 125);
    assertThat(settings.align()).isBetween(1, settings.maxBlock());
    assertThat(settings.inFlight()).isBetween(1, 16);
  }

  @Provide
  Arbitrary<String> keys() {
    return Arbitraries.of(
        "order",
        "maxGap",
        "maxBlock",
        "align",
        "forbidden",
        "inFlight",
        "responseTimeout",
        "write",
        "zone",
        "broadcast",
        "maxblock",
        "");
  }

  @Provide
  Arbitrary<String> anything() {
    Arbitrary<String> piece =
        Arbitraries.of(
            "holding:",
            "input:",
            "coil:",
            "file:4:",
            ":",
            ";",
            ",",
            "-",
            "=",
            ";order=",
            ";bit=",
            ";bcd",
            ";length=",
            "abcd",
            "efghabcd",
            "unix32",
            "0x1F",
            "0",
            "7",
            "65535",
            "125",
            " ",
            "true",
            "single",
            "8s",
            "UTC",
            "+08:00",
            "☃",
            "holding:1-5,7");
    return Arbitraries.oneOf(piece, Arbitraries.strings().ofMaxLength(5))
        .list()
        .ofMaxSize(6)
        .map(pieces -> String.join("", pieces));
  }

  /** Right ones, nearly right ones and anything. */
  @Provide
  Arbitrary<String> addresses() {
    Arbitrary<String> place =
        Combinators.combine(
                Arbitraries.of("holding:", "input:", "coil:", "discrete:", "file:4:"),
                Arbitraries.oneOf(
                    Arbitraries.of("0", "7", "0x1F", "9998", "65535", "65536", ""),
                    Arbitraries.integers().between(0, 200).map(String::valueOf)))
            .as(String::concat);
    Arbitrary<String> option =
        Arbitraries.oneOf(
            Arbitraries.of(
                ";order=cdab",
                ";order=badc",
                ";order=efghabcd",
                ";bit=3",
                ";bit=16",
                ";bits=4-7",
                ";bits=0-63",
                ";bits=9-3",
                ";bcd",
                ";length=1",
                ";length=4",
                ";length=123",
                ";length=125",
                ";length=200",
                ";charset=gbk",
                ";charset=utf-16be",
                ";charset=x"),
            Arbitraries.of(TimeForm.NAMES).map(form -> ";time=" + form),
            anything());
    return Arbitraries.oneOf(
        Combinators.combine(place, option.list().ofMaxSize(2))
            .as((at, options) -> at + String.join("", options)),
        anything());
  }

  @Provide
  Arbitrary<Settings> settings() {
    return Arbitraries.of(
            Map.<String, String>of(),
            Map.of("align", "8"),
            Map.of("maxBlock", "4"),
            Map.of("forbidden", "holding:5-10,input:0,coil:7-100"),
            Map.of("order", "cdab", "zone", "Europe/Berlin"))
        .map(written -> Settings.parse(written, ModbusDriver::refuse));
  }
}
