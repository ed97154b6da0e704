/**
 * Documents that people write, as trees that remember where each value stands, and faults that name
 * the place.
 */
package io.culvert.core.document;
