package io.culvert.device.modbus;

import static io.culvert.device.modbus.Figures.add;

import io.culvert.api.southbound.Diagnosed;
import io.netty.channel.EventLoop;
import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.collection.IntObjectMap;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The exchanges over one connection or serial line, shared by the units behind it.
 *
 * <p>Connects when an exchange needs it and never by itself, so that pauses between attempts are
 * the core's; a device that closes an idle connection costs nobody a reading.
 *
 * <p>Each request is {@linkplain Pending kept} until an answer that fits it, the loss of the
 * connection, its time-out or its cancellation; its stage is told of each at once. Where answers
 * bear the numbers of their requests, many are under way. Else one is, the others wait, and a late
 * answer can be told from the right one only by unit and function: so after a time-out no request
 * of the same unit and function follows for a while, but others do: {@link GivenUp}.
 *
 * <p>Threads: methods may be called from any thread, don't block, and complete their stages on the
 * link's event loop; so does all state belong to that loop.
 */
final class Link implements Framing.Receiver, Wire.Listener {
  /** Requests that a user should have under way over a TCP connection; what others do, too. */
  private static final int CAPACITY = 16;

  /** Requests in turn without any answer after which the peer is taken for gone. */
  private static final int SILENT_REQUESTS = 3;

  /** Answers in turn to nothing that was asked, after which the peer is taken for mad. */
  private static final int STRAY_ANSWERS = 64;

  /** All units on a serial line, none of which answers (Serial Line V1.02, 2.1 and 2.2). */
  private static final int BROADCAST = 0;

  /** For the units to do what they were told, before they can be asked (V1.02, 2.4.1). */
  private static final Duration TURNAROUND = Duration.ofMillis(200);

  /** How long another master may wait for an answer. */
  private static final long FOREIGN_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** Requests heard in turn right after sending them, after which the line is known to echo. */
  private static final int ECHOES = 3;

  private static final String CLOSED = "it was closed";

  private static final Logger log = LoggerFactory.getLogger(Link.class);

  private final Endpoint endpoint;
  private final EventLoop loop;
  private final Framing framing;
  private final Wire wire;
  private final Map<Integer, Figures> figures = new ConcurrentHashMap<>();
  private final AtomicLong wrongUnit = new AtomicLong();
  private final AtomicLong late = new AtomicLong();
  private final AtomicLong foreign = new AtomicLong();
  private final AtomicLong noise = new AtomicLong();

  /** Where answers bear numbers: what is under way, by number. */
  private final IntObjectMap<Pending> pending = new IntObjectHashMap<>();

  /** Where they don't: what waits, and the one that is being sent or answered. */
  private final Deque<Pending> waiting = new ArrayDeque<>();

  private Pending turn;

  /** Those which wait for the connection to be made. */
  private final Set<CompletableFuture<?>> opening = new HashSet<>();

  /** Whose answers may come late. */
  private final GivenUp givenUp;

  private boolean closed;
  private int transaction;
  private int silent;
  private int strays;
  private String stray = "";

  /** The frame sent last, until anything is heard. */
  private Pending unheard;

  private int echoes;

  /** Unit of a request of another master, until its answer is heard; -1 if none. */
  private int foreignUnit = -1;

  private byte[] foreignRequest;
  private long foreignAt;

  private long lastReceived;
  private ScheduledFuture<?> silenceTimer;

  /** A request on its way, and the stage that waits for its answer. */
  private final class Pending extends CompletableFuture<byte[]> implements Wire.Sending {
    final int unit;
    final byte[] request;
    final Duration timeout;
    final boolean expected;
    final boolean broadcast;
    final Figures figures;
    int transaction;

    /** Whether it has left, and when that began. */
    boolean left;

    long sent;

    ScheduledFuture<?> timer;

    Pending(int unit, byte[] request, Duration timeout, boolean expected, boolean broadcast) {
      this.unit = unit;
      this.request = request;
      this.timeout = timeout;
      this.expected = expected;
      this.broadcast = broadcast;
      Figures own = Link.this.figures.get(unit);
      // Of units that no device stands for, those a scan asks, nothing is kept.
      this.figures = own == null ? new Figures() : own;
    }

    @Override
    public boolean cancel(boolean mayInterrupt) {
      boolean cancelled = super.cancel(mayInterrupt);
      if (cancelled) {
        onLoop(this, () -> giveUp(this, null));
      }
      return cancelled;
    }

    @Override
    public void sent(long began) {
      left(this, began);
    }

    @Override
    public void failed(IOException why) {
      if (settle(this)) {
        next();
        completeExceptionally(why);
      }
    }

    void timedOut() {
      if (broadcast) {
        settle(this);
        next();
        complete(request);
        return;
      }
      giveUp(this, new TimeoutException(silence(this)));
    }
  }

  /**
   * @param endpoint of any unit behind the address
   * @param givenUp over an earlier link of the same {@linkplain Endpoint#link name}
   * @param wire makes the wire, given its listener
   */
  Link(Endpoint endpoint, EventLoop loop, GivenUp givenUp, Function<Wire.Listener, Wire> wire) {
    this.endpoint = endpoint;
    this.loop = loop;
    this.givenUp = givenUp;
    this.framing = endpoint.transport().framing(this);
    this.wire = wire.apply(this);
  }

  String name() {
    return endpoint.link();
  }

  /**
   * How many exchanges may be under way at once; more wait. If it is one, a unit that stays silent
   * holds up all others.
   */
  int capacity() {
    return framing.numbered() ? CAPACITY : 1;
  }

  /** Runs something where the link's state lives, after what was handed over before. */
  void execute(Runnable task) {
    loop.execute(task);
  }

  /** Connects, unless connected; fails with an {@link IOException}. */
  CompletionStage<Void> connect() {
    CompletableFuture<Void> result = new CompletableFuture<>();
    onLoop(result, () -> whenOpen(result, () -> result.complete(null)));
    return result;
  }

  /**
   * One request and its answer, connecting first if need be.
   *
   * @param unit 0 to 255
   * @param request PDU (V1.1b3, 4.1), 1 to 253 bytes, not changed afterwards
   * @param timeout from when it has left; on a serial line, the time that an answer's characters
   *     take comes on top
   * @param expected whether the unit should be there, so that silence makes the connection suspect
   * @return the answer's PDU, which fits the request. Cancelled, it lets go of the request, and
   *     what still comes of it is thrown away. Fails with a {@link RefusedException} if the device
   *     refuses, a {@link GarbledException} if the answer doesn't fit, a {@link TimeoutException},
   *     or another {@link IOException} if there is no link
   */
  CompletableFuture<byte[]> exchange(int unit, byte[] request, Duration timeout, boolean expected) {
    Pending result = new Pending(unit, request, timeout, expected, false);
    onLoop(result, () -> begin(result));
    return result;
  }

  /**
   * Tells all units behind the link, none of which answers: unit 0 (Serial Line V1.02, 2.1).
   *
   * @param request PDU of a function that writes, not changed afterwards
   * @return completed when it is sent and the units have had time to do it (V1.02, 2.4.1: the
   *     turnaround delay); fails with an {@link IOException} if there is no link
   */
  CompletableFuture<Void> broadcast(byte[] request) {
    Pending result = new Pending(BROADCAST, request, TURNAROUND, false, true);
    onLoop(result, () -> begin(result));
    return result.thenApply(nothing -> null);
  }

  /** Counts for a unit from now on, if nobody did before. */
  void count(int unit) {
    figures.computeIfAbsent(unit, u -> new Figures());
  }

  /** Of a unit that is {@linkplain #count counted}. */
  Diagnosed.Facts facts(int unit) {
    return figures.get(unit).facts();
  }

  Diagnosed.LineFacts lineFacts() {
    return new Diagnosed.LineFacts(
        wrongUnit.get(), late.get(), foreign.get(), wire.collisions(), noise.get());
  }

  boolean isConnected() {
    return wire.isOpen();
  }

  private void onLoop(CompletableFuture<?> result, Runnable task) {
    if (loop.inEventLoop()) {
      task.run();
      return;
    }
    try {
      loop.execute(task);
    } catch (RejectedExecutionException ended) {
      result.completeExceptionally(new IOException("The Modbus driver has been stopped"));
    }
  }

  /** Does something once there is a connection, unless the result is settled by then. */
  private void whenOpen(CompletableFuture<?> result, Runnable task) {
    if (closed) {
      result.completeExceptionally(lostBecause(CLOSED));
      return;
    }
    if (wire.isOpen()) {
      task.run();
      return;
    }
    opening.add(result);
    wire.open()
        .whenComplete(
            (up, failure) -> {
              opening.remove(result);
              if (failure != null) {
                result.completeExceptionally(failure);
              } else if (!result.isDone()) {
                task.run();
              }
            });
  }

  private void begin(Pending request) {
    if (wire.isOpen() && framing.numbered()) {
      send(request);
    } else {
      whenOpen(request, () -> queue(request));
    }
  }

  private void queue(Pending request) {
    if (framing.numbered()) {
      send(request);
    } else {
      waiting.add(request);
      next();
    }
  }

  /** Gives the turn to the first that may have it, if nobody has it. */
  private void next() {
    Iterator<Pending> all = waiting.iterator();
    while (turn == null && all.hasNext()) {
      Pending request = all.next();
      long grace = givenUp.grace(request.unit, request.request);
      if (grace > 0) {
        if (request.timer == null) {
          request.timer = loop.schedule(() -> retry(request), grace, TimeUnit.NANOSECONDS);
        }
        continue;
      }
      all.remove();
      cancelTimer(request);
      send(request);
      return;
    }
  }

  private void retry(Pending request) {
    request.timer = null;
    next();
  }

  private void send(Pending request) {
    if (framing.numbered()) {
      request.transaction = nextTransaction();
      pending.put(request.transaction, request);
    } else {
      turn = request;
    }
    request.figures.request();
    wire.send(framing.frame(request.transaction, request.unit, request.request), request);
  }

  /** A number that no pending request has. */
  private int nextTransaction() {
    do {
      transaction = (transaction + 1) & 0xFFFF;
    } while (pending.containsKey(transaction));
    return transaction;
  }

  /** A request has left. */
  private void left(Pending request, long began) {
    request.sent = began;
    request.left = true;
    if (!under(request)) {
      return;
    }
    if (!framing.numbered()) {
      framing.expect(request.unit, request.broadcast ? null : request.request);
      unheard = request;
    }
    if (request.isDone()) {
      giveUp(request, null);
      return;
    }
    long nanos = request.timeout.toNanos();
    if (!request.broadcast) {
      nanos += wire.time(framing.characters(PduLength.longest(request.request))).toNanos();
    }
    request.timer = loop.schedule(request::timedOut, nanos, TimeUnit.NANOSECONDS);
  }

  /** Whether a request is on its way. */
  private boolean under(Pending request) {
    return framing.numbered() ? pending.get(request.transaction) == request : turn == request;
  }

  /** Returns whether the request was on its way; it isn't any more, and the turn is free. */
  private boolean settle(Pending request) {
    if (!under(request)) {
      return false;
    }
    cancelTimer(request);
    if (framing.numbered()) {
      pending.remove(request.transaction);
    } else {
      turn = null;
      framing.expect(0, null);
    }
    return true;
  }

  private static void cancelTimer(Pending request) {
    if (request.timer != null) {
      request.timer.cancel(false);
      request.timer = null;
    }
  }

  private String silence(Pending request) {
    return String.format(
        "Unit %d at %s did not answer within %d ms%s",
        request.unit,
        endpoint.address(),
        request.timeout.toMillis(),
        stray.isEmpty() ? "" : "; " + stray);
  }

  /**
   * Nobody waits for the answer any more.
   *
   * @param why {@code null} if the request was cancelled
   */
  private void giveUp(Pending request, TimeoutException why) {
    if (!under(request)) {
      cancelTimer(request);
      waiting.remove(request);
      return;
    }
    if (!request.left) {
      // What is being sent can't be called back; it is given up when it has left.
      return;
    }
    boolean torn = framing.midFrame();
    if (torn && !framing.numbered()) {
      // Tells of damage, which settles the request.
      framing.silence();
      if (!under(request)) {
        return;
      }
    }
    remember(request);
    settle(request);
    silent += request.expected ? 1 : 0;
    if (why != null) {
      request.figures.timeout();
    }
    if (silent >= SILENT_REQUESTS) {
      wire.drop(silent + " requests in turn stayed unanswered");
      silent = 0;
    } else if (torn && framing.numbered()) {
      // The rest of this frame, should it come, would be taken for the beginning of the next.
      wire.drop("an answer broke off");
    }
    next();
    if (why != null) {
      // Last, since the next request of its exchange follows at once.
      request.completeExceptionally(why);
    }
  }

  private void remember(Pending request) {
    if (request.broadcast) {
      return;
    }
    givenUp.add(request.transaction, request.unit, request.request);
  }

  @Override
  public void opened() {
    framing.reset();
    if (framing.numbered()) {
      givenUp.clear();
    }
    silent = 0;
    strays = 0;
    stray = "";
    unheard = null;
    foreignUnit = -1;
  }

  @Override
  public void received(ByteBuffer bytes) {
    lastReceived = System.nanoTime();
    try {
      framing.decode(bytes);
    } catch (GarbledException garbled) {
      wire.drop("what came is not Modbus: " + garbled.getMessage());
      return;
    }
    if (!framing.settlesBySilence()) {
      disarmSilence();
    } else if (silenceTimer == null) {
      armSilence(wire.silence().toNanos());
    }
  }

  private void armSilence(long nanos) {
    long due = System.nanoTime() + nanos;
    silenceTimer = loop.schedule(() -> perhapsSilent(due), nanos, TimeUnit.NANOSECONDS);
  }

  private void disarmSilence() {
    if (silenceTimer != null) {
      silenceTimer.cancel(false);
      silenceTimer = null;
    }
  }

  private void perhapsSilent(long due) {
    silenceTimer = null;
    long silence = wire.silence().toNanos();
    long now = System.nanoTime();
    long left = silence - (now - lastReceived);
    if (left > 0) {
      armSilence(left);
    } else if (now - due > silence) {
      // This process stood still; what came meanwhile may have to be fetched first.
      armSilence(silence);
    } else {
      framing.silence();
    }
  }

  @Override
  public void frame(int number, int unit, byte[] pdu) {
    if (framing.numbered()) {
      numbered(number, unit, pdu);
    } else {
      heard(unit, pdu);
    }
  }

  private void numbered(int number, int unit, byte[] answer) {
    silent = 0;
    Pending request = pending.get(number);
    if (request == null) {
      if (givenUp.settles(number)) {
        add(late, 1);
      }
      stray =
          "last came an answer of unit "
              + unit
              + " to transaction "
              + number
              + ", which is not pending";
      log.debug("{}: {}", endpoint.address(), stray);
      if (++strays >= STRAY_ANSWERS) {
        wire.drop(strays + " answers in turn were to nothing that was asked");
      }
      return;
    }
    if (unit != request.unit) {
      add(wrongUnit, 1);
      fail(request, "unit " + unit + " instead of " + request.unit);
      return;
    }
    String wrong = AnswerCheck.wrong(request.request, answer);
    if (wrong != null) {
      request.figures.malformed();
      fail(request, wrong);
      return;
    }
    take(request, answer);
  }

  private void fail(Pending request, String wrong) {
    settle(request);
    next();
    request.completeExceptionally(
        new GarbledException(endpoint.address() + " answered with " + wrong));
  }

  private void take(Pending request, byte[] answer) {
    long nanos = System.nanoTime() - request.sent;
    strays = 0;
    stray = "";
    settle(request);
    next();
    if (answer[0] == request.request[0]) {
      request.figures.answer(nanos);
      request.complete(answer);
    } else {
      Refusal refusal = new Refusal(Byte.toUnsignedInt(answer[1]));
      request.figures.refusal(refusal, nanos);
      request.completeExceptionally(new RefusedException(refusal));
    }
  }

  /** A frame without a number: whose may it be? */
  private void heard(int unit, byte[] pdu) {
    silent = 0;
    if (isEcho(unit, pdu)) {
      return;
    }
    Pending request = turn == null || !turn.left || turn.broadcast ? null : turn;
    if (request != null && request.unit == unit) {
      String wrong = AnswerCheck.wrong(request.request, pdu);
      if (wrong == null) {
        if (foreignFirst(request)) {
          ambiguous(request);
        } else {
          take(request, pdu);
        }
        return;
      }
      if (isRequest(unit, pdu)) {
        foreign(unit, pdu);
        if (pdu[0] == request.request[0] && !Arrays.equals(pdu, request.request)) {
          ambiguous(request);
        }
        return;
      }
      if (!isLate(unit, pdu)) {
        request.figures.malformed();
        fail(request, wrong);
      }
      return;
    }
    if (isLate(unit, pdu)) {
      return;
    }
    if (isRequest(unit, pdu)) {
      foreign(unit, pdu);
    } else if (unit == foreignUnit) {
      foreignUnit = -1;
    } else if (request != null) {
      add(wrongUnit, 1);
      stray = "last came an answer of unit " + unit;
    } else {
      noise(framing.characters(pdu.length));
    }
  }

  private void foreign(int unit, byte[] pdu) {
    add(foreign, 1);
    foreignUnit = unit;
    foreignRequest = pdu;
    foreignAt = System.nanoTime();
  }

  /** Whether another master asked the same, in another place, and is still to be answered. */
  private boolean foreignFirst(Pending request) {
    return request.unit == foreignUnit
        && request.request[0] == foreignRequest[0]
        && !Arrays.equals(request.request, foreignRequest)
        && System.nanoTime() - foreignAt < FOREIGN_NANOS;
  }

  /** The answer to another master's request would do for this one, and the other way round. */
  private void ambiguous(Pending request) {
    foreignUnit = -1;
    request.figures.malformed();
    remember(request);
    fail(request, "a request of another master, which asks the same unit");
  }

  /**
   * Whether a frame is what was sent last, heard again at once. Some answers are the same as their
   * requests (functions 05, 06, 08): these count as answers until the line is known to echo.
   */
  private boolean isEcho(int unit, byte[] pdu) {
    Pending own = unheard;
    unheard = null;
    if (own == null) {
      return false;
    }
    boolean same = unit == own.unit && Arrays.equals(pdu, own.request);
    boolean telling = own.broadcast || !answersItself(own.request);
    if (!same) {
      echoes = telling ? 0 : echoes;
      return false;
    }
    if (telling && echoes < ECHOES && ++echoes == ECHOES) {
      log.warn(
          "{} hears its own requests: write echo=true into its endpoints, or switch the echo of the"
              + " adapter off",
          endpoint.address());
    }
    if (telling || echoes == ECHOES) {
      noise(framing.characters(pdu.length));
      return true;
    }
    return false;
  }

  private static boolean answersItself(byte[] request) {
    return AnswerCheck.wrong(request, request) == null;
  }

  /** Whether it answers a request that was given up; that is settled then. */
  private boolean isLate(int unit, byte[] pdu) {
    boolean late = givenUp.settles(unit, pdu);
    if (late) {
      add(this.late, 1);
      next();
    }
    return late;
  }

  /** As far as its form tells; where it doesn't, after a request comes its answer. */
  private boolean isRequest(int unit, byte[] pdu) {
    if (PduLength.request(pdu, 0, pdu.length) != pdu.length) {
      return false;
    }
    return PduLength.answer(pdu, 0, pdu.length) != pdu.length || unit != foreignUnit;
  }

  @Override
  public void damaged() {
    Pending request = turn;
    if (request != null) {
      request.figures.checksumError();
      fail(request, "a wrong check sum, or broke off");
    }
  }

  @Override
  public void noise(int bytes) {
    add(noise, bytes);
  }

  @Override
  public void lost(String why) {
    disarmSilence();
    framing.reset();
    List<Pending> unanswered = new ArrayList<>(pending.values());
    unanswered.addAll(waiting);
    waiting.clear();
    if (turn != null) {
      unanswered.add(turn);
      if (turn.left) {
        // What the unit answers may still come over the next connection to its line.
        remember(turn);
      }
    }
    for (Pending request : unanswered) {
      settle(request);
      cancelTimer(request);
      request.completeExceptionally(lostBecause(why));
    }
  }

  private IOException lostBecause(String why) {
    return new IOException("Connection to " + endpoint.address() + " is lost: " + why);
  }

  /** Ends the link for good, with whatever is pending on it. */
  void close() {
    onLoop(
        new CompletableFuture<>(),
        () -> {
          closed = true;
          wire.close();
          lost(CLOSED);
          List.copyOf(opening).forEach(result -> result.completeExceptionally(lostBecause(CLOSED)));
        });
  }
}
