package io.culvert.buffer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.culvert.api.Reading;
import io.culvert.api.northbound.Batch;
import io.culvert.benchmarks.Ages;
import java.io.IOException;
import java.time.Instant;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * The platform's side of a drain: sees by the numbers of each device's readings that each comes
 * once, and in order within its lane, and how old live ones are. What its readings say it doesn't
 * look at. Thread-safe.
 */
public final class Receiver {
  private final JsonFactory json = new JsonFactory();
  private final Map<String, Stream> streams = new HashMap<>();
  private final int readingsADevice;
  private final long liveSince;
  private final String gateway;
  private final Ages ages = new Ages();
  private long backlog;
  private long live;
  private long twice;
  private long disordered;

  /** What has come of one device. */
  private static final class Stream {
    private final BitSet seen;
    private long historical;
    private long live;

    Stream(int readings) {
      seen = new BitSet(readings);
    }
  }

  /**
   * @param readingsADevice room that is taken for them at once, so that it doesn't grow; there may
   *     be more
   * @param liveSince readings of an earlier time are the backlog; in milliseconds since 1970
   * @param gateway whose own readings don't count
   */
  public Receiver(int readingsADevice, long liveSince, String gateway) {
    this.readingsADevice = readingsADevice;
    this.liveSince = liveSince;
    this.gateway = gateway;
  }

  /** Takes a batch. */
  synchronized void batch(Batch batch, long now) {
    String device = null;
    Stream stream = null;
    for (Batch.Entry entry : batch.entries()) {
      Reading reading = entry.reading();
      if (reading.device() != device) {
        device = reading.device();
        stream = stream(device);
      }
      if (stream != null) {
        take(stream, batch.historical(), entry.sequence(), 1);
        count(reading.eventTime().toEpochMilli(), 1, now);
      }
    }
  }

  /** Takes a message in the dialect of IoTDA. */
  public synchronized void message(byte[] payload, long now) throws IOException {
    try (JsonParser in = json.createParser(payload)) {
      Stream stream = null;
      long time = 0;
      long first = 0;
      int count = 0;
      boolean historical = false;
      for (JsonToken token = in.nextToken(); token != null; token = in.nextToken()) {
        if (token == JsonToken.FIELD_NAME) {
          switch (in.currentName()) {
            case "device_id" -> stream = stream(in.nextTextValue());
            case "event_time" -> time = Instant.parse(in.nextTextValue()).toEpochMilli();
            case "seq_first" -> first = in.nextLongValue(0);
            case "seq_count" -> count = in.nextIntValue(0);
            case "historical" -> historical = in.nextBooleanValue();
            default -> {
              // A point.
            }
          }
        } else if (token == JsonToken.END_OBJECT && count > 0) {
          if (stream != null) {
            take(stream, historical, first, count);
            count(time, count, now);
          }
          count = 0;
          historical = false;
        }
      }
    }
  }

  private Stream stream(String device) {
    return device.equals(gateway)
        ? null
        : streams.computeIfAbsent(device, d -> new Stream(readingsADevice));
  }

  private void take(Stream stream, boolean historical, long first, int count) {
    if (first <= (historical ? stream.historical : stream.live)) {
      disordered++;
    }
    int end = (int) first + count;
    for (int number = (int) first; number < end; number++) {
      if (stream.seen.get(number)) {
        twice++;
      }
      stream.seen.set(number);
    }
    if (historical) {
      stream.historical = end - 1;
    } else {
      stream.live = end - 1;
    }
  }

  private void count(long time, int readings, long now) {
    if (time < liveSince) {
      backlog += readings;
    } else {
      live += readings;
      ages.add(now - time, readings);
    }
  }

  /** How old live readings were on arrival. */
  public Ages ages() {
    return ages;
  }

  /** Readings of the backlog that have come. */
  public synchronized long backlog() {
    return backlog;
  }

  /** Readings that have come of those that were read meanwhile. */
  public synchronized long live() {
    return live;
  }

  /** Readings that came more than once. */
  public synchronized long twice() {
    return twice;
  }

  /** How often a number followed a higher one of its device and lane. */
  public synchronized long disordered() {
    return disordered;
  }

  /** Numbers that have not come although a later one of their device's history has. */
  public synchronized long missing() {
    long missing = 0;
    for (Stream stream : streams.values()) {
      int end = (int) stream.historical + 1;
      missing += end - 1 - stream.seen.get(0, end).cardinality();
    }
    return missing;
  }
}
