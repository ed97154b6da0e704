package io.culvert.tests.faults;

/** How long a case of the fault suite takes: short in each build, long with the profile faults. */
final class Form {
  private static final boolean LONG = "long".equals(System.getProperty("culvert.faults"));

  private Form() {}

  /** The figure for the form that runs. */
  static int of(int inShortForm, int inLongForm) {
    return LONG ? inLongForm : inShortForm;
  }
}
