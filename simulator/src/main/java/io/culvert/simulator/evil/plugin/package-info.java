/**
 * Drivers that each fail in one way. They are written against the gateway's API, as a vendor's are,
 * and share no code with the gateway's own; nothing in the simulator may know or load them, for it
 * runs without that API: their class files are only packed.
 *
 * <p>Every device behaves for its first polls, so that its readings can be seen to go bad. {@code
 * way=} in its endpoint chooses between the ways to fail that a driver knows.
 */
package io.culvert.simulator.evil.plugin;
