/**
 * The running part of the core: which devices there are, whose turn it is, what they answered and
 * what was written to them.
 *
 * <p>Everything here belongs to one thread, the {@link io.culvert.core.run.Loop}; so nothing is
 * locked, and order is what it reads like. Drivers are never called from it, but from the few
 * threads of their own {@link io.culvert.core.run.Caller}; what they answer comes back to the loop,
 * stripped of every object of theirs that isn't needed to call them again.
 */
package io.culvert.core.run;
