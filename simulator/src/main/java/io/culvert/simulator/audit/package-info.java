/** The judge: what the street showed against what the platform received. */
package io.culvert.simulator.audit;
