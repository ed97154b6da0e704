/**
 * Plug-ins in processes of their own: what one JVM can't contain (a spin, an exhausted heap, an
 * exit, a native crash) ends or is ended there, and the gateway goes on.
 *
 * <p>On the gateway's side {@link io.culvert.plugins.hosting.Hosts} keeps the processes and stands
 * in for their drivers; in the process {@link io.culvert.plugins.hosting.Agent} runs a framework of
 * its own with the plug-in's jar as it is. Between them lies a Unix domain socket with frames of
 * CBOR. The gateway trusts nothing that comes from there.
 */
package io.culvert.plugins.hosting;
