package io.culvert.device.opcua;

import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.UaServiceFaultException;

/** Failures in words for the person at the cabinet, and of classes that outlive this bundle. */
final class Failures {
  private Failures() {}

  /** The cause without what futures wrap it in. */
  static Throwable cause(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** The status code that a failure carries; 0 if none. */
  static long status(Throwable failure) {
    return cause(failure) instanceof UaException refused ? refused.getStatusCode().value() : 0;
  }

  /** Whether it is an answer: the server was there and said no. */
  static boolean refused(Throwable failure) {
    return cause(failure) instanceof UaServiceFaultException;
  }

  /** OPC UA's name of a status code (OPC 10000-6, A.2), without its underscore. */
  static String name(long status) {
    return StatusCodes.lookup(status)
        .map(names -> names[0].replace("_", ""))
        .orElseGet(() -> String.format("0x%08X", status));
  }

  /**
   * A failure as the core may see it.
   *
   * @param whom what was asked
   */
  static Exception outward(String whom, Throwable failure) {
    Throwable cause = cause(failure);
    if (cause instanceof TimeoutException || status(cause) == StatusCodes.Bad_Timeout) {
      return new TimeoutException(whom + " doesn't answer");
    }
    if (cause instanceof UaException refused) {
      long status = refused.getStatusCode().value();
      Throwable below = refused.getCause();
      if (below instanceof IOException
          && !(below instanceof java.nio.channels.ClosedChannelException)) {
        return new IOException(whom + ": " + words(below));
      }
      String what =
          StatusCodes.lookup(status)
              .map(names -> names[0].replace("_", "") + ", " + names[1])
              .orElse(name(status));
      return new IOException(whom + " says " + what);
    }
    return new IOException(
        cause.getMessage() == null || !(cause instanceof IOException)
            ? whom + ": " + words(cause)
            : cause.getMessage());
  }

  private static String words(Throwable cause) {
    if (cause instanceof UnresolvedAddressException || cause instanceof UnknownHostException) {
      return "no such host; check the name, and the gateway's name server";
    }
    if (cause instanceof NoRouteToHostException) {
      return "no route there; check address and network";
    }
    if (cause instanceof ConnectException) {
      return "nothing listens there; check port and whether the server runs";
    }
    return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
  }
}
