package io.culvert.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.Buffer.Account;
import io.culvert.api.service.Buffer.Delivered;
import io.culvert.api.service.Buffer.Disk;
import io.culvert.api.service.Buffer.Forwarding;
import io.culvert.api.service.Buffer.Held;
import io.culvert.api.service.Buffer.Holdings;
import io.culvert.api.service.Buffer.Owed;
import io.culvert.api.service.Buffer.Status;
import io.culvert.api.service.Buffer.Verification;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BufferCommandTest {
  private static final Instant NOW = Instant.parse("2026-11-29T08:00:00Z");

  private final FakeBuffer buffer = new FakeBuffer();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private String run(String... words) throws Exception {
    return runAfter(Duration.ofHours(1), words);
  }

  private String runAfter(Duration uptime, String... words) throws Exception {
    out.reset();
    err.reset();
    new BufferCommand(buffer, buffer, NOW, uptime, new PrintStream(out), new PrintStream(err))
        .run(List.of(words));
    return out.toString(StandardCharsets.UTF_8);
  }

  private void holdSome() {
    buffer.status =
        new Status(
            3_600_000,
            0,
            7,
            40_000_000,
            2_000_000_000,
            0,
            Disk.FULL,
            "disk full; free 12 MB",
            List.of(
                new Forwarding("city", false, 5, 1, 4_000_010, 0, 0),
                new Forwarding("county", true, 4_000_000, 0, 0, 5_000_000, 5_000_000)));
    buffer.holdings =
        new Holdings(
            List.of(
                new Held(StreamClass.ALARM, 10, 400, NOW.minusSeconds(600), NOW),
                new Held(
                    StreamClass.TELEMETRY,
                    4_000_000,
                    39_000_000,
                    NOW.minusSeconds(8000),
                    NOW.plusSeconds(30))),
            List.of(
                new Owed("city", StreamClass.ALARM, 10, NOW.minusSeconds(600)),
                new Owed("city", StreamClass.TELEMETRY, 4_000_000, NOW.minusSeconds(8040))),
            3,
            1,
            2,
            12_000_000);
  }

  @Test
  void statusSaysWhatIsWrongWhatIsStoredAndWhoWaits() throws Exception {
    holdSome();
    String text = run("status");

    assertThat(text)
        .isEqualTo(
            """
            The disk is full; 40 MB of 2,000 MB used.
            The room lasts for an outage of about 2 days at the present rate, 1,000 readings
            a second.

            To mend:
              - buffer: disk full; free 12 MB
              - buffer: 7 readings deleted unconfirmed by a bound (see: culvert buffer
                ledger); raise buffer.maxBytes or buffer.maxAgeHours in etc/site.json
              - platform city isn't reached, 4,000,010 unconfirmed readings on disk: check
                its url in etc/site.json and the network
              - platform county has had the 5,000 kB that may be sent in 24 h; what isn't
                urgent waits
              - 2 files (12 MB) can't be read: see culvert buffer verify and
                docs/guides/buffer.md

            stored      readings   size  oldest          newest
            alarm             10  400 B  10 min ago      now
            telemetry  4,000,000  39 MB  2 h 13 min ago  in 30 s
            in 3 files, 1 of them thinned out

            waits for  class       readings  since
            city       alarm             10  10 min ago
            city       telemetry  4,000,000  2 h 14 min ago

            platform  state        confirmed  refused  sent in 24 h
            city      not reached          5        1  -
            county    connected    4,000,000        0  5,000 kB of 5,000 kB
            """);
    assertThat(text.lines()).allMatch(line -> line.length() <= Text.COLUMNS);
  }

  @Test
  void ofFilesAloneStatusSaysOnlyWhatFilesTell() throws Exception {
    holdSome();
    String text = runAfter(null, "status");
    assertThat(text)
        .startsWith("The gateway doesn't run; 40 MB on disk.\n\nTo mend:\n  - 2 files")
        .contains("city       telemetry  4,000,000")
        .doesNotContain("platform  state", "The room", "isn't reached");
  }

  @Test
  void anEmptyBufferSaysSo() throws Exception {
    assertThat(run("status"))
        .isEqualTo(
            "The disk works; 0 B of 1 B used.\n\nNothing is stored.\n\nNo platform is known.\n");
  }

  @Test
  void statusAsJsonHasTheSameFigures() throws Exception {
    holdSome();
    assertThat(run("status", "--json"))
        .contains("\"disk\" : \"full\"", "\"roomSeconds\" : 200000", "\"readings\" : 4000000")
        .endsWith("}\n");
  }

  @Test
  void verifyExitsWithOneIfAnythingIsDamaged() throws Exception {
    buffer.verification = new Verification(3, 1_000, 12_000_000, List.of());
    assertThat(run("verify"))
        .matches("Checked 3 files with 1,000 readings, 12 MB, in .*\\.\nNothing is damaged\\.\n");

    buffer.verification = new Verification(3, 990, 12_000_000, List.of("segment-1.db: alarm at 7"));
    assertThatThrownBy(() -> run("verify"))
        .isInstanceOfSatisfying(
            CommandFailed.class, failure -> assertThat(failure.exit()).isEqualTo(1))
        .hasMessage("1 problem in the buffer's files");
    assertThat(out.toString(StandardCharsets.UTF_8))
        .contains("Damaged:\n  - segment-1.db: alarm at 7\n");
  }

  @Test
  void theLedgerOfADeviceProvesWhatBecameOfItsReadings() throws Exception {
    LedgerEntry gap =
        new LedgerEntry(
            "uw-1",
            "telemetry",
            NOW.minusSeconds(60),
            NOW.minusSeconds(30),
            3,
            false,
            Reason.NEVER_READ,
            "no answer");
    buffer.account =
        new Account(
            Map.of(StreamClass.TELEMETRY, 1000L, StreamClass.ALARM, 2L),
            List.of(
                new Delivered("city", StreamClass.TELEMETRY, 990, 10),
                new Delivered("county", StreamClass.TELEMETRY, 1000, 0)),
            List.of(gap),
            Map.of(Reason.NEVER_READ, 3L),
            false);

    String text =
        run(
            "ledger",
            "--device",
            "uw-1",
            "--from",
            "2026-11-29T07:00:00Z",
            "--to",
            "2026-11-29T09:00:00+01:00");

    assertThat(buffer.asked).isEqualTo("uw-1 2026-11-29T07:00:00Z 2026-11-29T08:00:00Z");
    assertThat(text)
        .containsSubsequence(
            """
            class      on disk  platform  confirmed or in ledger  waiting
            alarm            2  -                              -        -
            telemetry    1,000  city                         990       10
            telemetry    1,000  county                     1,000        0
            """,
            "never read uw-1/telemetry: about 3 readings for 30 s;\n    no answer",
            "1 gap: 3 never read",
            "Not everything could be counted");
    assertThat(text.lines()).allMatch(line -> line.length() <= Text.COLUMNS);
    assertThat(run("ledger", "--device", "uw-1", "--json"))
        .contains("\"settled\" : 990", "\"reason\" : \"never_read\"", "\"complete\" : false");
  }

  @Test
  void whatWasRecoveredIsToldAndIsNoGap() throws Exception {
    List<LedgerEntry> entries = new ArrayList<>();
    for (Reason reason : List.of(Reason.NEVER_READ, Reason.RECOVERED)) {
      entries.add(
          new LedgerEntry(
              "plc-1", "telemetry", NOW.minusSeconds(60), NOW, 30, false, reason, "kept"));
    }
    buffer.account =
        new Account(
            Map.of(),
            List.of(),
            entries,
            Map.of(Reason.NEVER_READ, 30L, Reason.RECOVERED, 30L),
            true);

    assertThat(run("ledger", "--device", "plc-1"))
        .contains(
            "recovered plc-1/telemetry: about 30 readings for 60 s;\n    kept",
            "1 gap: 30 never read, 30 recovered");
  }

  @Test
  void theLedgerOfAllIsOfTheLastDayIfNothingIsSaid() throws Exception {
    assertThat(run("ledger")).startsWith("0 gaps from ");
    assertThat(buffer.asked).isEqualTo("2026-11-28T08:00:00Z 2026-11-29T08:00:00.001Z");
    run("ledger", "--since", "2h");
    assertThat(buffer.asked).startsWith("2026-11-29T06:00:00Z ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "drop",
        "status now",
        "verify --device a",
        "ledger --since",
        "ledger --since 1h --from 2026-11-29",
        "ledger --since 1h --since 2h",
        "ledger --from 2026-11-29 --to 2026-11-29",
        "ledger --from yesterday",
        "export --format xml",
        "export --out f"
      })
  void whatIsNotUnderstoodIsToldWithWhatIs(String words) {
    assertThatThrownBy(() -> run(words.isEmpty() ? new String[0] : words.split(" ")))
        .isInstanceOfSatisfying(
            CommandFailed.class, failure -> assertThat(failure.exit()).isEqualTo(2))
        .hasMessageContaining("expected")
        .hasMessageMatching("[^\n]*");
    assertThat(out.size()).isZero();
  }

  private static Batch.Entry reading(
      long sequence, String point, Value value, String unit, Quality quality, Instant time) {
    return new Batch.Entry(
        sequence,
        new Reading(
            "uw-1",
            point,
            StreamClass.TELEMETRY,
            value,
            unit,
            quality,
            time,
            time.plusMillis(5),
            ClockState.SYNCHRONISED,
            Grade.GENERAL));
  }

  /** One of each kind of value, one bad, and times to the nanosecond. */
  private static List<Batch.Entry> kinds() {
    Map<String, Value> passage = new LinkedHashMap<>();
    passage.put("tag", Value.of("=1+\"1\",\r\n"));
    passage.put("antennas", new Value.Array(List.of(Value.of(1), Value.of(2))));
    List<Value> values = new ArrayList<>();
    values.add(Value.of(1.5));
    values.add(Value.of(-3));
    values.add(Value.of(true));
    values.add(Value.of("=HYPERLINK(1)"));
    values.add(new Value.Bytes(new byte[] {(byte) 0xfb, (byte) 0xff}));
    values.add(new Value.Struct(passage));
    values.add(Value.of(Double.NaN));
    List<Batch.Entry> entries = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      entries.add(
          reading(
              i + 1,
              "p" + i,
              values.get(i),
              i == 0 ? "L/s" : i == 1 ? "mm" : "",
              Quality.GOOD,
              NOW.plusNanos(i < 2 ? 0 : 123_456_789)));
    }
    entries.add(reading(8, "p7", null, "", Quality.BAD_TIMEOUT, NOW));
    entries.add(reading(9, "p8", Value.of(1), "", Quality.GOOD, Instant.EPOCH));
    entries.add(reading(10, "p9", Value.of(1), "", Quality.BAD_SENSOR_FAILURE, NOW));
    return entries;
  }

  @Test
  void jsonLinesHoldEachReadingWhole() throws Exception {
    buffer.readings = kinds();
    List<String> lines = run("export", "--device", "uw-1", "--point", "x").lines().toList();

    assertThat(buffer.asked).isEqualTo("uw-1/x " + Instant.MIN + " " + Instant.MAX);
    assertThat(lines).hasSize(10);
    assertThat(lines.get(0))
        .isEqualTo(
            "{\"device\":\"uw-1\",\"point\":\"p0\",\"class\":\"telemetry\",\"seq\":1,"
                + "\"value\":1.5,\"unit\":\"L/s\",\"quality\":\"Good\","
                + "\"eventTime\":\"2026-11-29T08:00:00Z\","
                + "\"receivedTime\":\"2026-11-29T08:00:00.005Z\","
                + "\"clock\":\"synchronised\",\"grade\":\"general\"}");
    assertThat(lines.get(5))
        .contains(
            "\"value\":{\"tag\":\"=1+\\\"1\\\",\\r\\n\",\"antennas\":[1,2]}",
            "\"eventTime\":\"2026-11-29T08:00:00.123456789Z\"");
    assertThat(lines.get(4)).contains("\"value\":\"+/8=\"");
    assertThat(lines.get(6)).contains("\"value\":\"NaN\"");
    assertThat(lines.get(7)).contains("\"value\":null", "\"quality\":\"BadTimeout\"");
    assertThat(err.toString(StandardCharsets.UTF_8)).isEqualTo("culvert: 10 readings written\n");
  }

  @Test
  void csvQuotesWhatItHasToAndNoTextBecomesAFormula() throws Exception {
    buffer.readings = kinds();
    String text = run("export", "--format", "csv");

    String times = "Good,2026-11-29T08:00:00.123456789Z,2026-11-29T08:00:00.128456789Z";
    assertThat(text)
        .startsWith(
            "device,point,class,seq,value,unit,quality,eventTime,receivedTime,clock,grade\r\n"
                + "uw-1,p0,telemetry,1,1.5,L/s,Good,2026-11-29T08:00:00Z,"
                + "2026-11-29T08:00:00.005Z,synchronised,general\r\n")
        .contains(
            "\r\nuw-1,p3,telemetry,4,\"\"\"=HYPERLINK(1)\"\"\",," + times,
            "\r\nuw-1,p5,telemetry,6,\"{\"\"tag\"\":\"\"=1+\\\"\"1\\\"\",\\r\\n\"\","
                + "\"\"antennas\"\":[1,2]}\",,"
                + times,
            "\r\nuw-1,p7,telemetry,8,,,BadTimeout,");
    assertThat(text.split("\r\n")).hasSize(11);
  }

  @Test
  void senMlIsOneArrayAndCountsWhatItCanNotSay() throws Exception {
    buffer.readings = kinds();
    assertThat(run("export", "--format", "senml"))
        .isEqualTo(
            """
            [
            {"bn":"uw-1/","bt":1795939200,"n":"p0","u":"l/s","v":1.5},
            {"n":"p1","u":"mm","v":-3},
            {"n":"p2","vb":true,"t":0.123456789},
            {"n":"p3","vs":"=HYPERLINK(1)","t":0.123456789},
            {"n":"p4","vd":"-_8","t":0.123456789},
            {"n":"p5/tag","vs":"=1+\\"1\\",\\r\\n","t":0.123456789},
            {"n":"p5/antennas/0","v":1,"t":0.123456789},
            {"n":"p5/antennas/1","v":2,"t":0.123456789}
            ]
            """);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .isEqualTo(
            "culvert: 6 readings written, 2 left out: bad, which SenML has no word for,"
                + " 1 left out: before 1978-07-04T21:24:16Z, which SenML can't say,"
                + " 1 left out: no finite number, or a name that SenML doesn't take\n");
    buffer.readings = List.of();
    assertThat(run("export", "--format", "senml")).isEqualTo("[]\n");
  }

  @Test
  void anExportThatIsNotCompleteSaysSo() {
    buffer.readings = kinds();
    buffer.complete = false;
    assertThatThrownBy(() -> run("export"))
        .isInstanceOfSatisfying(
            CommandFailed.class, failure -> assertThat(failure.exit()).isEqualTo(1))
        .hasMessageContaining("some rows can't be read");
    assertThat(out.toString(StandardCharsets.UTF_8).lines()).hasSize(10);
  }

  @Test
  void anExportThatNobodyReadsAnyMoreEnds() {
    AtomicLong handedOver = new AtomicLong();
    Batch.Entry one = kinds().get(0);
    buffer.readings =
        () ->
            LongStream.range(0, 10_000_000)
                .peek(i -> handedOver.set(i))
                .mapToObj(i -> one)
                .iterator();
    OutputStream gone =
        new OutputStream() {
          private int left = 100_000;

          @Override
          public void write(int b) throws IOException {
            if (--left < 0) {
              throw new IOException("Broken pipe");
            }
          }
        };
    assertThatThrownBy(
            () ->
                new BufferCommand(
                        buffer, buffer, NOW, null, new PrintStream(gone), new PrintStream(err))
                    .run(List.of("export")))
        .hasMessageContaining("nobody takes what it writes");
    assertThat(handedOver.get()).isLessThan(2_000);
  }

  @Test
  void withoutABufferItSaysSo() {
    assertThatThrownBy(
            () ->
                new BufferCommand(null, null, NOW, null, new PrintStream(out), new PrintStream(err))
                    .run(List.of("status")))
        .hasMessageContaining("buffer doesn't run");
  }
}
