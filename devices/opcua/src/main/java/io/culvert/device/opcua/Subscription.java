package io.culvert.device.opcua;

import io.culvert.api.Sample;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.eclipse.milo.opcua.stack.core.encoding.EncodingContext;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.structured.CreateSubscriptionResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.DataChangeNotification;
import org.eclipse.milo.opcua.stack.core.types.structured.EventFieldList;
import org.eclipse.milo.opcua.stack.core.types.structured.EventNotificationList;
import org.eclipse.milo.opcua.stack.core.types.structured.MonitoredItemNotification;
import org.eclipse.milo.opcua.stack.core.types.structured.NotificationMessage;
import org.eclipse.milo.opcua.stack.core.types.structured.StatusChangeNotification;
import org.eclipse.milo.opcua.stack.core.types.structured.SubscriptionAcknowledgement;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A subscription of OPC 10000-4, 5.14, as the server holds it: which of its messages came, which
 * are missing, which may be acknowledged. A message is acknowledged when all its samples are
 * accepted, so the server can give it again until then.
 *
 * <p>Used on the session's own order of tasks only.
 */
final class Subscription {
  private static final Logger LOG = LoggerFactory.getLogger(Subscription.class);

  /** Sequence numbers run from 1 to this and begin again (7.24). */
  private static final long NUMBERS = 0xFFFF_FFFFL;

  /**
   * Bits of a status code that belongs to a value, and say that values before it were lost
   * (7.39.1).
   */
  private static final long OVERFLOW = 0x0480;

  private static final long OVERFLOW_MASK = 0x0C80;

  private static final double LONGEST_SILENCE_MILLIS = 24 * 3_600_000;

  /** How often a missing message is asked for without an answer. */
  private static final int TRIES = 3;

  /** After so many old numbers in turn they are new ones. */
  private static final int RENUMBERED = 5;

  /** Messages that wait for a missing one before the server is held back. */
  private static final int MOST_HELD = 16;

  final Duration publishing;

  /** Which of the servers has it. */
  Endpoint server;

  /** {@code null} while the server doesn't know it. */
  UInteger id;

  /** Whether the server takes no more items for it. */
  boolean full;

  private final Session session;
  private final Map<UInteger, Item> items = new HashMap<>();

  /** Of the subscription that the server has now; what belongs to a former one goes nowhere. */
  private List<UInteger> acknowledgements = new ArrayList<>();

  /** Messages that came before one that is missing, by their number counted on without end. */
  private final TreeMap<Long, NotificationMessage> held = new TreeMap<>();

  /** Numbers of the messages that the server can give again, as it said last. */
  private final TreeSet<Long> available = new TreeSet<>();

  private long nextHandle;

  /** Messages with values so far. */
  private long messages;

  /** How long the server may be silent at most. */
  private Duration silence;

  /** The number of the next message, counted on without end; 0 before the first. */
  private long next;

  /** Below this number, all was sent. */
  private long told;

  private long lastOld;
  private int old;
  private boolean asking;
  private int tries;

  /** Whether the server keeps messages that aren't acknowledged. */
  private boolean keeps;

  /**
   * Publish requests of the lost channel that the server may still answer into the void; 0 once it
   * has answered one of the present channel.
   */
  private int voids;

  /** Whether it gave a message again since the link was lost. */
  private boolean gave;

  /** Whether the link was lost for less time than the server must keep messages. */
  private boolean brief;

  /** The next number that is only looked for, and the first that can't have been sent. */
  private long probe;

  private long bound;

  /** Whether the server has told something of its own since the link was lost. */
  private boolean fresh;

  /** A number that may be missing without harm; 0 if none. */
  private long spared;

  /** Done when it is known what the server can give again; {@code null} if nothing is open. */
  private CompletableFuture<Void> settled;

  /** When the last message came, by both clocks. */
  private Instant heard;

  private long heardNanos;

  Subscription(Session session, Duration publishing) {
    this.session = session;
    this.publishing = publishing;
  }

  // What it watches.

  Collection<Item> items() {
    return items.values();
  }

  /** Adds an item; the server doesn't know it yet. */
  void add(Item item) {
    item.handle = UInteger.valueOf(++nextHandle);
    items.put(item.handle, item);
    item.subscription = this;
  }

  void remove(Item item) {
    items.remove(item.handle);
    item.subscription = null;
    item.id = null;
  }

  /** Whether the server watches anything for it. */
  boolean watches() {
    return items.values().stream().anyMatch(item -> item.id != null);
  }

  // Its life on the server.

  void created(Endpoint server, CreateSubscriptionResponse answer) {
    this.server = server;
    id = answer.getSubscriptionId();
    silence = silence(answer);
    next = 0;
    told = 0;
    held.clear();
    available.clear();
    acknowledgements = new ArrayList<>();
    asking = false;
    keeps = false;
    voids = 0;
    spared = 0;
    settle();
    alive();
  }

  /** The server knows it no longer. */
  void forgotten() {
    id = null;
    settle();
    items.values().forEach(item -> item.id = null);
  }

  /** How long the server may be silent at most. */
  Duration silence() {
    return silence;
  }

  /** By the server's own word, whatever that is. */
  private static Duration silence(CreateSubscriptionResponse answer) {
    double millis =
        answer.getRevisedPublishingInterval() * answer.getRevisedMaxKeepAliveCount().longValue();
    // No number is as good as none.
    return Duration.ofMillis(millis > 0 ? (long) Math.min(millis, LONGEST_SILENCE_MILLIS) : 0);
  }

  boolean silent(long nanos, Duration patience) {
    Duration most = silence.multipliedBy(1 + voids).plus(patience);
    return id != null && nanos - heardNanos > most.toNanos();
  }

  void alive() {
    heard = session.now();
    heardNanos = session.nanos();
  }

  Instant heard() {
    return heard;
  }

  /** Events may be lost. */
  void broken() {
    items.values().stream()
        .map(item -> item.events)
        .filter(Objects::nonNull)
        .forEach(Events::broken);
  }

  /**
   * Takes what may be acknowledged.
   *
   * @param again gets what to run if that doesn't reach the server
   */
  List<SubscriptionAcknowledgement> acknowledgements(Collection<Runnable> again) {
    List<UInteger> from = acknowledgements;
    List<UInteger> numbers = List.copyOf(from);
    from.clear();
    again.add(() -> from.addAll(numbers));
    return numbers.stream().map(number -> new SubscriptionAcknowledgement(id, number)).toList();
  }

  // Its messages.

  private static long wire(long number) {
    return (number - 1) % NUMBERS + 1;
  }

  private long count(long wire) {
    if (next == 0) {
      return wire;
    }
    long ahead = Math.floorMod(wire - wire(next), NUMBERS);
    return ahead > NUMBERS / 2 ? next + ahead - NUMBERS : next + ahead;
  }

  /**
   * A message came as the answer to a Publish.
   *
   * @param numbers of messages that the server can give again; {@code null} if it doesn't say
   */
  void published(NotificationMessage message, UInteger[] numbers) {
    fresh = true;
    voids = 0;
    available(numbers);
    take(message);
  }

  private void available(UInteger[] numbers) {
    keeps |= numbers != null && numbers.length > 0;
    available.clear();
    for (UInteger number : numbers == null ? new UInteger[0] : numbers) {
      available.add(count(number.longValue()));
    }
  }

  private void take(NotificationMessage message) {
    alive();
    ExtensionObject[] data = message.getNotificationData();
    long number = count(message.getSequenceNumber().longValue());
    if (next == 0) {
      next = number;
    }
    if (data == null || data.length == 0) {
      // A keep-alive names the number that comes next.
      told = Math.max(told, number);
    } else if (number >= next) {
      held.put(number, message);
      told = Math.max(told, number + 1);
    } else if (anew(number)) {
      held.clear();
      held.put(number, message);
      next = number;
      told = number + 1;
      session.broken(this, "the server numbers its messages anew");
    }
    goOn();
  }

  /** Whether the server counts from another number on: old ones come, one after the other. */
  private boolean anew(long number) {
    old = number == lastOld + 1 ? old + 1 : 1;
    lastOld = number;
    return old == RENUMBERED;
  }

  /**
   * It goes on in another session (5.14.7). Some servers number what they tell the former session
   * of that as if it were one of the messages.
   *
   * @param numbers of messages that the server can give again
   */
  void transferred(UInteger[] numbers) {
    next = Math.max(next, 1);
    available(numbers);
    told = available.isEmpty() ? told : Math.max(told, available.last() + 1);
    spared = Math.max(next, told);
  }

  /**
   * After the link was lost: what was sent into the void is asked for.
   *
   * @param most messages that can be: as many as the server had Publish requests for
   */
  void resume(int most) {
    asking = false;
    next = Math.max(next, 1);
    probe = next + 1;
    bound = next + most;
    voids = most;
    gave = false;
    brief = session.nanos() - heardNanos < silence.toNanos();
    settled = new CompletableFuture<>();
    fresh = false;
    ask();
  }

  /**
   * Completes when it is known whether the server could give again all that was lost on the way.
   * That is so if it gave the first message that is missing, since the oldest go first; or if it
   * has told something of its own, with its number; or if it gave none of those that it can have
   * sent in a time in which it must keep them (5.14.1.2). Else, as long as it has nothing to tell,
   * that isn't known.
   */
  CompletableFuture<Void> settled() {
    return settled == null ? CompletableFuture.completedFuture(null) : settled;
  }

  private void settle() {
    CompletableFuture<Void> open = settled;
    settled = null;
    if (open != null) {
      open.complete(null);
    }
  }

  /** From time to time: what the server may go on sending into the void is asked for. */
  void follow() {
    if (voids > 0) {
      ask();
    }
  }

  private void goOn() {
    while (!held.isEmpty() && held.firstKey() == next) {
      NotificationMessage message = held.pollFirstEntry().getValue();
      next++;
      deliver(message);
    }
    if (next < told) {
      ask();
    } else if (!asking && settled != null) {
      if (fresh || gave || brief && keeps && probe >= bound) {
        settle();
      } else if (brief && keeps) {
        probe();
      }
    }
  }

  /** The next message isn't there; if a later one is, it was there and is lost. */
  private void probe() {
    if (id == null) {
      return;
    }
    asking = true;
    session.republish(
        this,
        UInteger.valueOf(wire(probe)),
        message -> {
          asking = false;
          probe = bound;
          if (message == null) {
            goOn();
          } else {
            take(message);
          }
        },
        () -> {
          asking = false;
          probe++;
          goOn();
        },
        () -> {
          asking = false;
          probe = bound;
          goOn();
        });
  }

  private void ask() {
    if (asking || id == null) {
      return;
    }
    asking = true;
    long wanted = next;
    session.republish(
        this,
        UInteger.valueOf(wire(wanted)),
        message -> {
          asking = false;
          tries = 0;
          if (message == null || count(message.getSequenceNumber().longValue()) != wanted) {
            skip(wanted);
            return;
          }
          gave = true;
          take(message);
          if (next > wanted) {
            // There may be more that nothing has told of yet.
            ask();
          }
        },
        () -> {
          asking = false;
          tries = 0;
          skip(wanted);
        },
        () -> {
          asking = false;
          if (++tries < TRIES) {
            goOn();
          } else {
            tries = 0;
            skip(wanted);
          }
        });
  }

  /** The server can't give a message again; goes on with the next that there is. */
  private void skip(long wanted) {
    if (next == wanted && next < told) {
      Long given = available.higher(wanted);
      long first = held.isEmpty() ? told : Math.min(told, held.firstKey());
      first = given == null ? first : Math.min(first, given);
      boolean harmless = next == spared && first == next + 1;
      next = first;
      if (!harmless) {
        session.broken(this, "the server can't give a message again that was lost on the way");
      }
    }
    goOn();
  }

  /** Whether so much waits for a message that is missing that no more should be asked for. */
  boolean waits() {
    return held.size() > MOST_HELD;
  }

  private void deliver(NotificationMessage message) {
    UInteger number = message.getSequenceNumber();
    List<UInteger> to = acknowledgements;
    Delivery delivery =
        new Delivery(
            () -> {
              to.add(number);
              session.pump();
            });
    EncodingContext context = session.encoding();
    for (ExtensionObject part : message.getNotificationData()) {
      try {
        Object notification = part.decode(context);
        if (notification instanceof DataChangeNotification change) {
          values(change.getMonitoredItems(), delivery);
        } else if (notification instanceof EventNotificationList list) {
          events(list.getEvents(), delivery);
        } else if (notification instanceof StatusChangeNotification change) {
          session.statusChanged(this, change.getStatus());
        }
      } catch (RuntimeException wrong) {
        LOG.debug("{}: a message that can't be understood", session, wrong);
        session.broken(this, "the server sent a message that can't be understood");
      }
    }
    delivery.whole();
  }

  private void values(MonitoredItemNotification[] values, Delivery delivery) {
    if (values == null) {
      return;
    }
    Feed feed = null;
    Turns turns = null;
    Map<Feed, Turns> all = new IdentityHashMap<>();
    messages++;
    for (MonitoredItemNotification value : values) {
      Item item = items.get(value.getClientHandle());
      if (item == null) {
        continue; // given up meanwhile
      }
      if (item.feed != feed) {
        feed = item.feed;
        turns = all.computeIfAbsent(feed, f -> new Turns());
      }
      turns.add(item.turn(messages), sample(item, value.getValue()));
    }
    all.forEach(
        (to, theirs) -> {
          to.tellOverflown();
          delivery.hand(to, theirs.samples());
        });
  }

  /**
   * Samples of one message: first the first of each item, then the second, and so on. A server puts
   * all values of an item together; those of one moment together are less to store and to send.
   */
  private static final class Turns {
    private final List<List<Sample>> turns = new ArrayList<>(1);

    void add(int turn, Sample sample) {
      if (turn == turns.size()) {
        turns.add(new ArrayList<>());
      }
      turns.get(turn).add(sample);
    }

    List<Sample> samples() {
      List<Sample> all = turns.get(0);
      turns.subList(1, turns.size()).forEach(all::addAll);
      return all;
    }
  }

  private void events(EventFieldList[] events, Delivery delivery) {
    if (events == null) {
      return;
    }
    boolean refresh = false;
    Map<Feed, List<Sample>> all = new IdentityHashMap<>();
    for (EventFieldList event : events) {
      Item item = items.get(event.getClientHandle());
      if (item == null || item.events == null) {
        continue; // given up meanwhile
      }
      Instant told = Events.time(event.getEventFields());
      Instant at = told == null ? session.now() : told;
      switch (item.events.kind(event.getEventFields())) {
        case EVENT ->
            all.computeIfAbsent(item.feed, f -> new ArrayList<>())
                .add(item.events.sample(item.point, event.getEventFields()));
        case OVERFLOW -> {
          Instant from = item.last == null || item.last.isAfter(at) ? at : item.last;
          item.feed.overflown(item.point.id(), from, at);
          all.computeIfAbsent(item.feed, f -> new ArrayList<>());
        }
        case REFRESH_WANTED -> refresh = true;
        case REFRESH -> {}
      }
      item.last = at;
    }
    all.forEach(
        (to, theirs) -> {
          to.tellOverflown();
          if (!theirs.isEmpty()) {
            delivery.hand(to, theirs);
          }
        });
    if (refresh) {
      session.refresh(this);
    }
  }

  private Sample sample(Item item, DataValue value) {
    Sample sample = item.sample(value);
    Instant at = sample.deviceTime() == null ? session.now() : sample.deviceTime();
    if ((value.getStatusCode().getValue() & OVERFLOW_MASK) == OVERFLOW) {
      Instant from = item.last == null || item.last.isAfter(at) ? at : item.last;
      item.feed.overflown(item.point.id(), from, at);
    }
    item.last = at;
    return sample;
  }

  /** One message on its way to the sinks of several devices. */
  private static final class Delivery {
    private final Runnable end;
    private int open = 1;

    Delivery(Runnable end) {
      this.end = end;
    }

    void hand(Feed feed, List<Sample> samples) {
      open++;
      feed.take(samples, this::whole);
    }

    void whole() {
      if (--open == 0) {
        end.run();
      }
    }
  }
}
