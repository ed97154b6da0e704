package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Batch;
import java.util.function.Predicate;

/**
 * One point's readings of a block.
 *
 * @param axis of the device, as {@link SeriesDevice} wrote it
 * @param column of the point, as {@link SeriesPoint} wrote it
 */
record SeriesChunk(
    StreamClass streamClass, String device, String point, byte[] axis, byte[] column) {

  /**
   * Hands over the readings in the order of their commit, until the taker says false.
   *
   * @return whether it never did
   */
  boolean forEach(Predicate<Batch.Entry> taker) throws DamagedException {
    SeriesDevice.Axis places = SeriesDevice.Axis.read(new ByteReader(axis));
    boolean[] all = {true};
    SeriesPoint.read(
        new ByteReader(column),
        (poll, offset, value, quality, grade, unit) -> {
          if (poll < 0 || poll >= places.count() || value == null && !quality.bad()) {
            throw new DamagedException("No reading at place " + poll);
          }
          Reading reading =
              new Reading(
                  device,
                  point,
                  streamClass,
                  value,
                  unit,
                  quality,
                  places.event(poll),
                  places.received(poll),
                  places.clock(poll),
                  grade);
          all[0] = taker.test(new Batch.Entry(places.sequence(poll) + offset, reading));
          return all[0];
        });
    return all[0];
  }
}
