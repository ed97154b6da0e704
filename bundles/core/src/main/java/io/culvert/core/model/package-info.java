/** Site and profiles as the rest of the core sees them, once read and found valid. */
package io.culvert.core.model;
