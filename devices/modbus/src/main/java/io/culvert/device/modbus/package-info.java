/**
 * The Modbus driver: MODBUS Application Protocol Specification V1.1b3 over MODBUS Messaging on
 * TCP/IP Implementation Guide V1.0b ("the Messaging Guide" in this package) and MODBUS over Serial
 * Line Specification and Implementation Guide V1.02 ("Serial Line").
 *
 * <p>A {@link io.culvert.device.modbus.Link} is one TCP connection or serial line, shared by the
 * units behind it; it lives on one thread of the driver's event loop and matches answers to
 * requests. Below it a {@link io.culvert.device.modbus.Framing} (MBAP, RTU, ASCII) finds frames in
 * what a {@link io.culvert.device.modbus.Wire} (TCP, a serial line) brings. Above it a {@link
 * io.culvert.device.modbus.ReadPlan} turns points into few requests and answers into samples: an
 * {@link io.culvert.device.modbus.Address} says where a point lives, its {@link
 * io.culvert.device.modbus.Codec} how its value stands there, and {@link
 * io.culvert.device.modbus.Findings} what the device was found to refuse.
 */
package io.culvert.device.modbus;
