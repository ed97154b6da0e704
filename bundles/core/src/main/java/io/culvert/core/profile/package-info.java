/** Profiles: reading, units, and which are there. */
package io.culvert.core.profile;
