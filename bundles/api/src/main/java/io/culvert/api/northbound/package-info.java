/**
 * The forwarder SPI: one attempt to deliver a batch to a platform, answered by a receipt.
 *
 * <p>Order, retry, retention and the loss ledger are the buffer's; a forwarder keeps none of them.
 */
@Export
@Version("1.0.0")
package io.culvert.api.northbound;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
