package io.culvert.buffer;

import java.time.Duration;
import java.util.Objects;

/**
 * What bounds the buffer; see {@link BufferConfig} for the words.
 *
 * @param commitInterval from a reading's arrival to its sync, at most
 * @param maxBytes on disk
 * @param maxAge of a segment since its last commit, in elapsed time
 * @param segmentBytes after which a segment is sealed
 * @param segmentSpan after which a segment is sealed
 * @param historyPerSecond readings a second to each platform, beside live ones
 * @param gateway device id of the gateway
 * @param maxWrittenPerDay bytes written in 24 hours of running; 0 for no bound
 * @param clockWait how long telemetry of an unsynchronised clock waits before it is sent
 */
record Settings(
    Duration commitInterval,
    long maxBytes,
    Duration maxAge,
    long segmentBytes,
    Duration segmentSpan,
    int historyPerSecond,
    String gateway,
    long maxWrittenPerDay,
    Duration clockWait) {
  Settings {
    Objects.requireNonNull(gateway, "gateway");
    // With fewer than four segments, one deletion would take most of what is held.
    segmentBytes = Math.min(segmentBytes, Math.max(1, maxBytes / 4));
  }

  static Settings of(BufferConfig config) {
    return new Settings(
        Duration.ofMillis(config.commitMillis()),
        config.maxBytes(),
        Duration.ofHours(config.maxAgeHours()),
        config.segmentBytes(),
        Duration.ofMinutes(config.segmentMinutes()),
        config.historyPerSecond(),
        config.gateway(),
        config.maxWrittenBytesPerDay(),
        Duration.ofSeconds(config.clockWaitSeconds()));
  }
}
