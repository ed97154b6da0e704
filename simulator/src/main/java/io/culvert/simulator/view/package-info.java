/** What a person sees at the terminal. */
package io.culvert.simulator.view;
