/** Commands for the person at the cabinet, and the socket through which they come. */
package io.culvert.shell;
