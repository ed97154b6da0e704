/**
 * What the authors of device bundles test with: the {@linkplain io.culvert.testkit.DriverContract
 * contract} that every driver passes, and a sink that records. In test scope only.
 */
package io.culvert.testkit;
