/**
 * The buffer: a durable log of readings, their delivery to each platform, history, and the ledger
 * of what is missing and why.
 */
package io.culvert.buffer;
