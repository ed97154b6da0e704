/** {@code culvert buffer} where no gateway runs. */
package io.culvert.tools.buffer;
