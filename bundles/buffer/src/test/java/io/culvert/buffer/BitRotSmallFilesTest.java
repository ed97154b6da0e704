package io.culvert.buffer;

import static io.culvert.buffer.Readings.T0;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.StreamClass;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;

/** The state of delivery and the ledger with any content. */
class BitRotSmallFilesTest {
  private static final int ENTRIES = 60;

  private Path directory;

  @BeforeProperty
  void make() throws IOException {
    directory = Files.createTempDirectory("small-files");
  }

  @AfterProperty
  void delete() throws IOException {
    clear();
    Files.delete(directory);
  }

  private void clear() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.delete(file);
      }
    }
  }

  /** Even with a right checksum, as another program may have written it. */
  @Property(tries = 300)
  void anyStateOfDeliveryIsReadOrPassedOver(
      @ForAll @Size(max = 200) byte[] content, @ForAll boolean checksummed) throws IOException {
    clear();
    StateFile file = new StateFile(directory, Readings.wear());
    file.save(1, null, new long[] {1, 2, 3, 4}, List.of(delivery()));
    ByteWriter whole = new ByteWriter();
    byte[] sealed = RowCodec.seal(content);
    whole.i32(sealed.length);
    whole.raw(sealed, sealed.length);
    Files.write(directory.resolve("delivery.0"), checksummed ? whole.toBytes() : content);
    StateFile.State state = new StateFile(directory, Readings.wear()).load();
    assertThat(state).as("the other one is whole").isNotNull();
  }

  @Property(tries = 300)
  void aStateOfDeliveryWithOneBitChangedIsNoState(@ForAll @IntRange(max = 100_000) int at)
      throws IOException {
    clear();
    StateFile file = new StateFile(directory, Readings.wear());
    file.save(1, null, new long[] {1, 2, 3, 4}, List.of(delivery()));
    file.save(2, null, new long[] {5, 6, 7, 8}, List.of(delivery()));
    Path newer = directory.resolve("delivery.0");
    byte[] bytes = Files.readAllBytes(newer);
    // What follows is room for more.
    int used = Integer.BYTES + ByteBuffer.wrap(bytes).getInt();
    Files.write(newer, flipped(bytes, at % (used * 8)));
    assertThat(new StateFile(directory, Readings.wear()).load().next()).containsExactly(1, 2, 3, 4);
  }

  private static Delivery delivery() {
    Delivery delivery = new Delivery("city");
    delivery.extend(streamClass -> 100);
    delivery.confirm(StreamClass.TELEMETRY, 10, 20);
    return delivery;
  }

  private static byte[] flipped(byte[] bytes, int bit) {
    bytes[bit / 8 % bytes.length] ^= (byte) (1 << bit % 8);
    return bytes;
  }

  /** In the ledger, a bit among its rows. */
  @Property(tries = 100)
  void aLedgerWithOneBitChangedTellsNothingWrong(@ForAll @IntRange(max = 10_000_000) int at)
      throws IOException {
    clear();
    Path file = directory.resolve("ledger.db");
    List<LedgerEntry> entries = new ArrayList<>();
    try (Ledger ledger = Ledger.open(file, () -> T0, Sqlite::open)) {
      for (int i = 0; i < ENTRIES; i++) {
        Instant then = T0.plusSeconds(i);
        entries.add(
            new LedgerEntry("d" + i, "*", then, then, i, true, Reason.NEVER_READ, "no answer"));
      }
      ledger.store(entries, List.of(new Ledger.Release("city", StreamClass.EVENT, 5, 9)), true);
    }
    byte[] bytes = Files.readAllBytes(file);
    int place = at % (bytes.length * 8);
    for (int tries = 0; tries < 10_000 && bytes[place / 8] == 0; tries++) {
      place = (place + 8) % (bytes.length * 8);
    }
    Files.write(file, flipped(bytes, place));
    try (Ledger ledger = Ledger.open(file, () -> T0, Sqlite::open)) {
      List<LedgerEntry> left = new ArrayList<>(ledger.entries(Instant.MIN, Instant.MAX, 1000));
      boolean told = left.removeIf(entry -> entry.reason() == Reason.DAMAGED);
      assertThat(entries).as("nothing that was not entered").containsAll(left);
      assertThat(left.size() == ENTRIES || told).as("that some are missing is told").isTrue();
      assertThat(ledger.releases()).isSubsetOf(new Ledger.Release("city", StreamClass.EVENT, 5, 9));
      ledger.store(entries.subList(0, 1), List.of(), true);
    }
  }
}
