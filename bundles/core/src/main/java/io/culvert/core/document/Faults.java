package io.culvert.core.document;

import java.util.ArrayList;
import java.util.List;

/**
 * Collects what is wrong in one file, as far as a person wants to read. Not for several threads.
 */
public final class Faults {
  private static final int LIMIT = 200;

  private final String file;
  private final List<Fault> list = new ArrayList<>();
  private int beyond;

  /**
   * @param file as the person knows it
   */
  public Faults(String file) {
    this.file = file;
  }

  public String file() {
    return file;
  }

  public void add(Node at, String path, String found, String expected) {
    add(new Fault(file, at.line(), 0, path, found, expected));
  }

  public void add(Node.Place at, String path, String found, String expected) {
    add(new Fault(file, at.line(), 0, path, found, expected));
  }

  /** About a place in the text, before there is a tree. */
  public void syntax(int line, int column, String found, String expected) {
    add(new Fault(file, line, column, "", found, expected));
  }

  /** About the whole file. */
  public void file(String found, String expected) {
    add(new Fault(file, 0, 0, "", found, expected));
  }

  public void add(Fault fault) {
    if (list.size() < LIMIT) {
      list.add(fault);
    } else {
      beyond++;
    }
  }

  public void addAll(Faults others) {
    others.list.forEach(this::add);
    beyond += others.beyond;
  }

  public boolean none() {
    return list.isEmpty();
  }

  public List<Fault> list() {
    return List.copyOf(list);
  }

  /** One line each. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    list.forEach(fault -> lines.add(fault.toString()));
    if (beyond > 0) {
      lines.add(file + ": and " + beyond + " more");
    }
    return List.copyOf(lines);
  }
}
