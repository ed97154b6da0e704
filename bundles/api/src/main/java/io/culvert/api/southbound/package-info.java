/**
 * The driver SPI: what a vendor implements to bring a protocol to Culvert.
 *
 * <p>A bundle publishes one {@link io.culvert.api.southbound.Driver} for each URL scheme. Authors
 * start no timers, keep no queues and write no retries: turns on a shared line, deadlines, polling,
 * back-off and reconnection belong to the core, which sees to it that one connection carries one
 * exchange at a time.
 *
 * <p>Errors: a bad point is data (a sample of bad quality); a lost link is an exception.
 */
@Export
@Version("1.1.0")
package io.culvert.api.southbound;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
