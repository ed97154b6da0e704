package io.culvert.core.run;

import io.culvert.core.run.Outcome.Failure;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One call into a driver and the stage that it returns, survived whatever it does: throws, returns
 * {@code null}, blocks, answers from a foreign thread, twice, late or never. Ends exactly once, on
 * the loop, at its deadline at the latest, and holds nothing of the driver afterwards.
 *
 * @param <S> what the driver answers
 * @param <T> what the core keeps of it
 */
final class Call<S, T> implements Conduct.Hold {
  private static final Logger LOG = LoggerFactory.getLogger(Call.class);

  private enum State {
    PENDING,
    ANSWERED,
    OVER
  }

  private final String what;
  private final String device;
  private final Loop loop;
  private final Caller caller;
  private final Conduct conduct;
  private final AtomicReference<State> state = new AtomicReference<>(State.PENDING);
  private volatile Callable<? extends CompletionStage<S>> body;
  private volatile Function<? super S, T> take;
  private volatile Consumer<? super S> late;
  private volatile CompletionStage<S> stage;
  private Consumer<Outcome<T>> end;
  private Loop.Timer deadline;
  private boolean returned;
  private Runnable whenReturned;

  /** When it began to hold a thread; {@code null} if it doesn't yet. */
  private volatile Long entered;

  /** When it was given up, by the loop's clock. */
  private volatile long over;

  /**
   * @param what is called, for messages: {@code read}
   * @param device whose call it is
   * @param served whose driver is called; {@code body} runs on a thread of its caller
   * @param take makes what the core keeps, on the thread that the driver answers from; throws if
   *     the answer is of no use
   * @param late takes an answer that comes after the end, on the same thread
   */
  Call(
      String what,
      String device,
      Loop loop,
      Served served,
      Callable<? extends CompletionStage<S>> body,
      Function<? super S, T> take,
      Consumer<? super S> late) {
    this.what = what;
    this.device = device;
    this.loop = loop;
    this.caller = served.caller();
    this.conduct = served.conduct();
    this.body = body;
    this.take = take;
    this.late = late;
  }

  /**
   * Begins the call. On the loop.
   *
   * @param patience from now
   * @param end told how it ended, on the loop, once
   */
  void start(Duration patience, Consumer<Outcome<T>> end) {
    this.end = end;
    deadline = loop.after(patience, () -> expire(patience));
    caller.execute(this::invoke);
  }

  private void invoke() {
    Callable<? extends CompletionStage<S>> call = body;
    body = null;
    if (call != null && state.get() == State.PENDING) {
      long began = loop.nanos();
      entered = began;
      try {
        CompletionStage<S> answer = call.call();
        call = null;
        hang(answer);
      } catch (Throwable t) {
        settle(null, "the driver threw " + words(t), true);
      } finally {
        conduct.called(loop.nanos() - began);
      }
    }
    loop.execute(this::hasReturned);
  }

  private void hang(CompletionStage<S> answer) {
    if (answer == null) {
      settle(null, "the driver returned null in place of a stage", true);
      return;
    }
    stage = answer;
    answer.whenComplete(this::answered);
    if (state.get() != State.PENDING) {
      cancelStage();
    }
  }

  /** On whatever thread the driver answers from. */
  private void answered(S value, Throwable error) {
    if (conduct.heard(this)) {
      // What the driver answers is code of its own: not on the loop.
      conduct.errand(caller, "answer to the " + what, device, () -> settle(value, error));
    } else {
      settle(value, error);
    }
  }

  private void settle(S value, Throwable error) {
    if (error == null) {
      settle(value, null, false);
    } else {
      settle(null, "the driver says: " + words(error), unwrap(error) instanceof Error);
    }
  }

  /**
   * @param fault whether the driver itself is to blame for the error
   */
  private void settle(S value, String error, boolean fault) {
    Instant at = loop.now();
    T taken = null;
    boolean own = fault;
    String failure = error;
    Function<? super S, T> taking = take;
    if (failure == null && taking != null) {
      try {
        // Before the state changes: a list that blocks while it is copied must not outlive the
        // deadline.
        taken = taking.apply(value);
      } catch (Throwable t) {
        failure = "the driver's answer is of no use: " + words(t);
        own = true;
      }
    }
    if (state.compareAndSet(State.PENDING, State.ANSWERED)) {
      take = null;
      stage = null;
      late = null;
      Outcome<T> outcome =
          failure == null
              ? new Outcome<>(taken, at, null)
              : new Outcome<>(null, at, new Failure(false, failure));
      boolean blame = own;
      loop.execute(
          () -> {
            finish(outcome);
            if (blame) {
              conduct.fault(outcome.failure().message() + " (" + this + ")");
            }
          });
    } else if (state.get() == State.ANSWERED) {
      LOG.warn("{}: the driver completed its stage twice; the second answer is left out", this);
    } else {
      Consumer<? super S> tooLate = late;
      late = null;
      if (tooLate != null && value != null) {
        tooLate.accept(value);
      }
    }
  }

  private void expire(Duration patience) {
    String words = "no answer within " + Words.of(patience);
    abort(new Failure(true, returned ? words : words + ": the driver's call hasn't returned yet"));
  }

  /** Ends the call from our side. On the loop; does nothing if it has ended. */
  void abort(Failure failure) {
    if (state.compareAndSet(State.PENDING, State.OVER)) {
      take = null;
      body = null;
      // Cancelling runs what the driver hung on its stage: not on the loop.
      conduct.errand(caller, "cancelling of the " + what, device, this::cancelStage);
      over = loop.nanos();
      if (!returned) {
        conduct.over(this);
      }
      finish(new Outcome<>(null, loop.now(), failure));
    }
  }

  private void cancelStage() {
    CompletionStage<S> pending = stage;
    stage = null;
    if (pending != null) {
      try {
        pending.toCompletableFuture().cancel(true);
      } catch (Throwable t) {
        // A stage may have no future; then what still comes is left out.
      }
    }
  }

  private void finish(Outcome<T> outcome) {
    deadline.cancel();
    if (!outcome.ok()) {
      conduct.failed();
    }
    Consumer<Outcome<T>> ending = end;
    end = null;
    if (ending != null) {
      ending.accept(outcome);
    }
  }

  private void hasReturned() {
    returned = true;
    conduct.returned(this);
    Runnable action = whenReturned;
    whenReturned = null;
    if (action != null) {
      action.run();
    }
  }

  /** Whether the driver's method has given the thread back. On the loop. */
  boolean returned() {
    return returned;
  }

  @Override
  public String device() {
    return device;
  }

  /** Whether the driver has been entered; not whether it has returned. */
  @Override
  public boolean holdsThread() {
    return entered != null;
  }

  @Override
  public long heldSince() {
    return entered;
  }

  @Override
  public long overSince() {
    return over;
  }

  @Override
  public String toString() {
    return what + " of " + device;
  }

  /** Says what to do once it has, if it hasn't. On the loop. */
  void whenReturned(Runnable action) {
    whenReturned = action;
  }

  /** An exception in words, without holding on to it. */
  static String words(Throwable thrown) {
    Throwable t = unwrap(thrown);
    String name = t.getClass().getSimpleName();
    try {
      String message = t.getMessage();
      String text = message == null || message.isBlank() ? name : name + ": " + message;
      return text.length() > 300 ? text.substring(0, 300) + "…" : text;
    } catch (Throwable again) {
      return name;
    }
  }

  private static Throwable unwrap(Throwable thrown) {
    Throwable t = thrown;
    for (int i = 0; i < 8 && isWrapper(t) && t.getCause() != null; i++) {
      t = t.getCause();
    }
    return t;
  }

  private static boolean isWrapper(Throwable t) {
    return t instanceof CompletionException || t instanceof ExecutionException;
  }
}
