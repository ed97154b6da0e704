/**
 * The Modbus driver: MODBUS Application Protocol Specification V1.1b3 over MODBUS Messaging on
 * TCP/IP Implementation Guide V1.0b ("the Messaging Guide" in this package).
 *
 * <p>A {@link io.culvert.device.modbus.Link} is one TCP connection, shared by the units behind one
 * address; it lives on one thread of the driver's event loop and matches answers to requests. A
 * {@link io.culvert.device.modbus.ReadPlan} turns points into few requests and answers into
 * samples.
 */
package io.culvert.device.modbus;
