/**
 * A plant behind one server of OPC UA, on Eclipse Milo's own: pump stations, bridges, stations for
 * water quality. Their processes, what they have shown and what they keep outlive the server, which
 * can be stopped, started again, hung and cut off.
 */
package io.culvert.simulator.plant;
