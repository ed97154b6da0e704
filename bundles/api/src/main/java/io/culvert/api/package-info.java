/**
 * What travels through a gateway: devices and points as the site names them, samples as a driver
 * reads them, readings as the platform gets them.
 *
 * <p>Everything here is an immutable value and safe in any thread. A component that may be absent
 * is {@code null} only where its record says so.
 */
@Export
@Version("1.1.0")
package io.culvert.api;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
