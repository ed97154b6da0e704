/** The platform: a broker, and a consumer that takes the gateway at its word. */
package io.culvert.simulator.platform;
