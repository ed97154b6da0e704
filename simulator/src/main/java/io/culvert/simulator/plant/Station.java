package io.culvert.simulator.plant;

import io.culvert.simulator.street.PointTruth;
import io.culvert.simulator.street.Profile;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetException;
import io.culvert.simulator.street.Ucum;
import io.culvert.simulator.truth.BlockTruth;
import io.culvert.simulator.truth.DeviceTruth;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * A device of the plant: its works, what it shows of them, what it keeps, and the truth of all
 * that. It outlives the server that it stands behind.
 *
 * <p>In each cycle everything that has changed is shown with one time, that of the cycle, and no
 * two cycles have the same. What a client is owed of it is decided here: from the moment on that
 * somebody asked to be told of a variable, each change of it that the server shows or keeps.
 *
 * <p>Guarded by the monitor of its {@link DeviceTruth}.
 */
final class Station {
  /** As much as it keeps of each variable: more than an hour of quarters of a second. */
  private static final int KEPT = 20_000;

  private final String id;
  private final Works works;
  private final List<Variable> variables;
  private final List<Alarm> alarms = new ArrayList<>();
  private final DeviceTruth truth;
  private final BlockTruth values;
  private final BlockTruth events;
  private final boolean history;
  private final Shown[] present;
  private final boolean[] asked;
  private final List<Deque<Shown>> kept = new ArrayList<>();
  private boolean eventsAsked;
  private boolean silent;
  private long lastAt;
  private long lastEventAt;
  private long given;
  private Client client;

  /**
   * A value of one variable.
   *
   * @param row of the truth
   * @param at epoch milliseconds
   * @param value NaN for none
   */
  record Shown(int row, long at, double value) {}

  /** Where values and events go: the server, while there is one. */
  interface Client {
    /** Whether anybody is told of a variable at present. */
    boolean followed(int variable);

    /**
     * Hands on a value of a variable.
     *
     * @return whether anybody has asked for it
     */
    boolean value(int variable, Shown shown);

    /**
     * Hands on the state of an alarm.
     *
     * @return whether anybody has asked for it
     */
    boolean event(Alarm alarm);
  }

  /**
   * @param first the moment of its first cycle
   */
  Station(Street.Station station, long seed, boolean history, long first) throws StreetException {
    this.id = station.id();
    this.works =
        switch (station.profile().id()) {
          case Plant.PUMP_STATION -> new PumpStation(seed);
          case Plant.BRIDGE -> new Bridge(seed);
          case Plant.WATER_QUALITY -> new WaterQuality(seed);
          default ->
              throw new StreetException(
                  "found the profile '"
                      + station.profile().id()
                      + "' for "
                      + id
                      + " of the plant, expected "
                      + Plant.PUMP_STATION
                      + ", "
                      + Plant.BRIDGE
                      + " or "
                      + Plant.WATER_QUALITY);
        };
    this.variables = works.variables();
    this.history = history;
    this.values = BlockTruth.bySourceTime(points(station.profile()));
    this.events = BlockTruth.bySourceTime(eventPoints(station.profile()));
    this.truth = new DeviceTruth(id, List.of(values, events));
    this.present = new Shown[variables.size()];
    this.asked = new boolean[variables.size()];
    variables.forEach(variable -> kept.add(new ArrayDeque<>()));
    works.warnings().forEach(warning -> alarms.add(new Alarm(warning)));
    works.run(0);
    show(first);
  }

  private List<PointTruth> points(Profile profile) throws StreetException {
    List<PointTruth> points = new ArrayList<>();
    for (Variable variable : variables) {
      PointTruth point = profile.truth(variable.point());
      if (point == null) {
        throw new StreetException(
            profile.place()
                + ": found no readable point '"
                + variable.point()
                + "', which "
                + id
                + " of the plant has as "
                + variable.name());
      }
      if (variable.unit() != null
          && Double.isNaN(Ucum.convert(1, variable.unit().ucum(), point.unit()))) {
        throw new StreetException(
            profile.place()
                + ": found the unit '"
                + point.unit()
                + "' for "
                + variable.point()
                + ", expected one that "
                + variable.unit().ucum()
                + " can be converted to");
      }
      points.add(point);
    }
    return points;
  }

  private static List<PointTruth> eventPoints(Profile profile) {
    PointTruth point = profile.truth(Plant.ALARM_POINT);
    return point == null ? List.of() : List.of(point);
  }

  String id() {
    return id;
  }

  DeviceTruth truth() {
    return truth;
  }

  List<Variable> variables() {
    return variables;
  }

  Works works() {
    return works;
  }

  List<Alarm> alarms() {
    return alarms;
  }

  Shown present(int variable) {
    return present[variable];
  }

  /** How many values and events it has given to somebody, counting those that it gave again. */
  long given() {
    synchronized (truth) {
      return given;
    }
  }

  /** Whether anybody is told of its cycle counter, which all read. */
  boolean followed() {
    synchronized (truth) {
      return client != null && client.followed(0);
    }
  }

  /** From now on nothing changes any more. */
  void fallSilent() {
    synchronized (truth) {
      silent = true;
    }
  }

  /** The server that it stands behind from now on, {@code null} for none. */
  void behind(Client next) {
    synchronized (truth) {
      client = next;
    }
  }

  /**
   * A cycle.
   *
   * @param seconds of the works since the last
   */
  void cycle(long now, double seconds) {
    synchronized (truth) {
      if (!silent) {
        works.run(seconds);
        show(now);
        for (Alarm alarm : alarms) {
          if (alarm.look(nextEvent(now), words(alarm))) {
            tell(alarm);
          }
        }
      }
    }
  }

  private void show(long now) {
    // No two rows have the same time, however fast they come.
    long at = Math.max(now, lastAt + 1);
    lastAt = at;
    double[] next = new double[variables.size()];
    Arrays.setAll(
        next, i -> i == 0 ? values.tickOf(values.rows()) : variables.get(i).shows(works.value(i)));
    double[] truly = new double[next.length];
    Arrays.setAll(truly, i -> inTheProfilesUnit(i, next[i]));
    int row = values.add(at, 0, truly);
    for (int i = 0; i < next.length; i++) {
      if (present[i] == null || Double.compare(present[i].value(), next[i]) != 0) {
        present[i] = new Shown(row, at, next[i]);
        change(i);
      }
    }
  }

  private double inTheProfilesUnit(int variable, double value) {
    Variable.Unit unit = variables.get(variable).unit();
    return unit == null || Double.isNaN(value)
        ? value
        : Ucum.convert(value, unit.ucum(), values.point(variable).unit());
  }

  private void change(int variable) {
    Shown now = present[variable];
    boolean taken = client != null && client.value(variable, now);
    if (history) {
      Deque<Shown> deque = kept.get(variable);
      deque.addLast(now);
      if (deque.size() > KEPT) {
        deque.removeFirst();
      }
    }
    given += taken ? 1 : 0;
    if (taken || (asked[variable] && (client != null || history))) {
      values.shown(now.row(), variable);
    } else {
      values.had(now.row(), variable);
    }
  }

  /** Somebody asks to be told of a variable, and is given the value that it has. */
  void ask(int variable) {
    asked[variable] = true;
    give(variable, present[variable]);
  }

  /** A value is given to somebody, for the first time or again. */
  void give(int variable, Shown value) {
    values.gave(value.row(), variable);
    given++;
  }

  /** A value is given out of what it kept. */
  void recall(int variable, Shown value) {
    values.recalled(value.row(), variable);
    given++;
  }

  /** What it kept of a variable in a span, oldest first. */
  List<Shown> kept(int variable, long from, long to) {
    return kept.get(variable).stream().filter(s -> s.at() >= from && s.at() <= to).toList();
  }

  boolean keeps() {
    return history;
  }

  /** A set-point is written; it is in force and can be read at once. */
  boolean write(int variable, double value, long now) {
    synchronized (truth) {
      boolean taken = works.write(variable, value);
      if (taken && !silent) {
        show(now);
      }
      return taken;
    }
  }

  boolean order(Works.Order order, double argument, long now) {
    synchronized (truth) {
      boolean done = order.action().done(argument);
      if (done && !silent) {
        show(now);
      }
      return done;
    }
  }

  /**
   * An alarm is acknowledged.
   *
   * @return false if it was before
   */
  boolean acknowledge(Alarm alarm, String comment, long now) {
    synchronized (truth) {
      boolean news = alarm.acknowledge(nextEvent(now), words(alarm), comment);
      if (news) {
        tell(alarm);
      }
      return news;
    }
  }

  private long nextEvent(long now) {
    return Math.max(now, lastEventAt + 1);
  }

  private String words(Alarm alarm) {
    Works.Warning warning = alarm.warning();
    Variable variable = variables.get(warning.variable());
    Shown about = present[warning.variable()];
    return warning.title().en()
        + " at "
        + id
        + ", "
        + String.format(java.util.Locale.ROOT, "%.2f ", about.value())
        + (variable.unit() == null ? "" : variable.unit().symbol());
  }

  private void tell(Alarm alarm) {
    lastEventAt = alarm.at();
    boolean taken = client != null && client.event(alarm);
    if (events.points() == 0) {
      return;
    }
    int row = events.add(alarm.at(), 0, new double[] {alarm.active() ? 1 : 0});
    events.say(row, alarm.message());
    alarm.inRow(row);
    given += taken ? 1 : 0;
    if (taken || (eventsAsked && client != null)) {
      events.shown(row, 0);
    } else {
      events.had(row, 0);
    }
  }

  /** Somebody asks to be told of alarms. */
  void askForEvents() {
    eventsAsked = true;
  }

  /** The state of an alarm is told once more. */
  void giveEvent(Alarm alarm) {
    if (alarm.row() >= 0) {
      events.gave(alarm.row(), 0);
      given++;
    }
  }
}
