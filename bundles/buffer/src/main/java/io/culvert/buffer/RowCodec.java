package io.culvert.buffer;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.northbound.Batch;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * The readings of a row as bytes: column by column, so that like stands by like, then deflated.
 * Devices and sequence numbers stand in the {@link RowHead}.
 *
 * <p>Both head and body go to disk {@linkplain #seal sealed} with a CRC-32C (RFC 3720, B.4).
 */
final class RowCodec {
  /** Bound on an unpacked body, whatever its bytes say. */
  static final int MAX_UNPACKED = 4 << 20;

  private static final int VERSION = 2;
  private static final int HAS_QUALITY = 0x10;
  private static final int RECEIVED_APART = 0x20;
  private static final ClockState[] CLOCKS = ClockState.values();
  private static final Grade[] GRADES = Grade.values();

  private RowCodec() {}

  /** Puts a checksum before the bytes. */
  static byte[] seal(byte[] content) {
    CRC32C crc = new CRC32C();
    crc.update(content, 0, content.length);
    ByteWriter out = new ByteWriter();
    out.i32((int) crc.getValue());
    out.raw(content, content.length);
    return out.toBytes();
  }

  /** Checks and takes off what {@link #seal} put on. */
  static byte[] unseal(byte[] sealed) throws DamagedException {
    if (sealed == null) {
      throw new DamagedException("Nothing where a checksum is due");
    }
    ByteReader in = new ByteReader(sealed);
    int expected = in.i32();
    byte[] content = in.rest();
    CRC32C crc = new CRC32C();
    crc.update(content, 0, content.length);
    if ((int) crc.getValue() != expected) {
      throw new DamagedException("Checksum does not match");
    }
    return content;
  }

  static byte[] pack(byte[] content) {
    Deflater deflater = new Deflater();
    try {
      deflater.setInput(content);
      deflater.finish();
      ByteWriter out = new ByteWriter();
      out.varint(content.length);
      byte[] chunk = new byte[8192];
      while (!deflater.finished()) {
        out.raw(chunk, deflater.deflate(chunk));
      }
      return out.toBytes();
    } finally {
      deflater.end();
    }
  }

  static byte[] unpack(byte[] packed) throws DamagedException {
    ByteReader in = new ByteReader(packed);
    int length = in.small(MAX_UNPACKED);
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(in.rest());
      byte[] content = new byte[length];
      int at = 0;
      while (at < length) {
        int more = inflater.inflate(content, at, length - at);
        if (more == 0) {
          throw new DamagedException("Unpacks to " + at + " bytes instead of " + length);
        }
        at += more;
      }
      return content;
    } catch (DataFormatException e) {
      throw new DamagedException("Can't be unpacked: " + e.getMessage(), e);
    } finally {
      inflater.end();
    }
  }

  /** The readings of a row whose head is known and from which nothing was taken out. */
  static byte[] encode(RowHead head, List<Reading> readings) {
    return columns(head, readings).toBytes();
  }

  /** A row that a bound has thinned out: positions and sequence numbers have gaps. */
  static byte[] encode(Row row) {
    List<Reading> readings = row.entries().stream().map(Batch.Entry::reading).toList();
    ByteWriter out = columns(row.head(), readings);
    if (row.head().thinned()) {
      ByteWriter gaps = new ByteWriter();
      ByteWriter skipped = new ByteWriter();
      Map<String, Long> next = new HashMap<>();
      row.head().streams().forEach(part -> next.put(part.device(), part.sequence()));
      long at = row.head().first();
      for (int i = 0; i < readings.size(); i++) {
        gaps.varint(row.position(i) - at);
        at = row.position(i) + 1;
        long sequence = row.entries().get(i).sequence();
        skipped.varint(sequence - next.put(readings.get(i).device(), sequence + 1));
      }
      out.block(gaps);
      out.block(skipped);
    }
    return out.toBytes();
  }

  private static ByteWriter columns(RowHead head, List<Reading> readings) {
    Map<String, Integer> devices = new HashMap<>();
    head.streams().forEach(part -> devices.put(part.device(), devices.size()));
    Dictionary words = new Dictionary();
    int unit = unitOf(readings);
    ByteWriter device = new ByteWriter();
    ByteWriter point = new ByteWriter();
    ByteWriter units = new ByteWriter();
    ByteWriter flags = new ByteWriter();
    ByteWriter quality = new ByteWriter();
    ByteWriter seconds = new ByteWriter();
    ByteWriter fractions = new ByteWriter();
    ByteWriter received = new ByteWriter();
    ByteWriter values = new ByteWriter();
    Map<Integer, Integer> unitOfPoint = new HashMap<>();
    int lastDevice = 0;
    int lastPoint = 0;
    int lastQuality = 0;
    long lastSecond = 0;
    long lastFraction = 0;
    for (Reading reading : readings) {
      int d = devices.get(reading.device());
      device.signed(d - lastDevice);
      lastDevice = d;
      int p = words.index(reading.point());
      point.signed(p - lastPoint);
      lastPoint = p;
      int u = words.index(reading.unit());
      units.signed(u - unitOfPoint.getOrDefault(p, 0));
      unitOfPoint.put(p, u);
      boolean plain = reading.quality().equals(Quality.GOOD);
      boolean apart = !reading.receivedTime().equals(reading.eventTime());
      flags.u8(
          reading.clock().ordinal()
              | reading.grade().ordinal() << 2
              | (plain ? 0 : HAS_QUALITY)
              | (apart ? RECEIVED_APART : 0));
      if (!plain) {
        quality.signed((long) reading.quality().code() - lastQuality);
        lastQuality = reading.quality().code();
      }
      long second = reading.eventTime().getEpochSecond();
      long fraction = reading.eventTime().getNano() / unit;
      seconds.signed(second - lastSecond);
      fractions.signed(fraction - lastFraction);
      lastSecond = second;
      lastFraction = fraction;
      if (apart) {
        received.signed(reading.receivedTime().getEpochSecond() - second);
        received.signed(reading.receivedTime().getNano() / unit - fraction);
      }
      ValueCodec.write(values, reading.value(), words);
    }
    ByteWriter out = new ByteWriter();
    out.u8(VERSION);
    out.varint(unit);
    words.write(out);
    for (ByteWriter column :
        List.of(device, point, units, flags, quality, seconds, fractions, received, values)) {
      out.block(column);
    }
    return out;
  }

  /** Undoes {@link #encode}. */
  static Row decode(RowHead head, byte[] bytes) throws DamagedException {
    try {
      return decodeChecked(head, new ByteReader(bytes));
    } catch (IllegalArgumentException | DateTimeException | ArithmeticException e) {
      throw new DamagedException("Not a reading: " + e.getMessage(), e);
    }
  }

  private static Row decodeChecked(RowHead head, ByteReader in) throws DamagedException {
    int version = in.u8();
    if (version != VERSION) {
      throw new DamagedException("Body of version " + version + "; this program knows " + VERSION);
    }
    int unit = Math.max(1, in.small(1_000_000));
    List<String> words = Dictionary.read(in);
    ByteReader device = in.part();
    ByteReader point = in.part();
    ByteReader units = in.part();
    ByteReader flags = in.part();
    ByteReader quality = in.part();
    ByteReader seconds = in.part();
    ByteReader fractions = in.part();
    ByteReader received = in.part();
    ByteReader values = in.part();
    ByteReader gaps = head.thinned() ? in.part() : null;
    ByteReader skipped = head.thinned() ? in.part() : null;
    int[] offsets = head.thinned() ? new int[head.count()] : null;
    int offset = 0;
    long[] taken = new long[head.streams().size()];
    Map<Integer, Integer> unitOfPoint = new HashMap<>();
    List<Batch.Entry> entries = new ArrayList<>(head.count());
    long lastDevice = 0;
    long lastPoint = 0;
    long lastQuality = 0;
    long second = 0;
    long fraction = 0;
    for (int i = 0; i < head.count(); i++) {
      lastDevice += device.signed();
      int d = device.checked(lastDevice, taken.length - 1);
      lastPoint += point.signed();
      int p = point.checked(lastPoint, words.size() - 1);
      int u = units.checked(unitOfPoint.getOrDefault(p, 0) + units.signed(), words.size() - 1);
      unitOfPoint.put(p, u);
      int flag = flags.u8();
      if ((flag & HAS_QUALITY) != 0) {
        lastQuality += quality.signed();
      }
      second += seconds.signed();
      fraction += fractions.signed();
      Instant eventTime = instant(second, fraction, unit);
      Instant receivedTime = eventTime;
      if ((flag & RECEIVED_APART) != 0) {
        receivedTime = instant(second + received.signed(), fraction + received.signed(), unit);
      }
      RowHead.Part part = head.streams().get(d);
      Reading reading =
          new Reading(
              part.device(),
              words.get(p),
              head.streamClass(),
              ValueCodec.read(values, words),
              words.get(u),
              (flag & HAS_QUALITY) == 0 ? Quality.GOOD : new Quality((int) lastQuality),
              eventTime,
              receivedTime,
              CLOCKS[flags.checked(flag & 3, CLOCKS.length - 1)],
              GRADES[flags.checked(flag >> 2 & 3, GRADES.length - 1)]);
      if (offsets != null) {
        int span = (int) (head.end() - head.first());
        offsets[i] = gaps.checked(offset + gaps.varint(), span - 1);
        offset = offsets[i] + 1;
        taken[d] += skipped.small(Integer.MAX_VALUE);
      }
      entries.add(new Batch.Entry(part.sequence() + taken[d]++, reading));
    }
    return new Row(head, entries, offsets);
  }

  private static Instant instant(long second, long fraction, int unit) {
    return Instant.ofEpochSecond(second, Math.multiplyExact(fraction, (long) unit));
  }

  /** The coarsest of milli-, micro- and nanosecond that holds all times, in nanoseconds. */
  private static int unitOf(List<Reading> readings) {
    int unit = 1_000_000;
    for (Reading reading : readings) {
      while (reading.eventTime().getNano() % unit != 0
          || reading.receivedTime().getNano() % unit != 0) {
        unit /= 1000;
      }
    }
    return unit;
  }

  /** Words of a row, each once. */
  static final class Dictionary {
    private final Map<String, Integer> indices = new HashMap<>();
    private final List<String> words = new ArrayList<>();

    int index(String word) {
      Integer known = indices.get(word);
      if (known != null) {
        return known;
      }
      indices.put(word, words.size());
      words.add(word);
      return words.size() - 1;
    }

    void write(ByteWriter out) {
      out.varint(words.size());
      words.forEach(out::text);
    }

    static List<String> read(ByteReader in) throws DamagedException {
      int count = in.count();
      List<String> words = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        words.add(in.text());
      }
      return words;
    }
  }
}
