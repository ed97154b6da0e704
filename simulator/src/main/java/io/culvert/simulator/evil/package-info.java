/**
 * The gallery of evil plug-ins, to be laid beside a healthy street: {@link
 * io.culvert.simulator.evil.Gallery} packs each into a jar of its own, as a vendor would deliver
 * it, and {@link io.culvert.simulator.evil.Exhibition} tells what came of them.
 */
package io.culvert.simulator.evil;
