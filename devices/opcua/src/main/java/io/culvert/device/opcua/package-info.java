/**
 * The OPC UA driver, on Eclipse Milo: OPC 10000 of version 1.05 ("Part 4" and so on in this
 * package).
 */
package io.culvert.device.opcua;
