package io.culvert.api.southbound;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;

/** A connection that can look around: other units on the line, nodes of an address space. */
@ConsumerType
public interface Browsable extends Connection {

  /**
   * Lists what lies below a place, without changing anything on the device.
   *
   * @param from an address that an earlier call returned, or {@code ""} for the top
   * @param limit at most so many, 1 or more
   */
  CompletionStage<List<Found>> browse(String from, int limit);

  /**
   * Something found.
   *
   * @param address endpoint URL of a device, or address of a point or node
   * @param title what the device calls it
   * @param facts whatever else it tells, such as vendor or type
   */
  record Found(String address, String title, Map<String, String> facts) {
    public Found {
      facts = Map.copyOf(facts);
    }
  }
}
