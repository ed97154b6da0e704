/** From a driver's samples to readings, and from a command's value to a raw one. */
package io.culvert.core.normalise;
