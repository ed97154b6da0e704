package io.culvert.api;

/** How far data must be protected (GB/T 43697-2024); the strictest of several wins. */
public enum Grade {
  GENERAL,
  IMPORTANT,
  CORE
}
