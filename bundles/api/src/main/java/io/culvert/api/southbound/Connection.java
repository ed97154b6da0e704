package io.culvert.api.southbound;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * An open way to one device. What it can do is what else it implements: {@link Readable}, {@link
 * Subscribable}, {@link Writable}, {@link Browsable}.
 *
 * <p>The core starts one exchange at a time and gives each a deadline. When that passes, it cancels
 * the stage: the exchange is over, what still arrives of it is thrown away, and the next one may
 * start.
 */
@ConsumerType
public interface Connection extends AutoCloseable {

  /**
   * Ends the connection and, exceptionally, whatever is pending on it. May be called from any
   * thread, more than once, and while an exchange runs; does not block.
   */
  @Override
  void close();
}
