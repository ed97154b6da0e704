package io.culvert.simulator.evil;

/**
 * What came of an evil plug-in.
 *
 * @param devices of it
 * @param devicesBad of these, which had a reading of bad quality
 * @param good readings at the platform whose quality isn't bad
 * @param bad those whose quality is
 * @param sockets that were open to its devices at once, at most
 * @param said by the gateway
 */
public record Outcome(
    Evil evil,
    int devices,
    int devicesBad,
    long good,
    long bad,
    int sockets,
    GatewayWord.Said said) {}
