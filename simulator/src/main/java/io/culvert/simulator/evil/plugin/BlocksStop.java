package io.culvert.simulator.evil.plugin;

/** Answers well, and never ends when its component is told to. */
public final class BlocksStop extends EvilDriver {
  /** Named as the one to deactivate the component. */
  public void stop() {
    never();
  }
}
