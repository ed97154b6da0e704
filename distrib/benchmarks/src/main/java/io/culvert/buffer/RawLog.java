package io.culvert.buffer;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;

/**
 * The baseline: a file to which each batch is appended in one write and synced, each reading as a
 * plain record of device, point, unit, class, quality, times and value. No index, no checksum,
 * nothing owed to anybody.
 */
final class RawLog implements AutoCloseable {

  /** Holds more than a thousand readings. */
  private static final int MOST_BYTES = 128 << 10;

  private static final int INT = 0;
  private static final int DECIMAL = 1;

  private final FileChannel channel;
  private final ThreadLocal<ByteBuffer> encoded =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(MOST_BYTES));

  RawLog(Path file) throws IOException {
    channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE,
            StandardOpenOption.APPEND);
  }

  /** Returns when the readings are on disk and synced. Any thread. */
  void append(List<Reading> readings) throws IOException {
    ByteBuffer bytes = encoded.get().clear();
    readings.forEach(reading -> put(bytes, reading));
    bytes.flip();
    synchronized (this) {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    }
    channel.force(false);
  }

  private static void put(ByteBuffer out, Reading reading) {
    text(out, reading.device());
    text(out, reading.point());
    text(out, reading.unit());
    out.put((byte) reading.streamClass().ordinal());
    out.putInt(reading.quality().code());
    out.putLong(reading.eventTime().toEpochMilli());
    out.putLong(reading.receivedTime().toEpochMilli());
    if (reading.value() instanceof Value.Int whole) {
      out.put((byte) INT).putLong(whole.value());
    } else {
      out.put((byte) DECIMAL).putDouble(((Value.Decimal) reading.value()).value());
    }
  }

  private static void text(ByteBuffer out, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.put((byte) bytes.length).put(bytes);
  }

  /** Reads a file from its beginning to its end. */
  static void read(Path file, Consumer<Reading> each) throws IOException {
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 16))) {
      while (true) {
        each.accept(reading(in));
      }
    } catch (EOFException end) {
      // Read whole.
      return;
    }
  }

  private static Reading reading(DataInputStream in) throws IOException {
    String device = text(in);
    String point = text(in);
    String unit = text(in);
    StreamClass streamClass = StreamClass.values()[in.readUnsignedByte()];
    Quality quality = new Quality(in.readInt());
    Instant eventTime = Instant.ofEpochMilli(in.readLong());
    Instant receivedTime = Instant.ofEpochMilli(in.readLong());
    Value value =
        in.readUnsignedByte() == INT ? Value.of(in.readLong()) : Value.of(in.readDouble());
    return new Reading(
        device,
        point,
        streamClass,
        value,
        unit,
        quality,
        eventTime,
        receivedTime,
        ClockState.SYNCHRONISED,
        Grade.GENERAL);
  }

  private static String text(DataInputStream in) throws IOException {
    byte[] bytes = new byte[in.readUnsignedByte()];
    in.readFully(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
