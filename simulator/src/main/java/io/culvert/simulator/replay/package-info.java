/**
 * A device played back from a recording: {@link io.culvert.simulator.replay.Recording} reads the
 * file, {@link io.culvert.simulator.replay.Matcher} is what its protocol says of frames, {@link
 * io.culvert.simulator.replay.Replay} is the device. Needs nothing of the rest of the simulator, so
 * that a vendor's tests may use it.
 */
package io.culvert.simulator.replay;
