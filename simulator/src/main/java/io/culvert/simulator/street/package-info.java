/** A street as data: its devices, how they behave, what is wrong with them. */
package io.culvert.simulator.street;
