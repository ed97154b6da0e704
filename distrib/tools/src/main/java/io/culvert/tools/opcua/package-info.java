/** {@code culvert opcua}: certificates of OPC UA servers and of this gateway. */
package io.culvert.tools.opcua;
