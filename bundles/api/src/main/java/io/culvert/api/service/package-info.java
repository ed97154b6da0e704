/**
 * The services of a running gateway: monitor, query, control and scan, shared by platform, page,
 * shell and rules; and the joints between core, buffer and plug-ins.
 */
@Export
@Version("1.1.0")
package io.culvert.api.service;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
