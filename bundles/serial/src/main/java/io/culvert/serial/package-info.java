/**
 * The serial lines of the machine as a service. {@link io.culvert.serial.Line} has turns, pauses
 * and echoes; {@link io.culvert.serial.Port} alone knows the library.
 */
package io.culvert.serial;
