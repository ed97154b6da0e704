/**
 * What the authors of device bundles test with: the {@linkplain io.culvert.testkit.DriverContract
 * contract} that every driver passes, a sink that records, a serial line that several share. In
 * test scope only.
 */
package io.culvert.testkit;
