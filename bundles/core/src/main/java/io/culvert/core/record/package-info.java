/**
 * What a recording needs of the network and of what passes: a relay before a device, and the signs
 * of encryption. Who is recorded, and when, is {@link io.culvert.core.run}'s.
 */
package io.culvert.core.record;
