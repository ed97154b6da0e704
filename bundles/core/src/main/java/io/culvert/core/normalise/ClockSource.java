package io.culvert.core.normalise;

import io.culvert.api.ClockState;

/** Tells what is known of the gateway's clock. Cheap to ask for every reading; any thread. */
@FunctionalInterface
public interface ClockSource {
  ClockState state();
}
