/**
 * The Modbus driver: MODBUS Application Protocol Specification V1.1b3 over MODBUS Messaging on
 * TCP/IP Implementation Guide V1.0b ("the Messaging Guide" in this package).
 *
 * <p>A {@link io.culvert.device.modbus.Link} is one TCP connection, shared by the units behind one
 * address; it lives on one thread of the driver's event loop and matches answers to requests. A
 * {@link io.culvert.device.modbus.ReadPlan} turns points into few requests and answers into
 * samples: an {@link io.culvert.device.modbus.Address} says where a point lives, its {@link
 * io.culvert.device.modbus.Codec} how its value stands there, and {@link
 * io.culvert.device.modbus.Findings} what the device was found to refuse.
 */
package io.culvert.device.modbus;
