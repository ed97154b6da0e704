package io.culvert.simulator.evil;

import io.culvert.simulator.evil.Gallery.Resident;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A gallery beside a gateway at work: what it sends to the platform, and what is said of it. */
public final class Exhibition implements AutoCloseable {
  private final Gallery gallery;
  private final Path file;
  private final Doorbell doorbell;
  private final Arrivals arrivals = new Arrivals();
  private GatewayWord word;

  /**
   * Opens it.
   *
   * @param work folder for a file
   */
  public Exhibition(Gallery gallery, Path work) {
    this.gallery = gallery;
    this.file = work.resolve("status.json");
    this.doorbell = gallery.evils().isEmpty() ? null : new Doorbell();
  }

  public Gallery gallery() {
    return gallery;
  }

  /** Its devices, at the place where they can be reached. */
  public List<Resident> residents() {
    return doorbell == null ? List.of() : gallery.residents(doorbell.port());
  }

  /** Takes what its devices send. */
  public Arrivals arrivals() {
    return arrivals;
  }

  /**
   * Puts the plug-ins into a gateway, which is then asked about them now and then.
   *
   * @param home of the gateway, which starts soon
   */
  public void hangUp(Path home) throws IOException {
    gallery.writeInto(home.resolve("plugins"));
    if (doorbell != null) {
      word = new GatewayWord(home, file);
      word.begin();
    }
  }

  /** Stops asking; what was said stays. */
  public void fallSilent() {
    if (word != null) {
      word.close();
    }
  }

  /** What came of each plug-in. */
  public List<Outcome> outcomes() {
    List<Outcome> outcomes = new ArrayList<>();
    for (Evil evil : gallery.evils()) {
      List<Arrivals.Tally> tallies =
          gallery.residents(doorbell.port()).stream()
              .filter(resident -> resident.evil() == evil)
              .map(resident -> arrivals.of(resident.id()))
              .toList();
      outcomes.add(
          new Outcome(
              evil,
              tallies.size(),
              (int) tallies.stream().filter(tally -> tally.bad() > 0).count(),
              tallies.stream().mapToLong(Arrivals.Tally::good).sum(),
              tallies.stream().mapToLong(Arrivals.Tally::bad).sum(),
              evil == Evil.SOCKETS ? doorbell.most() : 0,
              word.of(evil)));
    }
    return outcomes;
  }

  @Override
  public void close() {
    fallSilent();
    if (doorbell != null) {
      doorbell.close();
    }
  }
}
