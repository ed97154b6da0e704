/**
 * How lanes and the devices on them fare: figures over a sliding window, and what they mean. Knows
 * of no driver and no thread.
 */
package io.culvert.core.doctor;
