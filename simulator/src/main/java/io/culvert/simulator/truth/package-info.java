/** What the street showed, answer by answer: the truth that the audit compares with. */
package io.culvert.simulator.truth;
