package io.culvert.api.southbound;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A connection that can look around: other units on the line, nodes of an address space.
 *
 * <p>Places are addresses that an earlier call returned. A driver with an address space also takes,
 * as far as it can,
 *
 * <ul>
 *   <li>{@code tree:<address>}: all that is below, level by level, each thing once, with a {@code
 *       path};
 *   <li>{@code search:<words>} and {@code search:<words> below <address>}: what is named so, all
 *       words in any case; else as a tree.
 * </ul>
 *
 * <p>Where there is more than fits, the last thing found is of kind {@code more}, and its address
 * is where the next page comes from; a page may be asked for again. What is looked for too long, or
 * among too many, ends with what was found, and with {@code more} or, if it can't go on, with a
 * thing of kind {@code end} whose title says why.
 *
 * <p>Facts that are understood by who shows them or makes profiles of them, each where it applies:
 *
 * <table>
 *   <caption>Facts</caption>
 *   <tr><th>key</th><th>says</th></tr>
 *   <tr><td>kind</td><td>object, variable, property, method, endpoint, more, end, or a word of the
 *       protocol</td></tr>
 *   <tr><td>type</td><td>as a profile has it: bool, float64 …; none of what can't be a point</td></tr>
 *   <tr><td>array</td><td>true of lists</td></tr>
 *   <tr><td>unit</td><td>in UCUM</td></tr>
 *   <tr><td>unitOriginal</td><td>as the device says it, where that differs</td></tr>
 *   <tr><td>range</td><td>least and greatest, such as {@code 0..6.5}</td></tr>
 *   <tr><td>access</td><td>read, write, read-write or none</td></tr>
 *   <tr><td>class</td><td>as a profile has it, such as state</td></tr>
 *   <tr><td>states</td><td>what numbers mean, such as {@code 0 shut, 1 open}</td></tr>
 *   <tr><td>value</td><td>at present, for people</td></tr>
 *   <tr><td>history</td><td>true if the device keeps what was measured</td></tr>
 *   <tr><td>description</td><td>in the device's words</td></tr>
 *   <tr><td>name</td><td>in programs, where it isn't the title</td></tr>
 *   <tr><td>otherTitle</td><td>in another language, where the device tells two</td></tr>
 *   <tr><td>path</td><td>address from where a tree or search began</td></tr>
 *   <tr><td>point</td><td>address of what can be a point of another kind: a method, events</td></tr>
 *   <tr><td>arguments, results</td><td>of a method: {@code speed uint16, ramp float64}</td></tr>
 *   <tr><td>typeDefinition, dataType</td><td>the device's names of its kind and its type</td></tr>
 *   <tr><td>policy, mode, users, security</td><td>of an endpoint; security is the setting that
 *       chooses it</td></tr>
 * </table>
 *
 * <p>Texts are the device's: a name may hold anything.
 */
@ConsumerType
public interface Browsable extends Connection {

  /**
   * Lists what lies below a place, without changing anything on the device.
   *
   * @param from an address that an earlier call returned, or {@code ""} for the top
   * @param limit at most so many, 1 or more; a page of 1 has no room to say that there is more
   * @return fails if there is no such place or nothing answers
   */
  CompletionStage<List<Found>> browse(String from, int limit);

  /**
   * Something found.
   *
   * @param address endpoint URL of a device, or address of a point or node; {@code ""} of what
   *     can't be addressed
   * @param title what the device calls it
   * @param facts whatever else it tells, such as vendor or type
   */
  record Found(String address, String title, Map<String, String> facts) {
    public Found {
      facts = Map.copyOf(facts);
    }
  }
}
