package io.culvert.plugins.hosting;

/** What a plug-in threw in its process, in words. */
final class HostedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  HostedException(String words) {
    super(words, null, false, false);
  }
}
