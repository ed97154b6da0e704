/**
 * A maker's register map, as makers write it in a spreadsheet, becomes a profile; and a profile
 * becomes a spreadsheet that gives the same profile again. Works on files alone, without a network
 * and without a running gateway.
 */
package io.culvert.tools.registermap;
