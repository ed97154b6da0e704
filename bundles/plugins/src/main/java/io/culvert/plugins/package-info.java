/**
 * The life of device bundles: from the inbox through the store and a generation into the framework,
 * and out again.
 */
package io.culvert.plugins;
