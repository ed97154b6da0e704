/**
 * Modbus TCP slaves on Netty, with a codec of their own (Modbus Messaging on TCP/IP Implementation
 * Guide V1.0b; Modbus Application Protocol V1.1b3): the gateway's library mustn't judge itself.
 */
package io.culvert.simulator.slave;
