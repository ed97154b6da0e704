package io.culvert.simulator.replay;

import java.io.IOException;

/** What is wrong with a recording, with its place and what was expected. */
public final class RecordingException extends IOException {
  private static final long serialVersionUID = 1;

  RecordingException(String message) {
    super(message);
  }
}
