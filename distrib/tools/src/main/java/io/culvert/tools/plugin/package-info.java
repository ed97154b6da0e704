/**
 * What a vendor does with a plug-in before it meets a gateway: makes a key, packs profiles into a
 * jar and signs it. Works on files alone, without a running gateway; only time-stamps need the
 * network.
 */
package io.culvert.tools.plugin;
