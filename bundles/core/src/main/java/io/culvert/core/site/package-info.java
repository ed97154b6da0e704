/** The site document: reading, checking, generations, and what is derived from it. */
package io.culvert.core.site;
