package io.culvert.device.opcua;

import java.io.IOException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * How long a thread may wait for a server.
 *
 * @param whom the server, for messages
 * @param nanos the time
 * @param end after which nothing is waited for
 * @param unwanted whether nobody wants it any more, which ends it sooner
 */
record Deadline(String whom, LongSupplier nanos, long end, BooleanSupplier unwanted) {

  /** The time is over; what there is is what there is. */
  static final class OverException extends Exception {
    private static final long serialVersionUID = 1;

    OverException() {
      super(null, null, false, false);
    }
  }

  /** Waits for an answer; fails with what the core may see. */
  <T> T await(CompletionStage<T> answer) throws IOException, OverException {
    try {
      return answer(answer);
    } catch (ExecutionException e) {
      throw outward(e);
    }
  }

  /** As {@link #await}, but fails as Milo does. */
  <T> T answer(CompletionStage<T> answer) throws IOException, OverException, ExecutionException {
    long left = end - nanos.getAsLong();
    if (left <= 0 || unwanted.getAsBoolean()) {
      throw new OverException();
    }
    try {
      return answer.toCompletableFuture().get(left, TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new OverException();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("The driver stops");
    }
  }

  IOException outward(ExecutionException failure) {
    Exception outward = Failures.outward(whom, failure);
    return outward instanceof IOException io ? io : new IOException(outward.getMessage());
  }
}
